"""What a server says of rows that it stored: anything that it stored in another way than it was told is an error."""

from __future__ import annotations

import re
from typing import Any

import attrs

from etlkit.errors import LoadError
from etlkit.raising import raise_alone
from etlkit.replication.rendering import NO_MEMBER
from etlkit.replication.trouble import MEANING
from etlkit.source_session import MySQLConnection
from etlkit.transfer.rendering import RenderedTable

_NON_ASCII_SEPARATOR = 1638
"""Said of each LOAD DATA with such separators. Each is one byte, and so is each character of `binary`."""
_TRUNCATED = 1265
_DUPLICATES = frozenset({1062, 1586})
_COUNT = "SELECT @@warning_count"
_LIST = "SHOW WARNINGS"
_QUOTED = re.compile(r"[`']([^`']+)[`']")


@attrs.frozen(kw_only=True)
class Written:
    """Rows that were sent by one statement."""

    told_as: str
    """What messages call the table."""
    rendered: RenderedTable
    """How they were rendered."""
    framed: bytes
    """The rows."""
    rows: int
    """How many they are."""

    def check(self, connection: MySQLConnection, written: int, *, replacing: bool = False) -> None:
        """Look at what the server says, behind the statement.

        Args:
            connection: ran it.
            written: how many rows it is said to have stored.
            replacing: whether rows that were replaced are counted as well.

        Raises:
            LoadError: it stored fewer rows, or other values.
        """
        result: Any = connection._result  # type: ignore[attr-defined]  # noqa: SLF001 - PyMySQL has no other way
        if result.warning_count:
            self._judge(connection)
        if written != self.rows and not (replacing and written > self.rows):
            raise LoadError(
                f"{self.told_as}: {self.rows} rows were sent, and {written} of them stored; nothing was "
                "written; run again",
                transient=True,
            )

    def _judge(self, connection: MySQLConnection) -> None:
        with connection.cursor() as cursor:
            cursor.execute(_COUNT)
            count = int(cursor.fetchone()[0])
            # As many as the server keeps (`max_error_count`).
            cursor.execute(_LIST)
            listed = [(int(code), _text(message)) for _, code, message in cursor.fetchall()]
        others = [each for each in listed if each[0] != _NON_ASCII_SEPARATOR]
        left = count - (len(listed) - len(others))
        if not left:
            return
        enums = {each.column.name for each in self.rendered.columns if each.column.data_type == "enum"}
        for code, message in others:
            if code != _TRUNCATED or self._column(message) not in enums:
                self._refuse(code, message)
        # That a server warns of a value which is no member is in order, and of nothing else: so the numbers must agree.
        expected = self.framed.count(NO_MEMBER)
        if left != expected and (left > expected or len(others) < left):
            self._refuse(*(others[0] if others else (_TRUNCATED, "")))

    def _refuse(self, code: int, message: str) -> None:
        # The message holds the value.
        named = self._column(message) if code not in _DUPLICATES else None
        column = f", column `{named}`" if named else ""
        meaning = MEANING.get(code, "the replica would have stored another value than the source's")
        raise_alone(
            LoadError(
                f"{self.told_as}{column}: {meaning}; nothing was written (replica warning {code})",
                transient=code in _DUPLICATES,
            )
        )

    def _column(self, message: str) -> str | None:
        """Find the column that a warning is about: of what it quotes, the last that is a column's name."""
        names = {each.column.name for each in self.rendered.columns}
        return next((each for each in reversed(_QUOTED.findall(message)) if each in names), None)


def _text(value: object) -> str:
    return value.decode(errors="replace") if isinstance(value, bytes) else str(value)
