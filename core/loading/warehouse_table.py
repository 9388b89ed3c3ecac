"""The statements that give a table in the warehouse its shape and its rows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import psycopg2
import sqlalchemy as sa
from sqlalchemy.dialects.postgresql.psycopg2 import PGDialect_psycopg2
from sqlalchemy.sql.compiler import IdentifierPreparer

from etlkit.errors import LoadError
from etlkit.loading.alterations import AlterColumns
from etlkit.loading.printed import keep_rows_from_being_printed
from etlkit.loading.target import DELETED_AT, DELETED_AT_TYPE, TargetTable
from etlkit.transfer.copy_text import DELIMITER, NULL_MARK
from etlkit.transfer.pipeline import CopyFile

_NAMESPACES = sa.table("pg_namespace", sa.column("oid"), sa.column("nspname"), schema="pg_catalog")
_DEFAULT_PRIVILEGES = sa.table(
    "pg_default_acl", sa.column("defaclobjtype"), sa.column("defaclnamespace"), schema="pg_catalog"
)
# COPY has no parameters, so its percent signs must not be doubled as the driver wants them elsewhere.
_PLAIN: IdentifierPreparer = PGDialect_psycopg2(paramstyle="named").identifier_preparer  # type: ignore[no-untyped-call]
_COPY_BYTES = 256 * 1024


def add_marks(connection: sa.Connection, target: TargetTable) -> None:
    """Give a table the column that marks rows as gone.

    Args:
        connection: in the load's transaction.
        target: the table, which lacks it.
    """
    connection.execute(AlterColumns(target.itself(), added={DELETED_AT: DELETED_AT_TYPE}))


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


def becomes(connection: sa.Connection, stage: sa.Table, target: TargetTable) -> bool:
    """Make a staged table the target, which must not exist, without copying its rows.

    Args:
        connection: in the load's transaction.
        stage: the staged rows.
        target: the table.

    Returns:
        Whether it was done. Not where the target's schema, or the stage's, has default privileges of its own: a
        table that moves does not get those of its new schema.
    """
    schemas = sa.select(_NAMESPACES.c.oid).where(_NAMESPACES.c.nspname.in_([stage.schema, target.schema]))
    privileges = sa.exists().where(
        _DEFAULT_PRIVILEGES.c.defaclobjtype == "r", _DEFAULT_PRIVILEGES.c.defaclnamespace.in_(schemas)
    )
    if connection.scalar(sa.select(privileges)):
        return False
    quote = connection.dialect.identifier_preparer.quote_identifier
    connection.exec_driver_sql(f"ALTER TABLE {_of(connection, stage)} RENAME TO {quote(target.name)}")
    renamed = sa.Table(target.name, sa.MetaData(), schema=stage.schema)
    connection.exec_driver_sql(f"ALTER TABLE {_of(connection, renamed)} SET SCHEMA {quote(target.schema)}")
    return True


def copy_into(connection: sa.Connection, table: sa.Table, file: CopyFile) -> None:
    """Fill a table from COPY text.

    Args:
        connection: in the load's transaction.
        table: where to.
        file: the rows.

    Raises:
        LoadError: the warehouse counted other rows than the source did.
    """
    columns = ", ".join(_PLAIN.quote_identifier(column.name) for column in table.columns)
    delimiter, null = (f"E'\\x{ord(mark):02x}'" for mark in (DELIMITER, NULL_MARK))
    # The encoding is named, because the session's could be another one.
    options = f"DELIMITER {delimiter}, NULL {null}, ENCODING 'UTF8'"
    statement = f"COPY {_quoted(_PLAIN, table)} ({columns}) FROM STDIN WITH ({options})"
    source, arrived = _Watched(file), 0
    keep_rows_from_being_printed()
    cursor = connection.connection.cursor()
    try:
        cursor.copy_expert(statement, source, size=_COPY_BYTES)
        arrived = cursor.rowcount
    except psycopg2.Error:
        if source.error is None:
            raise
    finally:
        cursor.close()
    if source.error is not None:
        # psycopg2 tells only that reading failed; why it failed is what matters.
        raise source.error
    if arrived != file.rows:
        raise LoadError(
            f"warehouse table `{table.name}`: the source counted {file.rows} rows, and {arrived} arrived; nothing of "
            "this load was kept; run again, and report it when it happens again"
        )


def analyze(connection: sa.Connection, table: sa.Table, columns: Sequence[str]) -> None:
    """Let the planner know what a staged table holds; nobody else does it for temporary tables.

    Args:
        connection: in the load's transaction.
        table: the table.
        columns: those that it is joined by; looking at the others costs more than the join.
    """
    preparer = connection.dialect.identifier_preparer
    names = ", ".join(preparer.quote_identifier(name) for name in columns)
    connection.exec_driver_sql(f"ANALYZE {_quoted(preparer, table)} ({names})")


class _Watched:
    """A file that keeps what reading it raised, and tells the server, which logs it, nothing of it."""

    def __init__(self, file: CopyFile) -> None:
        self._file = file
        self.error: BaseException | None = None

    def read(self, size: int) -> bytes:
        try:
            return self._file.read(size)
        except BaseException as error:  # noqa: BLE001 - raised again by copy_into
            self.error = error
        raise InterruptedError

    def readline(self, *_: Any) -> bytes:
        """Not used by COPY, but psycopg2 asks that a file has it."""
        raise NotImplementedError


def _of(connection: sa.Connection, table: sa.Table) -> str:
    return _quoted(connection.dialect.identifier_preparer, table)


def _quoted(preparer: IdentifierPreparer, table: sa.Table) -> str:
    names = [table.schema, table.name] if table.schema else [table.name]
    return ".".join(preparer.quote_identifier(name) for name in names)
