"""Comparing a table's stored digests with the source's, range by range, and key by key where a range differs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from typing import Any, TypeVar

import attrs
import sqlalchemy as sa

from etlkit.connections import ConnectionFactory
from etlkit.errors import LoadError
from etlkit.loading import digest_statements
from etlkit.loading.ranges import Ranges, refuse_missing_digests
from etlkit.loading.shapes import shape_of
from etlkit.loading.stored_rows import StoredRows, Summary, same_order
from etlkit.loading.table_plan import TablePlan
from etlkit.loading.target import DELETED_AT
from etlkit.loading.warehouse_table import copy_into
from etlkit.stopping import StopSignal
from etlkit.transfer import chunk_queries as queries
from etlkit.transfer.chunk import Chunk
from etlkit.transfer.copy_text import DELIMITER, copy_text
from etlkit.transfer.keys import Key, KeyRange, Keyset, as_key, spans_of
from etlkit.transfer.pipeline import CopyFile
from etlkit.transfer.reader import Reader
from etlkit.transfer.source_queries import SourceQueries

T = TypeVar("T")

_PIECE_ROWS = 10_000
_AWAKE_SECONDS = 60.0


@contextmanager
def lent_for(what: TablePlan, connections: ConnectionFactory, stop: StopSignal) -> Iterator[SourceQueries]:
    """Lend the source's connection for the comparison of a table, once the source is calm.

    Args:
        what: the table.
        connections: lends it.
        stop: when it is set, the connection is dropped.

    Yields:
        The source, in no snapshot yet.

    Raises:
        ConnectionFailed: the source cannot be reached.
        SourceBusy: it stays busy.
    """
    with connections.source_raw() as raw:
        source = SourceQueries(raw, stop, connections.governor)
        with stop.calling(source.drop):
            source.rest(f"table `{what.analysis.name}`", what.analysis.engine)
            yield source


@attrs.frozen(kw_only=True)
class RangeCompared:
    """What came of comparing one range."""

    range: KeyRange
    """The range, in the source's order of the key."""
    rows: int
    """Rows that the source has in it."""
    theirs: Summary | None
    """What the source said that it comes to; None where ranges are not the same on both sides."""
    equal: bool
    """Whether the stored digests come to the same; False where that cannot be asked."""
    keys: Sequence[Key] = ()
    """The source's keys in order, where it is not equal."""
    changed: Sequence[int] = ()
    """Places in `keys` of the rows that are not stored as the source has them, in order."""

    def spans(self, gap: int, *, most: int | None = None) -> list[tuple[Key | None, Key]]:
        """Give the ranges in which the rows lie that are not stored as the source has them.

        Args:
            gap: how far two of them may lie apart, in rows, to be in one range; 1 for neighbours only.
            most: only for the first so many of these rows; None for all.

        Returns:
            Of each range the key that it lies behind (None for the beginning), and its last one.
        """
        return spans_of(self.changed[:most], self.keys, self.range.lower, gap=gap)


