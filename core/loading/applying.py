"""Staged rows are applied to their table, in the load's transaction, and what happened is counted."""

from __future__ import annotations

import sqlalchemy as sa

from etlkit.contracts import Deletes, Write
from etlkit.loading import apply
from etlkit.loading.target import DELETED_AT, TargetTable
from etlkit.loading.warehouse_table import analyze

KEPT = "kept"
"""The count of rows that are gone in the source, and that stay unmarked because that was chosen."""
_ANALYZE_FROM_ROWS = 1000


def apply_rows(
    connection: sa.Connection,
    target: TargetTable,
    table: sa.Table,
    stage: sa.Table,
    *,
    write: Write,
    deletes: Deletes,
    rows: int,
) -> dict[str, int]:
    """Change a table in place as the plan says.

    Args:
        connection: in the load's transaction.
        target: the table's shape.
        table: the table, with the columns and types it has there.
        stage: the staged rows.
        write: how they are applied; without a key, the table is replaced whole when it differs.
        deletes: what happens to rows that were not staged, when the table is replaced.
        rows: how many rows are staged.

    Returns:
        Rows inserted, updated, deleted and kept, by these words; what did not happen may be missing.
    """
    if not target.key:
        if not connection.scalar(apply.differs(target, table, stage)):
            return {}
        return {
            "deleted": connection.execute(sa.delete(table)).rowcount,
            "inserted": connection.execute(apply.insert_all(target, table, stage)).rowcount,
        }
    if rows > _ANALYZE_FROM_ROWS:
        analyze(connection, stage, target.key)
    counts = _missing(connection, target, table, stage, deletes) if write is Write.REPLACE else {}
    return counts | merge_rows(connection, target, table, stage, write=write)


def merge_rows(
    connection: sa.Connection, target: TargetTable, table: sa.Table, stage: sa.Table, *, write: Write
) -> dict[str, int]:
    """Insert and update what was staged; rows that were not are left as they are.

    Args:
        connection: in the load's transaction.
        target: the shape of a table with a key.
        table: the table, with the columns and types it has there.
        stage: the staged rows.
        write: whether rows that are there are updated.

    Returns:
        Rows inserted and updated, by these words; a marked row that comes back is inserted.
    """
    counts = {"inserted": 0}
    if DELETED_AT in table.c:
        counts["inserted"] = connection.execute(apply.restore_marked(target, table, stage)).rowcount
    update = None if write is Write.APPEND else apply.update_changed(target, table, stage)
    if update is not None:
        counts["updated"] = connection.execute(update).rowcount
    counts["inserted"] += connection.execute(apply.insert_new(target, table, stage)).rowcount
    return counts


def apply_emptiness(connection: sa.Connection, table: sa.Table, deletes: Deletes) -> dict[str, int]:
    """Replace a table by nothing, without a stage.

    Args:
        connection: in the load's transaction.
        table: the table, with the columns it has there.
        deletes: what happens to its rows.

    Returns:
        Rows deleted or kept, by these words.
    """
    unmarked = apply.unmarked(table)
    match deletes:
        case Deletes.HARD:
            return {"deleted": connection.execute(sa.delete(table)).rowcount}
        case Deletes.TOMBSTONE:
            return {"deleted": connection.execute(apply.marked(table).where(*unmarked)).rowcount}
        case Deletes.IGNORE:
            there = sa.select(sa.func.count()).select_from(table).where(*unmarked)
            return {KEPT: connection.scalar(there) or 0}


def _missing(
    connection: sa.Connection, target: TargetTable, table: sa.Table, stage: sa.Table, deletes: Deletes
) -> dict[str, int]:
    match deletes:
        case Deletes.HARD:
            return {"deleted": connection.execute(apply.delete_missing(target, table, stage)).rowcount}
        case Deletes.TOMBSTONE:
            return {"deleted": connection.execute(apply.mark_missing(target, table, stage)).rowcount}
        case Deletes.IGNORE:
            return {KEPT: connection.scalar(apply.count_missing(target, table, stage)) or 0}
