"""Lets a day pass in the practice: people come, pay and call, and the office edits and deletes.

The server stamps what is edited by itself, with its own clock unless another one is given.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping

import attrs
import sqlalchemy
from sqlalchemy.engine import Connection

from etlkit.demo.practice.create import read_practice, write_practice
from etlkit.demo.practice.load import Source, load_rows, plain_value, practice_engine
from etlkit.demo.practice.tables import TABLES
from etlkit.demo.practice.values import LAST_DAY
from etlkit.errors import PrivateServerError

INSERTS = {
    "patient": 6,
    "patientnote": 6,
    "appointment": 45,
    "histappointment": 30,
    "procedurelog": 90,
    "procnote": 35,
    "commlog": 40,
    "payment": 30,
    "paysplit": 55,
    "claim": 20,
    "claimproc": 50,
    "clockevent": 24,
    "emailmessage": 8,
    "sheetfield": 12,
    "walkinlist": 3,
    "securitylog": 220,
}
"""Rows that each day adds."""

EDITS: Mapping[str, tuple[int, tuple[str, ...]]] = {
    "patient": (20, ("Address", "EstBalance", "TxtMsgOk", "AddrNote")),
    "patientnote": (12, ("Medical", "Treatment")),
    "appointment": (60, ("AptStatus", "Confirmed", "Note", "DateTimeArrived")),
    "procedurelog": (70, ("ProcStatus", "ProcFee", "ProvNum")),
    "claim": (25, ("ClaimStatus", "DateReceived", "InsPayAmt")),
    "claimproc": (40, ("Status", "InsPayAmt", "Remarks")),
    "recall": (30, ("DateDue", "DateScheduled", "Note")),
    "commlog": (6, ("Note",)),
    "definition": (2, ("ItemValue", "IsHidden")),
    "employee": (3, ("ClockStatus",)),
}
"""Rows that each day edits, and the columns that are written; `definition` and `employee` have no stamp."""

DELETES = {"appointment": 3, "commlog": 2, "paysplit": 4, "recall": 2, "sheetfield": 5}
"""Rows that each day deletes, as far as they are still there."""


@attrs.frozen(kw_only=True)
class Change:
    """What a day did to one table."""

    table: str
    """Name of the table."""

    inserted: int = 0
    """Rows added."""

    edited: int = 0
    """Rows written again; some to the values they already had."""

    deleted: int = 0
    """Rows deleted."""


@attrs.frozen(kw_only=True)
class Day:
    """A day that has passed."""

    number: int
    """1 for the first day after the practice was created."""

    date: dt.date
    """The day in the practice's calendar."""

    changes: tuple[Change, ...]
    """What it did, by table."""


def let_day_pass(url: str, *, deletes: bool = True, clock: dt.datetime | None = None) -> Day:
    """Insert, edit and delete what a day brings; the same day brings the same to equal practices.

    Args:
        url: `mysql://user:password@host:port/database` of a practice.
        deletes: Whether rows are deleted too.
        clock: What the server's clock shall say while it stamps rows; None for its own clock.

    Returns:
        The day.

    Raises:
        PrivateServerError: The database has no practice.
    """
    practice = read_practice(url)
    if practice is None:
        raise PrivateServerError("There is no practice in this database yet; create one first.")
    number = practice.day + 1
    date = LAST_DAY + dt.timedelta(days=number)
    source = Source(seed=f"{practice.seed}:day {number}", rows=practice.rows, today=date)
    engine = practice_engine(url)
    changes: dict[str, Change] = {}
    try:
        with engine.begin() as connection:
            if clock is not None:
                # The server then believes in this clock, for this connection only.
                connection.exec_driver_sql("set timestamp = %s", (int(clock.timestamp()),))
            for table, rows in INSERTS.items():
                _insert(connection, source, table, range(rows), practice.day)
                changes[table] = Change(table=table, inserted=rows)
            for table, (rows, columns) in EDITS.items():
                before = changes.get(table, Change(table=table))
                changes[table] = attrs.evolve(before, edited=_edit(connection, source, table, rows, columns))
            for table, rows in DELETES.items() if deletes else ():
                before = changes.get(table, Change(table=table))
                changes[table] = attrs.evolve(before, deleted=_delete(connection, source, table, rows))
        write_practice(engine, attrs.evolve(practice, day=number))
    finally:
        engine.dispose()
    return Day(number=number, date=date, changes=tuple(changes.values()))


def _insert(connection: Connection, source: Source, name: str, rows: range, days_before: int) -> None:
    table = TABLES[name]
    first = source.rows[name] + days_before * len(rows)
    columns = [column for column in table.columns if not column.stamps_itself]
    load_rows(connection, source, table, columns, range(first, first + len(rows)))


def _edit(connection: Connection, source: Source, name: str, rows: int, columns: tuple[str, ...]) -> int:
    table = TABLES[name]
    (key,) = table.key
    keys = _chosen_keys(source, name, rows, "edit")
    made = source.columns(table, [table.column(each) for each in columns], range(len(keys)))
    target = sqlalchemy.table(name, *map(sqlalchemy.column, (key, *columns)))
    statement = (
        target.update()
        .where(target.c[key] == sqlalchemy.bindparam("of_key"))
        .values({each: sqlalchemy.bindparam(f"new_{each}") for each in columns})
    )
    values = [
        {"of_key": own, **{f"new_{each}": plain_value(text) for each, text in zip(columns, row, strict=True)}}
        for own, row in zip(keys, zip(*made, strict=True), strict=True)
    ]
    return connection.execute(statement, values).rowcount


def _delete(connection: Connection, source: Source, name: str, rows: int) -> int:
    (key,) = TABLES[name].key
    target = sqlalchemy.table(name, sqlalchemy.column(key))
    keys = _chosen_keys(source, name, rows, "delete")
    return connection.execute(target.delete().where(target.c[key].in_(keys))).rowcount


def _chosen_keys(source: Source, name: str, rows: int, why: str) -> list[int]:
    """Choose among the rows that the practice was created with; one that is gone stays gone."""
    numbers = range(source.rows[name])
    chosen = source.batch(name, numbers, why).chance.sample(numbers, min(rows, len(numbers)))
    return [TABLES[name].key_numbers(number) for number in chosen]
