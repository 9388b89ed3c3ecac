"""Comparing a table column by column: its rows are read once more, as a load reads them, and PostgreSQL compares.

What is read goes into a temporary table of the session and through the same conversions and casts as a load, so that
these are proven as well. Nothing else is written, and the temporary table is gone with its transaction.
"""

from __future__ import annotations

import itertools

import attrs
import sqlalchemy as sa

from etlkit.loading.apply import unmarked
from etlkit.loading.cancelling import cancelled_by
from etlkit.loading.warehouse_table import analyze, copy_into
from etlkit.transfer.keys import Keyset
from etlkit.transfer.pipeline import CopyFile, Pipeline
from etlkit.transfer.reader import Reader
from etlkit.transfer.source_queries import SourceQueries
from etlkit.verification.checking import TableCheck
from etlkit.verification.comparing import Compared, compared_as_multisets
from etlkit.verification.results import EVERY_COLUMN, TableVerification, sample_of
from etlkit.verification.sampling import SampleReader


@attrs.frozen(kw_only=True)
class DeepCheck(TableCheck):
    """Compares every column of all rows, or of some."""

    sample: int | None = None
    """Compare so many rows, chosen at random; None for all. Tables without a key are always compared whole."""

    def _compared(self) -> TableVerification:
        # The first chunk is waited for before the transaction begins, as in a load: others may be reading the source.
        with self._pipeline() as pipeline:
            chunks = iter(pipeline)
            first = next(chunks, None)
            with self.ledger.engine.connect() as connection, cancelled_by(self.stop, connection):
                read, fit = self._prepared(connection)
                file = CopyFile(itertools.chain(() if first is None else (first,), chunks))
                copy_into(connection, read, file)
                compared = Compared(
                    target=self.what.target, table=self.what.target.itself(fit.types), read=read
                )
                found = self._judged(connection, compared, file.rows, pipeline.reader)
                # Takes the temporary table away, which is all that was written.
                connection.rollback()
        return attrs.evolve(found, not_compared=fit.not_compared)

    def _judged(
        self, connection: sa.Connection, compared: Compared, read: int, reader: Reader | None
    ) -> TableVerification:
        if not compared.target.key:
            less, more = connection.execute(compared_as_multisets(compared)).one()
            return TableVerification(
                table=self.what.analysis.name,
                way=EVERY_COLUMN,
                rows=read,
                checked=read,
                missing_in_warehouse=int(less),
                missing_in_source=int(more),
            )
        if read:
            analyze(connection, compared.read, compared.target.key)
        sampled = reader if isinstance(reader, SampleReader) and not reader.whole else None
        found = attrs.evolve(
            self._by_key(connection, compared, only_read=sampled is not None),
            way=EVERY_COLUMN if sampled is None else sample_of(read),
            rows=read if sampled is None else sampled.total,
            checked=read,
        )
        return (
            found if sampled is None and not self._keeps else self._with_counts(connection, compared, found)
        )

    def _with_counts(
        self, connection: sa.Connection, compared: Compared, found: TableVerification
    ) -> TableVerification:
        """Add what the numbers of rows on both sides tell of those that the warehouse has and that were not read."""
        stored = sa.select(sa.func.count()).select_from(compared.table).where(*unmarked(compared.table))
        there = connection.scalar(stored) or 0
        if found.checked == found.rows:
            return attrs.evolve(found, kept=there - (found.rows - found.missing_in_warehouse))
        more = max(0, there - found.rows)
        return attrs.evolve(
            found,
            missing_in_warehouse=max(found.missing_in_warehouse, found.rows - there),
            missing_in_source=0 if self._keeps else more,
            kept=more if self._keeps else 0,
        )

    def _pipeline(self) -> Pipeline:
        keyed = self.what.target.key and Keyset.of(self.what.analysis, self.what.rendered.source)

        def reader(source: SourceQueries) -> Reader:
            if self.sample is None or not keyed:
                return Reader(
                    source=source,
                    analysis=self.what.analysis,
                    rendered=self.what.rendered,
                    plan=self.what.plan,
                )
            return SampleReader(
                source=source,
                analysis=self.what.analysis,
                rendered=self.what.rendered,
                plan=self.what.plan,
                sample=self.sample,
            )

        return Pipeline(
            self.connections.source_raw,
            reader,
            ahead=self.what.plan.chunks.queue,
            governor=self.connections.governor,
            interrupted=self.stop,
            rows_read=self.rows_read,
        )
