"""Relationships of columns that Open Dental names by a role: `Guarantor` is a patient, `ProvHyg` a provider.

The knowledge stands in `role_names.yml`. A fact about a column of one table comes before one about a name in every
table, and that before a word that a name begins or ends with.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from etlkit import INTEGER_TYPES, TEXT_TYPES, Column, Relationship, RelationshipRule, TableAnalysis, hookimpl
from etlkit.plugins.opendental.knowledge import read

NAME = "role_name"


def _folded(names: Mapping[str, str]) -> Mapping[str, str]:
    return {column.casefold(): target for column, target in names.items()}


_KNOWLEDGE = read("role_names.yml")
EVERYWHERE: Mapping[str, str] = _folded(_KNOWLEDGE["columns"])
"""By a column's name in lower case what it points to, wherever the column is: a table, or `table.column`."""
BY_TABLE: Mapping[str, Mapping[str, str]] = {
    table: _folded(columns) for table, columns in _KNOWLEDGE["tables"].items()
}
"""The same for names that mean something only in one table, by that table's name in lower case."""
BEGINNINGS: Mapping[str, str] = _KNOWLEDGE["beginnings"]
"""By the word that a name begins with the table; more follows the word."""
ENDINGS: Mapping[str, str] = _KNOWLEDGE["endings"]
"""By the word that a name ends with the table."""
NOWHERE: frozenset[str] = frozenset(name.casefold() for name in _KNOWLEDGE["nowhere"])
"""Names, in lower case, of columns that point to no single table."""
_NOWHERE = ""


def fact(table: str, column: str) -> str | None:
    """Tell what is written down of a column, by its name and its table's.

    Args:
        table: the table's name, in any case.
        column: the column's name, in any case.

    Returns:
        What it points to; empty for a column that points to no single table, None where nothing is written.
    """
    name = column.casefold()
    own = table.casefold()
    copied = own.removeprefix("hist").removesuffix("hist")  # histappointment, taskhist
    here = {**BY_TABLE.get(copied, {}), **BY_TABLE.get(own, {})}
    return here.get(name, _NOWHERE if name in NOWHERE else EVERYWHERE.get(name))


def by_word(column: Column) -> str | None:
    """Tell what a column points to by the word that its name begins or ends with.

    Only `bigint`, which Open Dental uses for keys, can point: `BillingType` is a definition, and a `tinyint` that
    ends with the same word is an enum.

    Args:
        column: the column.
    """
    name = column.name
    if column.data_type != "bigint" or name.endswith("Num"):
        return None  # What ends with Num is named after a key, which says more than a word.
    for word, table in ENDINGS.items():
        if name.endswith(word):
            return table
    for word, table in BEGINNINGS.items():
        if name.startswith(word) and name[len(word) :][:1].isupper():
            return table
    return None


def relationships(tables: Mapping[str, TableAnalysis]) -> Iterator[Relationship]:
    """Say what the columns that are named by a role point to.

    Args:
        tables: all tables by name.

    Yields:
        A relationship for each such column whose table is there and holds the same kind of values.
    """
    names = {name.casefold(): name for name in tables}
    for table in tables.values():
        for column in table.columns:
            known = fact(table.name, column.name)
            target = by_word(column) if known is None else known
            if not target:
                continue
            name, _, key = target.partition(".")
            owner = tables.get(names.get(name, ""))
            referenced = None if owner is None else _referenced(owner, key)
            if owner is None or referenced is None or not _alike(column, referenced):
                continue
            if (owner.name, referenced.name) != (table.name, column.name):  # A code does not point to itself.
                yield Relationship(
                    table=table.name,
                    column=column.name,
                    referenced_table=owner.name,
                    referenced_column=referenced.name,
                )


def _referenced(owner: TableAnalysis, key: str) -> Column | None:
    if key:
        return next((each for each in owner.columns if each.name.casefold() == key.casefold()), None)
    return owner.column(owner.primary_key[0]) if len(owner.primary_key) == 1 else None


def _alike(column: Column, referenced: Column) -> bool:
    return any(
        {column.data_type, referenced.data_type} <= set(family) for family in (INTEGER_TYPES, TEXT_TYPES)
    )


@hookimpl
def etlkit_relationships() -> Iterator[RelationshipRule]:
    """Provide the rule."""
    yield RelationshipRule(
        name=NAME,
        summary="Columns that Open Dental names by a role, such as Guarantor.",
        relationships=relationships,
    )
