"""Tables that are as they were when they were last proven equal need not be read: their checksums say so.

A checksum is taken before a table is proven and again afterwards, and is only kept where both are the same, so that it
belongs to what was compared.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping, Sequence

import attrs

from etlkit.connections import ConnectionFactory
from etlkit.errors import ConnectionFailed, EtlkitError
from etlkit.events import TableFinished
from etlkit.keyed_hash import sealed
from etlkit.loading.ledger import Ledger
from etlkit.loading.ledger_entries import LedgerSnapshot
from etlkit.loading.proofs import BY_CHECKSUM, PROVEN
from etlkit.loading.staged import EQUAL
from etlkit.loading.table_plan import TablePlan
from etlkit.loading.target import DELETED_AT
from etlkit.orchestration.planning import Planner
from etlkit.orchestration.source_sums import LARGE_BYTES, source_sums
from etlkit.tables import TableAnalysis
from etlkit.transfer.checksums import may_be_summed

_log = logging.getLogger(__name__)


@attrs.define(kw_only=True)
class UnchangedTables:
    """Finds them before a run's tables are loaded, and keeps checksums afterwards."""

    planner: Planner
    """Makes the plans."""
    known: LedgerSnapshot
    """What the warehouse holds."""
    connections: ConnectionFactory
    """Lends the source's connection."""
    ledger: Ledger
    """The ledger."""
    run_id: str
    """The run."""
    proves_all: bool = False
    """Whether the run compares every table as it was asked to, so that none is passed over."""
    _plans: dict[str, TablePlan] = attrs.field(factory=dict)
    _before: Mapping[str, int] = attrs.field(factory=dict)
    _equal: frozenset[str] = frozenset()

    def find(self, names: Sequence[str]) -> list[TableFinished]:
        """Find the tables that need not be loaded, and record that they are proven equal.

        Args:
            names: the run's tables.

        Returns:
            The outcomes of those tables.

        Raises:
            EtlkitError: the ledger cannot be written.
        """
        broken = set(self.ledger.resumable())
        self._plans = {
            name: plan for name in names if name not in broken and (plan := self._plan(name)) is not None
        }
        self._before = self._sums(self._plans)
        as_they_were = [_equal(plan) for plan in self._plans.values() if self._is_as_it_was(plan)]
        equal = self.ledger.proofs.renew(self.run_id, [] if self.proves_all else as_they_were, self._before)
        self._equal = frozenset(each.table for each in equal)
        return equal

    def keep(self, outcomes: Iterable[TableFinished]) -> None:
        """Keep the checksums of the tables that were proven equal, where they did not change meanwhile.

        Args:
            outcomes: of the tables that were loaded.

        Raises:
            EtlkitError: the ledger cannot be written.
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
        self.ledger.proofs.keep_checksums(self.run_id, same)

    def _plan(self, name: str) -> TablePlan | None:
        try:
            plan = self.planner.plan(name)
        except EtlkitError:
            return None  # its load tells why
        before = plan.before
        if before is None or not plan.builds_upon_it or not self._may_be_summed(plan.analysis):
            return None
        if plan.analysis.data_bytes > LARGE_BYTES and (before.written or self.proves_all):
            return None  # a large table that changes from run to run would be summed up in vain
        there = self.known.tables.get(plan.target.name)
        # Columns that are gone in the source may be there still.
        wanted = plan.target.types.items()
        if there is None or not wanted <= there.types.items() or there.key != plan.target.key:
            return None
        if DELETED_AT in there.types and not plan.target.marks:
            return None  # rows that were marked before may have to go
        # Without a checksum to compare with, one is only wanted where a proof is coming.
        return plan if before.checksum is not None or plan.proof_due or self.proves_all else None

    def _may_be_summed(self, table: TableAnalysis) -> bool:
        # A checksum of values that are masked must not be kept as it is.
        return may_be_summed(table) and (not table.hidden or self.planner.masking_key() is not None)

    def _is_as_it_was(self, plan: TablePlan) -> bool:
        before = plan.before
        if before is None or before.checksum is None or before.compared_at is None:
            return False
        return (
            self._before.get(plan.analysis.name) == before.checksum
            and before.state.schema_hash == plan.analysis.schema_hash
            and self.known.taken_at - before.compared_at < BY_CHECKSUM
        )

    def _sums(self, plans: Mapping[str, TablePlan]) -> Mapping[str, int]:
        tables = {name: (plan.rendered.source, plan.analysis) for name, plan in plans.items()}
        found = source_sums(self.connections, tables)
        return {name: self._sealed(plans[name], said) for name, said in found.items()}

    def _sealed(self, plan: TablePlan, checksum: int) -> int:
        """Hide a checksum of values that are masked: who knows all of a row but one value could guess it."""
        key = self.planner.masking_key() if plan.analysis.hidden else None
        return checksum if key is None else sealed(key, checksum)


def _equal(plan: TablePlan) -> TableFinished:
    return TableFinished(
        table=plan.analysis.name,
        strategy=plan.plan.strategy,
        importance=plan.analysis.importance,
        verified=EQUAL,
    )
