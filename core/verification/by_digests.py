"""Comparing a table by digests: the source sums up ranges of its rows, and of equal ranges no row is read.

Where a range differs, its keys and digests are compared, so that every row that is missing, too many or different is
counted. Only the first of these rows are read, as many as are listed, to name the columns that differ.
"""

from __future__ import annotations

from collections.abc import Mapping

import attrs
import sqlalchemy as sa

from etlkit.errors import NotChecked
from etlkit.loading.cancelling import cancelled_by
from etlkit.loading.digest_comparison import DigestComparison, lent_for
from etlkit.loading.shapes import Shape
from etlkit.loading.table_plan import TablePlan
from etlkit.loading.warehouse_table import analyze, copy_into
from etlkit.transfer import chunk_queries as queries
from etlkit.transfer.digests import DIGEST
from etlkit.transfer.keys import Key, Keyset
from etlkit.transfer.pipeline import CopyFile
from etlkit.transfer.trouble import read_trouble
from etlkit.verification.checking import TableCheck
from etlkit.verification.comparing import MOST, Compared, first_keys
from etlkit.verification.results import BY_DIGESTS, TableVerification

_NEIGHBOURS = 1


def has_digests(planned: TablePlan, now: Shape) -> bool:
    """Tell whether a table can be compared by digests.

    Args:
        planned: how it would be loaded now.
        now: the warehouse's table.

    Returns:
        True where its rows are kept with digests that were made as they would be made now.
    """
    return (
        planned.rendered.salt is not None
        and bool(planned.target.key)
        and DIGEST.name in now.types
        and planned.before is not None
        and planned.before.mapping_hash == planned.target.mapping_hash
    )


@attrs.define
class _Counts:
    """What the comparison of all ranges came to."""

    rows: int = 0
    changed: int = 0


@attrs.frozen(kw_only=True)
class DigestCheck(TableCheck):
    """Compares the source's digests with the stored ones; the plan must be one with digests."""

    def _compared(self) -> TableVerification:
        keyset = Keyset.of(self.what.analysis, self.what.rendered.source)
        if keyset is None:
            raise NotChecked(
                "it has no key to compare digests by; `etlkit verify --deep` compares every column"
            )
        with (
            lent_for(self.what, self.connections, self.stop) as source,
            self.ledger.engine.connect() as connection,
            cancelled_by(self.stop, connection),
            read_trouble(self.what.analysis.name),
        ):
            # One instant of the warehouse, as the snapshot is one of the source.
            connection.execution_options(isolation_level="REPEATABLE READ")
            read, fit = self._prepared(connection)
            comparison = DigestComparison.of(self.what, keyset, source, connection)
            if self.what.analysis.engine == "InnoDB":
                source.text(queries.SNAPSHOT)
            counts = self._compare(comparison, read)
            source.text(queries.END_SNAPSHOT)
            found = self._judged(comparison, read, fit.types, counts)
            # Takes the temporary tables away, which are all that was written.
            connection.rollback()
        return attrs.evolve(found, not_compared=fit.not_compared)

    def _compare(self, comparison: DigestComparison, read: sa.Table) -> _Counts:
        """Compare all ranges, and read the first rows that are not stored as they are."""
        counts = _Counts()
        for each in comparison.ranges():
            self.stop.check()
            for lower, upper in each.spans(_NEIGHBOURS, most=max(0, MOST - counts.changed)):
                self._read(comparison, read, lower, upper)
            counts.rows += each.rows
            counts.changed += len(each.changed)
            self.rows_read(counts.rows)
        return counts

    def _read(self, comparison: DigestComparison, read: sa.Table, lower: Key | None, upper: Key) -> None:
        copy_into(comparison.connection, read, CopyFile(comparison.rows(lower, upper)))

    def _judged(
        self, comparison: DigestComparison, read: sa.Table, types: Mapping[str, str], counts: _Counts
    ) -> TableVerification:
        connection, stored = comparison.connection, comparison.stored
        missing = connection.scalar(stored.missing()) or 0
        gone = connection.scalar(stored.count_gone()) or 0
        found = TableVerification(
            table=self.what.analysis.name,
            way=BY_DIGESTS,
            rows=counts.rows,
            checked=counts.rows,
            missing_in_warehouse=missing,
            missing_in_source=0 if self._keeps else gone,
            kept=gone if self._keeps else 0,
            different=counts.changed - missing,
        )
        newer = None if self._newer_than() is None else 0
        if not found.differing:
            return attrs.evolve(found, newer=newer)
        for each in (read, stored.gone):
            analyze(connection, each, self.what.target.key)
        target = self.what.target
        compared = Compared(
            target=target,
            table=target.itself(types),
            read=read,
            only=first_keys(read, stored.gone, target.key),
            last=DIGEST.name,
        )
        first = self._by_key(connection, compared)
        return attrs.evolve(
            found,
            newer=first.newer,
            columns=first.columns,
            differences=first.differences,
            examined=first.differing,
        )
