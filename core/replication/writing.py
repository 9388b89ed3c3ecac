"""Rows of a replica, written as they were read: by LOAD DATA LOCAL, or by INSERT where the server does not allow that.

Both store the same values, or raise. The frame's bytes are what separates fields and rows for the server, so nothing of
a chunk is parsed here.
"""

from __future__ import annotations

from typing import Any, ClassVar, cast
from weakref import WeakKeyDictionary

import attrs
import pymysql
import sqlalchemy as sa
from sqlalchemy.dialects.mysql.pymysql import MySQLDialect_pymysql

from etlkit.replication.inserting import Template, statements
from etlkit.replication.rendering import NO_MEMBER, stored
from etlkit.replication.trouble import replica_trouble
from etlkit.replication.warnings import Written
from etlkit.sending_session import LOCAL_FILES, ROWS, SendingConnection
from etlkit.source_session import MySQLConnection
from etlkit.transfer.chunk import Chunk
from etlkit.transfer.rendering import RenderedTable
from etlkit.transfer.sentinels import FIELD, NULL, ROW, sql_literal

_NOT_ALLOWED = frozenset({1148, 3948, 3950, 4166})
"""What servers say whose `local_infile` is off."""
_ESCAPE = b"\x1d"
"""A control character that texts hardly ever hold; servers take none above 0x7F for it."""
# Statements go to the driver as they are: a percent sign stands for itself.
_DIALECT = MySQLDialect_pymysql(paramstyle="named")


@attrs.define
class RowWriter:
    """Writes to one connection."""

    connection: sa.Connection
    """In the caller's transaction; nothing is committed here."""
    by_load: bool
    """Whether by LOAD DATA LOCAL."""
    packet: int
    """Bytes that a statement may have."""
    backslashes: bool
    """Whether a backslash in a literal begins an escape."""
    replacing: bool = False
    """Whether rows take the place of those with their keys, as where a broken transaction's rows stay."""
    told_as: str = ""
    """What messages call the table; empty for its name as it stands in a statement."""
    _known: dict[tuple[str, bool], Any] = attrs.field(factory=dict, init=False)
    _allowed: ClassVar[WeakKeyDictionary[sa.Engine, bool]] = WeakKeyDictionary()

    @classmethod
    def of(cls, connection: sa.Connection, *, replacing: bool = False, told_as: str = "") -> RowWriter:
        """Prepare to write to a connection.

        Args:
            connection: to a replica, by `ConnectionFactory.replica`.
            replacing: whether rows take the place of those with their keys. So a chunk can be written once more to a
                table whose engine knows no transactions; a row that is there otherwise is an error.
            told_as: what messages call the table, where rows are written to one that only lies aside.

        Returns:
            A writer for as long as the connection is lent.
        """
        row = connection.exec_driver_sql("SELECT @@local_infile, @@max_allowed_packet, @@sql_mode").one()
        may_send = isinstance(raw := _raw(connection), SendingConnection) and raw.client_flag & LOCAL_FILES
        return cls(
            connection,
            by_load=bool(may_send and int(row[0]) and cls._allowed.get(connection.engine, True)),
            packet=int(row[1]),
            backslashes="NO_BACKSLASH_ESCAPES" not in str(row[2]),
            replacing=replacing,
            told_as=told_as,
        )

    def write(self, table: str, rendered: RenderedTable, chunk: Chunk) -> None:
        """Write rows.

        Args:
            table: the table's name as it stands in a statement.
            rendered: how the rows were rendered, by `render_exactly` without digests.
            chunk: the rows, framed.

        Raises:
            LoadError: the replica refused rows, or would have stored something else; the caller rolls back.
        """
        with replica_trouble(self._told(table)):
            if not self.connection.in_transaction():
                # SQLAlchemy does not see what the driver is told, and commits nothing where it began nothing.
                self.connection.begin()
            if self.by_load and not self._loaded(table, rendered, chunk):
                self.by_load = self._allowed[self.connection.engine] = False
            if not self.by_load:
                self._inserted(table, rendered, chunk)

    def _loaded(self, table: str, rendered: RenderedTable, chunk: Chunk) -> bool:
        data = chunk.data.replace(_ESCAPE, _ESCAPE * 2).replace(NULL, _ESCAPE + b"N").replace(NO_MEMBER, b"0")
        connection = cast("SendingConnection", _raw(self.connection))
        try:
            written = connection.load(self._load_statement(table, rendered), data)
        except pymysql.err.Error as error:
            if error.args and error.args[0] in _NOT_ALLOWED:
                return False
            raise
        sent = Written(told_as=self._told(table), rendered=rendered, framed=chunk.data, rows=chunk.rows)
        sent.check(connection, written, replacing=self.replacing)
        return True

    def _inserted(self, table: str, rendered: RenderedTable, chunk: Chunk) -> None:
        connection = _raw(self.connection)
        for statement, framed in statements(
            self._template(table, rendered), chunk.data, self.packet, told_as=self._told(table)
        ):
            written = int(connection.query(statement))
            sent = Written(
                told_as=self._told(table), rendered=rendered, framed=framed, rows=framed.count(ROW)
            )
            sent.check(connection, written, replacing=self.replacing)

    def _told(self, table: str) -> str:
        return self.told_as or f"replica table {table}"

    def _load_statement(self, table: str, rendered: RenderedTable) -> str:
        statement: str | None = self._known.get((table, True))
        if statement is None:
            statement = self._known[table, True] = load_statement(table, rendered, replacing=self.replacing)
        return statement

    def _template(self, table: str, rendered: RenderedTable) -> Template:
        template: Template | None = self._known.get((table, False))
        if template is None:
            template = self._known[table, False] = Template.of(
                table, rendered, backslashes=self.backslashes, replacing=self.replacing
            )
        return template


def load_statement(table: str, rendered: RenderedTable, *, replacing: bool = False) -> str:
    """Build the statement by which the server takes framed rows.

    Args:
        table: the table's name as it stands in a statement.
        rendered: how the rows were rendered.
        replacing: whether rows take the place of those with their keys.

    Returns:
        A LOAD DATA LOCAL statement; NULL is the escape character and an N.
    """
    quote = _DIALECT.identifier_preparer.quote_identifier
    places, made = [], []
    for each in rendered.columns:
        variable = f"@etlkit_{each.number}"
        expression = stored(each, sa.literal_column(variable))
        name = quote(each.column.name)
        if expression is not None:
            made.append(f"{name} = {expression.compile(dialect=_DIALECT)}")
        elif each.column.auto_increment:
            # Where anything is computed, servers forget that this was given, and number a 0 anew.
            made.append(f"{name} = {variable}")
        else:
            variable = name
        places.append(variable)
    computed = f" SET {', '.join(made)}" if made else ""
    return (
        f"LOAD DATA LOCAL INFILE '{ROWS}'{' REPLACE' if replacing else ''} INTO TABLE {table} CHARACTER SET binary "
        f"FIELDS TERMINATED BY {sql_literal(FIELD)} ESCAPED BY {sql_literal(_ESCAPE)} "
        f"LINES TERMINATED BY {sql_literal(ROW)} ({', '.join(places)}){computed}"
    )


def _raw(connection: sa.Connection) -> MySQLConnection:
    return cast("MySQLConnection", connection.connection.driver_connection)
