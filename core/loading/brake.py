"""The brake: a load that would remove most of a table's rows is stopped before it commits."""

from __future__ import annotations

from collections.abc import Mapping

from etlkit.config import Settings
from etlkit.errors import DeletesRefused
from etlkit.loading.target import TargetTable

ANY_SHARE = 1.0
"""The share that switches the brake off."""
LEAST_ROWS = 100
"""Tables with fewer rows in the warehouse may lose any share of them: there, most of them is soon reached."""


def max_deleted_share(settings: Settings, table: str, *, any_share: bool) -> float:
    """Give the share of a table's rows that a load may not reach when it removes some.

    Args:
        settings: the deployment's.
        table: its name in the source.
        any_share: whether a person allowed any share for this run.

    Returns:
        The table's own share, else that of all tables; 1 for any.
    """
    chosen = settings.choice(table).max_deleted_share
    share = settings.run.max_deleted_share if chosen is None else chosen
    return ANY_SHARE if any_share else share


def refuse_mass_deletes(target: TargetTable, counts: Mapping[str, int], *, rows: int, share: float) -> None:
    """Stop a load that replaced a table and would leave too little of it.

    Args:
        target: the table.
        counts: rows inserted and deleted, by these words.
        rows: how many rows the table has now.
        share: what may not be reached, from 0 to 1; 1 switches the brake off.

    Raises:
        DeletesRefused: so many rows would go.
    """
    inserted, deleted = counts.get("inserted", 0), counts.get("deleted", 0)
    before = rows - inserted + deleted
    # Without a key, rows that stay are deleted and inserted anew.
    gone = deleted if target.key else max(0, deleted - inserted)
    if share >= ANY_SHARE or before < LEAST_ROWS or not gone or gone < share * before:
        return
    done = "marked as gone" if target.marks else "removed"
    raise DeletesRefused(
        f"table `{target.source}`: {gone:,} of the {before:,} rows in the warehouse would be {done}, and a load that "
        f"removes a share of {share:g} or more is stopped (`max_deleted_share`): the source may have been emptied, or "
        "restored from an older copy. Nothing was changed. Mend the source and run again; or, when these rows are "
        f"gone for good, run once with `--allow-deletes --select {target.source}`"
    )
