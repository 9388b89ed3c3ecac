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
from etlkit.loading.target import DELETED_AT, TargetTable


def delete_missing(target: TargetTable, table: sa.Table, stage: sa.Table) -> sa.Delete:
    """Remove the rows whose key was not staged, and those that were marked before.

    Args:
        target: the target's shape.
        table: the target.
        stage: the staged rows.

    Returns:
        A DELETE.
    """
    gone = _missing(target, table, stage)
    if DELETED_AT in table.c:
        # One that is staged again is inserted anew.
        gone = sa.or_(gone, table.c[DELETED_AT].is_not(None))
    return sa.delete(table).where(gone)


def mark_missing(target: TargetTable, table: sa.Table, stage: sa.Table) -> sa.Update:
    """Mark the rows whose key was not staged, once.

    Args:
        target: the target's shape.
        table: the target, with `DELETED_AT`.
        stage: the staged rows.

    Returns:
        An UPDATE.
    """
    return marked(table).where(*unmarked(table), _missing(target, table, stage))


def count_missing(target: TargetTable, table: sa.Table, stage: sa.Table) -> sa.Select[Any]:
    """Count the rows whose key was not staged; marked ones are not there.

    Args:
        target: the target's shape.
        table: the target.
        stage: the staged rows.

    Returns:
        A SELECT of one number.
    """
    return (
        sa.select(sa.func.count()).select_from(table).where(*unmarked(table), _missing(target, table, stage))
    )


def marked(table: sa.Table) -> sa.Update:
    """Mark rows as gone at the time that the transaction's ledger entry has as well.

    Args:
        table: the target, with `DELETED_AT`.

    Returns:
        An UPDATE of every row, to be restricted.
    """
    return sa.update(table).values({table.c[DELETED_AT]: sa.func.now()})


def unmarked(table: sa.Table) -> list[sa.ColumnElement[bool]]:
    """Leave out rows that are marked.

    Args:
        table: the target.

    Returns:
        Conditions; none where no row can be marked.
    """
    return [table.c[DELETED_AT].is_(None)] if DELETED_AT in table.c else []


def restore_marked(target: TargetTable, table: sa.Table, stage: sa.Table) -> sa.Update:
    """Give marked rows that were staged again the staged values, and take their mark away.

    Args:
        target: the target's shape.
        table: the target, with `DELETED_AT`.
        stage: the staged rows.

    Returns:
        An UPDATE.
    """
    names = [column.name for column in target.columns if column.name not in target.key]
    values: dict[Any, Any] = {table.c[name]: fitting(table.c[name], stage.c[name]) for name in names}
    return (
        sa.update(table)
        .values(values | {table.c[DELETED_AT]: sa.null()})
        .where(_same_key(target, table, stage), table.c[DELETED_AT].is_not(None))
    )


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


def unclear_by_key(target: TargetTable, table: sa.Table) -> sa.ColumnElement[bool]:
    """Select the rows that a new key does not tell apart.

    Args:
        target: the target's shape, with the new key.
        table: the target.

    Returns:
        A condition: a part of the key is NULL, or other rows have the same.
    """
    key = [table.c[name] for name in target.key]
    several = sa.select(*key).group_by(*key).having(sa.func.count() > 1)
    return sa.or_(*(part.is_(None) for part in key), sa.tuple_(*key).in_(several))


def must_stay(target: TargetTable, table: sa.Table, stage: sa.Table) -> sa.ColumnElement[bool]:
    """Select the rows that the source no longer has, for tables that keep them.

    Args:
        target: the target's shape.
        table: the target.
        stage: all rows of the source.

    Returns:
        A condition: a row is marked, or its key was not staged.
    """
    marks = [table.c[DELETED_AT].is_not(None)] if DELETED_AT in table.c else []
    return sa.or_(*marks, _missing(target, table, stage))


def _missing(target: TargetTable, table: sa.Table, stage: sa.Table) -> sa.ColumnElement[bool]:
    return ~sa.exists().where(_same_key(target, table, stage)).correlate(table)


def _same_key(target: TargetTable, table: sa.Table, stage: sa.Table) -> sa.ColumnElement[bool]:
    return sa.and_(*(table.c[name] == stage.c[name] for name in target.key))


def _digests(values: Sequence[sa.ColumnElement[Any]]) -> sa.Select[Any]:
    return sa.select(digest(values).label("row"))
