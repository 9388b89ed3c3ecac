"""Which table points to which: declared keys first, then columns named like another table's key.

Open Dental declares no foreign keys. Its columns carry the name of the key they hold, so `PatNum` in
`procedurelog` points to `patient`; that finds two thirds of the documented relations. Every relation says
where it comes from.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping

import attrs

from etlkit.discovery.catalog import TableFacts
from etlkit.discovery.exclusions import is_excluded
from etlkit.tables import BINARY_TYPES, INTEGER_TYPES, TEXT_TYPES, Column

DECLARED = "declared"
"""Origin of a relation that the source declares as a foreign key."""

NAMED_LIKE_KEY = "named like its key"
"""Origin of a relation found because the column is named like the other table's key."""

_SAYS_NOTHING = frozenset({"id", "key", "code", "name", "num", "no", "uuid", "guid", "pk", "row_id"})
_KEY_ENDINGS = re.compile(r"(?:_?num|_?id|_?no|_?key|_?code)$", re.IGNORECASE)


@attrs.frozen(kw_only=True, order=True)
class Relation:
    """One column that points to another table, or to its own."""

    table: str
    """The table that points."""
    column: str
    """The column that points."""
    referenced_table: str
    """The table it points to."""
    referenced_column: str
    """The column it points to."""
    origin: str
    """`DECLARED`, `NAMED_LIKE_KEY`, or the words of a rule."""


@attrs.frozen(kw_only=True)
class Relations:
    """All relations of a schema, from both ends."""

    outgoing: Mapping[str, tuple[Relation, ...]]
    """By the table that points; every table is there."""
    incoming: Mapping[str, tuple[Relation, ...]]
    """By the table pointed to; every table is there."""

    def depends_on(self, table: str) -> tuple[str, ...]:
        """Give the tables that a table points to, sorted, itself left out."""
        return tuple(sorted({each.referenced_table for each in self.outgoing[table]} - {table}))

    def referenced_by(self, table: str) -> tuple[str, ...]:
        """Give the tables that point to a table, sorted, itself left out."""
        return tuple(sorted({each.table for each in self.incoming[table]} - {table}))


def find_relations(tables: Iterable[TableFacts]) -> Relations:
    """Find the relations among tables.

    Tables excluded by default may point, but nothing is said to point to them, and they count nowhere: a
    copy of a table left behind by an upgrade changes no other table's relations.

    Args:
        tables: all tables of the schema.

    Returns:
        The relations; declared ones win over those that names suggest for the same column.
    """
    known = {table.name: table for table in tables}
    keys = preferred_keys(table for table in known.values() if not is_excluded(table.name))
    outgoing: dict[str, tuple[Relation, ...]] = {}
    incoming: defaultdict[str, list[Relation]] = defaultdict(list)
    for table in known.values():
        found = {each.column: each for each in _declared(table, known)}
        for column in table.columns:
            relation = _by_name(table, column, keys)
            if relation is not None:
                found.setdefault(column.name, relation)
        outgoing[table.name] = tuple(sorted(found.values()))
        for relation in () if is_excluded(table.name) else outgoing[table.name]:
            incoming[relation.referenced_table].append(relation)
    return Relations(outgoing=outgoing, incoming={name: tuple(sorted(incoming[name])) for name in known})


def preferred_keys(tables: Iterable[TableFacts]) -> Mapping[str, TableFacts]:
    """Say which table owns a key's name, where several tables use the same name.

    Among the tables whose primary key is one column of that name, the one that numbers it (auto_increment)
    is preferred, then the one whose name starts with the column's stem (`PatNum`: `pat`), then the shortest
    name.

    Args:
        tables: all tables.

    Returns:
        The owner, by the key's name in lower case; names that say nothing (`id`) are left out.
    """
    candidates: defaultdict[str, list[TableFacts]] = defaultdict(list)
    for table in tables:
        if len(table.primary_key) == 1 and (name := table.primary_key[0].casefold()) not in _SAYS_NOTHING:
            candidates[name].append(table)
    return {name: min(found, key=lambda each: _rank(each, name)) for name, found in candidates.items()}


def _rank(table: TableFacts, key: str) -> tuple[bool, bool, int, str]:
    column = table.column(table.primary_key[0])
    stem = _KEY_ENDINGS.sub("", key) or key
    numbered = column is not None and column.auto_increment
    return (not numbered, not table.name.casefold().startswith(stem), len(table.name), table.name)


def _declared(table: TableFacts, known: Mapping[str, TableFacts]) -> list[Relation]:
    return [
        Relation(
            table=table.name,
            column=key.column,
            referenced_table=key.referenced_table,
            referenced_column=key.referenced_column,
            origin=DECLARED,
        )
        for key in table.foreign_keys
        if key.referenced_table in known
    ]


def _by_name(table: TableFacts, column: Column, keys: Mapping[str, TableFacts]) -> Relation | None:
    owner = keys.get(column.name.casefold())
    if owner is None or owner.name == table.name:
        return None
    if column.auto_increment and table.primary_key == (column.name,):
        return None  # A key that the table numbers itself points nowhere.
    key = owner.column(owner.primary_key[0])
    if key is None or _family(key) != _family(column):
        return None
    return Relation(
        table=table.name,
        column=column.name,
        referenced_table=owner.name,
        referenced_column=key.name,
        origin=NAMED_LIKE_KEY,
    )


def _family(column: Column) -> str:
    if column.data_type in INTEGER_TYPES:
        return "integer"
    if column.data_type in TEXT_TYPES:
        return "text"
    return "bytes" if column.data_type in BINARY_TYPES else column.data_type
