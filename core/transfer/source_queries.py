"""Asking the source: compiled statements on a raw connection, whose values come as the server sent them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import attrs
from pymysql.cursors import SSCursor

from etlkit.source_session import MySQLConnection
from etlkit.transfer.chunk_queries import Prepared

Row = tuple[Any, ...]


@attrs.frozen
class SourceQueries:
    """The statements of one read on one connection."""

    connection: MySQLConnection
    """Raw: numbers and times are text, binary fields are bytes."""

    def one(self, statement: Prepared, values: Mapping[str, Any] | None = None) -> Row | None:
        """Ask for one row, fetched whole before this returns.

        Args:
            statement: a SELECT of at most one row.
            values: its parameters by name.

        Returns:
            The row, or None when there is none.
        """
        with self.connection.cursor() as cursor:
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
        """
        cursor = self.connection.cursor(SSCursor)
        cursor.execute(statement.text, statement.parameters(values or {}))
        # Not closed when the caller stops early: closing would read the rest; the caller drops the connection.
        yield from cursor
        cursor.close()
