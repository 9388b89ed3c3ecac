"""Relationships of columns that are named like a table's key, or have such a name inside theirs.

Open Dental's columns mostly carry the name of the key they hold, so `PatNum` in `procedurelog` points to
`patient`; that finds three quarters of the documented relationships. Another tenth has words before or behind it
that tell the role: `PatNumFrom`, `NextAptNum`, `SecUserNumEntry`.
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
from etlkit.plugins.opendental.role_names import fact

NAME = "named_like_key"
WITH_ROLE = "named_with_key"

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
            if fact(table.name, column.name) is None:
                yield from _pointing(table, column, owner)


def relationships_with_role(tables: Mapping[str, TableAnalysis]) -> Iterator[Relationship]:
    """Say what the columns point to that have a key's name inside theirs.

    The key's name must be whole words: `ProvNumOrdering` is a provider, and `ApptNumber` is no appointment. The
    longest name decides (`SheetDefNumX` is no definition), then the last one.

    Args:
        tables: all tables by name.

    Yields:
        A relationship for each such number that holds the same kind of values as the key; what is written
        down in `role_names.yml` is left to that.
    """
    keys = preferred_keys(tables.values())
    inside = {key: owner for owner in keys.values() if (key := owner.primary_key[0]).endswith("Num")}
    for table in tables.values():
        for column in table.columns:
            if column.data_type not in INTEGER_TYPES or column.name.casefold() in keys:
                continue
            name = _key_inside(column.name, inside)
            if name is not None and fact(table.name, column.name) is None:
                yield from _pointing(table, column, inside[name])


def _key_inside(name: str, keys: Iterable[str]) -> str | None:
    found = [(len(key), name.rindex(key), key) for key in keys if key in name and _is_whole(name, key)]
    return max(found)[2] if found else None


def _is_whole(name: str, key: str) -> bool:
    start = name.rindex(key)
    before, after = name[:start], name[start + len(key) :]
    begins = not before or (key[0].isupper() and not before[-1].isupper())
    return begins and not after[:1].islower()


def _pointing(table: TableAnalysis, column: Column, owner: TableAnalysis) -> Iterator[Relationship]:
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
    """Provide the rules."""
    yield RelationshipRule(
        name=NAME, summary="Columns that are named like another table's key.", relationships=relationships
    )
    yield RelationshipRule(
        name=WITH_ROLE,
        summary="Columns that have a key's name and a role in theirs, such as PatNumFrom.",
        relationships=relationships_with_role,
    )
