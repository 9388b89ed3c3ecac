"""How a read is cut into chunks: how large the first one is, and by which index the rows of the plan are found."""

from __future__ import annotations

import attrs

from etlkit.contracts import LoadPlan, Since, Where
from etlkit.tables import TableAnalysis
from etlkit.transfer.chunk_size import ChunkSize, Pace, chunk_seconds, first_size, holds_up_writers
from etlkit.transfer.keys import Keyset

MOST_BY_INDEX = 20_000
"""Rows that changed, up to which each chunk's end is looked for by the cursor's index where readers hold up writers.

It walks all of them for each chunk. Without being told, servers prefer the primary key from 60,000 of 300,000 rows on,
and walk all the rows between that did not change: one statement of a second."""

_FIRST_SCAN_ROWS = 50_000
_SMALL_ROWS = 20_000


@attrs.frozen(kw_only=True)
class Cutting:
    """Decides for one read."""

    analysis: TableAnalysis
    """The table."""
    plan: LoadPlan
    """What is read of it."""
    pace: Pace
    """How fast the source gave other chunks."""

    def seems_small(self) -> bool:
        """Tell whether the whole table is worth one statement, whose result may still turn out not to fit."""
        return (
            self.analysis.row_count <= _SMALL_ROWS
            and self.analysis.data_bytes <= self.plan.chunks.max_bytes // 2
            and self.analysis.data_bytes <= self._first_bytes()
        )

    def scans(self) -> bool:
        """Tell whether no index is known to find the plan's rows.

        Ranges are then cut by the key alone, and the condition is applied inside them: one short scan per chunk
        instead of a long one.
        """
        read = self.plan.read
        if isinstance(read, Since):
            return all(index.columns[:1] != (read.column,) for index in self.analysis.indexes)
        return isinstance(read, Where)

    def index(self, keyset: Keyset | None) -> str | None:
        """Find the index that a chunk's end is to be looked for by, because the server may choose a worse one.

        Args:
            keyset: the key that chunks are cut by.

        Returns:
            Its name; None where the server's choice holds up nobody.
        """
        read = self.plan.read
        if keyset is None or not isinstance(read, Since) or not holds_up_writers(self.analysis.engine):
            return None
        if keyset.columns[0].name == read.column:
            return None
        named = (each.name for each in self.analysis.indexes if each.columns[:1] == (read.column,))
        return next(named, None)

    def first_size(self, value_limit: int, *, scans: bool) -> ChunkSize:
        """Choose the size of the first chunk.

        Args:
            value_limit: bytes that one value may have.
            scans: whether chunks are cut by the key alone.

        Returns:
            A size to begin with.
        """
        average = self.analysis.data_bytes // max(1, self.analysis.row_count)
        size = first_size(
            engine=self.analysis.engine,
            rows=self.plan.chunks.rows,
            average_row=average,
            max_bytes=min(self.plan.chunks.max_bytes, value_limit * 3 // 4),
            seconds=self.plan.chunks.seconds,
        )
        size.rows = max(1, min(size.rows, self._first_bytes() // max(1, average)))
        if scans:
            size.rows = max(size.rows, _FIRST_SCAN_ROWS)
            if holds_up_writers(self.analysis.engine):
                # Behind a range in which nothing changed, one in which everything did takes twice as long.
                size.rows //= 2
                size.seconds /= 2
        return size

    def _first_bytes(self) -> int:
        """Bytes that a chunk may have of which nothing is known yet, so that it holds up nobody."""
        if not holds_up_writers(self.analysis.engine):
            return self.plan.chunks.max_bytes
        return self.pace.first_bytes(self.plan.chunks.seconds or chunk_seconds(self.analysis.engine))
