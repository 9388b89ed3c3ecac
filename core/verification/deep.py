"""Comparing a table column by column: its rows are read once more, as a load reads them, and PostgreSQL compares.

What is read goes into a temporary table of the session and through the same conversions and casts as a load, so that
these are proven as well. Nothing else is written, and the temporary table is gone with its transaction.
"""

from __future__ import annotations

import datetime as dt
import itertools
import time
from collections.abc import Callable

import attrs
import sqlalchemy as sa

from etlkit.connections import ConnectionFactory
from etlkit.errors import ExtractionError, LoadError, NotChecked
from etlkit.loading.cancelling import cancelled_by
from etlkit.loading.ledger import Ledger
from etlkit.loading.shapes import Shape
from etlkit.loading.table_plan import TablePlan
from etlkit.loading.trouble import warehouse_trouble
from etlkit.loading.warehouse_table import analyze, copy_into
from etlkit.raising import raise_alone
from etlkit.stopping import StopSignal, interrupted
from etlkit.transfer.chunk_queries import cursor_is_number
from etlkit.transfer.keys import Keyset
from etlkit.transfer.pipeline import CopyFile, Pipeline
from etlkit.transfer.reader import Reader
from etlkit.transfer.source_queries import SourceQueries
from etlkit.verification.comparing import Compared, compared_as_multisets, compared_by_key
from etlkit.verification.fitness import fit_of
from etlkit.verification.listing import columns_of, differences_of, visible_keys
from etlkit.verification.results import TableVerification
from etlkit.verification.sampling import SampleReader

_STAGE = "etlkit_verify"
# For joining both sides, in this transaction only.
_SETTINGS = {"work_mem": "64MB"}


@attrs.frozen(kw_only=True)
class DeepCheck:
    """Compares one table, once."""

    what: TablePlan
    """How the table is read, and what it is in the warehouse."""
    now: Shape
    """What the warehouse's table looks like."""
    connections: ConnectionFactory
    """Lends the source's connection."""
    ledger: Ledger
    """The ledger, and the warehouse that holds it; only read."""
    sample: int | None = None
    """Compare so many rows, chosen at random; None for all. Tables without a key are always compared whole."""
    values: bool = False
    """Whether the beginnings of differing values are given, and keys of every type."""
    stop: StopSignal = attrs.field(factory=StopSignal)
    """When it is set, the work ends by `RunInterrupted`."""
    rows_read: Callable[[int], None] = lambda _: None
    """Called after each chunk with the rows read so far."""

    def carry_out(self) -> TableVerification:
        """Read, and compare.

        Returns:
            What was found.

        Raises:
            NotChecked: the table has not the shape that was loaded, or was loaded meanwhile.
            EtlkitError: one of the servers refused something.
        """
        began = time.monotonic()
        target = self.what.target
        names = {each.name for each in target.columns}
        try:
            with warehouse_trouble(f"warehouse table `{target}`", names):
                found = self._compared()
        except (LoadError, ExtractionError):
            # To end the work at once, its statements are cancelled and its connections are dropped.
            if self.stop.is_set():
                raise_alone(interrupted())
            raise
        if found.differing and self._was_loaded():
            raise NotChecked("a run loaded it while it was compared; verify again")
        return attrs.evolve(found, seconds=time.monotonic() - began)

    def _compared(self) -> TableVerification:
        # The first chunk is waited for before the transaction begins, as in a load: others may be reading the source.
        with self._pipeline() as pipeline:
            chunks = iter(pipeline)
            first = next(chunks, None)
            with self.ledger.engine.connect() as connection, cancelled_by(self.stop, connection):
                read = self.what.target.table(schema=None, name=_STAGE, temporary=True)
                connection.execute(
                    sa.select(*(sa.func.set_config(name, value, True) for name, value in _SETTINGS.items()))
                )
                connection.execute(sa.schema.CreateTable(read))
                fit = fit_of(connection, self.what, read, self.now)
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
        found = TableVerification(table=self.what.analysis.name, rows=read, checked=read)
        if not compared.target.key:
            less, more = connection.execute(compared_as_multisets(compared)).one()
            return attrs.evolve(found, missing_in_warehouse=int(less), missing_in_source=int(more))
        if read:
            analyze(connection, compared.read, compared.target.key)
        sampled = reader if isinstance(reader, SampleReader) and not reader.whole else None
        newer_than = self._newer_than()
        keys = visible_keys(self.what, values=self.values)
        less, more, different, newer, columns, first = connection.execute(
            compared_by_key(
                compared,
                sample=sampled is not None,
                keys=keys,
                values=self.values,
                newer_than=newer_than,
            )
        ).one()
        found = attrs.evolve(
            found,
            missing_in_warehouse=less,
            missing_in_source=more,
            different=different,
            newer=None if newer_than is None else newer,
            columns=columns_of(self.what.target, columns or []),
            differences=differences_of(self.what.target, first or []) if keys else (),
        )
        return found if sampled is None else self._with_counts(connection, compared, found, sampled.total)

    def _with_counts(
        self, connection: sa.Connection, compared: Compared, found: TableVerification, rows: int
    ) -> TableVerification:
        """Add to a sample what the numbers of rows on both sides tell."""
        there = connection.scalar(sa.select(sa.func.count()).select_from(compared.table)) or 0
        return attrs.evolve(
            found,
            rows=rows,
            missing_in_warehouse=max(found.missing_in_warehouse, rows - there),
            missing_in_source=max(0, there - rows),
        )

    def _newer_than(self) -> tuple[str, str] | None:
        """Find the cursor's name in the warehouse and its watermark, where rows can be compared with it."""
        state = self.what.before.state if self.what.before else None
        if state is None or state.cursor_column is None or state.watermark is None:
            return None
        for column, there in zip(self.what.rendered.columns, self.what.target.columns, strict=True):
            if column.column.name == state.cursor_column and column.conversion is None:
                parse = int if cursor_is_number(column.column) else dt.datetime.fromisoformat
                try:
                    parse(state.watermark)
                except ValueError:
                    # `0000-00-00`, which PostgreSQL does not know.
                    return None
                return there.name, state.watermark
        return None

    def _was_loaded(self) -> bool:
        before, after = self.what.before, self.ledger.entry(self.what.analysis.name)
        return (before and before.state.generation) != (after and after.state.generation)

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
            interrupted=self.stop,
            rows_read=self.rows_read,
        )
