"""Strategy `chunked_incremental`: reads what changed, and resumes behind the last chunk after a crash."""

from __future__ import annotations

from collections.abc import Iterator

from etlkit import Commit, Fit, LoadPlan, Refusal, Strategy, TableAnalysis, TableState, hookimpl
from etlkit.plugins.strategies.cursor_plan import cursor_plan, lacking

NAME = "chunked_incremental"
MEDIUM_MB = 100
"""From it on, beginning again after a crash is worth avoiding."""
LARGE_MB = 1000
"""From it on, staging each chunk on its own costs more than it saves."""


def fits(table: TableAnalysis) -> Fit | Refusal:
    """Bid for tables of 100 to 1000 MB that change often, and that have a primary key and a cursor.

    Args:
        table: the table.

    Returns:
        The bid, or what the table lacks.
    """
    refusal = lacking(table)
    if refusal is not None:
        return refusal
    size = f"{table.size_mb:.1f} MB"
    if table.size_mb < MEDIUM_MB:
        return Fit(cost=30, reason=f"Keeping each chunk is not worth it for {size}.")
    if table.size_mb < LARGE_MB and table.update_frequency == "frequent":
        return Fit(
            cost=10, reason=f"The table has {size} and changes often: chunks are kept, so a crash loses one."
        )
    return Fit(cost=30, reason=f"Keeping each chunk of {size} costs more than it saves.")


def plan(table: TableAnalysis, state: TableState | None) -> LoadPlan:
    """Plan to read what changed since the last load, resumable behind each chunk.

    Args:
        table: the table.
        state: the end of its last committed load.

    Returns:
        The plan.

    Raises:
        PlanRefused: the table lacks a primary key or a cursor.
    """
    return cursor_plan(table, state, strategy=NAME, commit=Commit.PER_CHUNK)


@hookimpl
def etlkit_strategies() -> Iterator[Strategy]:
    """Provide the strategy."""
    yield Strategy(
        name=NAME,
        summary="Reads what changed since the last load, and resumes behind the last chunk.",
        fits=fits,
        plan=plan,
    )
