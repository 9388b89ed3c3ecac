"""How generated rows get into a MySQL or MariaDB: LOAD DATA LOCAL, in batches."""

from __future__ import annotations

import datetime as dt
import random
import re
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import attrs
import sqlalchemy
from sqlalchemy.engine import Connection, Engine, make_url

from etlkit.demo.practice.shape import Batch, ColumnShape, TableShape
from etlkit.demo.practice.tables import TABLES
from etlkit.demo.practice.values import NULL
from etlkit.errors import PrivateServerError

BATCH_ROWS = 10_000
"""Rows that are made at once."""

_ESCAPED = re.compile(r"\\(.)")
_MEANINGS = {"t": "\t", "n": "\n", "r": "\r"}


def practice_engine(url: str) -> Engine:
    """Connect to the practice's database.

    Args:
        url: `mysql://user:password@host:port/database`.

    Returns:
        An engine whose sessions are in UTC and may load local files.
    """
    parts = make_url(url).set(drivername="mysql+pymysql").update_query_dict({"charset": "utf8mb4"})
    return sqlalchemy.create_engine(
        parts,
        hide_parameters=True,
        connect_args={
            "local_infile": True,
            # Open Dental works without strict mode; a value that does not fit is noticed by its warning.
            "init_command": "set session time_zone = '+00:00', session sql_mode = ''",
        },
    )


@attrs.frozen(kw_only=True)
class Source:
    """Where rows come from: what decides about them, and what they refer to."""

    seed: str
    """What makes the chances of this practice, or this day, different from another's."""

    rows: Mapping[str, int]
    """How many rows each table had when the practice was created."""

    today: dt.date | None = None
    """The day on which the rows are written; None for the practice's history."""

    def batch(self, table: str, numbers: range, column: str) -> Batch:
        """Describe rows of which one column is made next.

        Args:
            table: The table.
            numbers: Numbers of the rows.
            column: The column; its chances depend on its name, not on the other columns.
        """
        chance = random.Random(f"{self.seed}:{table}:{column}:{numbers.start}")  # noqa: S311 - no secrets
        return Batch(
            table=table, numbers=numbers, chance=chance, rows=self.rows, tables=TABLES, today=self.today
        )

    def columns(self, table: TableShape, columns: Sequence[ColumnShape], numbers: range) -> list[list[str]]:
        """Make some columns of some rows.

        Args:
            table: The table.
            columns: Those of its columns that are made.
            numbers: Numbers of the rows.

        Returns:
            For each column the values of its rows, as LOAD DATA reads them.
        """
        return [column.values(self.batch(table.name, numbers, column.name)) for column in columns]


def load_rows(
    connection: Connection, source: Source, table: TableShape, columns: Sequence[ColumnShape], numbers: range
) -> None:
    """Make rows and load them.

    Args:
        connection: A connection of `practice_engine`.
        source: Where the rows come from.
        table: The table.
        columns: The columns that are written; the server fills in the others.
        numbers: Numbers of the rows.

    Raises:
        PrivateServerError: The server did not take every value as it was written.
    """
    statement = _load_statement(connection, table, columns)
    with tempfile.TemporaryDirectory(prefix="etlkit-practice-") as folder:
        for part in _parts(numbers):
            file = Path(folder, "rows")
            lines = map("\t".join, zip(*source.columns(table, columns, part), strict=True))
            file.write_text("\n".join(lines) + "\n", encoding="utf-8", newline="\n")
            result = connection.exec_driver_sql(statement, (str(file),))
            warnings = connection.exec_driver_sql("show warnings limit 3").all()
            if result.rowcount != len(part) or warnings:
                # The generated values are nobody's, so the server's own words may be shown.
                raise PrivateServerError(
                    f"The table {table.name} took {result.rowcount} of {len(part)} generated rows: {warnings}"
                )


def plain_value(text: str) -> str | None:
    """Read a value that was written for LOAD DATA.

    Args:
        text: The value as `Values` make it.

    Returns:
        The value itself; None is NULL.
    """
    if text == NULL:
        return None
    return _ESCAPED.sub(lambda match: _MEANINGS.get(match[1], match[1]), text)


def _parts(numbers: range) -> Iterator[range]:
    for start in range(numbers.start, numbers.stop, BATCH_ROWS):
        yield range(start, min(start + BATCH_ROWS, numbers.stop))


def _load_statement(connection: Connection, table: TableShape, columns: Sequence[ColumnShape]) -> str:
    quote = connection.dialect.identifier_preparer.quote_identifier
    targets, conversions = [], []
    for number, column in enumerate(columns):
        if column.hexadecimal:
            targets.append(f"@h{number}")
            conversions.append(f"{quote(column.name)} = unhex(@h{number})")
        else:
            targets.append(quote(column.name))
    return (
        f"load data local infile %s into table {quote(table.name)} character set utf8mb4 "
        f"({', '.join(targets)}){' set ' + ', '.join(conversions) if conversions else ''}"
    )
