"""The statements that compare a table of the warehouse with what was read of its source: pure functions to SQL.

Every column is compared byte by byte (see `etlkit.loading.exact`). PostgreSQL counts, and names the first rows that
differ; of values, only what may be shown leaves it.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import attrs
import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import aggregate_order_by, array

from etlkit.loading.apply import unmarked
from etlkit.loading.exact import differ, digest, fitting
from etlkit.loading.target import TargetTable
from etlkit.verification.results import DIFFERENT, MISSING_IN_SOURCE, MISSING_IN_WAREHOUSE

MOST = 20
"""Differing rows of a table that are listed."""
SHOWN_CHARACTERS = 200
"""How much of a value is shown to those who ask for values."""

_THERE = "there"


@attrs.frozen(kw_only=True)
class Compared:
    """A table and what was read of it."""

    target: TargetTable
    """The columns to compare, and the key."""
    table: sa.Table
    """The warehouse's table, with the types it has there; its rows that are marked as gone do not take part."""
    read: sa.Table
    """What was read of the source."""
    only: sa.FromClause | None = None
    """Keys of the rows that are compared, each once, with the key's columns by name; None for all rows."""
    last: str | None = None
    """A column, by its name in the warehouse, that is named only where no other one differs."""

    def sides(self) -> tuple[sa.Subquery, sa.Subquery]:
        """Give both with columns named by their place, and one more that is never NULL where there is a row.

        Returns:
            The warehouse's rows and the source's.
        """
        places = [(place, self.table.c[each.name]) for place, each in enumerate(self.target.columns)]
        warehouse = [column.label(_name(place)) for place, column in places]
        source = [fitting(column, self.read.c[column.name]).label(_name(place)) for place, column in places]
        mark: sa.Label[bool] = sa.literal_column("true", sa.Boolean).label(_THERE)
        there: sa.FromClause = self.table
        if self.only is not None:
            same = (self.table.c[name] == self.only.c[name] for name in self.target.key)
            there = self.table.join(self.only, sa.and_(*same))
        return (
            sa.select(mark, *warehouse).select_from(there).where(*unmarked(self.table)).subquery("warehouse"),
            sa.select(mark, *source).select_from(self.read).subquery("source"),
        )


def compared_by_key(
    what: Compared,
    *,
    only_read: bool,
    keys: Collection[str],
    values: bool,
    newer_than: tuple[str, str] | None,
) -> sa.Select[Any]:
    """Compare rows by the primary key.

    Args:
        what: a table with a key.
        only_read: whether rows that were not read are left out, because only some of the source's were, or because
            the warehouse keeps rows that are gone.
        keys: the key's columns whose values may be given; the others are NULL.
        values: whether the first characters of differing values are given.
        newer_than: the cursor's name in the warehouse and its watermark; None when there is none to compare with.

    Returns:
        A SELECT of one row: counts of rows missing in the warehouse, missing in the source, different, and stamped
        after the watermark; `[place, rows]` of each column that differs; and of the first rows
        `[kind, key, places, source's values, warehouse's values]`. Lists are JSON, or NULL when they are empty.
    """
    differing = _differing(what, only_read=only_read, values=values, newer_than=newer_than).cte("differing")
    said: list[sa.ColumnElement[Any]] = [
        sa.func.count().filter(differing.c.kind == sa.literal(each))
        for each in (MISSING_IN_WAREHOUSE, MISSING_IN_SOURCE, DIFFERENT)
    ]
    said += [
        sa.func.count().filter(differing.c.newer),
        _counts_by_column(differing),
        _first(what, differing, keys),
    ]
    return sa.select(*said).select_from(differing)


def compared_as_multisets(what: Compared) -> sa.Select[Any]:
    """Compare rows without a key, duplicates counted.

    Args:
        what: a table.

    Returns:
        A SELECT of one row: counts of rows missing in the warehouse, and missing in the source.
    """
    warehouse, source = what.sides()

    def counted(side: sa.Subquery, name: str) -> sa.Subquery:
        row = digest([side.c[_name(place)] for place, _ in enumerate(what.target.columns)])
        # By its place: the digest is not computed twice.
        once = sa.select(row.label("row")).select_from(side).subquery(f"rows_of_{name}")
        return sa.select(once.c.row, sa.func.count().label("times")).group_by(once.c.row).subquery(name)

    ours, theirs = counted(source, "ours"), counted(warehouse, "theirs")
    more = sa.func.coalesce(ours.c.times, 0) - sa.func.coalesce(theirs.c.times, 0)
    return sa.select(
        sa.func.coalesce(sa.func.sum(more).filter(more > 0), 0),
        sa.func.coalesce(sa.func.sum(-more).filter(more < 0), 0),
    ).select_from(ours.join(theirs, ours.c.row == theirs.c.row, full=True))


