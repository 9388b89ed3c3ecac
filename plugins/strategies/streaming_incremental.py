"""Strategy `streaming_incremental`: reads what changed, as one pipeline bounded in bytes."""

from __future__ import annotations

from collections.abc import Iterator

from etlkit import Chunks, Commit, Fit, LoadPlan, Refusal, Strategy, TableAnalysis, TableState, hookimpl
from etlkit.plugins.strategies.cursor_plan import MB, cursor_plan, lacking

NAME = "streaming_incremental"
MEDIUM_MB = 100
"""From it on, a table that seldom changes is read as a stream."""
LARGE_MB = 1000
"""From it on, every table is."""
BUDGET = Chunks(max_bytes=4 * MB, queue=4)
"""At most 6 chunks of 4 MB are in memory: one being read, one being written, 4 in between."""


def fits(table: TableAnalysis) -> Fit | Refusal:
    """Bid for tables from 1000 MB, and from 100 MB when they seldom change.

    Args:
        table: the table.

    Returns:
        The bid, or what the table lacks.
    """
    refusal = lacking(table)
    if refusal is not None:
        return refusal
    size = f"{table.size_mb:.1f} MB"
    if table.size_mb >= LARGE_MB:
        return Fit(cost=10, reason=f"The table is large ({size}): what changed moves as one stream.")
    if table.size_mb >= MEDIUM_MB and table.update_frequency != "frequent":
        return Fit(
            cost=10, reason=f"The table has {size} and seldom changes: what changed moves as one stream."
        )
    return Fit(cost=30, reason=f"A stream is not worth it for {size}.")


def plan(table: TableAnalysis, state: TableState | None) -> LoadPlan:
    """Plan to read what changed since the last load through a queue of chunks bounded in bytes.

    Args:
        table: the table.
        state: the end of its last committed load.

    Returns:
        The plan.

    Raises:
        PlanRefused: the table lacks a primary key or a cursor.
    """
    return cursor_plan(table, state, strategy=NAME, commit=Commit.ONCE, chunks=BUDGET)


@hookimpl
def etlkit_strategies() -> Iterator[Strategy]:
    """Provide the strategy."""
    yield Strategy(
        name=NAME, summary="Reads what changed since the last load, as one stream.", fits=fits, plan=plan
    )
