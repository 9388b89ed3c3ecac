"""Asking the source: compiled statements on a raw connection, whose values come as the server sent them."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, cast

import attrs
from pymysql.cursors import SSCursor

from etlkit.source_session import MySQLConnection
from etlkit.stopping import StopSignal
from etlkit.transfer.chunk_queries import Prepared
from etlkit.transfer.governor import Governor, Guest, Spent

Row = tuple[Any, ...]


@attrs.frozen
class SourceQueries:
    """The statements of one read on one connection."""

    connection: MySQLConnection
    """Raw: numbers and times are text, binary fields are bytes."""
    ended: StopSignal = attrs.field(factory=StopSignal)
    """When it is set, nobody waits for rows any more."""
    governor: Governor | None = None
    """Says when reads may go on; None for at once."""
    _spent: Spent = attrs.field(factory=Spent, init=False)

    def rest(self, what: str, engine: str, *, in_snapshot: bool = False, patient: bool = True) -> None:
        """Let others have the server before the next chunk; see `Governor.rest`.

        Args:
            what: what is read, for messages.
            engine: its storage engine.
            in_snapshot: whether the connection is in a snapshot at the moment.
            patient: whether to wait for a busy server.

        Raises:
            RunInterrupted: the read is to end.
            OutsideAllowedHours: the hours have ended in which the source may be read.
            SourceBusy: the server stays busy, or is, where nobody waits for it.
        """
        if self.governor is not None:
            self.governor.rest(
                Guest(
                    what=what,
                    engine=engine,
                    spent=self._spent,
                    ask=self._variables,
                    stop=self.ended,
                    in_snapshot=in_snapshot,
                    patient=patient,
                )
            )

    def one(self, statement: Prepared, values: Mapping[str, Any] | None = None) -> Row | None:
        """Ask for one row, fetched whole before this returns.

        Args:
            statement: a SELECT of at most one row.
            values: its parameters by name.

        Returns:
            The row, or None when there is none.
        """
        with self._spent.counted(), self.connection.cursor() as cursor:
            cursor.execute(statement.text, statement.parameters(values or {}))
            row: Row | None = cursor.fetchone()
            return row

    def text(self, sql: str) -> Row | None:
        """Run a statement that has no parameters and no names.

        Args:
            sql: one of the constants of `chunk_queries`.

        Returns:
            Its first row, if it gives rows.
        """
        with self.connection.cursor() as cursor:
            cursor.execute(sql)
            row: Row | None = cursor.fetchone()
            return row

    def stream(self, statement: Prepared, values: Mapping[str, Any] | None = None) -> Iterator[Row]:
        """Ask for rows and give them as they arrive; drain it quickly, since the source waits for us.

        Args:
            statement: a SELECT.
            values: its parameters by name.

        Yields:
            Rows.

        Raises:
            ReadAbandoned: nobody waits for them any more.
        """
        cursor = self.connection.cursor(_Stream)
        try:
            with self._spent.counted():
                cursor.execute(statement.text, statement.parameters(values or {}))
                yield from self._until_ended(cursor)
        except BaseException:
            cursor.abandon()  # the caller stops early, and drops the connection
            raise
        cursor.close()

    def drop(self) -> None:
        """Drop the connection's socket, so that whoever waits for the source's answer goes on by an error at once.

        Another thread may do this. The source is not asked to stop: it gives up when it cannot send, and its own
        limits (`lock_wait_timeout`, the time of one chunk) end a statement that has nothing to send yet.
        """
        # PyMySQL's own, which its type information leaves out; None when the connection is closed.
        wire = cast("socket.socket | None", getattr(self.connection, "_sock", None))
        if wire is not None:
            with contextlib.suppress(OSError):
                wire.shutdown(socket.SHUT_RDWR)

    def _variables(self, sql: str) -> dict[str, str]:
        with self.connection.cursor() as cursor:
            cursor.execute(sql)
            return {str(name): str(value) for name, value in cursor.fetchall()}

    def _until_ended(self, rows: Iterable[Row]) -> Iterator[Row]:
        for row in rows:
            if self.ended.is_set():
                raise ReadAbandoned
            yield row


class ReadAbandoned(Exception):
    """Nobody waits for rows any more; the connection is to be dropped."""


class _Stream(SSCursor):
    """A cursor that can be left before its last row."""

    _result: Any  # PyMySQL's own, which its type information leaves out

    def abandon(self) -> None:
        """Leave the rest unread: PyMySQL would fetch it, when asked to close and when the cursor is forgotten."""
        if self._result is not None:
            self._result.unbuffered_active = False
        self.connection = None  # type: ignore[assignment]  # PyMySQL itself does so to a closed cursor
