"""The end of a run: one row for each table, what was lost, and what failed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import attrs

from etlkit.cli import output
from etlkit.cli.output import Heading
from etlkit.events import WAREHOUSE, RunFinished, TableFinished
from etlkit.wording import counted

ENTRY = (
    "table",
    "hop",
    "strategy",
    "read",
    "inserted",
    "updated",
    "deleted",
    "unchanged",
    "seconds",
    "verified",
    "error",
)
"""What the last event of `run --json` says of each table."""

BECAME = {"null": "became NULL", "replace": "replaced", "quarantine": "quarantined", "fail": "refused"}
"""By policy, what became of values that PostgreSQL cannot hold."""

_COUNTS = ("read", "inserted", "updated", "deleted", "unchanged")
_TABLE, _HOP = Heading(text="table"), Heading(text="hop")
_HEADINGS = [
    Heading(text="strategy"),
    *(Heading(text=name, number=True) for name in (*_COUNTS, "seconds", "rows/s")),
    Heading(text="verified"),
]


def write_report(event: RunFinished) -> None:
    """Print what came of a run.

    Args:
        event: its end.
    """
    # Without a replica there is nothing to tell apart.
    hops = any(each.hop != WAREHOUSE for each in event.tables)
    rows = [((each.table, each.hop)[: 1 + hops], _row(each)) for each in event.tables]
    rows.append(
        ((counted(len({each.table for each in event.tables}), "table"), "")[: 1 + hops], _total(event))
    )
    output.write_table([_TABLE, *[_HOP][:hops], *_HEADINGS], ((*names, *row) for names, row in rows))
    losses = list(_losses(event.tables))
    if losses:
        output.say("", "Values that PostgreSQL cannot hold:", *losses)
    if any(policy == "quarantine" for each in event.tables for *_, policy in each.losses):
        output.say("  `etlkit report --keys` lists the rows of those in quarantine.")
    failed = [each for each in event.tables if each.error is not None]
    if failed:
        output.say("", "Not loaded:", *(output.below(_failure(each)) for each in failed))


def entry(outcome: TableFinished) -> dict[str, Any]:
    """Say what came of a table, for a program.

    Args:
        outcome: the table's.

    Returns:
        The fields named by `ENTRY`.
    """
    return {name: getattr(outcome, name) for name in ENTRY}


def fields(event: Any) -> dict[str, Any]:
    """Turn an event into what one line of JSON holds.

    Args:
        event: an event of a run.

    Returns:
        Its kind as `event`, and all of its fields.
    """
    kind = "".join(f"_{each.lower()}" if each.isupper() else each for each in type(event).__name__)
    return {"event": kind.lstrip("_"), **attrs.asdict(event)}


def _failure(outcome: TableFinished) -> str:
    return f"{'' if outcome.hop == WAREHOUSE else 'on the way into the replica: '}{outcome.error}"


def _row(outcome: TableFinished) -> tuple[str, ...]:
    return (
        outcome.strategy or "-",
        *(f"{getattr(outcome, name):,}" for name in _COUNTS),
        f"{outcome.seconds:,.2f}",
        _speed(outcome.read, outcome.seconds),
        outcome.verified,
    )


def _total(event: RunFinished) -> tuple[str, ...]:
    sums = [sum(getattr(each, name) for each in event.tables) for name in _COUNTS]
    return (
        "",
        *(f"{each:,}" for each in sums),
        f"{event.seconds:,.2f}",
        _speed(sums[0], event.seconds),
        "",
    )


def _speed(rows: int, seconds: float) -> str:
    return f"{rows / seconds:,.0f}" if rows and seconds else "-"


def _losses(outcomes: Sequence[TableFinished]) -> Iterator[str]:
    for outcome in outcomes:
        for column, rule, count, policy in outcome.losses:
            yield f"  {outcome.table}.{column}: {rule}, {counted(count, 'value')} {BECAME[policy]}"
