"""One table's load: a plan's rows go into the warehouse, all of them or none, and the ledger knows."""

from __future__ import annotations

import itertools
import logging
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any

import attrs
import sqlalchemy as sa

from etlkit.config import DriftSettings
from etlkit.connections import ConnectionFactory
from etlkit.contracts import Commit, Everything, TableState, Write
from etlkit.errors import DeletesRefused, ExtractionError, LoadError, LockHeld, TargetConflict
from etlkit.events import TableFinished
from etlkit.loading.apply import insert_all
from etlkit.loading.applying import apply_emptiness, apply_rows
from etlkit.loading.brake import ANY_SHARE, refuse_mass_deletes
from etlkit.loading.broken_reads import Resume
from etlkit.loading.chunk_stage import ChunkStage
from etlkit.loading.drift import Drift
from etlkit.loading.judging import EveryRowNeeded, Judge
from etlkit.loading.kept import ITSELF, columns_to_keep, renew_kept
from etlkit.loading.ledger import Ledger
from etlkit.loading.quarantine import TooManyQuarantined, few, renew
from etlkit.loading.reshaping import Reshaping
from etlkit.loading.shapes import Shape, shape_of
from etlkit.loading.staged import Staged, outcome_of
from etlkit.loading.table_plan import TablePlan
from etlkit.loading.transactions import transaction
from etlkit.loading.trouble import UnprovenRefused, unproven_trouble, write_trouble
from etlkit.loading.warehouse_table import add_key, add_marks, becomes, copy_into
from etlkit.raising import raise_alone
from etlkit.stopping import StopSignal, interrupted
from etlkit.transfer.keys import Keyset, from_json
from etlkit.transfer.pipeline import CopyFile, Pipeline
from etlkit.transfer.quarantine import Quarantined
from etlkit.transfer.reader import Reader
from etlkit.transfer.source_queries import SourceQueries
from etlkit.transfer.watermark import CursorBehind, behind_words

_STAGE = "etlkit_stage"
# For the joins of staged rows with the table, and for building the key; in this transaction only.
_SETTINGS = {"work_mem": "64MB", "maintenance_work_mem": "256MB"}
_DATA_REFUSED = ("22", "23", "P0")

