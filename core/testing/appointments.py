"""The table that strategies are tried on, and what differs between the source's and the warehouse's rows of it."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import attrs
import sqlalchemy as sa

from etlkit.contracts import Deletes, Differences, LoadPlan, Since, Where, Write
from etlkit.tables import INTEGER_TYPES, TEMPORAL_TYPES, TEXT_TYPES, Column
from etlkit.testing.contract import Database
from etlkit.testing.source_tables import both_engines, source_column
from etlkit.testing.tables import column

NAME = "appointment"
"""The table's name."""
KEY = ("AptNum",)
"""Its key, unless a test wants another one."""
LINES = (
    "AptNum bigint not null",
    "PatNum bigint not null",
    "AptDateTime datetime",
    "Note mediumtext",
    "Fee decimal(10,2)",
    "DateTStamp timestamp",
)
"""Its columns."""
COMPARED = tuple(column(line).name for line in LINES)
"""The columns that are compared; a row's first two tell it apart."""

Row = tuple[Any, ...]
Id = tuple[int, int]

_HOUR = dt.timedelta(hours=1)


@attrs.frozen(kw_only=True)
class Appointments:
    """The table in both databases."""

    source: sa.Engine
    """Whoever works in the practice."""
    warehouse: sa.Engine
    """Whoever reads the warehouse."""
    here: sa.Table
    """The source's table."""
    there: sa.Table
    """The warehouse's."""
    further: Sequence[Column]
    """Its further columns."""
    now: dt.datetime
    """The source's clock when the table was made, less an hour: all rows are of the past, and recent."""

    def add(
        self,
        numbers: Iterable[int],
        *,
        stamp: dt.datetime | Callable[[int], dt.datetime | None] | None,
        patient: int | None = None,
        note: str = "as it was",
    ) -> None:
        """Add rows in one statement.

        Args:
            numbers: their `AptNum`.
            stamp: their `DateTStamp`, or a function that gives it.
            patient: their `PatNum`; by default one of seven.
            note: their `Note`.
        """
        rows = [
            {
                "AptNum": number,
                "PatNum": number % 7 if patient is None else patient,
                "AptDateTime": self.now - dt.timedelta(minutes=number % 50),
                "Note": note,
                "Fee": number / 4,
                "DateTStamp": stamp(number) if callable(stamp) else stamp,
            }
            | {each.name: _filled(each, self.now) for each in self.further}
            for number in numbers
        ]
        with self.source.begin() as connection:
            connection.execute(sa.insert(self.here), rows)

    def clock(self) -> dt.datetime:
        """Give the source's time, to the second."""
        return _clock(self.source)

    def edit(self, *numbers: int, stamped: bool = True, note: str = "as it became") -> None:
        """Edit rows as a person would: `DateTStamp` becomes the moment of the edit, unless it is not stamped."""
        changed = {"Note": note, "DateTStamp": sa.func.now()} if stamped else {"Note": note}
        with self.source.begin() as connection:
            connection.execute(sa.update(self.here).where(self.here.c.AptNum.in_(numbers)).values(changed))

    def remove(self, *numbers: int) -> None:
        """Remove rows."""
        with self.source.begin() as connection:
            connection.execute(sa.delete(self.here).where(self.here.c.AptNum.in_(numbers)))

    def in_source(self) -> list[Row]:
        """Give the source's rows."""
        return _rows(self.source, self.here)

    def in_warehouse(self) -> list[Row]:
        """Give the warehouse's rows; none where the table is not there, those marked as gone left out."""
        if not sa.inspect(self.warehouse).has_table(NAME, schema="raw"):
            return []
        names = [each["name"] for each in sa.inspect(self.warehouse).get_columns(NAME, schema="raw")]
        marked = sa.column("_etlkit_deleted_at").is_(None) if "_etlkit_deleted_at" in names else sa.true()
        return _rows(self.warehouse, self.there, marked)

    def selected(self, read: Where) -> set[Id]:
        """Give the rows that a condition selects in the source now."""
        condition = read.condition(lambda name: self.here.c[name])
        with self.source.connect() as connection:
            found = connection.execute(sa.select(self.here.c.AptNum, self.here.c.PatNum).where(condition))
            return {(row[0], row[1]) for row in found}


@contextmanager
def appointments(
    source: Database,
    warehouse: Database,
    *,
    key: Sequence[str] = KEY,
    further: Sequence[str] = (),
    engine: str = "InnoDB",
) -> Iterator[Appointments]:
    """Make the table in the source.

    Args:
        source: where.
        warehouse: where it will be loaded to.
        key: the columns of its primary key; empty for none.
        further: further columns, each in one line.
        engine: its storage engine.

    Yields:
        The table, without rows.
    """
    here = sa.Table(
        NAME,
        sa.MetaData(),
        *(source_column(line, key) for line in (*LINES, *further)),
        sa.Index("stamp", "DateTStamp"),
        mysql_engine=engine,
        mysql_charset="utf8mb4",
    )
    there = sa.Table(NAME, sa.MetaData(), *_warehouse_columns(), schema="raw")
    with both_engines(source, warehouse) as (mine, theirs):
        here.create(mine)
        yield Appointments(
            source=mine,
            warehouse=theirs,
            here=here,
            there=there,
            further=tuple(column(line) for line in further),
            now=_clock(mine) - _HOUR,
        )


