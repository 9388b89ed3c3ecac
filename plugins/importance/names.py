"""How much a table matters, by what Open Dental's names mean and by how a table is used by others.

The knowledge stands in `open_dental.yml`, a reason beside every fact. There are three classifiers, because a
deployment may want to put one of its own between them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from importlib import resources
from typing import Any

import yaml

from etlkit import Classifier, TableAnalysis, hookimpl

LOOKUP_ROWS = 1000
"""At most so many rows make a short list."""
LOOKUP_REFERENCES = 3
"""At least so many tables point to a list that is shared."""


def _knowledge() -> Mapping[str, Any]:
    text = (
        resources.files("etlkit.plugins.importance").joinpath("open_dental.yml").read_text(encoding="utf-8")
    )
    found: Mapping[str, Any] = yaml.safe_load(text)
    return found


_KNOWLEDGE = _knowledge()
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


def by_use(table: TableAnalysis) -> str | None:
    """Tell that a short list is a reference when several tables point to it and it points to none.

    Args:
        table: the table, with its relations, declared or not.

    Returns:
        `reference`, or None.
    """
    others = set(table.referenced_by) - {table.name}
    short = table.row_count <= LOOKUP_ROWS
    pointing = set(table.depends_on) - {table.name}
    return "reference" if len(others) >= LOOKUP_REFERENCES and short and not pointing else None


@hookimpl
def etlkit_classifiers() -> Iterator[Classifier]:
    """Provide the classifiers; without a configured order, their names put them in the order given here."""
    yield Classifier(name="open_dental_names", classify=by_name)
    yield Classifier(name="open_dental_patterns", classify=by_pattern)
    yield Classifier(name="reference_by_use", classify=by_use)
