"""What the ledger tells of the past: each table's last load, failed ones included, and the last run."""

from __future__ import annotations

import datetime as dt

import attrs
import sqlalchemy as sa

from etlkit.loading.ledger import Ledger
from etlkit.loading.ledger_tables import LOADS, RESUMES, RUNS, SCHEMA
from etlkit.loading.trouble import warehouse_trouble

_WHERE = f"the ledger in the warehouse's schema `{SCHEMA}`"


@attrs.frozen(kw_only=True)
class LastLoad:
    """How the last load of a table ended."""

    table: str
    """The table's name in the source."""
    strategy: str
    """The strategy, as far as it came."""
    ended_at: dt.datetime
    """When, by the warehouse's clock."""
    error: str | None
    """What went wrong; None when it was committed."""


@attrs.frozen(kw_only=True)
class LastRun:
    """The run that began last."""

    run_id: str
    """Identifies it."""
    started_at: dt.datetime
    """When it began, by the warehouse's clock."""
    finished_at: dt.datetime | None
    """When it ended; None while it runs, and when it was killed."""
    exit_code: int | None
    """How it ended."""
    tables: int | None
    """How many tables it had."""


@attrs.frozen(kw_only=True)
class Unfinished:
    """A load that commits per chunk and is not finished."""

    table: str
    """The table's name in the source."""
    read: int
    """Rows staged so far."""


@attrs.frozen(kw_only=True)
class Past:
    """What happened so far."""

    loads: dict[str, LastLoad] = attrs.field(factory=dict)
    """By the table's name in the source."""
    run: LastRun | None = None
    """The run that began last."""
    unfinished: tuple[Unfinished, ...] = ()
    """Loads that the next run goes on with, by name."""


def read_past(ledger: Ledger) -> Past:
    """Read what happened so far.

    Args:
        ledger: the deployment's.

    Returns:
        Nothing, when no run ever wrote a ledger there.

    Raises:
        LoadError: the ledger cannot be read.
        ConnectionFailed: the warehouse cannot be reached.
    """
    if not ledger.exists():
        return Past()
    newest = (
        sa.select(sa.func.max(LOADS.c.load_id))
        .where(LOADS.c.target_schema == ledger.schema)
        .group_by(LOADS.c.table_name)
    )
    loads = sa.select(*(LOADS.c[name] for name in ("table_name", "strategy", "ended_at", "error"))).where(
        LOADS.c.load_id.in_(newest)
    )
    runs = (
        sa.select(*(RUNS.c[each.name] for each in attrs.fields(LastRun)))
        .where(RUNS.c.target_schema == ledger.schema)
        .order_by(RUNS.c.started_at.desc())
        .limit(1)
    )
    unfinished = (
        sa.select(RESUMES.c.table_name, RESUMES.c.read)
        .where(RESUMES.c.target_schema == ledger.schema)
        .order_by(RESUMES.c.table_name)
    )
    with warehouse_trouble(_WHERE), ledger.engine.connect() as connection:
        last_run = connection.execute(runs).mappings().first()
        return Past(
            loads={
                row.table_name: LastLoad(
                    table=row.table_name, strategy=row.strategy, ended_at=row.ended_at, error=row.error
                )
                for row in connection.execute(loads)
            },
            run=LastRun(**last_run) if last_run is not None else None,
            unfinished=tuple(
                Unfinished(table=row.table_name, read=row.read) for row in connection.execute(unfinished)
            ),
        )
