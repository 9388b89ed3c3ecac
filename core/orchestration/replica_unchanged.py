"""Tables of the replica that need not be read."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Mapping, Sequence

import attrs

from etlkit.events import REPLICA, TableFinished
from etlkit.orchestration.replica_planning import ReplicaPlanner
from etlkit.orchestration.unchanged_by_sums import UnchangedBySums
from etlkit.replication.ledger_entries import ReplicaEntry, ReplicaSnapshot
from etlkit.replication.plan import ReplicaPlan


@attrs.define(kw_only=True)
class UnchangedCopies(UnchangedBySums[ReplicaPlan]):
    """Finds them before a run's tables are loaded into the replica, and keeps checksums afterwards."""

    planner: ReplicaPlanner
    """Makes the plans."""
    known: ReplicaSnapshot
    """What the replica holds."""
    hop: str = REPLICA
    """Where tables are loaded into."""

    def broken(self) -> Collection[str]:
        """Name the tables with a load that is not finished."""
        return self.planner.ledger.unfinished()

    def planned(self, name: str) -> ReplicaPlan:
        """Plan a table's load."""
        return self.planner.plan(name)

    def remembered(self, plan: ReplicaPlan) -> ReplicaEntry | None:
        """Give what is remembered of a table, where the plan builds upon it."""
        return None if plan.first or plan.reshape else plan.entry

    def proof_comes(self, plan: ReplicaPlan) -> bool:
        """Tell whether a plan's load, or what follows it, proves the table equal."""
        return plan.proof_due or plan.whole

    def taken_at(self) -> dt.datetime | None:
        """Give the moment that things were remembered at."""
        return self.known.taken_at

    def renewed(self, outcomes: Sequence[TableFinished], sums: Mapping[str, int]) -> list[TableFinished]:
        """Record that tables are proven equal, and give the outcomes that still hold."""
        same = self.planner.ledger.renew({each.table: sums[each.table] for each in outcomes})
        return [each for each in outcomes if each.table in same]

    def kept(self, sums: Mapping[str, int]) -> None:
        """Keep checksums."""
        self.planner.ledger.keep_checksums(self.run_id, sums)
