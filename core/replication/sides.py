"""Both servers' rows of one table, compared by digests that both compute: which rows differ, and where they lie."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import AbstractContextManager

import attrs

from etlkit.contracts import LoadPlan
from etlkit.errors import ExtractionError
from etlkit.loading import digest_statements
from etlkit.loading.ranges import Ranges, refuse_missing_digests
from etlkit.loading.stored_rows import Summary
from etlkit.replication.rendering import render_exactly
from etlkit.replication.trouble import replica_table, replica_trouble
from etlkit.tables import TableAnalysis
from etlkit.transfer import chunk_queries as queries
from etlkit.transfer.keys import Key, KeyRange, Keyset, as_key, spans_of
from etlkit.transfer.rendering import RenderedTable
from etlkit.transfer.source_queries import SourceQueries
from etlkit.transfer.trouble import read_trouble


@attrs.frozen(kw_only=True)
class Side:
    """One server's rows of the table."""

    analysis: TableAnalysis
    """The table there."""
    rendered: RenderedTable
    """Its rows, with digests."""
    keyset: Keyset | None
    """The key that ranges are cut by; None for a table without one."""
    queries: SourceQueries
    """The server; nobody else uses its connection meanwhile."""

    @classmethod
    def of(
        cls,
        analysis: TableAnalysis,
        database: str,
        server: SourceQueries,
        *,
        name: str | None = None,
        signed_zeros: bool = True,
    ) -> Side:
        """Prepare a side.

        Args:
            analysis: the table; on both sides the one of the source, but for its name.
            database: where it is.
            server: the server.
            name: what it is called there, when that differs.
            signed_zeros: whether -0 is another number than 0; not where the replica is a MariaDB, which knows none.

        Returns:
            The side.
        """
        there = analysis if name is None else attrs.evolve(analysis, name=name)
        rendered = render_exactly(there, database, digests=True, signed_zeros=signed_zeros)
        return cls(
            analysis=there, rendered=rendered, keyset=Keyset.of(there, rendered.source), queries=server
        )

    def summary(self, of: KeyRange) -> Summary:
        """Ask what the rows of a range come to.

        Args:
            of: the range.

        Returns:
            What the server says.

        Raises:
            ExtractionError: the digest of a row could not be computed.
        """
        conditions = [] if self.keyset is None else of.conditions(self.keyset)
        values = {} if self.keyset is None else of.values(self.keyset)
        statement = digest_statements.summary_statement(self.rendered, conditions)
        row = self.queries.one(queries.Prepared.of(statement), values) or ("0", "0", "0", None)
        rows, computed, xor, total = (int(each or 0) for each in row)
        refuse_missing_digests(self.analysis.name, rows - computed)
        return Summary(rows=rows, xor=xor, total=total)

    def keys(self, of: KeyRange) -> dict[Key, str]:
        """List the rows of a range.

        Args:
            of: the range.

        Returns:
            By key, in its order, the digests.

        Raises:
            ExtractionError: the digest of a row could not be computed.
        """
        if self.keyset is None:
            raise ExtractionError(f"table `{self.analysis.name}` has no key to be compared by")
        statement = digest_statements.keys_statement(self.rendered, self.keyset, of.conditions(self.keyset))
        parts, missing = len(self.keyset.columns), 0
        found: dict[Key, str] = {}
        for row in self.queries.stream(queries.Prepared.of(statement), of.values(self.keyset)):
            if row[-1] is None:
                missing += 1
                continue
            found[as_key(row[:parts])] = str(row[-1])
        refuse_missing_digests(self.analysis.name, missing)
        return found


@attrs.frozen(kw_only=True)
class RangeDifference:
    """What came of comparing one range."""

    range: KeyRange
    """The range."""
    rows: int
    """Rows that the source has in it."""
    theirs: Summary | None
    """What the source said that it comes to; None where a range is not the same rows on both servers."""
    equal: bool
    """Whether the replica's rows come to the same."""
    keys: Sequence[Key] = ()
    """The source's keys in order, where it is not equal."""
    changed: Sequence[int] = ()
    """Places in `keys` of the rows that the replica has with other values."""
    missing: Sequence[int] = ()
    """Places in `keys` of the rows that it does not have."""
    extra: Sequence[Key] = ()
    """Keys of rows that only the replica has."""

    def spans(self, gap: int) -> list[tuple[Key | None, Key]]:
        """Give the ranges in which the rows lie that the replica does not have as the source has them.

        Args:
            gap: how far two of them may lie apart, in rows, to be in one range.

        Returns:
            Of each range the key that it lies behind (None for the beginning), and its last one.
        """
        return spans_of(sorted((*self.changed, *self.missing)), self.keys, self.range.lower, gap=gap)


