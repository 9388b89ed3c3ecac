"""Rows that are read go into a table that nobody looks at, chunk by chunk, with the place where to go on."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator

import attrs
import sqlalchemy as sa

from etlkit.errors import LoadError
from etlkit.replication.ledger_entries import Reading
from etlkit.replication.work import Work
from etlkit.replication.writing import RowWriter
from etlkit.transfer.chunk import Chunk
from etlkit.transfer.keys import to_json
from etlkit.transfer.pipeline import Pipeline


@attrs.frozen(kw_only=True)
class Filling:
    """Fills one table."""

    work: Work
    """The load."""
    table: sa.TableClause
    """What is filled."""
    make: Callable[[], None]
    """Makes it, empty, in place of one that is there."""
    lazily: bool = False
    """Whether it is not made as long as no row comes."""

    def begin(self) -> Reading:
        """Go on with what an earlier run read by the same plan, or begin with an empty table.

        Returns:
            Where to go on; `complete` when nothing is left to be read.
        """
        work, ledger = self.work, self.work.replica.ledger
        fresh = Reading(plan=work.what.digest, side=str(self.table.name))
        found = ledger.reading(work.connection, work.what.name)
        work.connection.commit()
        goes_on = found is not None and (found.complete or (work.what.resumable and found.read > 0))
        if found is not None and goes_on and found.plan == fresh.plan:
            return found
        if found is not None:
            ledger.end_reading(work.connection, work.what.name)
            work.connection.commit()
        if not self.lazily:
            self.make()
            if work.what.resumable:
                self._save(fresh)
                work.connection.commit()
        return fresh

    def fill(self, reading: Reading) -> Reading:
        """Read what is left.

        Args:
            reading: as `begin` gave it.

        Returns:
            Where it ended.

        Raises:
            EtlkitError: the read failed; what was kept of a plan that commits per chunk stays.
        """
        if reading.complete:
            return reading
        writer: RowWriter | None = None
        # Where the engine knows no transactions, a chunk may be there already that the record does not know of.
        again = reading.read > 0
        with self.work.pipeline(reading) as pipeline:
            chunks = iter(pipeline)
            for first in chunks:
                if writer is None:
                    if self.lazily:
                        self.make()
                    writer = RowWriter.of(self.work.connection, replacing=again, told_as=self.work.told_as)
                try:
                    reading = self._keep(writer, reading, pipeline, self._together(first, chunks))
                except LoadError:
                    # What is refused behind these rows now, such as a value of a unique key that moved from one of
                    # them to another row meanwhile, would be refused again.
                    self._forget()
                    raise
        return attrs.evolve(reading, complete=True)

    def _keep(
        self, writer: RowWriter, reading: Reading, pipeline: Pipeline, chunks: Iterator[Chunk]
    ) -> Reading:
        name = self.work.quoted(self.table)
        for chunk in chunks:
            writer.write(name, self.work.what.rendered, chunk)
            reading = attrs.evolve(
                reading,
                last_key=to_json(chunk.last_key) if chunk.last_key else reading.last_key,
                watermark=chunk.watermark,
                began=pipeline.reader.began if pipeline.reader else reading.began,
                read=reading.read + chunk.rows,
                rendered_bytes=reading.rendered_bytes + len(chunk.data),
                complete=chunk.last_key is None,
            )
        if self.work.what.resumable:
            self._save(reading)
        self.work.connection.commit()
        return reading

    def _together(self, first: Chunk, others: Iterator[Chunk]) -> Iterator[Chunk]:
        """Give the chunks that are committed together."""
        ends = time.monotonic() + self.work.what.plan.chunks.kept_seconds
        yield first
        while time.monotonic() < ends:
            chunk = next(others, None)
            if chunk is None:
                return
            yield chunk

    def _forget(self) -> None:
        work = self.work
        # Of a connection that is lost, nothing was refused: the next run goes on.
        with contextlib.suppress(sa.exc.SQLAlchemyError, OSError):
            work.connection.rollback()
            work.replica.ledger.end_reading(work.connection, work.what.name)
            work.connection.commit()

    def _save(self, reading: Reading) -> None:
        work = self.work
        work.replica.ledger.save_reading(work.connection, work.run_id, work.what.name, reading)
