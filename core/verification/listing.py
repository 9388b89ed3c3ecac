"""From what PostgreSQL listed of differing rows to values with names, and which of a key's values may be seen."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from etlkit.loading.table_plan import TablePlan
from etlkit.loading.target import TargetTable
from etlkit.tables import INTEGER_TYPES
from etlkit.verification.results import Difference

_PLAIN = INTEGER_TYPES | {"uuid"}


def visible_keys(what: TablePlan, *, values: bool) -> tuple[str, ...]:
    """Choose the columns of a key whose values may be shown: a key is a row's value, and may be a name.

    Args:
        what: the table.
        values: whether a person asked for values.

    Returns:
        Their names in the warehouse: all when values were asked for, else those that are an integer or a uuid.
    """
    plain = {
        there.name
        for column, there in zip(what.rendered.columns, what.target.columns, strict=True)
        if column.column.data_type in _PLAIN and column.conversion is None
    }
    return tuple(name for name in what.target.key if values or name in plain)


def columns_of(target: TargetTable, counts: Sequence[tuple[int, int]]) -> dict[str, int]:
    """Name the columns that differ.

    Args:
        target: the table.
        counts: place and rows of each.

    Returns:
        By name in the source, in the table's order.
    """
    return {target.columns[place].source: rows for place, rows in sorted(counts)}


def differences_of(target: TargetTable, first: Sequence[Sequence[Any]]) -> tuple[Difference, ...]:
    """Name the rows that differ.

    Args:
        target: the table.
        first: of each row `[kind, key, places, source's values, warehouse's values]`.

    Returns:
        The rows.
    """
    sources = {each.name: each.source for each in target.columns}
    found = []
    for kind, key, places, ours, theirs in first:
        names = [target.columns[place].source for place in places]
        found.append(
            Difference(
                kind=kind,
                key=dict(zip((sources[name] for name in target.key), key, strict=True)),
                columns=tuple(names),
                values=None
                if ours is None
                else {name: (ours[place], theirs[place]) for name, place in zip(names, places, strict=True)},
            )
        )
    return tuple(found)
