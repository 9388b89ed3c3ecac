"""One table's reconcile: the ranges whose digests differ are compared row by row, and exactly those rows are mended.

On InnoDB everything is read in one snapshot, so what is equal then was equal at that instant. On MyISAM each
statement sees its own instant: a row that changes between two of them is found by the next reconcile.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Mapping

import attrs
import sqlalchemy as sa

from etlkit.connections import ConnectionFactory
from etlkit.contracts import Deletes
from etlkit.errors import ExtractionError, LoadError
from etlkit.events import TableFinished
from etlkit.loading.applying import KEPT, merge_rows
from etlkit.loading.brake import ANY_SHARE, refuse_mass_deletes
from etlkit.loading.digest_comparison import DigestComparison, lent_for
from etlkit.loading.ledger import Ledger
from etlkit.loading.quarantine import few, renew
from etlkit.loading.staged import EQUAL, REPAIRED, Staged, but_for, outcome_of
from etlkit.loading.stored_rows import Summary, same_order
from etlkit.loading.table_plan import TablePlan
from etlkit.loading.transactions import transaction
from etlkit.loading.trouble import write_trouble
from etlkit.loading.warehouse_table import add_marks, copy_into
from etlkit.raising import raise_alone
from etlkit.stopping import StopSignal, interrupted
from etlkit.transfer import chunk_queries as queries
from etlkit.transfer.keys import Key, KeyRange, Keyset
from etlkit.transfer.pipeline import CopyFile
from etlkit.transfer.quarantine import Quarantined
from etlkit.transfer.trouble import read_trouble

_CHANGED = "not checked: rows changed while they were compared"
_STAGE = "etlkit_stage"
_SETTINGS = {"work_mem": "64MB"}
_GAP = 20  # equal rows between two that differ, up to which both are read in one range


@attrs.define(kw_only=True)
class _Found:
    """What was found so far."""

    compared: int = 0
    staged: int = 0
    size: int = 0
    losses: Counter[tuple[int, str]] = attrs.field(factory=Counter)
    quarantined: set[Quarantined] = attrs.field(factory=set)
    differing: list[tuple[KeyRange, Summary | None]] = attrs.field(factory=list)


@attrs.frozen(kw_only=True)
class Reconcile:
    """Carries out one table's plan to read differences, once."""

    what: TablePlan
    """The plan."""
    connections: ConnectionFactory
    """Lends the source's connection."""
    ledger: Ledger
    """The ledger, and the warehouse that holds it."""
    run_id: str
    """The run this belongs to."""
    max_deleted_share: float = ANY_SHARE
    """The share of the table's rows that must not be removed; 1 for any."""
    stop: StopSignal = attrs.field(factory=StopSignal)
    """When it is set, the reconcile ends by `RunInterrupted`."""
    rows_read: Callable[[int], None] = lambda _: None
    """Called after each range with the rows compared so far."""

    def carry_out(self) -> TableFinished:
        """Compare, mend and commit.

        Returns:
            What happened; `verified` says whether the table was proven equal.

        Raises:
            EtlkitError: the reconcile failed; the table and its state are as they were.
        """
        began = time.monotonic()
        try:
            with write_trouble(self.what.target), read_trouble(self.what.analysis.name):
                return self._carried_out(began)
        except (LoadError, ExtractionError):
            if self.stop.is_set():
                raise_alone(interrupted())
            raise

    def _carried_out(self, began: float) -> TableFinished:
        name, keyset = self.what.analysis.name, Keyset.of(self.what.analysis, self.what.rendered.source)
        if keyset is None:
            raise ExtractionError(f"table `{name}` has no key to be reconciled by")
        with (
            lent_for(self.what, self.connections, self.stop) as source,
            transaction(self.ledger, self.stop, recorded_as=(self.run_id, self.what)) as connection,
        ):
            self.ledger.lock_table(connection, name, _SETTINGS)
            comparison = DigestComparison.of(self.what, keyset, source, connection)
            stage = self.what.target.table(schema=None, name=_STAGE, temporary=True)
            connection.execute(sa.schema.CreateTable(stage))
            deleted = self._without_marked(comparison)
            if self.what.analysis.engine == "InnoDB":
                source.text(queries.SNAPSHOT)
            found = self._compare(comparison, stage)
            source.text(queries.END_SNAPSHOT)
            counts = self._apply(comparison, stage, found)
            seen = (stage, comparison.stored.gone)
            renew(connection, run_id=self.run_id, what=self.what, found=found.quarantined, seen=seen)
            counts["deleted"] = counts.get("deleted", 0) + deleted
            verified = _proof(comparison, found, counts)
            return self._commit(connection, found, counts, verified, time.monotonic() - began)

    def _without_marked(self, comparison: DigestComparison) -> int:
        """Remove what was marked while tombstones were chosen, where they are not any more; gives the rows."""
        if self.what.plan.deletes is not Deletes.HARD or not comparison.stored.marked:
            return 0
        return comparison.connection.execute(comparison.stored.delete_marked()).rowcount

    def _compare(self, comparison: DigestComparison, stage: sa.Table) -> _Found:
        """Compare the table, and stage the rows that are not stored as they are."""
        found = _Found()
        for each in comparison.ranges():
            self.stop.check()
            found.compared += each.rows
            for lower, upper in each.spans(_GAP):
                self._read(comparison, stage, (lower, upper), found)
            if not each.equal:
                found.differing.append((each.range, each.theirs))
            self.rows_read(found.compared)
        return found

    def _read(
        self, comparison: DigestComparison, stage: sa.Table, between: tuple[Key | None, Key], found: _Found
    ) -> None:
        file = CopyFile(few(comparison.rows(*between), self.what, found.quarantined))
        copy_into(comparison.connection, stage, file)
        found.staged += file.rows
        found.size += file.size
        found.losses.update(file.losses)
        found.quarantined |= file.quarantined

    def _apply(self, comparison: DigestComparison, stage: sa.Table, found: _Found) -> dict[str, int]:
        connection, target, plan = comparison.connection, self.what.target, self.what.plan
        if target.marks and not comparison.stored.marked:
            # Not before the comparison: readers wait until the transaction ends.
            add_marks(connection, target)
            comparison.stored = attrs.evolve(comparison.stored, marked=True)
        if not found.differing:
            return {}
        stored = comparison.stored
        counts: dict[str, int] = {}
        match plan.deletes:
            case Deletes.HARD:
                counts["deleted"] = connection.execute(stored.delete_gone()).rowcount
            case Deletes.TOMBSTONE:
                counts["deleted"] = connection.execute(stored.mark_gone()).rowcount
            case Deletes.IGNORE:
                counts[KEPT] = connection.scalar(stored.count_gone()) or 0
                comparison.stored = attrs.evolve(stored, keeping=True)
        return counts | merge_rows(connection, target, stored.table, stage, write=plan.write)

    def _commit(
        self, connection: sa.Connection, found: _Found, counts: dict[str, int], verified: str, seconds: float
    ) -> TableFinished:
        before = self.what.before
        if before is None:
            raise LoadError(f"table `{self.what.analysis.name}` was never loaded; run again")
        refuse_mass_deletes(self.what.target, counts, rows=found.compared, share=self.max_deleted_share)
        staged = Staged(rows=found.staged, size=found.size, losses=found.losses, watermark=None)
        outcome = outcome_of(self.what, staged, counts, seconds)
        written = outcome.inserted + outcome.updated
        outcome = attrs.evolve(outcome, unchanged=max(0, found.compared - written), verified=verified)
        self.ledger.commit_load(
            connection,
            run_id=self.run_id,
            target=self.what.target,
            before=before,
            state=attrs.evolve(before.state, schema_hash=self.what.analysis.schema_hash),
            mapping_hash=self.what.target.mapping_hash,
            outcome=outcome,
        )
        return outcome


def _proof(comparison: DigestComparison, found: _Found, counts: Mapping[str, int]) -> str:
    """Say whether the table is proven equal now."""
    mended = any(count for what, count in counts.items() if what != KEPT)
    if same_order(comparison.keyset):
        left = sum(theirs != comparison.summary(each) for each, theirs in found.differing)
    else:
        left = comparison.connection.scalar(comparison.stored.unequal()) or 0
    return _CHANGED if left else but_for(REPAIRED if mended else EQUAL, counts.get(KEPT, 0))
