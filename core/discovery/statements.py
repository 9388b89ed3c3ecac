"""The catalog queries: one statement per kind of fact, for all tables at once.

Every column is labelled, because MySQL 8 labels the columns of its catalog in capitals; no tables are
joined, because MySQL 5.6 answers joins of catalog tables by opening every table's files once more.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import Select, TableClause, column, select, table, text
from sqlalchemy.sql.elements import ColumnElement

SERVER_VARIABLES = text(
    "SHOW SESSION VARIABLES WHERE Variable_name IN"
    " ('version', 'version_comment', 'lower_case_table_names', 'information_schema_stats_expiry',"
    " 'server_uuid', 'server_uid', 'hostname', 'port', 'datadir', 'explicit_defaults_for_timestamp')"
)
"""Names what the server is, and which one; a variable that the server does not know is just not there."""

FRESH_STATISTICS = text("SET SESSION information_schema_stats_expiry = 0")
"""MySQL 8 otherwise shows row counts and sizes that may be a day old."""


def _catalog_table(name: str, *columns: str) -> TableClause:
    return table(name, *(column(each) for each in columns), schema="information_schema")


_SCHEMATA = _catalog_table("schemata", "schema_name", "default_character_set_name", "default_collation_name")
_TABLES = _catalog_table(
    "tables",
    *("table_schema", "table_name", "table_type", "engine", "table_rows", "data_length", "index_length"),
    *("auto_increment", "update_time", "table_collation", "table_comment", "create_options"),
)
_COLUMNS = _catalog_table(
    "columns",
    *("table_schema", "table_name", "column_name", "ordinal_position", "column_default", "is_nullable"),
    *("data_type", "character_maximum_length", "numeric_precision", "numeric_scale", "datetime_precision"),
    *("character_set_name", "collation_name", "column_type", "column_key", "extra", "privileges"),
    *("column_comment", "generation_expression"),
)
_STATISTICS = _catalog_table(
    "statistics",
    *("table_schema", "table_name", "index_name", "seq_in_index", "column_name", "non_unique", "index_type"),
    "sub_part",
)
_KEY_COLUMN_USAGE = _catalog_table(
    "key_column_usage",
    *("table_schema", "table_name", "constraint_name", "ordinal_position", "column_name"),
    *("referenced_table_schema", "referenced_table_name", "referenced_column_name"),
)
_COLUMN_PRIVILEGES = _catalog_table("column_privileges", "table_schema", "table_name", "privilege_type")
_CHECK_CONSTRAINTS = _catalog_table("check_constraints", "constraint_schema", "table_name", "check_clause")


def _labelled(source: TableClause, *without: str) -> Select[Any]:
    return select(*(each.label(each.name) for each in source.c if each.name not in without))


def _of(source: TableClause, database: str, *without: str) -> Select[Any]:
    own: ColumnElement[Any] = source.c.table_schema
    return _labelled(source, "table_schema", *without).where(own == database)


def schemata(database: str) -> Select[Any]:
    """Select the database's own facts; no row when there is no such database, or this user must not see it.

    Args:
        database: the database's name.
    """
    return _labelled(_SCHEMATA).where(_SCHEMATA.c.schema_name == database)


def tables(database: str) -> Select[Any]:
    """Select tables and views with engine, sizes and counts.

    Args:
        database: the database's name.
    """
    return _of(_TABLES, database).order_by(_TABLES.c.table_name)


def columns(database: str, *, generated: bool) -> Select[Any]:
    """Select the columns of all tables, in their order.

    Args:
        database: the database's name.
        generated: whether the server has columns that it computes, and says how.
    """
    without = () if generated else ("generation_expression",)
    return _of(_COLUMNS, database, *without).order_by(_COLUMNS.c.table_name, _COLUMNS.c.ordinal_position)


def indexes(database: str) -> Select[Any]:
    """Select the columns of all indexes, in their order.

    Args:
        database: the database's name.
    """
    return _of(_STATISTICS, database).order_by(
        _STATISTICS.c.table_name, _STATISTICS.c.index_name, _STATISTICS.c.seq_in_index
    )


def foreign_keys(database: str) -> Select[Any]:
    """Select the columns of all declared foreign keys that stay in the database.

    Args:
        database: the database's name.
    """
    usage = _KEY_COLUMN_USAGE
    return (
        _of(usage, database, "referenced_table_schema")
        .where(usage.c.referenced_table_schema == database)
        .order_by(usage.c.table_name, usage.c.constraint_name, usage.c.ordinal_position)
    )


def checks(database: str) -> Select[Any]:
    """Select MariaDB's checks, also those that make a text column a JSON column.

    MySQL's catalog has no `table_name` in this table.

    Args:
        database: the database's name.
    """
    return _labelled(_CHECK_CONSTRAINTS, "constraint_schema").where(
        _CHECK_CONSTRAINTS.c.constraint_schema == database
    )


def column_grants(database: str) -> Select[Any]:
    """Select the tables of which single columns were granted to this user.

    Args:
        database: the database's name.
    """
    grants = _COLUMN_PRIVILEGES
    return (
        select(grants.c.table_name.label("table_name"))
        .where(grants.c.table_schema == database, grants.c.privilege_type == "SELECT")
        .distinct()
    )


COLLATIONS = _labelled(_catalog_table("collations", "collation_name", "character_set_name"))
"""Selects the collations that the server knows, each with its character set (NULL for those of several)."""

_ENGINES = _catalog_table("engines", "engine", "support")
ENGINES = select(_ENGINES.c.engine.label("engine")).where(_ENGINES.c.support.in_(["YES", "DEFAULT"]))
"""Selects the storage engines that can be used."""


def table_type(database: str, name: str) -> Select[Any]:
    """Select whether a name is a table's or a view's; no row when it is neither's.

    Args:
        database: the database's name.
        name: the name in it.
    """
    return select(_TABLES.c.table_type.label("table_type")).where(
        _TABLES.c.table_schema == database, _TABLES.c.table_name == name
    )
