"""How much a table matters, by what Open Dental's names mean.

The knowledge stands in `importance.yml`, a reason beside every fact. There are two classifiers, because a deployment
may want to put one of its own between them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from etlkit import Classifier, TableAnalysis, hookimpl
from etlkit.plugins.opendental.knowledge import read

_KNOWLEDGE = read("importance.yml")
LEVELS: Mapping[str, str] = {
    table: level for level, tables in _KNOWLEDGE["tables"].items() for table in tables
}
"""Per table of Open Dental its level."""
PATTERNS: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (re.compile(each["matches"]), each["level"]) for each in _KNOWLEDGE["patterns"]
)
"""Patterns of whole names with their level, in the order to try."""


def by_name(table: TableAnalysis) -> str | None:
    """Tell the level of a table that Open Dental's knowledge names.

    Args:
        table: the table.

    Returns:
        The level, or None for a table that is not named.
    """
    return LEVELS.get(table.name.lower())


def by_pattern(table: TableAnalysis) -> str | None:
    """Tell the level of a table whose name follows a pattern, such as a log's.

    Args:
        table: the table.

    Returns:
        The level, or None when no pattern fits.
    """
    name = table.name.lower()
    return next((level for pattern, level in PATTERNS if pattern.fullmatch(name)), None)


@hookimpl
def etlkit_classifiers() -> Iterator[Classifier]:
    """Provide the classifiers; without a configured order, their names put them in the order given here."""
    yield Classifier(name="open_dental_names", classify=by_name)
    yield Classifier(name="open_dental_patterns", classify=by_pattern)
