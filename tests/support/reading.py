"""Reading a table of a test's source in a chosen way, without writing it anywhere."""

from __future__ import annotations

from typing import Any

from etlkit.loading.table_plan import TablePlan
from etlkit.transfer.chunk import Chunk
from etlkit.transfer.reader import Reader
from etlkit.transfer.source_queries import SourceQueries
from support.loading import Loading


def chunks_of(
    loading: Loading, what: TablePlan, *, group_concat_max_len: int | None = None, **options: Any
) -> list[Chunk]:
    """Read a table.

    Args:
        loading: where.
        what: its plan.
        group_concat_max_len: bytes that one value of several rows may have on the source.
        options: of the reader.
    """
    with loading.deployment.connections.source_raw() as connection:
        with connection.cursor() as cursor:
            cursor.execute("SELECT @@group_concat_max_len")
            before = cursor.fetchone()[0]
            cursor.execute(f"SET SESSION group_concat_max_len = {group_concat_max_len or before}")
        reader = Reader(
            source=SourceQueries(connection),
            analysis=what.analysis,
            rendered=what.rendered,
            plan=what.plan,
            **options,
        )
        found = list(reader.chunks())
        with connection.cursor() as cursor:
            cursor.execute(f"SET SESSION group_concat_max_len = {before}")
    return found


def rows_of(chunks: list[Chunk]) -> list[bytes]:
    """The lines of COPY text."""
    return b"".join(chunk.data for chunk in chunks).split(b"\n")[:-1]
