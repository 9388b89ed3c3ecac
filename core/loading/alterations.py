"""`ALTER TABLE` statements that SQLAlchemy has no words for."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.schema import DDLElement


class AlterColumns(DDLElement):
    """`ALTER TABLE ... ADD COLUMN ..., ALTER COLUMN ... TYPE ..., ALTER COLUMN ... DROP NOT NULL` in one statement."""

    def __init__(
        self,
        table: sa.Table,
        *,
        added: Mapping[str, str] | None = None,
        widened: Mapping[str, str] | None = None,
        retyped: Mapping[str, str] | None = None,
        nullable: Collection[str] = (),
        checking: bool = False,
    ) -> None:
        """Prepare.

        Args:
            table: the table.
            added: columns to add, with their types.
            widened: columns to widen, with their new types.
            retyped: columns that get another type; a value whose text is none of the new type becomes NULL.
            nullable: columns that may hold NULL from now on.
            checking: whether PostgreSQL can say if a text is a value of a type; else all become NULL.
        """
        self.table = table
        self.added, self.widened, self.retyped = added or {}, widened or {}, retyped or {}
        self.nullable = nullable
        self.checking = checking

    @property
    def does_something(self) -> bool:
        """Whether there is anything to alter."""
        return bool(self.added or self.widened or self.retyped or self.nullable)


@compiles(AlterColumns, "postgresql")
def _alter_columns(element: AlterColumns, compiler: Any, **_: Any) -> str:
    quote = compiler.preparer.quote_identifier
    steps = [f"ALTER COLUMN {quote(name)} DROP NOT NULL" for name in element.nullable]
    steps += [f"ADD COLUMN {quote(name)} {kind}" for name, kind in element.added.items()]
    steps += [f"ALTER COLUMN {quote(name)} TYPE {kind}" for name, kind in element.widened.items()]
    for name, kind in element.retyped.items():
        text = f"CAST({quote(name)} AS text)"
        literal = compiler.sql_compiler.render_literal_value(kind, sa.String())
        using = (
            f"CASE WHEN pg_input_is_valid({text}, {literal}) THEN CAST({text} AS {kind}) END"
            if element.checking
            else f"CAST(NULL AS {kind})"
        )
        steps.append(f"ALTER COLUMN {quote(name)} TYPE {kind} USING {using}")
    return f"ALTER TABLE {compiler.preparer.format_table(element.table)} {', '.join(steps)}"


class RenameColumn(DDLElement):
    """`ALTER TABLE ... RENAME COLUMN ... TO ...`, which views follow."""

    def __init__(self, table: sa.Table, old: str, new: str) -> None:
        """Prepare.

        Args:
            table: the table.
            old: the column's name.
            new: its name from now on.
        """
        self.table, self.old, self.new = table, old, new


@compiles(RenameColumn, "postgresql")
def _rename_column(element: RenameColumn, compiler: Any, **_: Any) -> str:
    quote = compiler.preparer.quote_identifier
    table = compiler.preparer.format_table(element.table)
    return f"ALTER TABLE {table} RENAME COLUMN {quote(element.old)} TO {quote(element.new)}"


class RenameTable(DDLElement):
    """`ALTER TABLE ... RENAME TO ...`, which views follow."""

    def __init__(self, table: sa.Table, new: str) -> None:
        """Prepare.

        Args:
            table: the table.
            new: its name from now on, in the same schema.
        """
        self.table, self.new = table, new


@compiles(RenameTable, "postgresql")
def _rename_table(element: RenameTable, compiler: Any, **_: Any) -> str:
    quote = compiler.preparer.quote_identifier
    return f"ALTER TABLE {compiler.preparer.format_table(element.table)} RENAME TO {quote(element.new)}"


class DropKey(DDLElement):
    """`ALTER TABLE ... DROP CONSTRAINT ...` of the primary key, without CASCADE; no row is touched by it."""

    def __init__(self, table: sa.Table, constraint: str) -> None:
        """Prepare.

        Args:
            table: the table.
            constraint: the name of its primary key.
        """
        self.table, self.constraint = table, constraint


@compiles(DropKey, "postgresql")
def _drop_key(element: DropKey, compiler: Any, **_: Any) -> str:
    quote = compiler.preparer.quote_identifier
    table = compiler.preparer.format_table(element.table)
    return f"ALTER TABLE {table} DROP CONSTRAINT {quote(element.constraint)} RESTRICT"


class LockTable(DDLElement):
    """`LOCK TABLE ... IN ACCESS EXCLUSIVE MODE`, as `ALTER TABLE` needs it."""

    def __init__(self, table: sa.Table) -> None:
        """Prepare.

        Args:
            table: the table.
        """
        self.table = table


@compiles(LockTable, "postgresql")
def _lock_table(element: LockTable, compiler: Any, **_: Any) -> str:
    return f"LOCK TABLE {compiler.preparer.format_table(element.table)} IN ACCESS EXCLUSIVE MODE"
