"""ReplicaLoader: loads tables into the replica by name, as PostgresLoader does into the warehouse."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Protocol, Self

import attrs

from etlkit.config import Settings, TableConfig
from etlkit.connections import ConnectionFactory
from etlkit.events import TableFinished
from etlkit.loading.brake import max_deleted_share
from etlkit.loading.slowness import tell_slow
from etlkit.loading.staged import is_proof, with_proof
from etlkit.replication.ends import Replica, Source
from etlkit.replication.ledger import ReplicaLedger
from etlkit.replication.load import ReplicaLoad
from etlkit.replication.plan import ReplicaPlan
from etlkit.stopping import StopSignal


class MakesReplicaPlans(Protocol):
    """What the loader asks for a table's plan; it knows nothing of how one comes about."""

    def plan(
        self, table: str, *, force_full: bool = False, limit: int | None = None, reconcile: bool = False
    ) -> ReplicaPlan:
        """Decide how a table is loaded now."""

    def proving(self, loaded: ReplicaPlan) -> ReplicaPlan:
        """Decide how a table is proven equal that was just loaded by a plan."""

    def afresh(self) -> Self:
        """Give one that asks the ledger anew at each table."""


@attrs.frozen(kw_only=True)
class ReplicaLoader:
    """Applies plans to the replica."""

    settings: Settings
    """The deployment's."""
    planner: MakesReplicaPlans
    """Makes the plans."""
    connections: ConnectionFactory
    """Lends the source's connection."""
    source: Source
    """Where rows come from."""
    replica: Replica
    """Where they go."""
    run_id: str
    """The run that loads are recorded under."""
    stop: StopSignal = attrs.field(factory=StopSignal)
    """When it is set, loads at work end by `RunInterrupted`."""
    allow_deletes: bool = False
    """Whether loads may remove any share of a table's rows, whatever the settings say."""
    reconcile: bool = False
    """Whether loads find every difference, instead of what the tables' strategies look for."""
    rows_read: Callable[[str, int], None] = lambda *_: None
    """Called while a table is read, with its name and the rows read so far."""
    may_go_on: Callable[[], None] = lambda: None
    """Called before anything is written, and after what was loaded before was asked for: what another run commits
    later is told by the table's generation. Raises an EtlkitError when the run must write nothing more."""

    @property
    def ledger(self) -> ReplicaLedger:
        """The replica's ledger."""
        return self.replica.ledger

    def load_table(self, table: str, force_full: bool = False, limit: int | None = None) -> TableFinished:
        """Load one table.

        Args:
            table: its name in the source.
            force_full: forget the watermark and read everything.
            limit: not for a replica, which holds a table or does not.

        Returns:
            What happened.

        Raises:
            EtlkitError: the load failed; the table and its state are as they were.
        """
        plan = self.planner.plan(table, force_full=force_full, limit=limit, reconcile=self.reconcile)
        self.may_go_on()
        outcome = self._carried_out(plan)
        if plan.proof_follows and not is_proof(outcome.verified):
            outcome = self._proven(plan, outcome)
        tell_slow(outcome, plan.config.monitoring)
        return outcome

    def afresh(self) -> Self:
        """Give a loader for another try, which does not build upon what was known before the first one.

        Returns:
            The loader; whatever stops this one stops that one as well.
        """
        return attrs.evolve(self, planner=self.planner.afresh())

    def get_table_config(self, table: str) -> TableConfig:
        """Give a table's configuration.

        Args:
            table: its name in the source.

        Returns:
            `tables.yml` with the choices of `etlkit.yml` laid over it.
        """
        return self.settings.get_table_config(table)

    def _proven(self, loaded: ReplicaPlan, outcome: TableFinished) -> TableFinished:
        """Prove a table equal that was just loaded by a cursor, and mend what the cursor does not show."""
        plan = self.planner.proving(loaded)
        self.may_go_on()
        return with_proof(outcome, self._carried_out(plan))

    def _carried_out(self, plan: ReplicaPlan) -> TableFinished:
        return ReplicaLoad(
            what=plan,
            source=self.source,
            replica=self.replica,
            run_id=self.run_id,
            max_deleted_share=max_deleted_share(self.settings, plan.name, any_share=self.allow_deletes),
            stop=self.stop,
            rows_read=partial(self.rows_read, plan.name),
        ).carry_out()
