"""What observers are told, and what `run --json` prints: frozen facts about a run, never a row's value."""

from __future__ import annotations

import attrs


@attrs.frozen(kw_only=True)
class RunStarting:
    """A run begins."""

    run_id: str
    """Identifies the run in the ledger and in the logs."""
    deployment: str
    """The deployment's name from `etlkit.yml`."""
    tables: tuple[str, ...]
    """The tables to load, in the order they will be started."""


@attrs.frozen(kw_only=True)
class TableFinished:
    """One table's load ended, well or not."""

    table: str
    """The table's name in the source."""
    strategy: str = ""
    """The strategy that made the plan; empty when it failed before there was one."""
    importance: str = "standard"
    """The table's level."""
    read: int = 0
    """Rows read from the source."""
    inserted: int = 0
    """Rows that are new in the warehouse, or came back after they had been marked as gone."""
    updated: int = 0
    """Rows that were changed in the warehouse."""
    deleted: int = 0
    """Rows that were removed from the warehouse, or marked as gone."""
    unchanged: int = 0
    """Rows read that the warehouse held already."""
    rendered_bytes: int = 0
    """Bytes of COPY text moved."""
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
    """Every table of the run, in the order they ended."""
    seconds: float = 0.0
    """Wall time of the run."""
    whole: bool = False
    """Whether it was to load every table of the deployment, and not a selection."""
    error: str | None = None
    """In one sentence why the run itself could not begin or go on; None when only tables failed, or nothing."""
