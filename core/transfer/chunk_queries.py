"""The statements that read a table: pure functions from a plan to SQLAlchemy Core."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any

import attrs
from sqlalchemy import ColumnElement, Select, cast, func, literal, literal_column, or_, select
from sqlalchemy import String as Characters
from sqlalchemy.dialects.mysql.pymysql import MySQLDialect_pymysql

from etlkit.contracts import Differences, Everything, Read, Since, Where
from etlkit.errors import PlanRefused
from etlkit.raising import raise_alone
from etlkit.tables import INTEGER_TYPES, TEMPORAL_TYPES, Column, TableAnalysis
from etlkit.transfer.keys import comparable
from etlkit.transfer.rendering import RenderedTable

_DIALECT = MySQLDialect_pymysql()
Condition = ColumnElement[bool]


@attrs.frozen(kw_only=True)
class Prepared:
    """A statement compiled once, to be run with one key after the other."""

    text: str
    """With `%s` for parameters and every other percent sign doubled."""
    names: tuple[str, ...]
    """The parameters in order."""
    given: Mapping[str, Any]
    """The values that the statement brought with it, by name."""

    @classmethod
    def of(cls, statement: Select[Any]) -> Prepared:
        """Compile a statement for a raw PyMySQL cursor.

        Args:
            statement: any SELECT.

        Returns:
            The statement's text; compiling takes longer than fetching a small chunk.
        """
        done = statement.compile(dialect=_DIALECT, compile_kwargs={"render_postcompile": True})
        return cls(text=str(done), names=tuple(done.positiontup or ()), given=done.params)

    def parameters(self, values: Mapping[str, Any]) -> tuple[Any, ...]:
        """Give the parameters in the order of the text.

        Args:
            values: by name, those that the statement did not bring with it.

        Returns:
            One value for each `%s`.
        """
        return tuple(values[name] if name in values else self.given[name] for name in self.names)


def condition_of(read: Read, analysis: TableAnalysis, rendered: RenderedTable) -> Condition | None:
    """Build the condition that a plan's reading puts on rows.

    Args:
        read: what the plan reads.
        analysis: the table.
        rendered: the table in a statement.

    Returns:
        The condition; None for every row.

    Raises:
        PlanRefused: the plan names a column that the table does not have, or a watermark of another type.
    """
    match read:
        case Everything() | Differences():
            return None
        case Where():
            return read.condition(lambda name: rendered.source.c[_column(analysis, name).name])
        case Since():
            return _since(read, _column(analysis, read.column), rendered)


def cursor_is_number(column: Column) -> bool:
    """Tell whether a cursor's watermark is a number; else it is a point in time.

    Args:
        column: the cursor.

    Returns:
        True for integers, False for dates and times.

    Raises:
        PlanRefused: the column is neither.
    """
    if column.data_type in INTEGER_TYPES:
        return True
    if column.data_type in TEMPORAL_TYPES:
        return False
    raise PlanRefused(
        f"column `{column.name}` is a {column.data_type} and cannot be a cursor; only integers, dates and times can"
    )


def _since(read: Since, column: Column, rendered: RenderedTable) -> Condition:
    value = rendered.source.c[column.name]
    if cursor_is_number(column):
        newer = value >= _number(column, read.watermark) - read.lookback
    else:
        newer = value >= literal(comparable(column, earlier(read.watermark, read.lookback)))
    # Rows that no clock has stamped yet can change unnoticed, so they are read every time.
    return or_(newer, value.is_(None)) if column.nullable else newer


def _number(column: Column, watermark: str) -> int:
    try:
        return int(watermark)
    except ValueError:
        raise_alone(
            PlanRefused(
                f"cursor `{column.name}` is a number, but the stored watermark is not; "
                "load the table with --full-refresh once"
            )
        )


def earlier(watermark: str, seconds: int) -> str:
    """Go back behind a watermark.

    Args:
        watermark: a date or time as the server printed it.
        seconds: how far.

    Returns:
        The earlier time in the same spelling; the watermark itself where there is no such time (`0000-00-00`).
    """
    try:
        return str(dt.datetime.fromisoformat(watermark) - dt.timedelta(seconds=seconds))
    except (ValueError, OverflowError):
        return watermark


def _column(analysis: TableAnalysis, name: str) -> Column:
    column = analysis.column(name)
    if column is None:
        raise PlanRefused(
            f"table `{analysis.name}` has no column `{name}`; run `etlkit analyze` if it is new"
        )
    return column


def all_of(conditions: Sequence[Condition | None]) -> list[Condition]:
    """Drop the conditions that are not there.

    Args:
        conditions: some of them None.

    Returns:
        The others, in order.
    """
    return [condition for condition in conditions if condition is not None]


def packed_statement(
    rendered: RenderedTable, cursor: str | None, conditions: Sequence[Condition | None]
) -> Select[Any]:
    """Ask for a whole chunk as one value.

    Args:
        rendered: the table.
        cursor: the column whose greatest value is asked for as well.
        conditions: which rows.

    Returns:
        A SELECT of one row: the framed rows, their number, and the greatest cursor as text.
    """
    return (
        select(rendered.rows(), func.count(), greatest(rendered, cursor))
        .select_from(rendered.source)
        .where(*all_of(conditions))
    )


def cursor_statement(
    rendered: RenderedTable, cursor: str, conditions: Sequence[Condition | None]
) -> Select[Any]:
    """Ask for the greatest cursor of some rows alone.

    Args:
        rendered: the table.
        cursor: the column.
        conditions: which rows.

    Returns:
        A SELECT of one row; SQL NULL where there is none.
    """
    statement = select(greatest(rendered, cursor)).select_from(rendered.source)
    return statement.where(*all_of(conditions))


def greatest(rendered: RenderedTable, cursor: str | None) -> ColumnElement[Any]:
    """Ask for the greatest value of the cursor, as the server prints it.

    Args:
        rendered: the table.
        cursor: the column, or None.

    Returns:
        An aggregate; SQL NULL without a cursor.
    """
    if cursor is None:
        return literal_column("NULL")
    return cast(func.max(rendered.source.c[cursor]), Characters)


def rows_statement(
    rendered: RenderedTable, conditions: Sequence[Condition | None], limit: int | None = None
) -> Select[Any]:
    """Ask for rows, each rendered into one framed value.

    Args:
        rendered: the table.
        conditions: which rows.
        limit: at most so many.

    Returns:
        A SELECT of one column.
    """
    statement = select(rendered.row()).select_from(rendered.source).where(*all_of(conditions))
    return statement if limit is None else statement.limit(literal_column(str(limit)))


def fields_statement(
    rendered: RenderedTable,
    cursor: str | None,
    conditions: Sequence[Condition | None],
    limit: int | None = None,
) -> Select[Any]:
    """Ask for rows field by field, for rows too large to be one value; bytes come as they are, not as their digits.

    Args:
        rendered: the table.
        cursor: the column that is selected as text behind the fields.
        conditions: which rows.
        limit: at most so many.

    Returns:
        A SELECT of one column per field, and the cursor (or NULL).
    """
    fields = [each.expression if each.raw is None else each.raw for each in rendered.columns]
    last = literal_column("NULL") if cursor is None else cast(rendered.source.c[cursor], Characters)
    statement = select(*fields, last).select_from(rendered.source).where(*all_of(conditions))
    return statement if limit is None else statement.limit(literal_column(str(limit)))


def now_or_greatest_statement(rendered: RenderedTable, cursor: Column) -> Select[Any]:
    """Ask the server where a cursor stands: what time it is on its clock, or which number is the greatest.

    Args:
        rendered: the table.
        cursor: its cursor. TIMESTAMP is UTC in our sessions, other times are the server's wall clock.

    Returns:
        A SELECT of one row.
    """
    if cursor_is_number(cursor):
        return select(greatest(rendered, cursor.name)).select_from(rendered.source)
    utc = func.utc_timestamp(literal_column("6"))
    if cursor.data_type == "timestamp":
        return select(cast(utc, Characters))
    zone: ColumnElement[Any] = literal_column("@@global.time_zone")
    return select(cast(func.convert_tz(utc, literal_column("'+00:00'"), zone), Characters))


LIMITS = "SELECT @@max_allowed_packet, @@group_concat_max_len"
"""Asks how many bytes one value, and one GROUP_CONCAT, may have on this connection."""
SNAPSHOT = "START TRANSACTION WITH CONSISTENT SNAPSHOT"
"""From here on an InnoDB table is read as of one instant; MyISAM takes no notice."""
END_SNAPSHOT = "COMMIT"
"""Lets the snapshot go."""
