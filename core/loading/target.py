"""The table in the warehouse: names, types and key, as one frozen value that can be turned into DDL."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

import attrs
import sqlalchemy as sa
from sqlalchemy.types import UserDefinedType

from etlkit.errors import TargetConflict
from etlkit.tables import Column, TableAnalysis
from etlkit.transfer.digests import DIGEST
from etlkit.transfer.rendering import RenderedTable

DELETED_AT = "_etlkit_deleted_at"
"""The column that marks a row which is gone in the source: when the load that missed it was committed."""
DELETED_AT_TYPE = "timestamp with time zone"
"""Its type."""
OWN_COLUMNS = frozenset({DIGEST.name, DELETED_AT})
"""Columns that etlkit keeps beside those of the source."""

# PostgreSQL's manual, "System Columns": each table has them, and can have no others of these names.
_SYSTEM_COLUMNS = frozenset({"tableoid", "xmin", "cmin", "xmax", "cmax", "ctid"})
_NAME_BYTES = 63
_HASH_DIGITS = 8


class Named(UserDefinedType[Any]):
    """A PostgreSQL type by its name, which SQLAlchemy passes on as it is."""

    cache_ok = True

    def __init__(self, name: str) -> None:
        """Name a type.

        Args:
            name: such as `timestamp(0) with time zone`.
        """
        self.name = name

    def get_col_spec(self, **_: Any) -> str:
        """Give the name to the DDL compiler."""
        return self.name


@attrs.frozen(kw_only=True)
class TargetColumn:
    """One column in the warehouse."""

    name: str
    """Its name there: the source's, unless that has more than 63 bytes."""
    source: str
    """Its name in the source."""
    type: str
    """The PostgreSQL type."""
    conversion: str | None = None
    """The conversion that made its values, by name."""
    definition: str = ""
    """What the source says of the column; another definition may have changed values that no cursor shows."""
    variant: str = ""
    """What else decides what the conversion makes: its options, and which key it uses."""
    policy: str | None = None
    """What becomes of values that PostgreSQL cannot hold, where that was chosen."""


@attrs.frozen(kw_only=True)
class TargetTable:
    """One table in the warehouse."""

    schema: str
    """Its schema."""
    name: str
    """Its name there."""
    source: str
    """Its name in the source."""
    columns: tuple[TargetColumn, ...]
    """In the source's order."""
    key: tuple[str, ...]
    """The primary key's columns by their target names; empty when the source's table has none."""
    marks: bool = False
    """Whether rows that are gone stay, marked in the column `DELETED_AT`, which lies behind the others."""

    @property
    def types(self) -> Mapping[str, str]:
        """The types of its columns by name, that of `DELETED_AT` included."""
        own = {DELETED_AT: DELETED_AT_TYPE} if self.marks else {}
        return {column.name: column.type for column in self.columns} | own

    @property
    def mapping_hash(self) -> str:
        """sha256 over how values become columns; when it changes, stored rows no longer mean the same."""
        said = [
            # Without a chosen policy, a definition or a variant as it was before there were any.
            [
                each.source,
                each.name,
                each.type,
                each.conversion,
                *([each.policy] if each.policy else []),
                *([{"definition": each.definition}] if each.definition else []),
                *([{"variant": each.variant}] if each.variant else []),
            ]
            for each in self.columns
        ]
        return hashlib.sha256(json.dumps([said, self.key]).encode()).hexdigest()

    def table(self, *, schema: str | None, name: str, temporary: bool = False) -> sa.Table:
        """Make a SQLAlchemy table of the columns that come from the source, without its key.

        Args:
            schema: where; None for the session's temporary schema.
            name: what it is called; see `beside` for temporary ones.
            temporary: whether it lives until the end of the transaction only.

        Returns:
            The table, in a metadata of its own.
        """
        return sa.Table(
            self.beside(name) if temporary else name,
            sa.MetaData(),
            # Of the key from the beginning: making it the key of filled rows would look for NULL in all of them.
            *(
                sa.Column(column.name, Named(column.type), nullable=column.name not in self.key)
                for column in self.columns
            ),
            schema=schema,
            prefixes=["TEMPORARY"] if temporary else [],
            postgresql_on_commit="DROP" if temporary else None,
        )

    def beside(self, name: str) -> str:
        """Name a temporary table that is used with this one, which a statement must be able to tell apart.

        Args:
            name: what it is called usually.

        Returns:
            The name; another one where this table is called so.
        """
        return f"{name}_of_session" if name == self.name else name

    def itself(self, types: Mapping[str, str] | None = None) -> sa.Table:
        """Make the SQLAlchemy table for this table.

        Args:
            types: the types that its columns have in the warehouse, where they may differ from the wanted ones.

        Returns:
            The table, without its key; with `DELETED_AT` where `types` has it, and without `types` where it is wanted.
        """
        there = self.types if types is None else types
        columns = tuple(attrs.evolve(each, type=there.get(each.name, each.type)) for each in self.columns)
        table = attrs.evolve(self, columns=columns).table(schema=self.schema, name=self.name)
        if DELETED_AT in there:
            table.append_column(sa.Column(DELETED_AT, Named(DELETED_AT_TYPE)))
        return table

    def __str__(self) -> str:
        return f"{self.schema}.{self.name}"


