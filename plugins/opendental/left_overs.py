"""Tables that are no part of the practice's data: temporary ones, and copies that somebody kept.

The knowledge stands in `left_overs.yml`. Lists that people make in the program's wiki (`wikilist_...`) are data.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from etlkit import Exclusion, TableAnalysis, hookimpl
from etlkit.plugins.opendental.knowledge import read

_KNOWLEDGE = read("left_overs.yml")


def _one_of(kind: str) -> re.Pattern[str]:
    # DOTALL, because a table's name may have line breaks in it.
    whole = "|".join(f"(?:{each['matches']})" for each in _KNOWLEDGE[kind])
    return re.compile(whole, re.IGNORECASE | re.DOTALL)


_TEMPORARY = _one_of("temporary")
_COPY = _one_of("copies")


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
        name="temporary",
        summary="Tables that upgrades, reports and people make for a while.",
        excludes=is_temporary,
    )
    yield Exclusion(
        name="copies", summary="Copies of tables that upgrades and people keep.", excludes=is_copy
    )
