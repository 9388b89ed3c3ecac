"""How often a table is proven equal to its source, chosen by what that costs."""

from __future__ import annotations

import attrs

from etlkit.config import Schedule
from etlkit.contracts import Strategy
from etlkit.tables import TableAnalysis

EVERY_RUN_MB = 10
"""Below it, digests of all rows cost the source less than a tenth of a second."""
DAILY_MB = 1000
"""Below it, some ten seconds."""


@attrs.frozen(kw_only=True)
class Proving:
    """A schedule, and why."""

    schedule: Schedule
    """How often."""
    reason: str
    """One line."""


def proving_of(table: TableAnalysis, strategy: Strategy) -> Proving:
    """Choose how often a table is proven equal.

    Args:
        table: the table.
        strategy: what loads it.

    Returns:
        The choice: whatever a cursor misses is found by then.
    """
    if strategy.whole:
        return Proving(schedule="every_run", reason="every_run: each load reads every row and compares it.")
    if strategy.digests:
        return Proving(schedule="every_run", reason="every_run: each load compares the digests of all rows.")
    if not table.primary_key:
        return Proving(schedule="never", reason="never: without a primary key there is no digest per row.")
    size = f"{table.size_mb:.1f} MB"
    if table.size_mb < EVERY_RUN_MB:
        return Proving(
            schedule="every_run",
            reason=f"every_run: digests of {size} cost little, and find what no cursor shows.",
        )
    schedule: Schedule = "daily" if table.size_mb < DAILY_MB else "weekly"
    return Proving(
        schedule=schedule,
        reason=f"{schedule}: digests of {size} find what the cursor does not show: quiet edits and deletes.",
    )
