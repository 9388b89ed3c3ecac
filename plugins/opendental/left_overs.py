"""Tables that are no part of the practice's data: temporary ones, and copies that somebody kept."""

from __future__ import annotations

import re
from collections.abc import Iterator

from etlkit import Exclusion, TableAnalysis, hookimpl

# Open Dental's upgrades rename live tables to tempConv_<table><n>; MySQL's own ALTER leaves #sql files.
_TEMPORARY = re.compile(r"(?:tmp_|temp_|#sql|tempconv_).*|(?:tmp|temp)\d*", re.IGNORECASE | re.DOTALL)
_COPY = re.compile(r".*(?:_backup|_bak|_old)\d*", re.IGNORECASE | re.DOTALL)


def is_temporary(table: TableAnalysis) -> bool:
    """Tell whether a table is named like one that an upgrade, a repair or a person made for a while.

    Args:
        table: the table.
    """
    return _TEMPORARY.fullmatch(table.name) is not None


def is_copy(table: TableAnalysis) -> bool:
    """Tell whether a table is named like a copy of another one.

    Args:
        table: the table.
    """
    return _COPY.fullmatch(table.name) is not None


@hookimpl
def etlkit_exclusions() -> Iterator[Exclusion]:
    """Provide the exclusions."""
    yield Exclusion(
        name="temporary", summary="Tables that were made for a while: tmp_, temp_.", excludes=is_temporary
    )
    yield Exclusion(name="copies", summary="Copies of tables: _backup, _bak, _old.", excludes=is_copy)
