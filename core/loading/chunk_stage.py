"""The rows of a load that commits per chunk, staged with the place where a later run goes on."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager

import attrs
import sqlalchemy as sa

from etlkit.loading.broken_reads import Resume, stage_table
from etlkit.loading.ledger import Ledger
from etlkit.loading.ledger_tables import SCHEMA
from etlkit.loading.quarantine import few
from etlkit.loading.shapes import shape_of
from etlkit.loading.table_plan import TablePlan
from etlkit.loading.warehouse_table import copy_into
from etlkit.transfer.chunk import Chunk
from etlkit.transfer.keys import to_json
from etlkit.transfer.pipeline import CopyFile, Pipeline


@attrs.frozen(kw_only=True)
class ChunkStage:
    """One table's staged rows, which outlive the run."""

    what: TablePlan
    """The table's load."""
    ledger: Ledger
    """The ledger, and the warehouse that holds it."""
    run_id: str
    """The run that stages."""
    transaction: Callable[[], AbstractContextManager[sa.Connection]]
    """Opens a transaction of its own, which commits at the block's end."""

    @property
    def table(self) -> sa.Table:
        """The table that holds the rows, in schema `etlkit`."""
        name = stage_table(self.what.target.schema, self.what.analysis.name).name
        return self.what.target.table(schema=SCHEMA, name=name)

    def begin(self, connection: sa.Connection) -> Resume:
        """Go on with what an earlier run staged by the same plan, or begin with an empty stage.

        Args:
            connection: in a transaction that holds the table's lock.

        Returns:
            Where to go on; this run owns it from now on.

        Raises:
            LockHeld: another run went on with it meanwhile.
        """
        name, reads, stage = self.what.analysis.name, self.ledger.broken_reads, self.table
        found = reads.find(connection, name)
        if found is not None and (found.plan != self.what.digest or shape_of(connection, stage) is None):
            reads.drop(connection, name)
            found = None
        if found is None:
            connection.execute(sa.schema.DropTable(stage, if_exists=True))
            connection.execute(sa.schema.CreateTable(stage))
            resume = Resume(run_id=self.run_id, plan=self.what.digest, stage=stage.name)
            reads.save(connection, name, resume, owner=None)
            return resume
        resume = attrs.evolve(found, run_id=self.run_id)
        reads.save(connection, name, resume, owner=found.run_id)
        return resume

    def fill(self, pipeline: Pipeline, resume: Resume) -> Resume:
        """Stage what is read, and commit it with the place where to go on at ends of chunks.

        Args:
            pipeline: the read.
            resume: where it begins.

        Returns:
            Where it ended.

        Raises:
            EtlkitError: the read failed, or another run went on with it; what was committed stays.
        """
        chunks = few(pipeline, self.what, resume.quarantined)
        # The next chunk is waited for outside of a transaction.
        for first in chunks:
            resume = self._keep(
                pipeline, resume, _for_seconds(first, chunks, self.what.plan.chunks.kept_seconds)
            )
        return resume

    def _keep(self, pipeline: Pipeline, resume: Resume, chunks: Iterator[Chunk]) -> Resume:
        name, reads = self.what.analysis.name, self.ledger.broken_reads
        with self.transaction() as connection:
            # First of all, so that a run which was asleep meanwhile finds out before it writes.
            reads.save(connection, name, resume, owner=self.run_id)
            # A crash of the warehouse may cost the last chunks, with the place to go on: they are read again then.
            connection.execute(sa.text("SET LOCAL synchronous_commit = off"))
            file = CopyFile(chunks)
            copy_into(connection, self.table, file)
            resume = attrs.evolve(
                resume,
                last_key=to_json(file.last_key) if file.last_key else resume.last_key,
                watermark=file.watermark,
                began=pipeline.reader.began if pipeline.reader else resume.began,
                read=resume.read + file.rows,
                rendered_bytes=resume.rendered_bytes + file.size,
                losses={
                    loss: resume.losses.get(loss, 0) + file.losses[loss]
                    for loss in resume.losses.keys() | file.losses.keys()
                },
                quarantined=file.quarantined.union(resume.quarantined),
                complete=file.last_key is None,
            )
            reads.save(connection, name, resume, owner=self.run_id)
        return resume


def _for_seconds(first: Chunk, others: Iterator[Chunk], seconds: float) -> Iterator[Chunk]:
    ends = time.monotonic() + seconds
    yield first
    while time.monotonic() < ends:
        chunk = next(others, None)
        if chunk is None:
            return
        yield chunk
