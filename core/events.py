"""What observers are told, and what `run --json` prints: frozen facts about a run, never a row's value."""

from __future__ import annotations

import attrs

REPLICA = "replica"
"""The hop from the source into the replica, which only deployments with a replica have."""
WAREHOUSE = "warehouse"
"""The hop into the warehouse: from the replica where there is one, else from the source."""


@attrs.frozen(kw_only=True)
class RunStarting:
    """A run begins."""

    run_id: str
    """Identifies the run in the ledger and in the logs."""
    deployment: str
    """The deployment's name from `etlkit.yml`."""
    tables: tuple[str, ...]
    """The tables to load, in the order they will be started."""
    hops: tuple[str, ...] = (WAREHOUSE,)
    """The hops that each of them makes, in order: `replica` and `warehouse`, or `warehouse` alone."""


@attrs.frozen(kw_only=True)
class TableFinished:
    """One table's load ended, well or not."""

    table: str
    """The table's name in the source."""
    hop: str = WAREHOUSE
    """Where its rows were going: `replica` on the way into the replica, else `warehouse`. A table that failed on its
    way into the replica does not go on from there in the same run, and is told once."""
    strategy: str = ""
    """The strategy that made the plan; empty when it failed before there was one."""
    importance: str = "standard"
    """The table's level."""
    read: int = 0
    """Rows read from the source, or from the replica on their way into the warehouse."""
    inserted: int = 0
    """Rows that are new where they went, or came back after they had been marked as gone."""
    updated: int = 0
    """Rows that were changed there."""
    deleted: int = 0
    """Rows that were removed there, or marked as gone."""
    unchanged: int = 0
    """Rows read that were there already."""
    rendered_bytes: int = 0
    """Bytes moved, as they were written."""
    seconds: float = 0.0
    """Wall time of the table, waiting for a turn excluded."""
    verified: str = "not checked"
    """Whether the target was proven equal: begins with `equal`, `repaired` (equal by now), the number of rows that
    differ, or `not checked`."""
    losses: tuple[tuple[str, str, int, str], ...] = ()
    """Column, rule, count and policy (`null`, `replace` or `quarantine`; `fail` of a load that failed by it) of values
    that PostgreSQL cannot hold."""
    alert: bool = False
    """Whether more rows than the table's `data_quality_threshold` allows are not there as they are in the source."""
    alert_on_failure: bool = False
    """Whether a failure of this table calls for a person, as its `monitoring` says."""
    error: str | None = None
    """The failure in one sentence; None when the load was committed."""
    exit_code: int = 0
    """The exit code this failure would give on its own."""


@attrs.frozen(kw_only=True)
class RunFinished:
    """A run ended."""

    run_id: str
    """As in `RunStarting`; empty for a run that could not begin, which is told by this event alone."""
    deployment: str
    """The deployment's name."""
    exit_code: int
    """The exit code of the command line."""
    tables: tuple[TableFinished, ...]
    """Every table of the run, in the order they ended; with a replica, once for each hop that it came to."""
    seconds: float = 0.0
    """Wall time of the run."""
    whole: bool = False
    """Whether it was to load every table of the deployment, and not a selection."""
    error: str | None = None
    """In one sentence why the run itself could not begin or go on; None when only tables failed, or nothing."""
