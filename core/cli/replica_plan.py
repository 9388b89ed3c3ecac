"""What `etlkit plan` shows of the first hop of a deployment with a replica."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import attrs

from etlkit.cli import output, plan_table
from etlkit.errors import EtlkitError
from etlkit.events import REPLICA
from etlkit.orchestration.deployment import Deployment
from etlkit.orchestration.order import load_order
from etlkit.orchestration.prediction import Prediction, predictions
from etlkit.orchestration.replica_hop import replica_planner
from etlkit.orchestration.run import RunRequest
from etlkit.replication.ledger_entries import ReplicaSnapshot
from etlkit.replication.plan import ReplicaPlan

SKIPPED = "With `--limit` the replica is left as it is; the rows are read from there."
"""What happens in the first hop where only a part of a table is asked for."""


@attrs.frozen(kw_only=True)
class CopyPlans:
    """What the first hop of a run would do."""

    deployment: Deployment
    """Whose tables."""
    skipped: bool = False
    """Whether the first hop does not take place."""
    plans: tuple[ReplicaPlan, ...] = ()
    """In the order of loading."""
    refused: Mapping[str, EtlkitError] = attrs.field(factory=dict)
    """Tables that cannot be planned."""
    predicted: Mapping[str, Prediction] = attrs.field(factory=dict)
    """By table what is read of the source."""
    known: ReplicaSnapshot = attrs.field(factory=ReplicaSnapshot)
    """The replica's record."""

    @classmethod
    def of(cls, deployment: Deployment, request: RunRequest, names: Sequence[str]) -> CopyPlans | None:
        """Plan the first hop; nothing is written.

        Args:
            deployment: whose tables.
            request: what the run would be asked for.
            names: the tables.

        Returns:
            The plans; None without a replica.

        Raises:
            ConnectionFailed: the replica cannot be reached.
        """
        second = deployment.second_hop
        if second is None:
            return None
        known = deployment.replica_ledger().snapshot()
        if request.limit is not None:
            return cls(deployment=deployment, skipped=True, known=known)
        planner = replica_planner(deployment, second, known=known, allow_drift=request.allow_drift)
        plans: dict[str, ReplicaPlan] = {}
        refused: dict[str, EtlkitError] = {}
        for name in names:
            try:
                plans[name] = planner.plan(name, force_full=request.full_refresh, reconcile=request.reconcile)
            except EtlkitError as error:
                refused[name] = error
        ordered = [plans[name] for name in load_order({name: each.analysis for name, each in plans.items()})]
        return cls(
            deployment=deployment,
            plans=tuple(ordered),
            refused=refused,
            predicted=predictions(ordered, deployment.connections.source()),
            known=known,
        )

    def lacks(self, table: str) -> bool:
        """Tell whether the replica does not have a table yet, which no run brings there."""
        return self.skipped and self.known.loaded(table) is None

    def follows_up(self, table: str) -> bool:
        """Tell whether a table changed in the replica in a way that no cursor shows."""
        entry = self.known.entries.get(table)
        return entry is not None and bool(entry.follow_up)

    def write(self, manners: Iterable[str]) -> None:
        """Print the section about the first hop.

        Args:
            manners: how the source is read, one sentence each.
        """
        replica = self.deployment.settings.replica
        place = f"database `{replica.url.database}` at {replica.url.place}" if replica else ""
        output.say(f"From the source to the replica, {place}:", "")
        if self.skipped:
            output.say(output.below(SKIPPED), "")
        else:
            plan_table.write_plans(self.plans, self.predicted)
            output.say("", "How the source is read:", *(f"  {each}" for each in manners))
            output.say("", plan_table.total(self.predicted))
            for each in self.plans:
                self._write_definition(each)
            for error in self.refused.values():
                output.say("", error.message)
            output.say("")
        schema = self.deployment.settings.warehouse.schema
        output.say(f"From the replica to the warehouse, schema `{schema}`:", "")

    def documents(self) -> list[dict[str, Any]]:
        """Say of each table, for a program."""
        settings = self.deployment.settings
        database = settings.replica.url.database if settings.replica else ""
        return [
            *(
                {
                    **plan_table.fields(each, REPLICA, f"{database}.{each.name}", self.predicted[each.name]),
                    "drift": [str(difference) for difference in each.differences],
                    "error": None,
                    "adapted": [str(adaptation) for adaptation in each.adaptations],
                }
                for each in self.plans
            ),
            *(
                {
                    **plan_table.refusal(
                        name,
                        REPLICA,
                        importance=settings.get_table_config(name).table_importance,
                        strategy=settings.get_table_config(name).extraction_strategy,
                        error=error.message,
                    ),
                    "adapted": [],
                }
                for name, error in self.refused.items()
            ),
        ]

    def _write_definition(self, plan: ReplicaPlan) -> None:
        if plan.reshape:
            lines = (f"  {each}" for each in plan.differences)
            output.say(
                "", f"Table `{plan.name}` changed in the source, and is defined anew in the replica:", *lines
            )
        if plan.adaptations and (plan.first or plan.reshape):
            lines = (f"  {each}" for each in plan.adaptations)
            output.say("", f"Table `{plan.name}` is adapted for the replica's server:", *lines)
