"""The hop into the warehouse: from the source, or from the replica where there is one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Self

import attrs

from etlkit.events import TableFinished
from etlkit.loading.ledger_entries import LedgerSnapshot
from etlkit.loading.postgres_loader import PostgresLoader
from etlkit.loading.table_plan import TablePlan
from etlkit.orchestration.deployment import Deployment
from etlkit.orchestration.planning import Planner
from etlkit.orchestration.priority_processor import PriorityProcessor
from etlkit.orchestration.table_processor import TableProcessor
from etlkit.orchestration.unchanged import UnchangedTables

if TYPE_CHECKING:
    from etlkit.orchestration.run import RunRequest


@attrs.frozen(kw_only=True)
class WarehouseHop:
    """Loads tables of a run into the warehouse."""

    deployment: Deployment
    """Whose tables; its source is what is read in this hop."""
    request: RunRequest
    """What the run is asked for."""
    run_id: str
    """The run."""
    known: LedgerSnapshot
    """What the warehouse holds."""
    may_go_on: Callable[[], None] = lambda: None
    """Called before each table is written; raises when the run must write nothing more."""
    rows_read: Callable[[str, int], None] = lambda *_: None
    """Called from the tables' threads with a table's name and the rows read of it so far."""
    reads_replica: bool = False
    """Whether its source is the replica."""
    unseen: frozenset[str] = frozenset()
    """Tables that changed in a way that no cursor shows: all of their rows are compared."""

    def order(self, names: Sequence[str]) -> tuple[str, ...]:
        """Order tables as they will be begun.

        Args:
            names: the tables.

        Returns:
            The same, important ones first.
        """
        return tuple(self._processor(names, lambda _: None).order())

    def carry_out(self, names: Sequence[str], finished: Callable[[TableFinished], None]) -> None:
        """Load the tables; one table's failure leaves the others running.

        Args:
            names: the tables, ordered.
            finished: called with each table's outcome.

        Raises:
            EtlkitError: the ledger cannot be written.
            PluginError: the executor failed.
        """
        outcomes: list[TableFinished] = []

        def tell(outcome: TableFinished) -> None:
            outcomes.append(outcome)
            finished(outcome)

        unchanged = self._unchanged_tables()
        equal = [] if unchanged is None else unchanged.find(names)
        for outcome in equal:
            tell(outcome)
        left = sorted(set(names).difference(each.table for each in equal))
        self._processor(left, tell).process_by_priority(force_full=self.request.full_refresh)
        if unchanged is not None:
            unchanged.keep(outcomes)

    @property
    def _planner(self) -> Planner:
        return attrs.evolve(self.deployment.planner(), known=self.known)

    def _processor(
        self, names: Sequence[str], finished: Callable[[TableFinished], None]
    ) -> PriorityProcessor:
        deployment = self.deployment
        loader = PostgresLoader(
            settings=deployment.settings,
            planner=_Comparing(planner=self._planner, tables=self.unseen) if self.unseen else self._planner,
            connections=deployment.connections,
            ledger=deployment.ledger,
            run_id=self.run_id,
            reconcile=self.request.reconcile,
            allow_deletes=self.request.allow_deletes,
            allow_drift=self.request.allow_drift,
            rows_read=self.rows_read,
            may_go_on=self.may_go_on,
        )
        return PriorityProcessor(
            deployment.discovery,
            deployment.settings,
            processor=TableProcessor(
                deployment.discovery,
                loader,
                limit=self.request.limit,
                reads_replica=self.reads_replica,
            ),
            executor=deployment.registry.executor(deployment.settings.run.executor),
            tables=names,
            finished=finished,
        )

    def _unchanged_tables(self) -> UnchangedTables | None:
        """Give what finds the tables that need not be read; None where nothing is proven anyway."""
        asked = self.request
        if asked.accept_source or asked.limit is not None:
            return None
        return UnchangedTables(
            planner=self._planner,
            known=self.known,
            connections=self.deployment.connections,
            ledger=self.deployment.ledger,
            run_id=self.run_id,
            proves_all=asked.full_refresh or asked.reconcile,
        )


@attrs.frozen(kw_only=True)
class _Comparing:
    """Plans loads of some tables so that every difference is found, whatever their strategies look for."""

    planner: Planner
    tables: frozenset[str]

    def plan(
        self, table: str, *, force_full: bool = False, limit: int | None = None, reconcile: bool = False
    ) -> TablePlan:
        every = reconcile or table in self.tables
        return self.planner.plan(table, force_full=force_full, limit=limit, reconcile=every)

    def proving(self, loaded: TablePlan) -> TablePlan:
        return self.planner.proving(loaded)

    def afresh(self) -> Self:
        return attrs.evolve(self, planner=self.planner.afresh())
