"""What stands in the tables of both sides at one moment, so that what changed between two can be told row by row."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

import attrs
import psycopg2.sql
import pymysql
from pymysql.converters import encoders
from sqlalchemy.engine import make_url

from support.databases import SourceDatabase, WarehouseDatabase

Key = tuple[str, ...]
"""The values of a row's primary key as text."""

Versions = dict[Key, tuple[str, str]]
"""By key, where the warehouse's row lies and which transaction wrote it."""


@attrs.frozen(kw_only=True)
class Changes:
    """What happened to a table's rows between two moments."""

    inserted: frozenset[Key]
    """Keys that are new."""
    updated: frozenset[Key]
    """Keys whose rows are other ones."""
    deleted: frozenset[Key]
    """Keys that are gone."""


def source_rows(
    source: SourceDatabase, tables: Collection[str] | None = None
) -> dict[str, dict[Key, tuple[Any, ...]]]:
    """Read tables with a primary key.

    Args:
        source: where.
        tables: which; all by default.

    Returns:
        By table, its rows by key, each value as the server sends it.
    """
    keys: dict[str, list[str]] = {}
    for table, column in source.rows(
        "SELECT table_name, column_name FROM information_schema.statistics WHERE index_name = 'PRIMARY' "
        f"AND table_schema = '{source.name}' ORDER BY table_name, seq_in_index"
    ):
        keys.setdefault(table, []).append(column)
    url = make_url(source.url)
    connection = pymysql.connect(
        host=url.host,
        port=url.port or 3306,
        user=url.username,
        password=url.password or "",
        database=source.name,
        charset="utf8mb4",
        # Without a converter a value stays the text that the server sent; dates in UTC, so that nothing moves.
        conv=dict(encoders),
        ssl_disabled=True,
        init_command="SET SESSION time_zone = '+00:00'",
    )
    found: dict[str, dict[Key, tuple[Any, ...]]] = {}
    with connection, connection.cursor() as cursor:
        for table, columns in keys.items():
            if tables is not None and table not in tables:
                continue
            names = ", ".join(f"`{column}`" for column in columns)
            cursor.execute(f"SELECT {names}, `{table}`.* FROM `{table}`")
            found[table] = {row[: len(columns)]: row[len(columns) :] for row in cursor.fetchall()}
    return found


def changes(before: Mapping[Key, Any], after: Mapping[Key, Any]) -> Changes:
    """Compare a table's rows, or their versions, at two moments.

    Args:
        before: by key, as `source_rows` or `warehouse_versions` gave them.
        after: later.
    """
    return Changes(
        inserted=frozenset(after.keys() - before.keys()),
        updated=frozenset(key for key in before.keys() & after.keys() if before[key] != after[key]),
        deleted=frozenset(before.keys() - after.keys()),
    )


def warehouse_versions(warehouse: WarehouseDatabase, schema: str = "raw") -> dict[str, Versions]:
    """Tell for every row of every table with a primary key which physical version of it the warehouse holds.

    A row that a statement writes, even with equal values, gets another version.

    Returns:
        By table, the versions by key.
    """
    keys: dict[str, list[str]] = {}
    for table, column in warehouse.rows(
        "SELECT c.relname, a.attname FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid "
        "JOIN pg_namespace n ON n.oid = c.relnamespace "
        "CROSS JOIN unnest(i.indkey) WITH ORDINALITY AS k (number, place) "
        "JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = k.number "
        f"WHERE i.indisprimary AND n.nspname = '{schema}' ORDER BY c.relname, k.place"
    ):
        keys.setdefault(table, []).append(column)
    found: dict[str, Versions] = {}
    connection = psycopg2.connect(warehouse.url)
    with connection, connection.cursor() as cursor:
        for table, columns in keys.items():
            statement = psycopg2.sql.SQL("SELECT ctid::text, xmin::text, {} FROM {}").format(
                psycopg2.sql.SQL(", ").join(
                    psycopg2.sql.SQL("{}::text").format(psycopg2.sql.Identifier(each)) for each in columns
                ),
                psycopg2.sql.Identifier(schema, table),
            )
            cursor.execute(statement)
            found[table] = {tuple(key): (place, writer) for place, writer, *key in cursor.fetchall()}
    connection.close()
    return found