@attrs.frozen(kw_only=True)
class Difference:
    """A row that is not in the warehouse as the plan promised."""

    what: str
    """`missing`, `twice`, `stale` or `too many`."""
    rows: tuple[Id, ...]
    """`AptNum` and `PatNum` of such rows."""


def differences(
    before: Collection[Row],
    here: Collection[Row],
    there: Collection[Row],
    plan: LoadPlan,
    chosen: Collection[Id],
) -> Iterator[Difference]:
    """Compare what a load left in the warehouse with what its plan promised.

    Args:
        before: the warehouse's rows before the load.
        here: the source's rows.
        there: the warehouse's rows after it.
        plan: what was carried out.
        chosen: the rows that the plan's condition selects, where it has one and keeps no cursor.

    Yields:
        What differs.
    """
    counted, expected = Counter(there), Counter(here)
    twice = [_id(row) for row in counted if counted[row] > max(1, expected[row])]
    ids = Counter(_id(row) for row in there)
    wanted = Counter(_id(row) for row in here)
    twice += [each for each in ids if ids[each] > max(1, wanted[each]) and each not in twice]
    if twice:
        yield Difference(what="twice", rows=tuple(sorted(twice)))
    old = {_id(row): row for row in before}
    promised = [_id(row) for row in here if _promised(plan, row, old, chosen)]
    missing = [_id(row) for row in expected if ids[_id(row)] < wanted[_id(row)] and _id(row) in promised]
    # Rows that were there before stay there, whatever is read.
    missing += [
        _id(row) for row in here if _id(row) in old and ids[_id(row)] == 0 and _id(row) not in promised
    ]
    if missing:
        yield Difference(what="missing", rows=tuple(sorted(set(missing))))
    stale = [
        _id(row)
        for row in expected
        if ids[_id(row)] and counted[row] == 0 and (_id(row) in promised or old.get(_id(row)) not in counted)
    ]
    if stale:
        yield Difference(what="stale", rows=tuple(sorted(stale)))
    if is_whole(plan) and plan.deletes is Deletes.HARD:
        gone = sorted(each for each in ids if each not in wanted)
        if gone:
            yield Difference(what="too many", rows=tuple(gone))


def is_whole(plan: LoadPlan) -> bool:
    """Tell whether the warehouse equals the source after a plan's load."""
    return plan.write is Write.REPLACE or isinstance(plan.read, Differences)


def _promised(plan: LoadPlan, row: Row, old: Mapping[Id, Row], chosen: Collection[Id]) -> bool:
    """Tell whether a plan's load brings a row, as the test changed it, into the warehouse."""
    new = _id(row) not in old
    if is_whole(plan):
        return True
    if plan.write is Write.APPEND and not new:
        return False
    cursor = plan.cursor or (plan.read.column if isinstance(plan.read, Since) else None)
    if cursor is None:
        return not isinstance(plan.read, Where) or _id(row) in chosen
    kinds = {each.name: each.data_type for each in map(column, LINES)}
    if kinds.get(cursor) in INTEGER_TYPES:
        # Numbers tell what is new, not what was edited, and only behind the last one.
        place = COMPARED.index(cursor)
        return new and all(row[place] > each[place] for each in old.values())
    return True


def _id(row: Row) -> Id:
    return row[0], row[1]


def _clock(engine: sa.Engine) -> dt.datetime:
    with engine.connect() as connection:
        return connection.execute(sa.select(sa.func.now())).scalar_one()


def _warehouse_columns() -> list[sa.Column[Any]]:
    types: tuple[sa.types.TypeEngine[Any], ...] = (
        sa.BigInteger(),
        sa.BigInteger(),
        sa.DateTime(),
        sa.Text(),
        sa.Numeric(),
        sa.DateTime(timezone=True),
    )
    return [sa.Column(name, kind) for name, kind in zip(COMPARED, types, strict=True)]


def _rows(engine: sa.Engine, of: sa.Table, *conditions: sa.ColumnElement[bool]) -> list[Row]:
    # Both sides print a row in the same way, whatever the time zones of the two servers are.
    when: sa.ColumnElement[Any]
    stamp: sa.ColumnElement[Any]
    if engine.dialect.name == "mysql":
        when = sa.func.date_format(of.c.AptDateTime, sa.literal_column("'%Y-%m-%d %H:%i:%s'"))
        stamp = sa.func.unix_timestamp(of.c.DateTStamp)
    else:
        when = sa.func.to_char(of.c.AptDateTime, sa.literal_column("'YYYY-MM-DD HH24:MI:SS'"))
        stamp = sa.cast(sa.extract("epoch", of.c.DateTStamp), sa.BigInteger)
    statement = sa.select(of.c.AptNum, of.c.PatNum, when, of.c.Note, of.c.Fee, stamp).where(*conditions)
    with engine.connect() as connection:
        return sorted((tuple(row) for row in connection.execute(statement)), key=repr)


def _filled(of: Column, now: dt.datetime) -> Any:
    if of.data_type in TEMPORAL_TYPES:
        return now.date() if of.data_type == "date" else now
    return "1" if of.data_type in TEXT_TYPES else 1
