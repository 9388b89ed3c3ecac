"""Tables that are left out unless a person asks for them: temporary copies and what upgrades leave behind."""

from __future__ import annotations

import re
from collections.abc import Iterable

_EXCLUDED = re.compile(
    # Open Dental's upgrades rename live tables to tempConv_<table><n>; MySQL's own ALTER leaves #sql files.
    r"^(?:tmp_|temp_|#sql|tempconv_)|^(?:tmp|temp)\d*$|(?:_backup|_bak|_old)\d*$",
    re.IGNORECASE,
)


def is_excluded(table: str) -> bool:
    """Tell whether a table is left out by default.

    Args:
        table: its name.
    """
    return _EXCLUDED.search(table) is not None


def without_excluded(tables: Iterable[str]) -> tuple[str, ...]:
    """Leave out the tables that are excluded by default.

    Args:
        tables: names.

    Returns:
        The others, in their order.
    """
    return tuple(table for table in tables if not is_excluded(table))
