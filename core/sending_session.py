"""A connection that may send rows to a server as the file of LOAD DATA LOCAL, from memory, and never a file.

By the protocol it is the server that names the file, in answer to whatever statement: a client that opens what it is
asked for gives away any file that it may read. So PyMySQL's own answer stays switched off.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import pymysql
from pymysql.constants import CLIENT, CR
from pymysql.protocol import LoadLocalPacketWrapper, MysqlPacket

if TYPE_CHECKING:
    _Connection = pymysql.connections.Connection[Any]
else:  # only the type information calls it generic
    _Connection = pymysql.connections.Connection

ROWS = "etlkit-rows"
"""The name by which rows are asked for; no file is meant."""
LOCAL_FILES: int = CLIENT.LOCAL_FILES
"""The flag of connections that may send rows."""
_PIECE_BYTES = 256 * 1024  # below every server's max_allowed_packet, which holds for each piece


class SendingConnection(_Connection):
    """PyMySQL's connection, with rows from memory in place of files."""

    _rows: bytes | None = None

    def load(self, statement: str, rows: bytes) -> int:
        """Run a LOAD DATA LOCAL INFILE statement.

        Args:
            statement: it names `ROWS` as the file.
            rows: what the file would hold.

        Returns:
            How many rows the server stored.

        Raises:
            pymysql.err.Error: the server refused it, or asked for anything else.
        """
        self._rows = rows
        try:
            return int(self.query(statement))
        finally:
            self._rows = None

    @classmethod
    def in_place_of(cls, connection: _Connection) -> SendingConnection:
        """Open a connection again that was opened by PyMySQL's own means, as one that may send rows.

        Args:
            connection: nobody else uses it; it is closed.

        Returns:
            The connection, with nothing set in its session.

        Raises:
            pymysql.err.Error: the server refuses it now.
        """
        if connection.open:
            connection.close()
        connection.__class__ = cls
        connection.client_flag |= LOCAL_FILES
        connection._local_infile = False  # type: ignore[attr-defined]  # noqa: SLF001 - by which it would open files
        connection.connect()
        return cast("SendingConnection", connection)

    # What follows takes the place of methods that PyMySQL keeps to itself; there is no other way to send anything but
    # a file. Tests hold on to what they promise.

    def _read_packet(self, packet_type: type[MysqlPacket] = MysqlPacket) -> MysqlPacket:
        packet: MysqlPacket = super()._read_packet(packet_type)  # type: ignore[no-untyped-call]
        rows, self._rows = self._rows, None
        # Only a statement's first answer may ask for a file; in later ones, the same byte begins a row.
        if rows is None or not packet.is_load_local_packet():
            return packet
        if LoadLocalPacketWrapper(packet).filename != ROWS.encode():
            self._refuse()
        view = memoryview(rows)
        for begin in range(0, len(rows), _PIECE_BYTES):
            self.write_packet(view[begin : begin + _PIECE_BYTES])
        self.write_packet(b"")
        answer: MysqlPacket = super()._read_packet(packet_type)  # type: ignore[no-untyped-call]
        return answer

    def _read_query_result(self, unbuffered: bool = False) -> int:
        try:
            return int(super()._read_query_result(unbuffered))  # type: ignore[misc]
        except RuntimeError:
            # PyMySQL does not send files, but leaves the server waiting for one.
            self._refuse()
            raise

    def _refuse(self) -> None:
        self._force_close()  # type: ignore[attr-defined]
        raise pymysql.err.OperationalError(
            CR.CR_MALFORMED_PACKET, "the server asked for a file, and was given none"
        )
