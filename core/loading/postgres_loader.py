"""PostgresLoader: loads tables into the warehouse by name, and watches how that goes."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Protocol, Self

import attrs
import sqlalchemy as sa

from etlkit.config import Settings, TableConfig
from etlkit.connections import ConnectionFactory
from etlkit.contracts import Differences
from etlkit.events import TableFinished
from etlkit.loading.apply import unmarked
from etlkit.loading.brake import max_deleted_share
from etlkit.loading.ledger import Ledger
from etlkit.loading.load import Load
from etlkit.loading.reconcile import Reconcile
from etlkit.loading.shapes import shape_of
from etlkit.loading.slowness import tell_slow
from etlkit.loading.staged import is_proof, with_proof
from etlkit.loading.table_plan import TablePlan
from etlkit.loading.trouble import write_trouble
from etlkit.stopping import StopSignal


class MakesPlans(Protocol):
    """What the loader asks for a table's plan; it knows nothing of how one comes about."""

    def plan(
        self, table: str, *, force_full: bool = False, limit: int | None = None, reconcile: bool = False
    ) -> TablePlan:
        """Decide how a table is loaded now."""

    def proving(self, loaded: TablePlan) -> TablePlan:
        """Decide how a table is proven equal that was just loaded by a plan, and keeps digests."""

    def afresh(self) -> Self:
        """Give one that asks the ledger anew at each table."""


@attrs.frozen(kw_only=True)
class PostgresLoader:
    """Applies plans to the warehouse."""

    settings: Settings
    """The deployment's."""
    planner: MakesPlans
    """Makes the plans."""
    connections: ConnectionFactory
    """Lends the source's connection."""
    ledger: Ledger
    """The ledger, and the warehouse that holds it."""
    run_id: str
    """The run that loads are recorded under."""
    stop: StopSignal = attrs.field(factory=StopSignal)
    """When it is set, loads at work end by `RunInterrupted`."""
    allow_deletes: bool = False
    """Whether loads may remove any share of a table's rows, whatever the settings say."""
    allow_drift: bool = False
    """Whether tables may change their shape in every way that can be done in place."""
    reconcile: bool = False
    """Whether loads find every difference, instead of what the tables' strategies look for."""
    rows_read: Callable[[str, int], None] = lambda *_: None
    """Called while a table is read, with its name and the rows read so far."""
    may_go_on: Callable[[], None] = lambda: None
    """Called before anything is written, and after what was loaded before was asked for: what another run commits
    later is told by the table's generation. Raises an EtlkitError when the run must write nothing more."""

    def load_table(self, table: str, force_full: bool = False, limit: int | None = None) -> TableFinished:
        """Load one table.

        Args:
            table: its name in the source.
            force_full: forget the watermark and read everything.
            limit: read at most so many rows; such a load removes nothing and keeps the table's state.

        Returns:
            What happened.

        Raises:
            EtlkitError: the load failed; the table and its state are as they were.
        """
        plan = self.planner.plan(table, force_full=force_full, limit=limit, reconcile=self.reconcile)
        self.may_go_on()
        outcome = self._carried_out(plan, limit)
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

    def _proven(self, loaded: TablePlan, outcome: TableFinished) -> TableFinished:
        """Prove a table equal that was just loaded by a cursor, and mend what the cursor does not show."""
        plan = self.planner.proving(loaded)
        self.may_go_on()
        return with_proof(outcome, self._carried_out(plan, None))

    def _carried_out(self, plan: TablePlan, limit: int | None) -> TableFinished:
        rows_read = partial(self.rows_read, plan.analysis.name)
        if isinstance(plan.plan.read, Differences):
            return Reconcile(
                what=plan,
                connections=self.connections,
                ledger=self.ledger,
                run_id=self.run_id,
                max_deleted_share=max_deleted_share(
                    self.settings, plan.analysis.name, any_share=self.allow_deletes
                ),
                stop=self.stop,
                rows_read=rows_read,
            ).carry_out()
        return Load(
            what=plan,
            connections=self.connections,
            ledger=self.ledger,
            run_id=self.run_id,
            drift=self.settings.drift,
            allow_drift=self.allow_drift,
            max_deleted_share=max_deleted_share(
                self.settings, plan.analysis.name, any_share=self.allow_deletes
            ),
            limit=limit,
            stop=self.stop,
            rows_read=rows_read,
        ).carry_out()

    def get_table_config(self, table: str) -> TableConfig:
        """Give a table's configuration.

        Args:
            table: its name in the source.

        Returns:
            `tables.yml` with the choices of `etlkit.yml` laid over it.
        """
        return self.settings.get_table_config(table)

    def verify_load(self, table: str) -> bool:
        """Count a table's rows on both sides.

        Equal counts do not prove equal rows; different ones prove a difference, unless the source changed between.
        Rows that are marked as gone in the source are not counted.

        Args:
            table: its name in the source.

        Returns:
            Whether the counts are equal.

        Raises:
            EtlkitError: one side could not be counted.
        """
        plan = self.planner.plan(table)
        with self.connections.source().connect() as connection:
            here = connection.scalar(sa.select(sa.func.count()).select_from(plan.rendered.source))
        with write_trouble(plan.target), self.ledger.engine.connect() as connection:
            shape = shape_of(connection, plan.target.itself())
            rows = plan.target.itself(shape.types if shape else {})
            there = connection.scalar(sa.select(sa.func.count()).select_from(rows).where(*unmarked(rows)))
        return bool(here == there)
