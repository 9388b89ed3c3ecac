"""What the practice's tables are described with: a table, its columns, and where its values come from."""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Callable, Mapping

import attrs
import sqlalchemy
from sqlalchemy.types import UserDefinedType

LARGEST_KEY = 2**63
"""Random keys lie below it, as Open Dental's do for practices that replicate."""


@attrs.frozen(kw_only=True)
class Batch:
    """Rows of one table that are made together, one column at a time."""

    table: str
    """Name of the table."""

    numbers: range
    """Numbers of the rows in their table, from 0."""

    chance: random.Random
    """Decides; seeded for this column of this batch, so that a new column changes no other."""

    rows: Mapping[str, int]
    """How many rows each table of the practice has."""

    tables: Mapping[str, TableShape]
    """The practice's tables by name."""

    today: dt.date | None = None
    """The day on which the rows are written; None for the practice's history."""

    @property
    def count(self) -> int:
        """How many rows there are."""
        return len(self.numbers)

    def own_key(self, number: int) -> int:
        """Give the key of a row of this table by its number."""
        return self.tables[self.table].key_numbers(number)


Values = Callable[[Batch], list[str]]
"""Makes one column of a batch, each value as LOAD DATA reads it."""


@attrs.frozen(kw_only=True)
class ColumnShape:
    """One column."""

    name: str
    """Name as Open Dental spells it."""

    type: str
    """Type as MySQL spells it."""

    values: Values
    """Where its values come from."""

    nullable: bool = False
    """Whether NULL is allowed; Open Dental rarely does."""

    default: str | None = None
    """Default as MySQL spells it, ON UPDATE included."""

    hexadecimal: bool = False
    """Whether the values are written as hexadecimal digits of bytes."""

    @property
    def stamps_itself(self) -> bool:
        """Whether the server sets the column by itself on each change."""
        return self.default is not None and "on update" in self.default


@attrs.frozen(kw_only=True)
class TableShape:
    """One table."""

    name: str
    """Name, in lower case as everywhere in Open Dental."""

    rows: int
    """Rows at scale 1."""

    columns: tuple[ColumnShape, ...]
    """The columns in their order."""

    key: tuple[str, ...]
    """Columns of the primary key; empty for a table without one."""

    indexes: tuple[str, ...]
    """Further indexes: column names, separated by blanks when there are several."""

    fixed: bool = False
    """Whether the table has the same number of rows in a large practice."""

    key_numbers: Callable[[int], int]
    """The key of a row by its number, where the key is one number."""

    def column(self, name: str) -> ColumnShape:
        """Give a column by its name."""
        return next(each for each in self.columns if each.name == name)

    def build(self, metadata: sqlalchemy.MetaData, engine: str) -> sqlalchemy.Table:
        """Describe the table to SQLAlchemy.

        Args:
            metadata: Receives the table.
            engine: Storage engine, `MyISAM` or `InnoDB`.
        """
        # A table's own character set has no emoji, as in most practices; its notes name utf8mb4.
        built = sqlalchemy.Table(
            self.name, metadata, *map(self._built, self.columns), mysql_engine=engine, mysql_charset="utf8"
        )
        for index in self.indexes:
            names = index.split()
            sqlalchemy.Index("_".join(names), *(built.c[name] for name in names))
        return built

    def _built(self, column: ColumnShape) -> sqlalchemy.Column[object]:
        return sqlalchemy.Column(
            column.name,
            _Written(column.type),
            primary_key=column.name in self.key,
            autoincrement=False,
            nullable=column.nullable,
            server_default=None if column.default is None else sqlalchemy.text(column.default),
        )


class _Written(UserDefinedType[object]):
    """A type that is spelled in a table's shape."""

    cache_ok = True

    def __init__(self, spelling: str) -> None:
        self.spelling = spelling

    def get_col_spec(self, **_: object) -> str:
        """Give the type's text for DDL."""
        return self.spelling


def every_number(number: int) -> int:
    """Give the key of a row in a table that nothing was deleted from."""
    return number + 1


def with_gaps(number: int) -> int:
    """Give the key of a row in a table that rows were deleted from."""
    return number + 1 + number // 9 + 40 * (number // 1000)


def at_random(number: int) -> int:
    """Give a random-looking key of up to 19 digits; two rows never share one."""
    return (number + 1) * 6364136223846793005 % LARGEST_KEY


def table(
    name: str,
    rows: int,
    *columns: ColumnShape,
    key: str | None = None,
    indexes: tuple[str, ...] = (),
    fixed: bool = False,
    keys: Callable[[int], int] = every_number,
) -> TableShape:
    """Describe a table.

    Args:
        name: Its name.
        rows: Rows at scale 1.
        columns: Its columns in order.
        key: Columns of the primary key, separated by blanks; None for the first column, '' for no key.
        indexes: Further indexes.
        fixed: Whether a larger practice has no more of these rows.
        keys: The key of a row by its number.
    """
    return TableShape(
        name=name,
        rows=rows,
        columns=columns,
        key=(columns[0].name,) if key is None else tuple(key.split()),
        indexes=indexes,
        fixed=fixed,
        key_numbers=keys,
    )


def column(spelled: str, values: Values) -> ColumnShape:
    """Describe a column.

    Args:
        spelled: Name, type and, where it may be NULL, the word `null`: `Note text null`.
        values: Where its values come from.
    """
    name, kind = spelled.split(" ", 1)
    nullable = kind.endswith(" null")
    kind = kind.removesuffix(" null")
    if "text" in kind:
        kind += " character set utf8mb4"
    return ColumnShape(
        name=name,
        type=kind,
        values=values,
        nullable=nullable,
        default=_usual_default(kind, nullable=nullable),
        hexadecimal="blob" in kind,
    )


def stamp(name: str, values: Values) -> ColumnShape:
    """Describe a timestamp that the server sets on each change, such as `DateTStamp`.

    Args:
        name: The column.
        values: What it holds before anything changes.
    """
    default = "current_timestamp on update current_timestamp"
    return ColumnShape(name=name, type="timestamp", values=values, default=default)


def _usual_default(kind: str, *, nullable: bool) -> str | None:
    """Give the default that Open Dental's columns of a type have."""
    if nullable or "text" in kind or "blob" in kind or "auto_increment" in kind:
        return None
    first = kind.split("(", maxsplit=1)[0].split(maxsplit=1)[0]
    usual = {
        "varchar": "''",
        "char": "''",
        "date": "'0001-01-01'",
        "datetime": "'0001-01-01 00:00:00'",
        "time": "'00:00:00'",
        "timestamp": "current_timestamp",
    }
    return usual.get(first, "0")
