"""Copies that are as they were when they were last proven equal need not be read: the source's checksums say so."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping, Sequence

import attrs

from etlkit.connections import ConnectionFactory
from etlkit.errors import ConnectionFailed, EtlkitError
from etlkit.events import TableFinished
from etlkit.loading.proofs import BY_CHECKSUM, PROVEN
from etlkit.loading.staged import EQUAL
from etlkit.orchestration.replica_planning import ReplicaPlanner
from etlkit.orchestration.source_sums import LARGE_BYTES, source_sums
from etlkit.replication.ledger_entries import ReplicaSnapshot
from etlkit.replication.plan import ReplicaPlan
from etlkit.transfer.checksums import may_be_summed

_log = logging.getLogger(__name__)


@attrs.define(kw_only=True)
class UnchangedCopies:
    """Finds them before a run's tables are loaded into the replica, and keeps checksums afterwards."""

    planner: ReplicaPlanner
    """Makes the plans."""
    known: ReplicaSnapshot
    """What the replica holds."""
    connections: ConnectionFactory
    """Lends the source's connection."""
    run_id: str
    """The run."""
    proves_all: bool = False
    """Whether the run compares every table as it was asked to, so that none is passed over."""
    _plans: dict[str, ReplicaPlan] = attrs.field(factory=dict)
    _before: Mapping[str, int] = attrs.field(factory=dict)
    _equal: frozenset[str] = frozenset()

    def find(self, names: Sequence[str]) -> list[TableFinished]:
        """Find the tables that need not be loaded, and record that they are proven equal.

        Args:
            names: the run's tables.

        Returns:
            The outcomes of those tables.

        Raises:
            EtlkitError: the replica's ledger cannot be written.
        """
        broken = self.planner.ledger.unfinished()
        self._plans = {
            name: plan for name in names if name not in broken and (plan := self._plan(name)) is not None
        }
        self._before = self._sums(self._plans)
        as_they_were = [name for name, plan in self._plans.items() if self._is_as_it_was(plan)]
        same = {name: self._before[name] for name in ([] if self.proves_all else as_they_were)}
        self._equal = self.planner.ledger.renew(same)
        return [_equal(plan) for name, plan in self._plans.items() if name in self._equal]

    def keep(self, outcomes: Iterable[TableFinished]) -> None:
        """Keep the checksums of the tables that were proven equal, where they did not change meanwhile.

        Args:
            outcomes: of the tables that were loaded into the replica.

        Raises:
            EtlkitError: the replica's ledger cannot be written.
        """
        compared = (each.table for each in outcomes if each.verified in PROVEN)
        proven = [name for name in compared if name in self._before and name not in self._equal]
        try:
            after = self._sums({name: self._plans[name] for name in proven})
        except ConnectionFailed as error:
            # Everything is loaded by now.
            _log.info("the source gave no checksums: %s", error.message)
            return
        same = {name: said for name, said in after.items() if said == self._before[name]}
        self.planner.ledger.keep_checksums(self.run_id, same)

    def _plan(self, name: str) -> ReplicaPlan | None:
        try:
            plan = self.planner.plan(name)
        except EtlkitError:
            return None  # its load tells why
        entry = plan.entry
        if entry is None or plan.first or plan.reshape or not may_be_summed(plan.analysis):
            return None
        if plan.analysis.data_bytes > LARGE_BYTES and (entry.written or self.proves_all):
            return None
        # Without a checksum to compare with, one is only wanted where a proof is coming.
        wanted = plan.proof_due or plan.whole or self.proves_all
        return plan if entry.checksum is not None or wanted else None

    def _is_as_it_was(self, plan: ReplicaPlan) -> bool:
        entry, now = plan.entry, self.known.taken_at
        if entry is None or now is None or entry.checksum is None or entry.compared_at is None:
            return False
        return (
            self._before.get(plan.name) == entry.checksum
            and entry.state.schema_hash == plan.analysis.schema_hash
            and now - entry.compared_at < BY_CHECKSUM
        )

    def _sums(self, plans: Mapping[str, ReplicaPlan]) -> Mapping[str, int]:
        tables = {name: (plan.rendered.source, plan.analysis) for name, plan in plans.items()}
        return source_sums(self.connections, tables)


def _equal(plan: ReplicaPlan) -> TableFinished:
    return TableFinished(
        table=plan.name,
        hop="replica",
        strategy=plan.plan.strategy,
        importance=plan.analysis.importance,
        verified=EQUAL,
    )
