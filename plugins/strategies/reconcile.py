"""Strategy `reconcile`: finds what differs by digests that the source computes, and mends exactly that.

It needs no cursor, and it finds deletes: for tables that are edited in place without a trustworthy timestamp.
"""

from __future__ import annotations

from collections.abc import Iterator

from etlkit import (
    Chunks,
    Differences,
    Everything,
    Fit,
    LoadPlan,
    PlanRefused,
    Refusal,
    Strategy,
    TableAnalysis,
    TableState,
    Write,
    hookimpl,
)

NAME = "reconcile"
WORTH_IT_MB = 10
"""Below it, reading everything costs less than comparing first."""


def fits(table: TableAnalysis) -> Fit | Refusal:
    """Bid for tables from 10 MB that have a primary key, unmasked, and no column that tells which rows changed.

    Args:
        table: the table.

    Returns:
        The bid, or what the table lacks.
    """
    if not table.primary_key:
        return Refusal(reason="The table has no primary key, so its rows cannot be compared one by one.")
    if not table.hidden.isdisjoint(table.primary_key):
        return Refusal(reason="Its primary key is masked, so its rows cannot be compared one by one.")
    size = f"{table.size_mb:.1f} MB"
    if table.size_mb < WORTH_IT_MB:
        return Fit(cost=60, reason=f"Comparing digests is not worth it for {size}.")
    if table.cursor is None:
        return Fit(
            cost=40,
            reason=f"No column tells which of {size} changed: digests do, and they find deleted rows as well.",
        )
    return Fit(
        cost=45, reason=f"Comparing digests of {size} costs more than following {table.cursor.column}."
    )


def plan(table: TableAnalysis, state: TableState | None) -> LoadPlan:
    """Plan to read everything once, and from then on what differs.

    Args:
        table: the table.
        state: the end of its last committed load.

    Returns:
        The plan.

    Raises:
        PlanRefused: the table lacks a primary key.
    """
    refusal = fits(table)
    if isinstance(refusal, Refusal):
        raise PlanRefused(
            f"table {table.name}: strategy {NAME} cannot serve it. {refusal.reason} "
            "Choose another `extraction_strategy` in etlkit.yml, such as full_table"
        )
    if state is None:
        return LoadPlan(
            table=table.name,
            strategy=NAME,
            read=Everything(),
            write=Write.REPLACE,
            reason="First load: reads every row once, and keeps its digest.",
            chunks=Chunks(rows=table.batch_size),
        )
    return LoadPlan(
        table=table.name,
        strategy=NAME,
        read=Differences(),
        write=Write.MERGE,
        reason="Compares digests by ranges of the key; reads, changes and removes exactly the rows that differ.",
        chunks=Chunks(rows=table.batch_size),
    )


@hookimpl
def etlkit_strategies() -> Iterator[Strategy]:
    """Provide the strategy."""
    yield Strategy(
        name=NAME,
        summary="Finds rows that differ or are gone by digests, and mends exactly those.",
        fits=fits,
        plan=plan,
        digests=True,
    )
