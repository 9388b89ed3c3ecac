"""Tables of the warehouse that need not be read."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Mapping, Sequence

import attrs

from etlkit.events import TableFinished
from etlkit.keyed_hash import sealed
from etlkit.loading.ledger import Ledger
from etlkit.loading.ledger_entries import LedgerEntry, LedgerSnapshot
from etlkit.loading.table_plan import TablePlan
from etlkit.loading.target import DELETED_AT
from etlkit.orchestration.planning import Planner
from etlkit.orchestration.unchanged_by_sums import UnchangedBySums


@attrs.define(kw_only=True)
class UnchangedTables(UnchangedBySums[TablePlan]):
    """Finds them before a run's tables are loaded into the warehouse, and keeps checksums afterwards."""

    planner: Planner
    """Makes the plans."""
    known: LedgerSnapshot
    """What the warehouse holds."""
    ledger: Ledger
    """The ledger."""

    def broken(self) -> Collection[str]:
        """Name the tables with a load that is not finished."""
        return self.ledger.resumable()

    def planned(self, name: str) -> TablePlan:
        """Plan a table's load."""
        return self.planner.plan(name)

    def remembered(self, plan: TablePlan) -> LedgerEntry | None:
        """Give what is remembered of a table, where the plan builds upon it."""
        return plan.before if plan.builds_upon_it else None

    def is_wanted(self, plan: TablePlan) -> bool:
        """Tell whether a checksum of a table would say anything of what was loaded."""
        if plan.analysis.hidden and self.planner.masking_key() is None:
            return False  # a checksum of values that are masked must not be kept as it is
        there = self.known.tables.get(plan.target.name)
        # Columns that are gone in the source may be there still.
        wanted = plan.target.types.items()
        if there is None or not wanted <= there.types.items() or there.key != plan.target.key:
            return False
        # Rows that were marked before may have to go.
        return DELETED_AT not in there.types or plan.target.marks

    def proof_comes(self, plan: TablePlan) -> bool:
        """Tell whether a plan's load, or what follows it, proves the table equal."""
        return plan.proof_due

    def taken_at(self) -> dt.datetime | None:
        """Give the moment that things were remembered at."""
        moment: dt.datetime | None = self.known.taken_at
        return moment

    def renewed(self, outcomes: Sequence[TableFinished], sums: Mapping[str, int]) -> list[TableFinished]:
        """Record that tables are proven equal, and give the outcomes that still hold."""
        return self.ledger.proofs.renew(self.run_id, outcomes, sums)

    def kept(self, sums: Mapping[str, int]) -> None:
        """Keep checksums."""
        self.ledger.proofs.keep_checksums(self.run_id, sums)

    def sealed(self, plan: TablePlan, checksum: int) -> int:
        """Hide a checksum of values that are masked: who knows all of a row but one value could guess it."""
        key = self.planner.masking_key() if plan.analysis.hidden else None
        return checksum if key is None else sealed(key, checksum)
