"""Deciding how each table is loaded into the replica: by its strategy, and by what the replica has of it."""

from __future__ import annotations

from typing import Self

import attrs

from etlkit.config import Settings
from etlkit.contracts import Commit, Differences, Everything, LoadPlan, Where, Write
from etlkit.discovery import SchemaDiscovery
from etlkit.discovery.replica import DefinitionDifference
from etlkit.errors import DriftRefused, SchemaNotFoundError
from etlkit.loading.proofs import is_due
from etlkit.orchestration.asking import asked_plan, table_analysis
from etlkit.orchestration.outdated import brought_up_to_date
from etlkit.orchestration.planning import reconciling
from etlkit.registry import Registry
from etlkit.replication.ledger import ReplicaLedger
from etlkit.replication.ledger_entries import ReplicaSnapshot
from etlkit.replication.plan import ReplicaPlan
from etlkit.replication.rendering import render_exactly
from etlkit.tables import TableAnalysis
from etlkit.wording import counted


@attrs.frozen(kw_only=True)
class ReplicaPlanner:
    """Makes the plan of each table's load into the replica."""

    settings: Settings
    """The deployment's."""
    discovery: SchemaDiscovery
    """What is known of the source."""
    registry: Registry
    """The plugins."""
    ledger: ReplicaLedger
    """What was loaded into the replica before."""
    replica: SchemaDiscovery
    """What is known of the replica."""
    known: ReplicaSnapshot | None = None
    """What the ledger held at one moment; without it, ledger and replica are asked at each table."""
    allow_drift: bool = False
    """Whether the replica's tables may be defined anew in every way."""

    def plan(
        self, table: str, *, force_full: bool = False, limit: int | None = None, reconcile: bool = False
    ) -> ReplicaPlan:
        """Decide how a table is loaded now.

        Args:
            table: its name in the source.
            force_full: forget the watermark and read everything.
            limit: passed over; a replica holds a table or does not.
            reconcile: make a plan that finds every difference.

        Returns:
            The plan.

        Raises:
            SchemaNotFoundError: the source has no such table.
            ConfigurationError: a choice names a strategy or column that is not there.
            PlanRefused: the strategy cannot serve the table.
            DriftRefused: the table's definition changed in a way that the policy refuses.
            PluginError: a plugin's function failed.
        """
        del limit
        if self.known is None:
            self.replica.clear_cache()
        known = self.ledger.snapshot() if self.known is None else self.known
        found = self.discovery.analysis(table)
        config = brought_up_to_date(
            found, self.settings.get_table_config(table), self.settings, self.registry, lambda: None
        )
        settings = self.settings.replica
        engine = settings.engine if settings else "InnoDB"
        analysis = table_analysis(self.settings, self.discovery, table, config)
        analysis = self.discovery.as_copied(analysis, self.replica, storage_engine=engine)
        entry, there = known.loaded(table), self._there(table)
        first = entry is None or there is None
        differences = () if first else self._differences(table, engine)
        due = not first and is_due(config.reconcile, entry, known.taken_at)
        state = entry.state if entry and not (first or force_full or differences) else None
        plan = _exact(asked_plan(self.registry.strategy(config.extraction_strategy), analysis, state))
        keyed = bool(analysis.primary_key)
        if not first and keyed and (differences or reconcile) and not force_full:
            plan = reconciling(plan)
        elif (isinstance(plan.read, Differences) and not keyed) or (first and not _is_whole(plan)):
            plan = attrs.evolve(plan, read=Everything(), write=Write.REPLACE)
        tried = known.entries.get(table)
        return ReplicaPlan(
            analysis=analysis,
            there=there,
            config=config,
            rendered=render_exactly(analysis, self.discovery.catalog().database),
            plan=plan,
            entry=entry,
            generation=tried.state.generation if tried else 0,
            adaptations=self._adapted(table, engine)
            if entry is None or first or differences
            else entry.adapted,
            differences=differences,
            proof_due=due,
        )

    def proving(self, loaded: ReplicaPlan) -> ReplicaPlan:
        """Decide how a table is proven equal that was just loaded by a plan.

        Args:
            loaded: that plan, of a table with a key.

        Returns:
            The plan to read differences, upon the state that the load left.
        """
        entry = self.ledger.snapshot().loaded(loaded.name)
        return attrs.evolve(
            loaded,
            plan=reconciling(loaded.plan),
            entry=entry,
            generation=entry.state.generation if entry else 0,
            proof_due=False,
        )

    def afresh(self) -> Self:
        """Give a planner that asks the ledger and the replica anew at each table.

        Returns:
            The planner.
        """
        return attrs.evolve(self, known=None)

    def _adapted(self, table: str, engine: str) -> tuple[str, ...]:
        # For this the source is asked for the table's definition; of a table that is there, the ledger knows.
        made = self.discovery.replica_definition(table, self.replica, storage_engine=engine)
        return tuple(map(str, made.adaptations))

    def _there(self, table: str) -> TableAnalysis | None:
        try:
            return self.replica.analysis(table)
        except SchemaNotFoundError:
            return None

    def _differences(self, table: str, engine: str) -> tuple[DefinitionDifference, ...]:
        found = self.discovery.definition_differences(table, self.replica, storage_engine=engine)
        drift = self.settings.drift
        refusing = {
            "column_added": drift.add_column,
            "column_widened": drift.widen,
            "column_narrowed": drift.narrow,
            "column_retyped": drift.narrow,
            "column_gone": drift.drop_column,
        }
        refused = [each for each in found if refusing.get(each.kind) == "refuse"]
        if refused and not self.allow_drift:
            raise DriftRefused(
                f"table `{table}`: {counted(len(refused), 'change')} of its definition in the source "
                f"{'is' if len(refused) == 1 else 'are'} refused by `drift` in etlkit.yml; the replica's table is as "
                f"it was: {'; '.join(each.words for each in refused)}. `etlkit run --allow-drift --select {table}` "
                "lets the replica follow the source"
            )
        return found


def _is_whole(plan: LoadPlan) -> bool:
    return isinstance(plan.read, Everything) and plan.write is Write.REPLACE


def _exact(plan: LoadPlan) -> LoadPlan:
    """Turn a strategy's plan into one that leaves the replica equal: a part of the rows replaces none of the others."""
    if plan.write is Write.APPEND:
        plan = attrs.evolve(plan, write=Write.MERGE)
    if isinstance(plan.read, Where) and plan.write is Write.REPLACE:
        plan = attrs.evolve(plan, read=Everything())
    if isinstance(plan.read, Differences):
        plan = attrs.evolve(plan, write=Write.MERGE, commit=Commit.ONCE)
    return plan
