"""What tables in the warehouse look like now: columns, types and key, read from PostgreSQL's catalog in one query."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import attrs
import sqlalchemy as sa


@attrs.frozen(kw_only=True)
class Shape:
    """The columns and the key that a relation in the warehouse has."""

    types: Mapping[str, str]
    """Column name to type, as `format_type` prints it, in the table's order."""
    key: tuple[str, ...]
    """The primary key's columns in its order."""
    kind: str = "r"
    """What it is, as in `pg_class.relkind`: `r` a table, `p` a partitioned one, `v` a view, `i` an index ..."""

    @property
    def is_table(self) -> bool:
        """Whether rows can be loaded into it."""
        return self.kind in "rp"


@attrs.frozen(kw_only=True)
class PrimaryKey:
    """The constraint that is a table's primary key."""

    oid: int
    """Its number in `pg_constraint`."""
    name: str
    """Its name."""


_ATTRIBUTES = sa.table(
    "pg_attribute",
    sa.column("attrelid"),
    sa.column("attname"),
    sa.column("atttypid"),
    sa.column("atttypmod"),
    sa.column("attnum"),
    sa.column("attisdropped", sa.Boolean),
    schema="pg_catalog",
)
_CLASSES = sa.table(
    "pg_class",
    sa.column("oid"),
    sa.column("relname"),
    sa.column("relnamespace"),
    sa.column("relkind"),
    schema="pg_catalog",
)
_NAMESPACES = sa.table("pg_namespace", sa.column("oid"), sa.column("nspname"), schema="pg_catalog")
_CONSTRAINTS = sa.table(
    "pg_constraint",
    sa.column("oid"),
    sa.column("conname"),
    sa.column("conrelid"),
    sa.column("contype"),
    sa.column("conkey", sa.ARRAY(sa.SmallInteger)),
    schema="pg_catalog",
)


def shape_of(connection: sa.Connection, table: sa.Table) -> Shape | None:
    """Read a table's columns and key.

    Args:
        connection: to the warehouse.
        table: where to look; without a schema, among the session's temporary tables.

    Returns:
        The shape; None when nothing has that name.
    """
    where = (
        _NAMESPACES.c.nspname == table.schema
        if table.schema
        else _NAMESPACES.c.oid == sa.func.pg_my_temp_schema()
    )
    return _read(connection, where, _CLASSES.c.relname == table.name).get(table.name)


def numbers_of(connection: sa.Connection, table: sa.Table) -> tuple[int, dict[str, int], PrimaryKey | None]:
    """Read what PostgreSQL's catalog calls a table, its columns and its primary key.

    Args:
        connection: to the warehouse.
        table: a table that is there.

    Returns:
        Its oid, the numbers of its columns by name, and its primary key, if it has one.
    """
    oid = connection.execute(
        sa.select(_CLASSES.c.oid)
        .join_from(_CLASSES, _NAMESPACES, _CLASSES.c.relnamespace == _NAMESPACES.c.oid)
        .where(_NAMESPACES.c.nspname == table.schema, _CLASSES.c.relname == table.name)
    ).scalar_one()
    columns = connection.execute(
        sa.select(_ATTRIBUTES.c.attname, _ATTRIBUTES.c.attnum).where(
            _ATTRIBUTES.c.attrelid == oid, _ATTRIBUTES.c.attnum > 0, ~_ATTRIBUTES.c.attisdropped
        )
    )
    key = connection.execute(
        sa.select(_CONSTRAINTS.c.oid, _CONSTRAINTS.c.conname).where(
            _CONSTRAINTS.c.conrelid == oid, _CONSTRAINTS.c.contype == sa.literal_column("'p'")
        )
    ).first()
    return (
        oid,
        {each.attname: each.attnum for each in columns},
        None if key is None else PrimaryKey(oid=key.oid, name=key.conname),
    )


def comments_of(connection: sa.Connection, table: sa.Table) -> dict[str, str | None]:
    """Read the comments on a table and its columns.

    Args:
        connection: to the warehouse.
        table: where to look.

    Returns:
        By column; the table's own by an empty name. Empty when there is no such table.
    """
    where = (_NAMESPACES.c.nspname == table.schema, _CLASSES.c.relname == table.name)
    there = sa.join(_CLASSES, _NAMESPACES, _CLASSES.c.relnamespace == _NAMESPACES.c.oid)
    own = sa.select(sa.literal(""), sa.func.obj_description(_CLASSES.c.oid, "pg_class")).select_from(there)
    columns = sa.select(
        sa.cast(_ATTRIBUTES.c.attname, sa.Text), sa.func.col_description(_CLASSES.c.oid, _ATTRIBUTES.c.attnum)
    ).select_from(there.join(_ATTRIBUTES, _ATTRIBUTES.c.attrelid == _CLASSES.c.oid))
    visible = (_ATTRIBUTES.c.attnum > 0, ~_ATTRIBUTES.c.attisdropped)
    rows = connection.execute(sa.union_all(own.where(*where), columns.where(*where, *visible)))
    return {each[0]: each[1] for each in rows}


def shapes_in(connection: sa.Connection, schema: str) -> dict[str, Shape]:
    """Read the columns and keys of a schema's tables.

    Args:
        connection: to the warehouse.
        schema: where to look.

    Returns:
        The shapes of tables, by name; empty when there is no such schema.
    """
    tables = _CLASSES.c.relkind.in_([sa.literal_column("'r'"), sa.literal_column("'p'")])
    return _read(connection, _NAMESPACES.c.nspname == schema, tables)


def _read(connection: sa.Connection, *where: sa.ColumnElement[bool]) -> dict[str, Shape]:
    types: dict[str, dict[str, str]] = {}
    keys: dict[str, dict[int, str]] = {}
    kinds: dict[str, str] = {}
    for name, kind, column, kind_of_column, place in connection.execute(_query(where)):
        kinds[name] = kind
        columns, key = types.setdefault(name, {}), keys.setdefault(name, {})
        if column is not None:
            columns[column] = kind_of_column
        if place is not None:
            key[place] = column
    return {
        name: Shape(
            types=types[name], key=tuple(keys[name][place] for place in sorted(keys[name])), kind=kinds[name]
        )
        for name in kinds
    }


def _query(where: tuple[sa.ColumnElement[bool], ...]) -> sa.Select[Any]:
    visible = sa.and_(
        _ATTRIBUTES.c.attrelid == _CLASSES.c.oid, _ATTRIBUTES.c.attnum > 0, ~_ATTRIBUTES.c.attisdropped
    )
    primary = sa.and_(
        _CONSTRAINTS.c.conrelid == _CLASSES.c.oid, _CONSTRAINTS.c.contype == sa.literal_column("'p'")
    )
    return (
        sa.select(
            _CLASSES.c.relname,
            # Of PostgreSQL's type "char", which the driver gives as text of one character.
            _CLASSES.c.relkind,
            _ATTRIBUTES.c.attname,
            sa.func.format_type(_ATTRIBUTES.c.atttypid, _ATTRIBUTES.c.atttypmod),
            sa.func.array_position(_CONSTRAINTS.c.conkey, _ATTRIBUTES.c.attnum),
        )
        .join_from(_CLASSES, _NAMESPACES, _CLASSES.c.relnamespace == _NAMESPACES.c.oid)
        .join(_ATTRIBUTES, visible, isouter=True)
        .join(_CONSTRAINTS, primary, isouter=True)
        .where(*where)
        .order_by(_CLASSES.c.relname, _ATTRIBUTES.c.attnum)
    )
