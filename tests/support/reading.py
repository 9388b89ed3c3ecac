"""Reading a table of a test's source in a chosen way, without writing it anywhere."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import attrs

from etlkit.loading.table_plan import TablePlan
from etlkit.transfer.chunk import Chunk
from etlkit.transfer.chunk_queries import Prepared
from etlkit.transfer.reader import Reader
from etlkit.transfer.source_queries import Row, SourceQueries
from support.loading import Loading


@attrs.frozen
class Recorded(SourceQueries):
    """Writes down the statements of a read."""

    statements: list[str] = attrs.field(factory=list, kw_only=True)

    def one(self, statement: Prepared, values: Mapping[str, Any] | None = None) -> Row | None:
        """Ask for one row."""
        self.statements.append(statement.text)
        return super().one(statement, values)

    def text(self, sql: str) -> Row | None:
        """Run a statement without parameters."""
        self.statements.append(sql)
        return super().text(sql)

    def stream(self, statement: Prepared, values: Mapping[str, Any] | None = None) -> Iterator[Row]:
        """Ask for rows."""
        self.statements.append(statement.text)
        return super().stream(statement, values)


@contextmanager
def reader_of(
    loading: Loading,
    what: TablePlan,
    *,
    group_concat_max_len: int | None = None,
    statements: list[str] | None = None,
    **options: Any,
) -> Iterator[Reader]:
    """Connect a reader to a table.

    Args:
        loading: where.
        what: its plan.
        group_concat_max_len: bytes that one value of several rows may have on the source.
        statements: takes the statements of the read.
        options: of the reader.
    """
    with loading.deployment.connections.source_raw() as connection:
        with connection.cursor() as cursor:
            cursor.execute("SELECT @@group_concat_max_len")
            before = cursor.fetchone()[0]
            cursor.execute(f"SET SESSION group_concat_max_len = {group_concat_max_len or before}")
        yield Reader(
            source=Recorded(connection, statements=[] if statements is None else statements),
            analysis=what.analysis,
            rendered=what.rendered,
            plan=what.plan,
            **options,
        )
        with connection.cursor() as cursor:
            cursor.execute(f"SET SESSION group_concat_max_len = {before}")


def chunks_of(loading: Loading, what: TablePlan, **options: Any) -> list[Chunk]:
    """Read a table; the options are those of `reader_of`."""
    with reader_of(loading, what, **options) as reader:
        return list(reader.chunks())


def rows_of(chunks: list[Chunk]) -> list[bytes]:
    """The lines of COPY text."""
    return b"".join(chunk.copy_text() for chunk in chunks).split(b"\n")[:-1]