def target_of(analysis: TableAnalysis, rendered: RenderedTable, schema: str) -> TargetTable:
    """Decide what a source table is in the warehouse.

    Args:
        analysis: the table.
        rendered: its columns with their target types.
        schema: the warehouse's schema.

    Returns:
        The target.

    Raises:
        TargetConflict: a name cannot exist in PostgreSQL, two would be the same, or one is etlkit's own.
    """
    for name in sorted(OWN_COLUMNS):
        if analysis.column(name) is not None:
            raise TargetConflict(
                f"table `{analysis.name}`: etlkit keeps a column of its own called `{name}` in the warehouse, so the "
                "source's column of that name cannot be loaded; rename it in the source"
            )
    for each in rendered.columns:
        if each.column.name in _SYSTEM_COLUMNS:
            raise TargetConflict(
                f"table `{analysis.name}`: every table of PostgreSQL has a column `{each.column.name}` of its own, so "
                "the source's column of that name cannot be loaded; rename it in the source"
            )
    columns = tuple(
        TargetColumn(
            name=target_name(each.column.name),
            source=each.column.name,
            type=each.target_type,
            definition=_definition(each.column),
            conversion=each.conversion,
            variant=each.variant,
            policy=each.policy,
        )
        for each in rendered.columns
    )
    seen: dict[str, str] = {}
    for column in columns:
        if column.name in seen:
            raise TargetConflict(
                f"table `{analysis.name}`: the columns `{seen[column.name]}` and `{column.source}` would both be "
                f"called `{column.name}` in the warehouse; rename one in the source"
            )
        seen[column.name] = column.source
    return TargetTable(
        schema=schema,
        name=target_name(analysis.name),
        source=analysis.name,
        columns=columns,
        key=tuple(target_name(each) for each in analysis.primary_key),
    )


def _definition(column: Column) -> str:
    """Say what of a column's definition bears on its values: changing it may change them, and stamps no row."""
    said = [
        column.column_type,
        "" if column.nullable else "not null",
        column.charset or "",
        column.collation or "",
    ]
    # Servers of different versions call the same character set by either name.
    return " ".join(filter(None, said)).replace("utf8mb3", "utf8")


def target_name(name: str) -> str:
    """Keep a name, or shorten it when PostgreSQL would cut it without an error.

    Args:
        name: the source's, case kept.

    Returns:
        The name; over 63 bytes, its beginning and 8 digits of its sha256, the same in every run.

    Raises:
        TargetConflict: PostgreSQL cannot hold the name.
    """
    if not name or "\0" in name:
        shown = name.replace("\0", "\\0")
        raise TargetConflict(f"the name `{shown}` cannot exist in PostgreSQL; rename it in the source")
    if len(name.encode()) <= _NAME_BYTES:
        return name
    digest = hashlib.sha256(name.encode()).hexdigest()[:_HASH_DIGITS]
    head = name.encode()[: _NAME_BYTES - _HASH_DIGITS - 1].decode(errors="ignore")
    return f"{head}_{digest}"
