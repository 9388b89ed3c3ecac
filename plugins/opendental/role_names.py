"""Relationships of columns that Open Dental names by a role: `Guarantor` is a patient, `ProvHyg` a provider.

The knowledge stands in `role_names.yml`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from importlib import resources
from typing import Any

import yaml

from etlkit import INTEGER_TYPES, Column, Relationship, RelationshipRule, TableAnalysis, hookimpl

NAME = "role_name"


def _folded(names: Mapping[str, str]) -> Mapping[str, str]:
    return {column.casefold(): table for column, table in names.items()}


def _knowledge() -> Mapping[str, Any]:
    text = resources.files("etlkit.plugins.opendental").joinpath("role_names.yml").read_text(encoding="utf-8")
    found: Mapping[str, Any] = yaml.safe_load(text)
    return found


_KNOWLEDGE = _knowledge()
EVERYWHERE: Mapping[str, str] = _folded(_KNOWLEDGE["columns"])
"""By a column's name in lower case the table that it points to, wherever the column is."""
BY_TABLE: Mapping[str, Mapping[str, str]] = {
    table: _folded(columns) for table, columns in _KNOWLEDGE["tables"].items()
}
"""The same for names that mean something only in one table, by that table's name in lower case."""


def relationships(tables: Mapping[str, TableAnalysis]) -> Iterator[Relationship]:
    """Say what the columns with documented role names point to.

    Args:
        tables: all tables by name.

    Yields:
        A relationship for each such column whose table is there and has one number as its key.
    """
    keys = {name.casefold(): key for name, table in tables.items() if (key := _number(table))}
    names = {name.casefold(): name for name in tables}
    for table in tables.values():
        here = {**EVERYWHERE, **BY_TABLE.get(table.name.casefold(), {})}
        for column in table.columns:
            referenced = here.get(column.name.casefold(), "")
            if column.data_type in INTEGER_TYPES and referenced in keys:
                yield Relationship(
                    table=table.name,
                    column=column.name,
                    referenced_table=names[referenced],
                    referenced_column=keys[referenced].name,
                )


def _number(table: TableAnalysis) -> Column | None:
    key = table.column(table.primary_key[0]) if len(table.primary_key) == 1 else None
    return key if key is not None and key.data_type in INTEGER_TYPES else None


@hookimpl
def etlkit_relationships() -> Iterator[RelationshipRule]:
    """Provide the rule."""
    yield RelationshipRule(
        name=NAME,
        summary="Columns that Open Dental names by a role, such as Guarantor.",
        relationships=relationships,
    )