@attrs.define(kw_only=True)
class DigestComparison:
    """The comparison of one table, once, on one connection of each side."""

    what: TablePlan
    """The table, with digests."""
    keyset: Keyset
    """Its key."""
    stored: StoredRows
    """Its rows in the warehouse."""
    source: SourceQueries
    """The source; in a snapshot, where there is one."""
    connection: sa.Connection
    """The warehouse, in a transaction in which the temporary tables `stored.keys` and `stored.gone` are made."""
    listed: int = attrs.field(default=0, init=False)
    """Keys in `stored.keys` so far: those of all ranges that differ."""

    @classmethod
    def of(
        cls, what: TablePlan, keyset: Keyset, source: SourceQueries, connection: sa.Connection
    ) -> DigestComparison:
        """Prepare a comparison, and make its temporary tables.

        Args:
            what: the table, with digests.
            keyset: its key.
            source: the source.
            connection: the warehouse, in a transaction that takes the temporary tables away when it ends.

        Returns:
            The comparison; rows that are marked as gone do not take part.

        Raises:
            LoadError: the table is not there.
        """
        there = shape_of(connection, what.target.itself())
        if there is None:
            raise LoadError(f"warehouse table `{what.target}` is gone; run again")
        names = tuple(digest_statements.key_names(keyset))
        stored = StoredRows(
            target=what.target, key=names, marked=DELETED_AT in there.types, types=there.types
        )
        for each in (stored.keys, stored.gone):
            connection.execute(sa.schema.CreateTable(each))
        return cls(what=what, keyset=keyset, stored=stored, source=source, connection=connection)

    def ranges(self) -> Iterator[RangeCompared]:
        """Compare the table, as it is read.

        When the iterator ends, `stored.gone` holds the keys of all stored rows that the source does not have.

        Yields:
            Ranges that follow on each other, the last one without an end.

        Raises:
            ExtractionError: the source refused something, or could not compute the digest of a row.
        """
        with ThreadPoolExecutor(1, "etlkit-digests") as ahead, self._left_at_the_end() as source:
            ranges = Ranges(what=self.what, keyset=self.keyset, source=source)
            if same_order(self.keyset):
                yield from self._summed(ranges, ahead)
            else:
                yield from self._alone(ranges, ahead)

    def _alone(self, ranges: Ranges, ahead: ThreadPoolExecutor) -> Iterator[RangeCompared]:
        # A range of the source is no range in the warehouse, so all keys are compared.
        alone = ranges.alone()
        while (each := self._when_there(ahead.submit(next, alone, None))) is not None:
            yield self._listed(each, None)
        self.connection.execute(self.stored.note_gone(None, None))

    def _summed(self, ranges: Ranges, ahead: ThreadPoolExecutor) -> Iterator[RangeCompared]:
        summed = ranges.summed()
        coming = ahead.submit(next, summed, None)
        while (found := self._when_there(coming)) is not None:
            each, theirs = found
            # The source sums up the next range while the warehouse sums up this one.
            coming = ahead.submit(next, summed, None)
            if theirs == self.summary(each):
                yield RangeCompared(range=each, rows=theirs.rows, theirs=theirs, equal=True)
                continue
            # Where rows are asked for, nobody else may use the source's connection.
            self._await(coming)
            compared = self._listed(each, theirs)
            self.connection.execute(self.stored.note_gone(each.lower, each.upper))
            yield compared

    @contextmanager
    def _left_at_the_end(self) -> Iterator[SourceQueries]:
        """Give the source to another thread, which stops waiting for it to be calm when the block is left."""
        left = StopSignal()
        with self.source.ended.calling(left.set):
            if self.source.ended.is_set():
                left.set()
            try:
                yield attrs.evolve(self.source, ended=left)
            finally:
                left.set()

    def _when_there(self, coming: Future[T]) -> T:
        self._await(coming)
        return coming.result()

    def _await(self, coming: Future[Any]) -> None:
        while not wait([coming], _AWAKE_SECONDS).done:
            # The source is busy, or slow: the warehouse would end a transaction that is idle for long.
            self.connection.execute(sa.select(sa.literal_column("1")))

    def summary(self, of: KeyRange) -> Summary:
        """Ask what the stored rows of a range come to; for keys of `same_order` only, or everything.

        Args:
            of: the range.

        Returns:
            What the warehouse says.
        """
        rows, xor, total = self.connection.execute(self.stored.summary(of.lower, of.upper)).one()
        return Summary(rows=rows, xor=int(xor or 0), total=int(total or 0))

    def rows(self, lower: Key | None, upper: Key) -> Iterator[Chunk]:
        """Read rows of the source.

        Args:
            lower: the key that they lie behind; None for the beginning.
            upper: their last key.

        Returns:
            The rows, as a load reads them.
        """
        reader = Reader(
            source=self.source,
            analysis=self.what.analysis,
            rendered=self.what.rendered,
            plan=self.what.plan,
            resume_after=lower,
            until=upper,
            in_snapshot=True,
        )
        return reader.chunks()

    def _listed(self, of: KeyRange, theirs: Summary | None) -> RangeCompared:
        """Compare a range key by key."""
        keys: list[Key] = []
        lines: list[bytes] = []
        before = self.listed
        parts = len(self.keyset.columns)
        statement = digest_statements.keys_statement(
            self.what.rendered, self.keyset, of.conditions(self.keyset)
        )
        missing = 0
        for row in self.source.stream(queries.Prepared.of(statement), of.values(self.keyset)):
            if row[-1] is None:
                missing += 1
                continue
            keys.append(as_key(row[:parts]))
            lines.append(_line(before + len(keys), row[parts:]))
            if len(lines) >= _PIECE_ROWS:
                self._copy(lines)
        refuse_missing_digests(self.what.analysis.name, missing)
        self._copy(lines)
        self.listed += len(keys)
        changed = self.connection.scalars(self.stored.changed((before + 1, self.listed))) if keys else ()
        rows = len(keys) if theirs is None else theirs.rows
        places = [number - before - 1 for number in changed]
        return RangeCompared(range=of, rows=rows, theirs=theirs, equal=False, keys=keys, changed=places)

    def _copy(self, lines: list[bytes]) -> None:
        if lines:
            chunk = Chunk(data=b"".join(lines), rows=len(lines))
            copy_into(self.connection, self.stored.keys, CopyFile(iter([chunk])))
            lines.clear()


def _line(number: int, fields: Sequence[Any]) -> bytes:
    *key, digest = (each if isinstance(each, bytes) else str(each).encode() for each in fields)
    texts = (copy_text(each).data for each in key)
    return DELIMITER.encode().join([b"%d" % number, *texts, digest]) + b"\n"