def first_keys(read: sa.Table, gone: sa.Table, key: Collection[str]) -> sa.Subquery:
    """Choose the rows that are compared where only some of the differing ones were read.

    Args:
        read: what was read of the source.
        gone: keys of rows that the source does not have.
        key: the key's columns.

    Returns:
        The keys of what was read, and the first ones of those that are gone.
    """
    columns = [gone.c[name] for name in key]
    first = sa.select(*columns).order_by(*columns).limit(MOST).subquery("first_gone")
    return sa.union(sa.select(*(read.c[name] for name in key)), sa.select(first)).subquery("first_keys")


def _differing(
    what: Compared, *, only_read: bool, values: bool, newer_than: tuple[str, str] | None
) -> sa.Select[Any]:
    warehouse, source = what.sides()
    names = [each.name for each in what.target.columns]
    keys = [_name(names.index(name)) for name in what.target.key]
    pairs = [(warehouse.c[_name(place)], source.c[_name(place)]) for place, _ in enumerate(names)]
    gone, new = warehouse.c[_THERE].is_(None), source.c[_THERE].is_(None)
    both = sa.and_(warehouse.c[_THERE], source.c[_THERE])
    kind = sa.case(
        (gone, sa.literal(MISSING_IN_WAREHOUSE)),
        (new, sa.literal(MISSING_IN_SOURCE)),
        else_=sa.literal(DIFFERENT),
    )
    apart = [sa.and_(both, differ([ours], [theirs])) for theirs, ours in pairs]
    if what.last is not None:
        last = names.index(what.last)
        others = [pair for place, pair in enumerate(pairs) if place != last]
        apart[last] = sa.and_(apart[last], ~differ(*map(list, zip(*others, strict=True))))
    places = array([sa.case((each, sa.literal_column(str(place)))) for place, each in enumerate(apart)])
    columns = [
        kind.label("kind"),
        *(sa.func.coalesce(source.c[name], warehouse.c[name]).label(name) for name in keys),
        sa.func.array_remove(places, sa.null(), type_=sa.ARRAY(sa.Integer)).label("places"),
        _newer(what, source, newer_than).label("newer"),
    ]
    if values:
        for name, side in (("of_source", 1), ("of_warehouse", 0)):
            said = [sa.func.left(sa.cast(pair[side], sa.Text), SHOWN_CHARACTERS) for pair in pairs]
            columns.append(
                array([sa.case((apart[place], each)) for place, each in enumerate(said)]).label(name)
            )
    same = sa.and_(*(source.c[name] == warehouse.c[name] for name in keys))
    unequal = differ([theirs for theirs, _ in pairs], [ours for _, ours in pairs])
    return (
        sa.select(*columns)
        .select_from(source.join(warehouse, same, isouter=True, full=not only_read))
        .where(sa.or_(gone, new, unequal))
    )


def _newer(what: Compared, source: sa.Subquery, newer_than: tuple[str, str] | None) -> sa.ColumnElement[bool]:
    if newer_than is None:
        return sa.false()
    name, watermark = newer_than
    place = next(place for place, each in enumerate(what.target.columns) if each.name == name)
    stamp = source.c[_name(place)]
    return stamp > sa.cast(sa.literal(watermark), stamp.type)


def _counts_by_column(differing: sa.CTE) -> sa.ScalarSelect[Any]:
    unnested = sa.func.unnest(differing.c.places).table_valued("place", name="apart").render_derived()
    counts = (
        sa.select(unnested.c.place, sa.func.count().label("times"))
        .select_from(differing.join(unnested, sa.true()))
        .group_by(unnested.c.place)
        .subquery("counts")
    )
    pair = sa.func.json_build_array(counts.c.place, counts.c.times)
    return sa.select(sa.func.json_agg(pair, type_=sa.JSON)).scalar_subquery()


def _first(what: Compared, differing: sa.CTE, keys: Collection[str]) -> sa.ScalarSelect[Any]:
    names = [each.name for each in what.target.columns]
    order = [_name(names.index(name)) for name in what.target.key]
    first = (
        sa.select(differing).order_by(*(differing.c[name] for name in order)).limit(MOST).subquery("first")
    )
    shown = "of_source" in first.c
    key = [
        sa.cast(first.c[name] if what.target.key[place] in keys else sa.null(), sa.Text)
        for place, name in enumerate(order)
    ]
    parts = [
        first.c.kind,
        array(key),
        first.c.places,
        first.c.of_source if shown else sa.null(),
        first.c.of_warehouse if shown else sa.null(),
    ]
    said = sa.func.json_build_array(*parts)
    ordered = aggregate_order_by(said, *(first.c[name] for name in order))
    return sa.select(sa.func.json_agg(ordered, type_=sa.JSON)).scalar_subquery()


def _name(place: int) -> str:
    return f"c{place}"