@attrs.frozen(kw_only=True)
class _Compared:
    """What cutting ranges needs to know of a table."""

    analysis: TableAnalysis
    rendered: RenderedTable
    plan: LoadPlan


@attrs.frozen(kw_only=True)
class Sides:
    """The source's rows of a table beside the replica's."""

    plan: LoadPlan
    """Whose budgets hold for a range."""
    source: Side
    """The source, in a snapshot where there is one."""
    replica: Side
    """The replica."""
    database: str
    """The replica's database, for messages."""
    same_order: bool = True
    """Whether a range of the source's key holds the same rows in the replica; not where a collation was adapted."""

    def differences(self) -> Iterator[RangeDifference]:
        """Compare the table, as it is read.

        Yields:
            Ranges that follow on each other, the last one without an end; a table without a key is one range, whose
            keys are not known.

        Raises:
            ExtractionError: the source refused something, or could not compute the digest of a row.
            LoadError: the replica refused something.
        """
        if self.source.keyset is None:
            theirs, ours = self._of_source(KeyRange()), self.ours(KeyRange())
            yield RangeDifference(range=KeyRange(), rows=theirs.rows, theirs=theirs, equal=theirs == ours)
        elif not self.same_order:
            yield self._listed(KeyRange(), None)
        else:
            yield from self._in_ranges(self.source.keyset)

    def ours(self, of: KeyRange) -> Summary:
        """Ask what the replica's rows of a range come to.

        Args:
            of: the range.

        Returns:
            What the replica says.
        """
        with self._replica_trouble():
            return self.replica.summary(of)

    def ours_of_all(self) -> Summary:
        """Ask what all of the replica's rows come to.

        Returns:
            What the replica says.
        """
        return self.ours(KeyRange())

    def _in_ranges(self, keyset: Keyset) -> Iterator[RangeDifference]:
        compared = _Compared(analysis=self.source.analysis, rendered=self.source.rendered, plan=self.plan)
        ranges = Ranges(what=compared, keyset=keyset, source=self.source.queries).summed()
        with ThreadPoolExecutor(1, "etlkit-digests") as ahead:
            coming = ahead.submit(self._next, ranges)
            while (found := coming.result()) is not None:
                each, theirs = found
                # The source sums up the next range while the replica sums up this one.
                coming = ahead.submit(self._next, ranges)
                if theirs == self.ours(each):
                    yield RangeDifference(range=each, rows=theirs.rows, theirs=theirs, equal=True)
                    continue
                # Where rows are asked for, nobody else may use the source's connection.
                wait([coming])
                yield self._listed(each, theirs)

    def _next(self, ranges: Iterator[tuple[KeyRange, Summary]]) -> tuple[KeyRange, Summary] | None:
        with read_trouble(self.source.analysis.name):
            return next(ranges, None)

    def _of_source(self, of: KeyRange) -> Summary:
        with read_trouble(self.source.analysis.name):
            return self.source.summary(of)

    def _listed(self, of: KeyRange, theirs: Summary | None) -> RangeDifference:
        """Compare a range key by key."""
        with read_trouble(self.source.analysis.name):
            there = self.source.keys(of)
        with self._replica_trouble():
            here = self.replica.keys(of)
        keys = list(there)
        return RangeDifference(
            range=of,
            rows=len(keys) if theirs is None else theirs.rows,
            theirs=theirs,
            equal=there == here,
            keys=keys,
            changed=[place for place, key in enumerate(keys) if key in here and here[key] != there[key]],
            missing=[place for place, key in enumerate(keys) if key not in here],
            extra=[key for key in here if key not in there],
        )

    def _replica_trouble(self) -> AbstractContextManager[None]:
        return replica_trouble(replica_table(self.database, self.replica.analysis.name))
