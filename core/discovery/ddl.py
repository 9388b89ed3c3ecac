"""Statements that create tables: asking the source for them, and running them in another database."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from contextlib import suppress

import attrs
from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import DBAPIError

from etlkit.discovery import statements
from etlkit.discovery.create_table import quoted_name
from etlkit.discovery.trouble import told_plainly
from etlkit.errors import SchemaAnalysisError, TargetConflict

_SQL_MODE = text("SELECT @@SESSION.sql_mode")
_SET_SQL_MODE = text("SET SESSION sql_mode = :mode")
_LENIENT = "NO_ENGINE_SUBSTITUTION,ALLOW_INVALID_DATES"
_STRICT = text("SELECT @@SESSION.innodb_strict_mode")
_SET_STRICT = text("SET SESSION innodb_strict_mode = :strict")
_TO_CREATE = "CREATE, ALTER, DROP and INSERT"
_IF_REFUSED = "It may not know the table's engine, or a type in it: compare the versions of both servers."
_SERVER_IDENTITY = text("SELECT @@hostname, @@port, @@datadir")


@attrs.frozen(kw_only=True)
class Place:
    """A database on a server."""

    engine: Engine
    """The server."""
    database: str
    """The database's name."""

    def quoted(self, table: str) -> str:
        """Give a table's full name for a statement.

        Args:
            table: its name.
        """
        quote = self.engine.dialect.identifier_preparer.quote_identifier
        return f"{quote(self.database)}.{quote(table)}"


def full_name(database: str, table: str) -> str:
    """Give a table's full name for a statement that no driver looks for parameters in.

    Args:
        database: its database.
        table: its name.
    """
    return f"{quoted_name(database)}.{quoted_name(table)}"


def create_statement(place: Place, table: str) -> str:
    """Ask the server for the statement that creates a table.

    Args:
        place: where the table is.
        table: its name.

    Returns:
        The statement.

    Raises:
        ConnectionFailed: the server cannot be reached.
        SchemaDiscoveryError: there is no such table any more, or this user must not read its definition.
    """
    doing = f"reading the definition of {place.database}.{table}"
    with told_plainly(place.engine, place.database, doing), place.engine.connect() as connection:
        row = connection.exec_driver_sql(f"SHOW CREATE TABLE {place.quoted(table)}").one()
        return str(row[1])


def creating(target: Place, table: str) -> str:
    """Say what is being done, as it follows "while".

    Args:
        target: where the copy goes.
        table: its name there.
    """
    return f"creating {target.database}.{table}"


def refuse_what_is_no_target(source: Place, source_table: str, target: Place, target_table: str) -> None:
    """Refuse a target that is no server of the MySQL family, or the source itself.

    Args:
        source: where the table is.
        source_table: its name.
        target: where the copy is to go.
        target_table: its name there.

    Raises:
        SchemaAnalysisError: the target is another kind of server.
        TargetConflict: the copy would replace the table itself.
        ConnectionFailed: one of them cannot be reached.
    """
    if target.engine.dialect.name not in ("mysql", "mariadb"):
        raise SchemaAnalysisError(
            f"replicate_schema makes copies on MySQL and MariaDB only, not on {target.engine.dialect.name}."
        )
    fold: Callable[[str], str] = str.casefold
    same_name = fold(source.database) == fold(target.database) and fold(source_table) == fold(target_table)
    if same_name and _identity(source) == _identity(target):
        raise TargetConflict(
            f"{target.database}.{target_table} is the source itself. Choose another database or target_table."
        )


def replicate(statement: Callable[[str], str], target: Place, target_table: str, *, replace: bool) -> None:
    """Create an empty copy of a table; one that is there goes only when the new one exists.

    Args:
        statement: gives the statement that creates the copy under a full name.
        target: where the copy goes.
        target_table: its name there.
        replace: whether to replace a table that is there.

    Raises:
        TargetConflict: a table is there that must not be replaced.
        ConnectionFailed: the target cannot be reached.
        SchemaDiscoveryError: the target has no such database, or refuses the definition.
    """
    where = f"{target.database}.{target_table}"
    mark = secrets.token_hex(4)
    new, old = f"etlkit_new_{mark}", f"etlkit_old_{mark}"
    with (
        told_plainly(
            target.engine,
            target.database,
            creating(target, target_table),
            needs=_TO_CREATE,
            advice=_IF_REFUSED,
        ),
        target.engine.connect() as connection,
    ):
        there = _kind(connection, target, target_table)
        if there is not None and (not replace or there == "VIEW"):
            raise TargetConflict(
                f"{where} is there already ({'a view' if there == 'VIEW' else 'a table'}). "
                "Choose another target_table, or drop it yourself."
            )
        _create(connection, _escaped(statement(full_name(target.database, new))))
        moves = [f"{target.quoted(new)} TO {target.quoted(target_table)}"]
        if there is not None:
            moves.insert(0, f"{target.quoted(target_table)} TO {target.quoted(old)}")
        try:
            connection.exec_driver_sql(f"RENAME TABLE {', '.join(moves)}")
        except DBAPIError:
            connection.exec_driver_sql(f"DROP TABLE IF EXISTS {target.quoted(new)}")
            raise
        if there is not None:
            connection.exec_driver_sql(f"DROP TABLE {target.quoted(old)}")


def _escaped(statement: str) -> str:
    # The driver takes % as the beginning of a parameter.
    return statement.replace("%", "%%")


def _create(connection: Connection, statement: str) -> None:
    mode, strict = connection.execute(_SQL_MODE).scalar_one(), None
    # Defaults such as '0000-00-00' are part of the definition, whatever the target thinks of new rows.
    connection.execute(_SET_SQL_MODE, {"mode": _LENIENT})
    # Rows may be as long as their types allow, and hardly any are; MySQL 8 lets few users say so.
    with suppress(DBAPIError):
        strict = connection.execute(_STRICT).scalar_one()
        connection.execute(_SET_STRICT, {"strict": 0})
    try:
        connection.exec_driver_sql(statement)
    finally:
        connection.execute(_SET_SQL_MODE, {"mode": mode})
        if strict:
            with suppress(DBAPIError):
                connection.execute(_SET_STRICT, {"strict": strict})


def _kind(connection: Connection, target: Place, name: str) -> str | None:
    found = connection.execute(statements.table_type(target.database, name)).scalar_one_or_none()
    return None if found is None else str(found)


def _identity(place: Place) -> tuple[object, ...]:
    # One connection after the other: a source's engine may have no more than one.
    doing = "finding out whether source and target are the same server"
    with told_plainly(place.engine, place.database, doing), place.engine.connect() as connection:
        return tuple(connection.execute(_SERVER_IDENTITY).one())
