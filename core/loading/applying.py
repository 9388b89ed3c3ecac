"""Staged rows are applied to their table, in the load's transaction, and what happened is counted."""

from __future__ import annotations

import sqlalchemy as sa

from etlkit.contracts import Write
from etlkit.loading import apply
from etlkit.loading.target import TargetTable
from etlkit.loading.warehouse_table import analyze

_ANALYZE_FROM_ROWS = 1000


def apply_rows(
    connection: sa.Connection,
    target: TargetTable,
    table: sa.Table,
    stage: sa.Table,
    *,
    write: Write,
    rows: int,
) -> dict[str, int]:
    """Change a table in place as the plan says.

    Args:
        connection: in the load's transaction.
        target: the table's shape.
        table: the table, with the types it has there.
        stage: the staged rows.
        write: how they are applied; without a key, the table is replaced whole when it differs.
        rows: how many rows are staged.

    Returns:
        Rows inserted, updated and deleted, by these words; what did not happen may be missing.
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
    counts = {}
    if write is Write.REPLACE:
        counts["deleted"] = connection.execute(apply.delete_missing(target, table, stage)).rowcount
    update = None if write is Write.APPEND else apply.update_changed(target, table, stage)
    if update is not None:
        counts["updated"] = connection.execute(update).rowcount
    counts["inserted"] = connection.execute(apply.insert_new(target, table, stage)).rowcount
    return counts
