"""How a table gets into the replica, for who asks why: by the same strategy, with what of its definition adapted."""

from __future__ import annotations

import attrs

from etlkit.errors import EtlkitError
from etlkit.orchestration.deployment import Deployment
from etlkit.orchestration.replica_hop import replica_planner


@attrs.frozen(kw_only=True)
class ExplainedCopy:
    """A table's way into the replica."""

    database: str
    """The replica's database."""
    reason: str | None = None
    """What its strategy plans for the next run, in one sentence."""
    adapted: tuple[str, ...] = ()
    """What of its definition is not on the replica as it is in the source, and why."""
    differences: tuple[str, ...] = ()
    """In which ways the replica's table is defined in another way by now, so that it is made anew."""
    problem: str | None = None
    """Why it cannot be planned; None when it can."""


def explained_copy(deployment: Deployment, table: str) -> ExplainedCopy | None:
    """Explain how a table gets into the replica; nothing need have been loaded before, and no row is read.

    Args:
        deployment: whose table.
        table: its name in the source.

    Returns:
        The explanation; None without a replica.
    """
    second, replica = deployment.second_hop, deployment.settings.replica
    if second is None or replica is None:
        return None
    explained = ExplainedCopy(database=replica.url.database)
    try:
        plan = replica_planner(deployment, second).plan(table)
    except EtlkitError as error:
        return attrs.evolve(explained, problem=error.message)
    return attrs.evolve(
        explained,
        reason=plan.plan.reason,
        adapted=tuple(str(each) for each in plan.adaptations),
        differences=tuple(str(each) for each in plan.differences),
    )
