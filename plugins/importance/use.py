"""How much a table matters by how others use it, whatever its name is."""

from __future__ import annotations

from collections.abc import Iterator

from etlkit import Classifier, TableAnalysis, hookimpl

LOOKUP_ROWS = 1000
"""At most so many rows make a short list."""
LOOKUP_REFERENCES = 3
"""At least so many tables point to a list that is shared."""


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
    """Provide the classifier; without a configured order, its name puts it behind those of the Open Dental pack."""
    yield Classifier(name="reference_by_use", classify=by_use)
