"""Relationships of columns that are named like another table's key.

Open Dental's columns mostly carry the name of the key they hold, so `PatNum` in `procedurelog` points to
`patient`; that finds two thirds of the documented relationships.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping

from etlkit import (
    BINARY_TYPES,
    INTEGER_TYPES,
    TEXT_TYPES,
    Column,
    Relationship,
    RelationshipRule,
    TableAnalysis,
    hookimpl,
)

NAME = "named_like_key"

_SAYS_NOTHING = frozenset({"id", "key", "code", "name", "num", "no", "uuid", "guid", "pk", "row_id"})
_KEY_ENDINGS = re.compile(r"(?:_?num|_?id|_?no|_?key|_?code)$", re.IGNORECASE)


def relationships(tables: Mapping[str, TableAnalysis]) -> Iterator[Relationship]:
    """Say what the columns that are named like another table's key point to.

    Args:
        tables: all tables by name.

    Yields:
        A relationship for each such column that holds the same kind of values as the key.
    """
    keys = preferred_keys(tables.values())
    for table in tables.values():
        for column in table.columns:
            owner = keys.get(column.name.casefold())
            if owner is None or owner.name == table.name:
                continue
            if column.auto_increment and table.primary_key == (column.name,):
                continue  # A key that the table numbers itself points nowhere.
            key = owner.column(owner.primary_key[0])
            if key is not None and _family(key) == _family(column):
                yield Relationship(
                    table=table.name,
                    column=column.name,
                    referenced_table=owner.name,
                    referenced_column=key.name,
                )


def preferred_keys(tables: Iterable[TableAnalysis]) -> Mapping[str, TableAnalysis]:
    """Say which table owns a key's name, where several tables use the same name.

    Among the tables whose primary key is one column of that name, the one that numbers it (auto_increment)
    is preferred, then the one whose name starts with the column's stem (`PatNum`: `pat`), then the shortest
    name.

    Args:
        tables: all tables.

    Returns:
        The owner, by the key's name in lower case; names that say nothing (`id`) are left out.
    """
    candidates: defaultdict[str, list[TableAnalysis]] = defaultdict(list)
    for table in tables:
        if len(table.primary_key) == 1 and (name := table.primary_key[0].casefold()) not in _SAYS_NOTHING:
            candidates[name].append(table)
    return {name: min(found, key=lambda each: _rank(each, name)) for name, found in candidates.items()}


def _rank(table: TableAnalysis, key: str) -> tuple[bool, bool, int, str]:
    column = table.column(table.primary_key[0])
    stem = _KEY_ENDINGS.sub("", key) or key
    numbered = column is not None and column.auto_increment
    return (not numbered, not table.name.casefold().startswith(stem), len(table.name), table.name)


def _family(column: Column) -> str:
    if column.data_type in INTEGER_TYPES:
        return "integer"
    if column.data_type in TEXT_TYPES:
        return "text"
    return "bytes" if column.data_type in BINARY_TYPES else column.data_type


@hookimpl
def etlkit_relationships() -> Iterator[RelationshipRule]:
    """Provide the rule."""
    yield RelationshipRule(
        name=NAME, summary="Columns that are named like another table's key.", relationships=relationships
    )
