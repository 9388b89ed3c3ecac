"""How staged rows change a table in place: pure functions to SQL.

Rows that are equal already are never touched, so a run that found no change writes nothing, and readers and
dependent views keep the table they know. TRUNCATE and renaming are avoided on purpose: older snapshots would see an
empty table, and views would stay on the old one.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from etlkit.loading.target import TargetTable

_NO_EQUALITY = ("json", "xml", "point", "polygon", "box", "path", "circle", "line", "lseg")


def delete_missing(target: TargetTable, table: sa.Table, stage: sa.Table) -> sa.Delete:
    """Remove the rows whose key was not staged.

    Args:
        target: the target's shape.
        table: the target.
        stage: the staged rows.

    Returns:
        A DELETE.
    """
    return sa.delete(table).where(~_staged(target, table, stage))


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
    types = {column.name: column.type for column in target.columns}
    old = sa.tuple_(*(_comparable(table.c[name], types[name]) for name in names))
    new = sa.tuple_(*(_comparable(stage.c[name], types[name]) for name in names))
    return (
        sa.update(table)
        .values({table.c[name]: stage.c[name] for name in names})
        .where(_same_key(target, table, stage), old.is_distinct_from(new))
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

    def rows(of: sa.Table) -> sa.Select[Any]:
        return sa.select(*(_comparable(of.c[each.name], each.type) for each in target.columns))

    return sa.select(
        sa.or_(
            sa.exists(rows(table).except_all(rows(stage)).subquery().select()),
            sa.exists(rows(stage).except_all(rows(table)).subquery().select()),
        )
    )


def _same_key(target: TargetTable, table: sa.Table, stage: sa.Table) -> sa.ColumnElement[bool]:
    return sa.and_(*(table.c[name] == stage.c[name] for name in target.key))


def _staged(target: TargetTable, table: sa.Table, stage: sa.Table) -> sa.ColumnElement[bool]:
    return sa.exists().where(_same_key(target, table, stage)).correlate(table)


def _comparable(column: sa.ColumnElement[Any], kind: str) -> sa.ColumnElement[Any]:
    return sa.cast(column, sa.Text) if kind in _NO_EQUALITY else column
