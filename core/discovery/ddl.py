"""Statements that create tables: asking the source for them, and running them in another database."""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable

import attrs
from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import DBAPIError

from etlkit.discovery import statements
from etlkit.discovery.trouble import code_of, told_plainly
from etlkit.errors import SchemaAnalysisError, TargetConflict

_NAME = r"`(?:[^`]|``)*`"
_HEAD = re.compile(rf"^CREATE TABLE {_NAME}")
_FOREIGN_KEY = re.compile(rf"^\s*(?:CONSTRAINT {_NAME} )?FOREIGN KEY\b")
_NAMED_CHECK = re.compile(rf"^(\s*)CONSTRAINT {_NAME} (?=CHECK\b)")
_QUOTED_OR_COLLATION = re.compile(
    rf"('(?:[^'\\]|''|\\.)*'|{_NAME})|\b(COLLATE[ =]|CHARACTER SET |CHARSET=)(\w+)", re.DOTALL
)
_UNKNOWN_COLLATION = {1115, 1273}
_SQL_MODE = text("SELECT @@SESSION.sql_mode")
_SET_SQL_MODE = text("SET SESSION sql_mode = :mode")
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


def copied(statement: str, full_name: str) -> str:
    """Rewrite a create statement for a copy in another place.

    Foreign keys are left out, because copies are filled one by one in any order; checks lose their names,
    which MySQL 8 wants to be unique in a database.

    Args:
        statement: as `SHOW CREATE TABLE` gives it.
        full_name: the copy's quoted name.

    Returns:
        The statement for the copy.
    """
    head, *lines = statement.split("\n")
    *inside, end = lines or [""]
    kept = [_NAMED_CHECK.sub(r"\1", line) for line in inside if not _FOREIGN_KEY.match(line)]
    if kept:
        kept[-1] = kept[-1].rstrip(",")
    body = "\n".join([head, *kept, end])
    return _HEAD.sub(lambda _: f"CREATE TABLE {full_name}", body, count=1)


def adapted(statement: str, collations: dict[str, str]) -> str:
    """Rewrite a create statement for a server that knows other collations.

    Args:
        statement: with collations that the server may not know.
        collations: the character set of each collation that the server knows.

    Returns:
        The statement with the nearest collations that the server knows: the same order by bytes where the
        old one told cases apart, else one that does not.
    """
    charsets = set(collations.values())

    def exchange(found: re.Match[str]) -> str:
        quoted, keyword, name = found.groups()
        if quoted:
            return str(quoted)
        if keyword.startswith("COLLATE"):
            return f"{keyword}{_nearest_collation(name, collations)}"
        return f"{keyword}{name if name in charsets else _other_utf8(name)}"

    return _QUOTED_OR_COLLATION.sub(exchange, statement)


def _nearest_collation(name: str, known: dict[str, str]) -> str:
    charset = name.partition("_")[0]
    charset = charset if charset in known.values() else _other_utf8(charset)
    same = charset + name[len(name.partition("_")[0]) :]
    by_bytes = name.endswith(("_bin", "_cs"))
    choices = ["bin"] if by_bytes else ["unicode_520_ci", "unicode_ci", "general_ci", "bin"]
    for choice in (same, *(f"{charset}_{each}" for each in choices)):
        if choice in known:
            return choice
    return name


def _other_utf8(charset: str) -> str:
    return {"utf8mb3": "utf8", "utf8": "utf8mb3"}.get(charset, charset)


def replicate(
    statement: str, source: Place, source_table: str, target: Place, target_table: str, *, replace: bool
) -> None:
    """Create an empty copy of a table; one that is there goes only when the new one exists.

    Args:
        statement: as `SHOW CREATE TABLE` gives it.
        source: where the table is.
        source_table: its name.
        target: where the copy goes.
        target_table: its name there.
        replace: whether to replace a table that is there.

    Raises:
        TargetConflict: a table is there that must not be replaced.
        ConnectionFailed: the target cannot be reached.
        SchemaDiscoveryError: the target has no such database, or refuses the definition.
    """
    if target.engine.dialect.name not in ("mysql", "mariadb"):
        raise SchemaAnalysisError(
            f"replicate_schema makes copies on MySQL and MariaDB only, not on {target.engine.dialect.name}."
        )
    where = f"{target.database}.{target_table}"
    _refuse_the_source(source, source_table, target, target_table)
    mark = secrets.token_hex(4)
    new, old = f"etlkit_new_{mark}", f"etlkit_old_{mark}"
    with (
        told_plainly(
            target.engine, target.database, f"creating {where}", needs=_TO_CREATE, advice=_IF_REFUSED
        ),
        target.engine.connect() as connection,
    ):
        there = _kind(connection, target, target_table)
        if there is not None and (not replace or there == "VIEW"):
            raise TargetConflict(
                f"{where} is there already ({'a view' if there == 'VIEW' else 'a table'}). "
                "Choose another target_table, or drop it yourself."
            )
        _create(connection, copied(_escaped(statement), target.quoted(new)))
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
    # The driver takes % as the beginning of a parameter; the dialect's quoting doubles it in names already.
    return statement.replace("%", "%%")


def _create(connection: Connection, statement: str) -> None:
    mode = connection.execute(_SQL_MODE).scalar_one()
    # Defaults such as '0000-00-00' are part of the definition, whatever the target thinks of new rows.
    connection.execute(_SET_SQL_MODE, {"mode": "NO_ENGINE_SUBSTITUTION"})
    try:
        try:
            connection.exec_driver_sql(statement)
        except DBAPIError as error:
            if code_of(error) not in _UNKNOWN_COLLATION:
                raise
            known = {str(name): str(charset) for name, charset in connection.execute(statements.COLLATIONS)}
            connection.exec_driver_sql(adapted(statement, known))
    finally:
        connection.execute(_SET_SQL_MODE, {"mode": mode})


def _kind(connection: Connection, target: Place, name: str) -> str | None:
    found = connection.execute(statements.table_type(target.database, name)).scalar_one_or_none()
    return None if found is None else str(found)


def _refuse_the_source(source: Place, source_table: str, target: Place, target_table: str) -> None:
    fold: Callable[[str], str] = str.casefold
    same_name = fold(source.database) == fold(target.database) and fold(source_table) == fold(target_table)
    if same_name and _identity(source) == _identity(target):
        raise TargetConflict(
            f"{target.database}.{target_table} is the source itself. Choose another database or target_table."
        )


def _identity(place: Place) -> tuple[object, ...]:
    # One connection after the other: a source's engine may have no more than one.
    doing = "finding out whether source and target are the same server"
    with told_plainly(place.engine, place.database, doing), place.engine.connect() as connection:
        return tuple(connection.execute(_SERVER_IDENTITY).one())
