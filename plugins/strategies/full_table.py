"""Strategy `full_table`: reads every row in each run; always possible, and cheap while the table is small."""

from __future__ import annotations

from collections.abc import Iterator

from etlkit import Chunks, Everything, Fit, LoadPlan, Strategy, TableAnalysis, TableState, Write, hookimpl

NAME = "full_table"
SMALL_MB = 1
"""Below it, reading everything costs less than finding out what changed."""


def fits(table: TableAnalysis) -> Fit:
    """Bid lowest for small tables, and higher the larger the table is.

    Args:
        table: the table.

    Returns:
        The bid; this strategy refuses nothing.
    """
    size = f"{table.size_mb:.1f} MB"
    if table.size_mb < SMALL_MB:
        return Fit(
            cost=1, reason=f"The table is small ({size}): reading it whole costs less than finding changes."
        )
    if not table.primary_key:
        reason = f"The table has no primary key, so all {size} are read and compared each time."
    elif table.cursor is None:
        reason = f"No column tells which rows changed, so all {size} are read and compared each time."
    else:
        reason = f"Reads and compares all {size} each time."
    return Fit(cost=min(100.0, 50 + table.size_mb / 20), reason=reason)


def plan(table: TableAnalysis, state: TableState | None) -> LoadPlan:
    """Plan to read every row, whatever was loaded before.

    Args:
        table: the table.
        state: not needed.

    Returns:
        The plan.
    """
    return LoadPlan(
        table=table.name,
        strategy=NAME,
        read=Everything(),
        write=Write.REPLACE,
        reason="Reads every row; rows that are equal already are not touched.",
        chunks=Chunks(rows=table.batch_size),
    )


@hookimpl
def etlkit_strategies() -> Iterator[Strategy]:
    """Provide the strategy."""
    yield Strategy(
        name=NAME, summary="Reads every row in each run; for small tables.", fits=fits, plan=plan, whole=True
    )
