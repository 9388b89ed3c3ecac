"""One table's load: a plan's rows go into the warehouse, all of them or none, and the ledger knows."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

import attrs
import sqlalchemy as sa

from etlkit.config import DriftSettings
from etlkit.connections import ConnectionFactory
from etlkit.contracts import Commit, TableState, Write
from etlkit.errors import LoadError, TargetConflict
from etlkit.events import TableFinished
from etlkit.loading import apply
from etlkit.loading.drift import Shape
from etlkit.loading.ledger import Ledger, Resume, stage_table
from etlkit.loading.ledger_tables import SCHEMA
from etlkit.loading.table_plan import TablePlan
from etlkit.loading.trouble import write_trouble
from etlkit.loading.warehouse_table import add_key, analyze, copy_into, evolve, move_table, shape_of
from etlkit.transfer.keys import Keyset, from_json, to_json
from etlkit.transfer.pipeline import CopyFile, Pipeline
from etlkit.transfer.reader import Reader
from etlkit.transfer.rendering import INVALID_DATE
from etlkit.transfer.source_queries import SourceQueries

_STAGE = "etlkit_stage"
# For the joins of staged rows with the table, and for building the key; in this transaction only.
_SESSION = ("SET LOCAL work_mem = '64MB'", "SET LOCAL maintenance_work_mem = '256MB'")
_ANALYZE_FROM_ROWS = 1000


@attrs.frozen(kw_only=True)
class _Staged:
    """What was read into a table, before it is applied."""

    rows: int
    size: int
    losses: Mapping[int, int]
    watermark: str | None


@attrs.frozen(kw_only=True)
class Load:
    """Carries out one table's plan, once."""

    what: TablePlan
    """The plan."""
    connections: ConnectionFactory
    """Lends the source's connection."""
    ledger: Ledger
    """The ledger, and the warehouse that holds it."""
    run_id: str
    """The run this belongs to."""
    drift: DriftSettings
    """What may change in the warehouse's table."""
    limit: int | None = None
    """Read at most so many rows; such a load removes nothing and keeps the table's state."""
    stop: threading.Event = attrs.field(factory=threading.Event)
    """When it is set, the load ends by `RunInterrupted`."""
    rows_read: Callable[[int], None] = lambda _: None
    """Called after each chunk with the rows read so far."""

    def carry_out(self) -> TableFinished:
        """Read, stage, apply and commit.

        Returns:
            What happened.

        Raises:
            EtlkitError: the load failed; the table and its state are as they were.
        """
        began = time.monotonic()
        keyed = Keyset.of(self.what.analysis, self.what.rendered.source) is not None
        per_chunk = self.what.plan.commit is Commit.PER_CHUNK and self.limit is None and keyed
        with write_trouble(self.what.target):
            return self._per_chunk(began) if per_chunk else self._at_once(began)

    def _at_once(self, began: float) -> TableFinished:
        target = self.what.target
        with self._transaction() as connection:
            now = self._now(connection)
            if now is not None and self.limit is not None and not target.key:
                return self._outcome(_Staged(rows=0, size=0, losses={}, watermark=None), {}, began)
            # A new table is filled directly: nobody can see it before the commit. Else rows are staged in a
            # temporary table, which is gone with the session whatever happens to it.
            new = target.itself() if now is None else target.table(schema=None, name=_STAGE, temporary=True)
            connection.execute(sa.schema.CreateTable(new))
            with self._pipeline(None) as pipeline:
                file = CopyFile(iter(pipeline))
                copy_into(connection, new, file)
            staged = _Staged(rows=file.rows, size=file.size, losses=file.losses, watermark=file.watermark)
            if now is None:
                add_key(connection, target)
                counts = {"inserted": staged.rows}
            else:
                counts = self._apply(connection, new, now, staged.rows)
            return self._commit(connection, staged, counts, began)

    def _per_chunk(self, began: float) -> TableFinished:
        name, target = self.what.analysis.name, self.what.target
        stage = target.table(schema=SCHEMA, name=stage_table(target.schema, name).name)
        with self._transaction() as connection:
            self._now(connection)
            resume = self._resume(connection, stage)
        if not resume.complete:
            resume = self._stage_chunks(stage, resume)
        with self._transaction() as connection:
            now = self._now(connection)
            staged = _Staged(
                rows=resume.read, size=resume.rendered_bytes, losses=resume.losses, watermark=resume.watermark
            )
            if now is None:
                move_table(connection, stage, target)
                add_key(connection, target)
                counts = {"inserted": staged.rows}
            else:
                counts = self._apply(connection, stage, now, staged.rows)
            self.ledger.drop_resume(connection, name)
            return self._commit(connection, staged, counts, began)

    def _stage_chunks(self, stage: sa.Table, resume: Resume) -> Resume:
        with self._pipeline(resume) as pipeline:
            for chunk in pipeline:
                resume = attrs.evolve(
                    resume,
                    last_key=to_json(chunk.last_key) if chunk.last_key else resume.last_key,
                    watermark=chunk.watermark,
                    began=pipeline.reader.began if pipeline.reader else resume.began,
                    read=resume.read + chunk.rows,
                    rendered_bytes=resume.rendered_bytes + len(chunk.data),
                    losses={
                        number: resume.losses.get(number, 0) + chunk.losses[number]
                        for number in resume.losses.keys() | chunk.losses.keys()
                    },
                    complete=chunk.last_key is None,
                )
                with self._transaction() as connection:
                    copy_into(connection, stage, CopyFile(iter([chunk])))
                    self.ledger.save_resume(connection, self.what.analysis.name, resume, owner=self.run_id)
        return resume

    def _resume(self, connection: sa.Connection, stage: sa.Table) -> Resume:
        name = self.what.analysis.name
        found = self.ledger.resume(connection, name)
        if found is not None and (found.plan != self.what.digest or shape_of(connection, stage) is None):
            self.ledger.drop_resume(connection, name)
            found = None
        if found is None:
            connection.execute(sa.schema.DropTable(stage, if_exists=True))
            connection.execute(sa.schema.CreateTable(stage))
            resume = Resume(run_id=self.run_id, plan=self.what.digest, stage=stage.name)
            self.ledger.save_resume(connection, name, resume, owner=None)
            return resume
        resume = attrs.evolve(found, run_id=self.run_id)
        self.ledger.save_resume(connection, name, resume, owner=found.run_id)
        return resume

    def _apply(self, connection: sa.Connection, stage: sa.Table, now: Shape, rows: int) -> dict[str, int]:
        target = self.what.target
        staged = shape_of(connection, stage)
        if staged is None:
            raise LoadError(f"the staged rows of table `{target.source}` are gone; run again")
        evolve(connection, target, now, attrs.evolve(staged, key=target.key), self.drift)
        if rows > _ANALYZE_FROM_ROWS:
            analyze(connection, stage)
        table = target.itself()
        if not target.key:
            if not connection.scalar(apply.differs(target, table, stage)):
                return {}
            return {
                "deleted": connection.execute(sa.delete(table)).rowcount,
                "inserted": connection.execute(apply.insert_all(target, table, stage)).rowcount,
            }
        counts = {}
        write = self.what.plan.write
        if write is Write.REPLACE:
            counts["deleted"] = connection.execute(apply.delete_missing(target, table, stage)).rowcount
        update = None if write is Write.APPEND else apply.update_changed(target, table, stage)
        if update is not None:
            counts["updated"] = connection.execute(update).rowcount
        counts["inserted"] = connection.execute(apply.insert_new(target, table, stage)).rowcount
        return counts

    def _commit(
        self, connection: sa.Connection, staged: _Staged, counts: Mapping[str, int], began: float
    ) -> TableFinished:
        outcome = self._outcome(staged, counts, began)
        before = self.what.before
        cursor = self.what.plan.cursor
        old = before.state if before else TableState(table=self.what.analysis.name)
        state = attrs.evolve(
            old,
            cursor_column=cursor,
            # A read since a watermark that found nothing new leaves it where it was.
            watermark=staged.watermark or (old.watermark if old.cursor_column == cursor else None),
            schema_hash=self.what.analysis.schema_hash,
        )
        partial = self.limit is not None
        self.ledger.commit_load(
            connection,
            run_id=self.run_id,
            target=self.what.target,
            before=before,
            state=old if partial else state,
            mapping_hash=(before.mapping_hash if before else "")
            if partial
            else self.what.target.mapping_hash,
            outcome=outcome,
        )
        return outcome

    def _outcome(self, staged: _Staged, counts: Mapping[str, int], began: float) -> TableFinished:
        written = counts.get("inserted", 0) + counts.get("updated", 0)
        return TableFinished(
            table=self.what.analysis.name,
            strategy=self.what.plan.strategy,
            importance=self.what.analysis.importance,
            read=staged.rows,
            inserted=counts.get("inserted", 0),
            updated=counts.get("updated", 0),
            deleted=counts.get("deleted", 0),
            unchanged=max(0, staged.rows - written),
            rendered_bytes=staged.size,
            seconds=time.monotonic() - began,
            losses=tuple(
                (self.what.rendered.columns[number].column.name, INVALID_DATE, count)
                for number, count in sorted(staged.losses.items())
            ),
        )

    def _now(self, connection: sa.Connection) -> Shape | None:
        self.ledger.lock_table(connection, self.what.analysis.name)
        now = shape_of(connection, self.what.target.itself())
        if now is not None and self.what.before is None:
            raise TargetConflict(
                f"warehouse table `{self.what.target}` exists, but etlkit did not make it; rename or drop it, "
                "or set another `warehouse.schema` in etlkit.yml"
            )
        return now

    def _pipeline(self, resume: Resume | None) -> Pipeline:
        def reader(source: SourceQueries) -> Reader:
            return Reader(
                source=source,
                analysis=self.what.analysis,
                rendered=self.what.rendered,
                plan=self.what.plan,
                resume_after=from_json(resume.last_key) if resume and resume.last_key else None,
                watermark=resume.watermark if resume else None,
                began=resume.began if resume else None,
                limit=self.limit,
            )

        return Pipeline(
            self.connections.source_raw,
            reader,
            ahead=self.what.plan.chunks.queue,
            interrupted=self.stop,
            rows_read=self.rows_read,
        )

    @contextmanager
    def _transaction(self) -> Iterator[sa.Connection]:
        with self.ledger.engine.begin() as connection:
            for setting in _SESSION:
                connection.execute(sa.text(setting))
            yield connection
