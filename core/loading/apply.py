"""How staged rows change a table in place: pure functions to SQL.

Rows that are equal already are never touched, so a run that found no change writes nothing, and readers and
dependent views keep the table they know. TRUNCATE and renaming are avoided on purpose: older snapshots would see an
empty table, and views would stay on the old one.

Table and stage carry their types: where a table's column is wider than the staged one, the staged value is cast.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from etlkit.loading.exact import differ, digest, fitting
from etlkit.loading.target import TargetTable


def delete_missing(target: TargetTable, table: sa.Table, stage: sa.Table) -> sa.Delete:
    """Remove the rows whose key was not staged.

    Args:
        target: the target's shape.
        table: the target.
        stage: the staged rows.

    Returns:
        A DELETE.
    """
    staged = sa.exists().where(_same_key(target, table, stage)).correlate(table)
    return sa.delete(table).where(~staged)


def update_changed(target: TargetTable, table: sa.Table, stage: sa.Table) -> sa.Update | None:
    """Change the rows that differ from the staged row with their key.

    Args:
        target: the target's shape.
        table: the target.
        stage: the staged rows.

    Returns:
        An UPDATE; None when the key is all there is, since nothing can differ then.
    """
    names = [column.name for column in target.columns if column.name not in target.key]
    if not names:
        return None
    new = {name: fitting(table.c[name], stage.c[name]) for name in names}
    return (
        sa.update(table)
        .values({table.c[name]: new[name] for name in names})
        .where(
            _same_key(target, table, stage),
            differ([table.c[name] for name in names], list(new.values())),
        )
    )


def insert_new(target: TargetTable, table: sa.Table, stage: sa.Table) -> sa.Insert:
    """Add the staged rows whose key the table does not hold.

    Args:
        target: the target's shape.
        table: the target.
        stage: the staged rows.

    Returns:
        An INSERT.
    """
    there = sa.exists().where(_same_key(target, table, stage)).correlate(stage)
    return insert_all(target, table, stage, [~there])


def insert_all(
    target: TargetTable, table: sa.Table, stage: sa.Table, conditions: Sequence[sa.ColumnElement[bool]] = ()
) -> sa.Insert:
    """Add the staged rows.

    Args:
        target: the target's shape.
        table: the target.
        stage: the staged rows.
        conditions: which of them; all by default.

    Returns:
        An INSERT.
    """
    names = [column.name for column in target.columns]
    return sa.insert(table).from_select(
        names, sa.select(*(stage.c[name] for name in names)).where(*conditions)
    )


def differs(target: TargetTable, table: sa.Table, stage: sa.Table) -> sa.Select[Any]:
    """Ask whether table and stage hold different rows; for tables without a key, duplicates counted.

    Args:
        target: the target's shape.
        table: the target.
        stage: the staged rows.

    Returns:
        A SELECT of one boolean.
    """
    names = [column.name for column in target.columns]
    there = _digests([table.c[name] for name in names])
    staged = _digests([fitting(table.c[name], stage.c[name]) for name in names])

    def count(of: sa.Table) -> sa.ScalarSelect[Any]:
        return sa.select(sa.func.count()).select_from(of).scalar_subquery()

    # When there are as many rows on both sides, one direction shows every difference.
    return sa.select(
        sa.or_(count(table) != count(stage), sa.exists(there.except_all(staged).subquery("missing").select()))
    )


def _same_key(target: TargetTable, table: sa.Table, stage: sa.Table) -> sa.ColumnElement[bool]:
    return sa.and_(*(table.c[name] == stage.c[name] for name in target.key))


def _digests(values: Sequence[sa.ColumnElement[Any]]) -> sa.Select[Any]:
    return sa.select(digest(values).label("row"))
