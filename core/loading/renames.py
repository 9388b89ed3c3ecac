"""Columns that were renamed in the source, which look like one that is gone and one that is new.

Values tell: rows that are there and rows that were read hold the same in both. Where they tell nothing, because a
column holds one value only, or nothing at all, the place among the other columns does.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence

import attrs
import sqlalchemy as sa

from etlkit.loading.drift import Drift, holds
from etlkit.loading.target import OWN_COLUMNS, Named

_LOOKED_AT = 20_000
_SHARE = 0.9


@attrs.frozen(kw_only=True)
class Rename:
    """A column that looks renamed."""

    old: str
    """Its name in the warehouse."""
    new: str
    """Its name in the source."""
    words: str
    """What shows it."""


@attrs.frozen(kw_only=True)
class _Pair:
    old: str
    new: str
    same_place: bool


def looking_renamed(drift: Drift, kept: Collection[str]) -> list[Rename]:
    """Find columns that look renamed before rows are read.

    Args:
        drift: the difference.
        kept: columns that were gone before.

    Returns:
        Those with the same place and a type that fits; the load looks at the values.
    """
    found: dict[str, Rename] = {}
    for pair in _pairs(drift, kept):
        if pair.same_place and pair.old not in {each.old for each in found.values()}:
            words = f"{_look(pair)}: the type and the place are the same; the load compares the values"
            found.setdefault(pair.new, Rename(old=pair.old, new=pair.new, words=words))
    return list(found.values())


def key_pairs(drift: Drift, kept: Collection[str]) -> dict[str, str]:
    """Find columns of the primary key that may be renamed ones of the old key.

    Args:
        drift: the difference.
        kept: columns that were gone before.

    Returns:
        New names by old ones.
    """
    return {pair.old: pair.new for pair in _pairs(drift, kept) if _of_key(pair, drift)}


def found_renamed(
    connection: sa.Connection, table: sa.Table, stage: sa.Table, drift: Drift, kept: Collection[str]
) -> list[Rename]:
    """Find renamed columns by what rows hold.

    Args:
        connection: in the load's transaction.
        table: the warehouse's table, with the columns that it has there.
        stage: the staged rows.
        drift: the difference between both.
        kept: columns that were gone before.

    Returns:
        At most one for each column.
    """
    pairs = _pairs(drift, kept)
    rows = _Rows(connection=connection, table=table, stage=stage, drift=drift)
    key = {name: name for name in drift.wanted.key if name in drift.now.types}
    found: dict[str, Rename] = {}
    for pair in sorted(pairs, key=lambda each: (each.new not in drift.wanted.key, not each.same_place)):
        if pair.new in found or pair.old in {each.old for each in found.values()}:
            continue
        joined = {**key, pair.new: pair.old} if _of_key(pair, drift) else key
        why = rows.evidence(pair, joined if _whole(joined, drift) else {})
        if why:
            found[pair.new] = Rename(old=pair.old, new=pair.new, words=f"{_look(pair)}: {why}")
            key = joined
    return list(found.values())


@attrs.frozen(kw_only=True)
class _Rows:
    """The rows of both sides."""

    connection: sa.Connection
    table: sa.Table
    stage: sa.Table
    drift: Drift

    def evidence(self, pair: _Pair, key: Mapping[str, str]) -> str:
        """Say what shows that two columns are one; empty when they are not."""
        kind = self.drift.wanted.types[pair.new]
        by_place = (
            f"both are {kind}, at the same place, and no row tells them apart" if pair.same_place else ""
        )
        if not key:
            return by_place
        rows, equal, values = self._compared(pair, key)
        if not rows or (values <= 1 and equal == rows):
            return by_place
        if equal < _SHARE * rows:
            return ""
        return f"both are {kind}, and {equal:,} of {rows:,} rows hold the same there"

    def _compared(self, pair: _Pair, key: Mapping[str, str]) -> tuple[int, int, int]:
        """Count the rows that hold something in either column, those that hold the same, and different values."""
        some = sa.select(self.stage).limit(_LOOKED_AT).subquery("some")
        both = some.join(
            self.table, sa.and_(*(self.table.c[there] == some.c[name] for name, there in key.items()))
        )
        if pair.new in key:
            rows = self.connection.scalar(sa.select(sa.func.count()).select_from(some)) or 0
            equal = self.connection.scalar(sa.select(sa.func.count()).select_from(both)) or 0
            return rows, equal, equal
        kind = Named(self.drift.wanted.types[pair.new])
        old = sa.cast(sa.cast(self.table.c[pair.old], kind), sa.Text)
        new = sa.cast(some.c[pair.new], sa.Text)
        count = sa.func.count
        counts = sa.select(
            count().filter(sa.or_(old.is_not(None), new.is_not(None))),
            count().filter(old == new),
            count(sa.distinct(old)),
        ).select_from(both)
        rows, equal, values = self.connection.execute(counts).one()
        return rows, equal, values


def _pairs(drift: Drift, kept: Collection[str]) -> list[_Pair]:
    old = [name for name in drift.dropped if name not in OWN_COLUMNS and name not in kept]
    new = [name for name in drift.added if name not in OWN_COLUMNS]
    both = [name for name in drift.wanted.types if name in drift.there.types]
    return [
        _Pair(
            old=one,
            new=other,
            same_place=_before(one, drift.there.types, both) == _before(other, drift.wanted.types, both),
        )
        for other, one in _products(new, old)
        if _fits(drift.there.types[one], drift.wanted.types[other])
    ]


def _products(new: Sequence[str], old: Sequence[str]) -> Iterator[tuple[str, str]]:
    return ((one, other) for one in new for other in old)


def _fits(there: str, wanted: str) -> bool:
    return there == wanted or holds(wanted, there)


def _before(name: str, order: Collection[str], both: Collection[str]) -> str | None:
    """Give the column in front of one, of those that both sides have."""
    front = None
    for each in order:
        if each == name:
            return front
        if each in both:
            front = each
    return front


def _of_key(pair: _Pair, drift: Drift) -> bool:
    there, wanted = drift.there.key, drift.wanted.key
    return (
        len(there) == len(wanted)
        and pair.new in wanted
        and pair.old in there
        and wanted.index(pair.new) == there.index(pair.old)
    )


def _whole(key: Mapping[str, str], drift: Drift) -> bool:
    """Tell whether the columns of a key identify the rows on both sides."""
    return bool(key) and set(key) == set(drift.wanted.key) and set(key.values()) == set(drift.now.key)


def _look(pair: _Pair) -> str:
    return f"column `{pair.old}` looks renamed to `{pair.new}`"
