"""Strategy `incremental`: reads what changed since the last load, in one go."""

from __future__ import annotations

from collections.abc import Iterator

from etlkit import Commit, Fit, LoadPlan, Refusal, Strategy, TableAnalysis, TableState, hookimpl
from etlkit.plugins.strategies.cursor_plan import cursor_plan, lacking

NAME = "incremental"
MEDIUM_MB = 100
"""Below it, beginning again after a crash loses little."""


def fits(table: TableAnalysis) -> Fit | Refusal:
    """Bid for tables under 100 MB that have a primary key and a cursor.

    Args:
        table: the table.

    Returns:
        The bid, or what the table lacks.
    """
    refusal = lacking(table)
    if refusal is not None:
        return refusal
    if table.size_mb < MEDIUM_MB:
        return Fit(
            cost=10, reason=f"The table has {table.size_mb:.1f} MB: what changed since the last load is read."
        )
    return Fit(
        cost=40, reason=f"A first load of {table.size_mb:.1f} MB in one go begins again after a crash."
    )


def plan(table: TableAnalysis, state: TableState | None) -> LoadPlan:
    """Plan to read what changed since the last load, committed once.

    Args:
        table: the table.
        state: the end of its last committed load.

    Returns:
        The plan.

    Raises:
        PlanRefused: the table lacks a primary key or a cursor.
    """
    return cursor_plan(table, state, strategy=NAME, commit=Commit.ONCE)


@hookimpl
def etlkit_strategies() -> Iterator[Strategy]:
    """Provide the strategy."""
    yield Strategy(
        name=NAME, summary="Reads what changed since the last load, in one go.", fits=fits, plan=plan
    )