_log = logging.getLogger(__name__)


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
    allow_drift: bool = False
    """Whether everything may change in it that can be changed in place."""
    max_deleted_share: float = ANY_SHARE
    """The share of the table's rows that the load may not reach when it removes some; 1 for any."""
    limit: int | None = None
    """Read at most so many rows; such a load removes nothing and keeps the table's state."""
    stop: StopSignal = attrs.field(factory=StopSignal)
    """When it is set, the load ends by `RunInterrupted`."""
    rows_read: Callable[[int], None] = lambda _: None
    """Called after each chunk with the rows read so far."""
    trusting: bool = True
    """Whether it is left to the warehouse, as long as it finds none, to refuse values that need a proof."""

    def carry_out(self) -> TableFinished:
        """Read, stage, apply and commit.

        Returns:
            What happened.

        Raises:
            EtlkitError: the load failed; the table and its state are as they were.
        """
        began = time.monotonic()
        try:
            return self._carried_out(began)
        except UnprovenRefused:
            # The source proves every value from now on, and says how many are refused, and in which column.
            return attrs.evolve(self, trusting=False).carry_out()
        except EveryRowNeeded:
            pass
        except CursorBehind:
            _log.warning("%s", behind_words(self.what.analysis.name, self.what.plan.cursor))
        plan = attrs.evolve(self.what.plan, read=Everything(), write=Write.REPLACE)
        return attrs.evolve(self, what=attrs.evolve(self.what, plan=plan)).carry_out()

    def _carried_out(self, began: float) -> TableFinished:
        keyed = Keyset.of(self.what.analysis, self.what.rendered.source) is not None
        per_chunk = self.what.plan.commit is Commit.PER_CHUNK and self.limit is None and keyed
        try:
            with write_trouble(self.what.target), unproven_trouble(proven=not self._trusts):
                return self._per_chunk(began) if per_chunk else self._at_once(began)
        except (LoadError, ExtractionError):
            # To end a load at once, its statements are cancelled and its connections are dropped.
            if self.stop.is_set():
                raise_alone(interrupted())
            raise

    @property
    def _trusts(self) -> bool:
        # What the warehouse has of a table that becomes another one need not refuse what it will refuse then.
        as_it_is = self.what.before is None or self.what.builds_upon_it
        return self.trusting and as_it_is and self.what.rendered.may_trust

    def _at_once(self, began: float) -> TableFinished:
        # The first chunk is waited for before the transaction begins: another table may be reading the source for
        # long, and a transaction that is idle for minutes is ended by the warehouse.
        with self._pipeline(None) as pipeline:
            chunks = few(pipeline, self.what)
            first = next(chunks, None)
            with self._transaction(last=True) as connection:
                now, leftover = self._now(connection)
                if leftover and self.limit is None:
                    self.ledger.broken_reads.drop(connection, self.what.analysis.name)
                if now is not None and self.limit is not None and not self.what.target.key:
                    return outcome_of(self.what, Staged(), {}, time.monotonic() - began)
                file = CopyFile(itertools.chain(() if first is None else (first,), chunks))
                counts = self._write(connection, file, now, empty=first is None)
                staged = Staged(rows=file.rows, size=file.size, losses=file.losses, watermark=file.watermark)
                return self._commit(connection, staged, counts, began)

    def _write(
        self, connection: sa.Connection, file: CopyFile, now: Shape | None, *, empty: bool
    ) -> dict[str, int]:
        target = self.what.target
        if now is None:
            # A new table is filled directly: nobody can see it before the commit.
            connection.execute(sa.schema.CreateTable(target.itself()))
            copy_into(connection, target.table(schema=target.schema, name=target.name), file)
            add_key(connection, target)
            self._renew_quarantine(connection, file.quarantined)
            return {"inserted": file.rows}
        if empty and self.what.fits(now):
            self._renew_kept(connection, None)
            if self.what.plan.write is not Write.REPLACE:
                return {}
            self._renew_quarantine(connection, ())
            return apply_emptiness(connection, target.itself(), self.what.plan.deletes)
        # A temporary table is gone with the session, whatever happens to it.
        stage = target.table(schema=None, name=_STAGE, temporary=True)
        connection.execute(sa.schema.CreateTable(stage))
        drift = self._judge.before(connection, stage, now)
        copy_into(connection, stage, file)
        counts = self._apply(connection, stage, now, drift, file.rows)
        self._renew_quarantine(connection, file.quarantined, stage)
        return counts

    def _per_chunk(self, began: float) -> TableFinished:
        kept = ChunkStage(
            what=self.what, ledger=self.ledger, run_id=self.run_id, transaction=self._transaction
        )
        stage = kept.table
        with self._transaction() as connection:
            now, _ = self._now(connection)
            resume = kept.begin(connection)
            if now is not None:
                # Told before anything is read; done when everything is.
                self._judge.before(connection, stage, now)
        if not resume.complete:
            try:
                with self._pipeline(resume) as pipeline:
                    resume = kept.fill(pipeline, resume)
            except (CursorBehind, TooManyQuarantined):
                self._drop_read()
                raise
        try:
            return self._apply_read(stage, resume, began)
        except (sa.exc.DBAPIError, DeletesRefused, TooManyQuarantined) as error:
            code = getattr(getattr(error, "orig", None), "pgcode", None) or ""
            if not isinstance(error, sa.exc.DBAPIError) or code[:2] in _DATA_REFUSED:
                # Not the moment but the rows were refused. When the source is mended, they must be read again.
                self._drop_read()
            raise

    def _renew_quarantine(
        self, connection: sa.Connection, found: Collection[Quarantined], stage: sa.Table | None = None
    ) -> None:
        """Bring the table's entries up to date; without a stage, it holds what was read and nothing else."""
        plan = self.what.plan
        seen: Sequence[sa.Table] | None = None if stage is None else (stage,)
        if stage is not None and plan.write is Write.APPEND:
            seen = ()  # rows that are there stay as they are
        elif plan.write is Write.REPLACE or (isinstance(plan.read, Everything) and self.limit is None):
            seen = None
        renew(connection, run_id=self.run_id, what=self.what, found=found, seen=seen)

    def _drop_read(self) -> None:
        with self._transaction() as connection:
            self._now(connection)
            self.ledger.broken_reads.drop(connection, self.what.analysis.name)

    def _apply_read(self, stage: sa.Table, resume: Resume, began: float) -> TableFinished:
        target = self.what.target
        with self._transaction(last=True) as connection:
            now, _ = self._now(connection)
            staged = Staged(
                rows=resume.read, size=resume.rendered_bytes, losses=resume.losses, watermark=resume.watermark
            )
            if now is None:
                counts = {"inserted": staged.rows}
                if becomes(connection, stage, target):
                    if target.marks:
                        add_marks(connection, target)
                else:
                    new = target.itself()
                    connection.execute(sa.schema.CreateTable(new))
                    connection.execute(insert_all(target, new, stage))
                add_key(connection, target)
                self._renew_quarantine(connection, resume.quarantined)
            else:
                drift = self._judge.before(connection, stage, now)
                counts = self._apply(connection, stage, now, drift, staged.rows)
                self._renew_quarantine(connection, resume.quarantined, stage)
            self.ledger.broken_reads.drop(connection, self.what.analysis.name)
            return self._commit(connection, staged, counts, began)

    @property
    def _judge(self) -> Judge:
        return Judge(
            what=self.what, policy=self.drift, allow=self.allow_drift, limited=self.limit is not None
        )

    def _apply(
        self, connection: sa.Connection, stage: sa.Table, now: Shape, drift: Drift | None, rows: int
    ) -> dict[str, int]:
        plan, target = self.what.plan, self.what.target
        how: Any = {"write": plan.write, "deletes": plan.deletes, "rows": rows}
        drift = self._judge.settled(connection, stage, now, drift)
        self._renew_kept(connection, drift)
        if drift is None:
            return apply_rows(connection, target, target.itself(), stage, **how)
        shaping = Reshaping(
            what=self.what, connection=connection, stage=stage, drift=drift, check=self.stop.check
        )
        with shaping.done():
            return shaping.counted(apply_rows(connection, target, shaping.table, stage, **how))

    def _renew_kept(self, connection: sa.Connection, drift: Drift | None) -> None:
        # Marks of whole tables are the run's matter.
        known = {name: each for name, each in self.what.kept.items() if name != ITSELF}
        now = columns_to_keep(drift)
        renew_kept(connection, run_id=self.run_id, target=self.what.target, known=known, now=now)

    def _commit(
        self, connection: sa.Connection, staged: Staged, counts: Mapping[str, int], began: float
    ) -> TableFinished:
        refuse_mass_deletes(self.what.target, counts, rows=staged.rows, share=self.max_deleted_share)
        outcome = outcome_of(self.what, staged, counts, time.monotonic() - began)
        before = self.what.before
        old = before.state if before else TableState(table=self.what.analysis.name)
        state = attrs.evolve(
            old,
            cursor_column=self.what.plan.cursor,
            watermark=staged.watermark,
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
            whole=isinstance(self.what.plan.read, Everything) and not partial,
        )
        return outcome

    def _now(self, connection: sa.Connection) -> tuple[Shape | None, bool]:
        """Lock the table, and look at it: its shape, and whether a broken read left something behind."""
        target = self.what.target
        leftover = self.ledger.lock_table(connection, self.what.analysis.name, _SETTINGS)
        now = shape_of(connection, target.itself())
        if now is None or (now.is_table and self.what.before is not None):
            return now, leftover
        other = self.ledger.loaded_as(connection, target.name)
        if other == self.what.analysis.name and now.is_table:
            raise LockHeld(f"table `{other}`: another run loaded it meanwhile; run again")
        if other not in {None, self.what.analysis.name}:
            raise TargetConflict(
                f"warehouse table `{target}` holds the rows of table `{other}`, and table `{target.source}` would "
                "get the same name there; rename one of them in the source"
            )
        what = "exists, but etlkit did not make it" if now.is_table else "is not a table"
        raise TargetConflict(
            f"warehouse table `{target}` {what}; rename or drop it, or set another `warehouse.schema` in etlkit.yml"
        )

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
                tell_behind=self.limit is None,
                trusting=self._trusts,
            )

        return Pipeline(
            self.connections.source_raw,
            reader,
            ahead=self.what.plan.chunks.queue,
            governor=self.connections.governor,
            interrupted=self.stop,
            rows_read=self.rows_read,
        )

    def _transaction(self, *, last: bool = False) -> AbstractContextManager[sa.Connection]:
        recorded_as = (self.run_id, self.what) if last else None
        return transaction(self.ledger, self.stop, recorded_as=recorded_as)
