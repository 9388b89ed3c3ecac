"""Tables as the catalog would describe them, written in one line."""

from __future__ import annotations

import re

from etlkit.discovery.catalog import TableFacts
from etlkit.tables import Column, Index


def facts(
    name: str, *columns: str, key: str = "", indexes: tuple[str, ...] = (), **other: object
) -> TableFacts:
    """Describe a table.

    Args:
        name: Its name.
        columns: Each as `name type extra`; a `?` behind the type lets it be NULL.
        key: Columns of the primary key, separated by commas; by default the first auto_increment column.
        indexes: Columns of further indexes, separated by commas.
        other: Further fields of `TableFacts`.
    """
    made = tuple(_column(each) for each in columns)
    numbered = next((each.name for each in made if each.auto_increment), "")
    names = (key or numbered).split(",") if key or numbered else []
    primary = [_index("PRIMARY", ",".join(names))] if names else []
    others = [_index(f"by_{each.replace(',', '_')}", each) for each in indexes]
    return TableFacts(name=name, columns=made, indexes=(*primary, *others), **other)  # type: ignore[arg-type]


def _column(described: str) -> Column:
    name, whole, *extra = described.split(" ", 2)
    nullable = whole.endswith("?")
    whole = whole.removesuffix("?")
    bare = re.split(r"\(", whole)[0]
    return Column(
        name=name,
        data_type=bare,
        column_type=whole,
        declared_type=whole,
        nullable=nullable,
        extra=" ".join(extra),
    )


def _index(name: str, columns: str) -> Index:
    parts = tuple(columns.split(","))
    return Index(name=name, columns=parts, unique=name == "PRIMARY", prefix_lengths=(None,) * len(parts))
