"""What a table in the warehouse looks like now, and the statements that give it its shape."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql.psycopg2 import PGDialect_psycopg2
from sqlalchemy.sql.compiler import IdentifierPreparer

from etlkit.config import DriftSettings
from etlkit.errors import DriftRefused
from etlkit.loading.drift import AlterColumns, Shape, drift_between, permitted
from etlkit.loading.target import TargetTable
from etlkit.transfer.copy_text import DELIMITER, NULL_MARK
from etlkit.transfer.pipeline import CopyFile

_ATTRIBUTES = sa.table(
    "pg_attribute",
    sa.column("attrelid"),
    sa.column("attname"),
    sa.column("atttypid"),
    sa.column("atttypmod"),
    sa.column("attnum"),
    sa.column("attisdropped"),
    schema="pg_catalog",
)
_CLASSES = sa.table(
    "pg_class", sa.column("oid"), sa.column("relname"), sa.column("relnamespace"), schema="pg_catalog"
)
_NAMESPACES = sa.table("pg_namespace", sa.column("oid"), sa.column("nspname"), schema="pg_catalog")
_FEATURE_NOT_SUPPORTED = "0A000"
# COPY has no parameters, so its percent signs must not be doubled as the driver wants them elsewhere.
_PLAIN: IdentifierPreparer = PGDialect_psycopg2(paramstyle="named").identifier_preparer  # type: ignore[no-untyped-call]
_COPY_BYTES = 256 * 1024


def shape_of(connection: sa.Connection, table: sa.Table) -> Shape | None:
    """Read a table's columns and key.

    Args:
        connection: to the warehouse.
        table: where to look; without a schema, among the session's temporary tables.

    Returns:
        The shape; None when there is no such table.
    """
    namespace = (
        _NAMESPACES.c.nspname == table.schema
        if table.schema
        else _NAMESPACES.c.oid == sa.func.pg_my_temp_schema()
    )
    query = (
        sa.select(_ATTRIBUTES.c.attname, sa.func.format_type(_ATTRIBUTES.c.atttypid, _ATTRIBUTES.c.atttypmod))
        .join_from(_ATTRIBUTES, _CLASSES, _ATTRIBUTES.c.attrelid == _CLASSES.c.oid)
        .join(_NAMESPACES, _CLASSES.c.relnamespace == _NAMESPACES.c.oid)
        .where(
            namespace,
            _CLASSES.c.relname == table.name,
            _ATTRIBUTES.c.attnum > 0,
            ~sa.cast(_ATTRIBUTES.c.attisdropped, sa.Boolean),
        )
        .order_by(_ATTRIBUTES.c.attnum)
    )
    types = dict(connection.execute(query).tuples().all())
    if not types and not sa.inspect(connection).has_table(table.name, schema=table.schema):
        return None
    key: tuple[str, ...] = ()
    if table.schema:
        found = sa.inspect(connection).get_pk_constraint(table.name, schema=table.schema)
        key = tuple(found["constrained_columns"])
    return Shape(types=types, key=key)


def evolve(
    connection: sa.Connection, target: TargetTable, now: Shape, staged: Shape, policy: DriftSettings
) -> None:
    """Give the target the columns that the staged rows need, within the load's transaction.

    Args:
        connection: in the load's transaction.
        target: the table.
        now: its shape.
        staged: the shape of the staged rows, with the key they shall have.
        policy: what may change.

    Raises:
        DriftRefused: the policy, or PostgreSQL because of a dependent view, does not let it happen.
    """
    drift = permitted(drift_between(now, staged), policy, target)
    if not drift.added and not drift.widened:
        return
    try:
        connection.execute(AlterColumns(target.itself(), drift))
    except sa.exc.NotSupportedError as error:
        if getattr(error.orig, "pgcode", None) != _FEATURE_NOT_SUPPORTED:
            raise
        columns = ", ".join(f"`{name}`" for name in drift.widened)
        raise DriftRefused(
            f"table `{target.source}`: the columns {columns} became wider, but a view depends on them in "
            f"`{target}`; drop the view, run again, and create it anew. Nothing was changed"
        ) from None


def add_key(connection: sa.Connection, target: TargetTable) -> None:
    """Give a freshly filled target its primary key, if its source has one.

    Args:
        connection: in the load's transaction.
        target: the table.
    """
    if target.key:
        keyed = target.itself()
        constraint = sa.PrimaryKeyConstraint(*(keyed.c[name] for name in target.key))
        keyed.append_constraint(constraint)
        connection.execute(sa.schema.AddConstraint(constraint))


def copy_into(connection: sa.Connection, table: sa.Table, file: CopyFile) -> None:
    """Fill a table from COPY text.

    Args:
        connection: in the load's transaction.
        table: where to.
        file: the rows.
    """
    columns = ", ".join(_PLAIN.quote_identifier(column.name) for column in table.columns)
    delimiter, null = (f"E'\\x{ord(mark):02x}'" for mark in (DELIMITER, NULL_MARK))
    # The encoding is named, because the session's could be another one.
    options = f"DELIMITER {delimiter}, NULL {null}, ENCODING 'UTF8'"
    statement = f"COPY {_quoted(_PLAIN, table)} ({columns}) FROM STDIN WITH ({options})"
    cursor = connection.connection.cursor()
    cursor.copy_expert(statement, file, size=_COPY_BYTES)
    cursor.close()


def analyze(connection: sa.Connection, table: sa.Table) -> None:
    """Let the planner know what a staged table holds; nobody else does it for temporary tables.

    Args:
        connection: in the load's transaction.
        table: the table.
    """
    connection.exec_driver_sql(f"ANALYZE {_quoted(connection.dialect.identifier_preparer, table)}")


def move_table(connection: sa.Connection, table: sa.Table, target: TargetTable) -> None:
    """Make a staged table the target, which must not exist.

    Args:
        connection: in the load's transaction.
        table: the staged table.
        target: where it goes.
    """
    preparer = connection.dialect.identifier_preparer
    connection.exec_driver_sql(
        f"ALTER TABLE {_quoted(preparer, table)} RENAME TO {preparer.quote_identifier(target.name)}"
    )
    moved = sa.Table(target.name, sa.MetaData(), schema=table.schema)
    connection.exec_driver_sql(
        f"ALTER TABLE {_quoted(preparer, moved)} SET SCHEMA {preparer.quote_identifier(target.schema)}"
    )


def _quoted(preparer: IdentifierPreparer, table: sa.Table) -> str:
    names = [table.schema, table.name] if table.schema else [table.name]
    return ".".join(preparer.quote_identifier(name) for name in names)
