"""The ranges of a table that digests are compared for: cut on the source, by the time the last one took."""

from __future__ import annotations

import time
from collections.abc import Iterator

import attrs

from etlkit.errors import ExtractionError
from etlkit.loading import digest_statements
from etlkit.loading.stored_rows import Summary
from etlkit.transfer import chunk_queries as queries
from etlkit.transfer.boundary_queries import ROWS_BEFORE, boundary_statement
from etlkit.transfer.chunk_size import ChunkSize, first_size
from etlkit.transfer.keys import AFTER, Key, KeyRange, Keyset, as_key
from etlkit.transfer.planned import Planned
from etlkit.transfer.source_queries import SourceQueries
from etlkit.wording import counted

_FIRST_ROWS = 5000
_MOST_ROWS = 20_000  # of which one that differs is listed key by key
_SUMMARY_BYTES = 100


def refuse_missing_digests(table: str, missing: int) -> None:
    """Refuse to compare rows that have no digest: BIT_XOR and a comparison of keys would pass them over.

    Args:
        table: the source's name of the table.
        missing: rows whose digest is NULL, because they are larger than the source can handle as one value.

    Raises:
        ExtractionError: there are such rows.
    """
    if missing:
        raise ExtractionError(
            f"table `{table}`: the source could not compute the digest of {counted(missing, 'row')} larger than it can "
            "handle; raise max_allowed_packet on the source"
        )


@attrs.define(kw_only=True)
class Ranges:
    """Cuts one table."""

    what: Planned
    """The table."""
    keyset: Keyset
    """The key it is cut by."""
    source: SourceQueries
    """The source."""
    _prepared: dict[tuple[str, bool, bool], queries.Prepared] = attrs.field(factory=dict)

    def alone(self) -> Iterator[KeyRange]:
        """Cut the table.

        Yields:
            Ranges that follow on each other, the last one without an end.
        """
        size = self._first_size()
        lower: Key | None = None
        while True:
            self._rest()
            began = time.monotonic()
            upper = self._upper(lower, size.rows)
            yield KeyRange(lower=lower, upper=upper)
            if upper is None:
                return
            self._learn(size, began)
            lower = upper

    def summed(self) -> Iterator[tuple[KeyRange, Summary]]:
        """Cut the table, and sum each range up on the source.

        Yields:
            Ranges that follow on each other, the last one without an end, each with what its rows come to.

        Raises:
            ExtractionError: the digest of a row could not be computed.
        """
        size = self._first_size()
        lower: Key | None = None
        while True:
            self._rest()
            began = time.monotonic()
            upper = self._upper(lower, size.rows)
            each = KeyRange(lower=lower, upper=upper)
            summary = self._summary(each)
            self._learn(size, began)
            yield each, summary
            if upper is None:
                return
            lower = upper

    def _upper(self, lower: Key | None, rows: int) -> Key | None:
        kind = ("boundary", lower is None, True)
        if kind not in self._prepared:
            behind = [None if lower is None else self.keyset.after()]
            self._prepared[kind] = queries.Prepared.of(boundary_statement(self.keyset, behind))
        values = {ROWS_BEFORE: rows - 1} | self.keyset.values(AFTER, lower)
        found = self.source.one(self._prepared[kind], values)
        return None if found is None else as_key(found)

    def _summary(self, of: KeyRange) -> Summary:
        kind = ("summary", of.lower is None, of.upper is None)
        if kind not in self._prepared:
            statement = digest_statements.summary_statement(self.what.rendered, of.conditions(self.keyset))
            self._prepared[kind] = queries.Prepared.of(statement)
        row = self.source.one(self._prepared[kind], of.values(self.keyset)) or ("0", "0", "0", None)
        rows, computed, xor, total = (int(each or 0) for each in row)
        refuse_missing_digests(self.what.analysis.name, rows - computed)
        return Summary(rows=rows, xor=xor, total=total)

    def _rest(self) -> None:
        analysis = self.what.analysis
        self.source.rest(f"table `{analysis.name}`", analysis.engine, in_snapshot=analysis.engine == "InnoDB")

    def _first_size(self) -> ChunkSize:
        chunks = self.what.plan.chunks
        return first_size(
            engine=self.what.analysis.engine,
            rows=_FIRST_ROWS,
            average_row=1,
            max_bytes=chunks.max_bytes,
            seconds=chunks.seconds,
        )

    def _learn(self, size: ChunkSize, began: float) -> None:
        size.took(seconds=time.monotonic() - began, rows=size.rows, rendered_bytes=_SUMMARY_BYTES)
        size.rows = min(size.rows, _MOST_ROWS)
