"""Framed rows as multi-row INSERT statements, for servers that do not take them as a file."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import attrs
import sqlalchemy as sa
from sqlalchemy.dialects.mysql.pymysql import MySQLDialect_pymysql

from etlkit.errors import LoadError
from etlkit.replication.rendering import NO_MEMBER, stored
from etlkit.tables import INTEGER_TYPES, TEXT_TYPES, Column
from etlkit.transfer.rendering import RenderedTable
from etlkit.transfer.sentinels import FIELD, NULL, ROW

# Statements go to the driver as they are: a percent sign stands for itself.
_DIALECT = MySQLDialect_pymysql(paramstyle="named")
_STATEMENT_BYTES = 4 * 1024 * 1024
_ROOM = 1024  # for what a packet holds beside the statement


@attrs.frozen(kw_only=True)
class Template:
    """A table's INSERT, but for the values."""

    begin: bytes
    """The statement up to its first row."""
    fields: tuple[tuple[bytes, bytes], ...]
    """Per field, what stands in front of its text and behind it."""
    backslashes: bool
    """Whether a backslash in a literal begins an escape."""

    @classmethod
    def of(
        cls, table: str, rendered: RenderedTable, *, backslashes: bool, replacing: bool = False
    ) -> Template:
        """Prepare the statements of a table.

        Args:
            table: its name as it stands in a statement.
            rendered: how its rows were rendered.
            backslashes: whether a backslash in a literal begins an escape in the session's sql_mode.
            replacing: whether rows take the place of those with their keys.

        Returns:
            A template.
        """
        quote = _DIALECT.identifier_preparer.quote_identifier
        names = ", ".join(quote(each.column.name) for each in rendered.columns)
        fields = []
        for each in rendered.columns:
            field: sa.ColumnElement[Any] = sa.literal_column(_literal(each.column))
            expression = stored(each, field)
            text = str((field if expression is None else expression).compile(dialect=_DIALECT))
            before, behind = text.encode().split(b"\0")
            fields.append((before, behind))
        return cls(
            begin=f"{'REPLACE' if replacing else 'INSERT'} INTO {table} ({names}) VALUES ".encode(),
            fields=tuple(fields),
            backslashes=backslashes,
        )

    def rows(self, framed: bytes) -> list[bytes]:
        """Write rows as lists of values.

        Args:
            framed: whole rows.

        Returns:
            One list of values in brackets for each row.
        """
        data = framed.replace(NO_MEMBER, b"0").replace(b"'", b"''")
        if self.backslashes:
            data = data.replace(b"\\", b"\\\\")
        between = [one[1] + b"," + two[0] for one, two in zip(self.fields, self.fields[1:], strict=False)]
        begin, end = b"(" + self.fields[0][0], self.fields[-1][1] + b")"
        if len(set(between)) <= 1:
            # One text between all fields takes the place of the frame's byte at once.
            whole = data.replace(FIELD, between[0]) if between else data
            made = [b"".join((begin, row, end)) for row in whole.split(ROW)[:-1]]
        else:
            made = [begin + _joined(row.split(FIELD), between) + end for row in data.split(ROW)[:-1]]
        return [_with_nulls(row) for row in made] if NULL in framed else made


def _literal(of: Column) -> str:
    """Write a literal around a field, no longer than it must be: what is not sent is not parsed."""
    if of.data_type in INTEGER_TYPES:
        return "\0"
    # Of types other than text there are only digits and the like, whatever the connection's character set is.
    return "_binary'\0'" if of.data_type in TEXT_TYPES | {"json"} else "'\0'"


def _with_nulls(row: bytes) -> bytes:
    for literal in (b"_binary'" + NULL + b"'", b"'" + NULL + b"'", NULL):
        row = row.replace(literal, b"NULL")
    return row


def statements(
    template: Template, framed: bytes, packet: int, *, told_as: str
) -> Iterator[tuple[bytes, bytes]]:
    """Write a chunk as statements.

    Args:
        template: the table's.
        framed: the rows.
        packet: bytes that a statement may have.
        told_as: what messages call the table.

    Yields:
        Statements, with the rows that are in them.

    Raises:
        LoadError: a row is larger than a statement may be.
    """
    most = packet - _ROOM - len(template.begin)
    begin = end = 0
    pending: list[bytes] = []
    size = 0
    for row in template.rows(framed):
        if len(row) > most:
            raise LoadError(
                f"{told_as}: a row is larger than max_allowed_packet of the replica; raise it, or "
                "let the replica take rows by LOAD DATA (`local_infile`); nothing was written"
            )
        if pending and size + len(row) > min(most, _STATEMENT_BYTES):
            yield template.begin + b",".join(pending), framed[begin:end]
            begin, pending, size = end, [], 0
        pending.append(row)
        size += len(row) + 1
        end = framed.index(ROW, end) + 1
    if pending:
        yield template.begin + b",".join(pending), framed[begin:]


def _joined(fields: list[bytes], between: list[bytes]) -> bytes:
    parts = [fields[0]]
    for separator, field in zip(between, fields[1:], strict=True):
        parts += (separator, field)
    return b"".join(parts)
