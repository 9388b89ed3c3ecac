"""The statements that find where a chunk ends: pure functions to SQLAlchemy Core."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Select, TableClause, bindparam, func, literal_column, select
from sqlalchemy.dialects.mysql.pymysql import MySQLDialect_pymysql

from etlkit.transfer.chunk_queries import Condition, all_of
from etlkit.transfer.keys import Keyset
from etlkit.transfer.rendering import RenderedTable

ROWS_BEFORE = "rows_before"
"""Names the parameter of `boundary_statement` for the rows before the one that is asked for."""

_PREPARER = MySQLDialect_pymysql().identifier_preparer


def boundary_statement(
    keyset: Keyset, conditions: Sequence[Condition | None], index: str | None = None
) -> Select[Any]:
    """Ask for the key of the last row of the next chunk.

    Args:
        keyset: the key.
        conditions: what limits the rows, such as the key they must lie behind.
        index: the index by which they are found; None for the server's own choice.

    Returns:
        A SELECT of one row, or of none when fewer rows are left; `ROWS_BEFORE` is the chunk's rows less one.
    """
    keys = keyset.expressions()
    statement = (
        select(*keys)
        .select_from(keyset.source)
        .where(*all_of(conditions))
        .order_by(*keys)
        .limit(literal_column("1"))
        .offset(bindparam(ROWS_BEFORE))
    )
    return statement if index is None else _by(index, statement, keyset.source)


def counting_statement(
    rendered: RenderedTable, conditions: Sequence[Condition | None], index: str, most: int
) -> Select[Any]:
    """Ask how many rows there are.

    Args:
        rendered: the table.
        conditions: which rows.
        index: the index by which they are found.
        most: count no further.

    Returns:
        A SELECT of one row.
    """
    rows: Select[Any] = select(literal_column("1")).select_from(rendered.source).where(*all_of(conditions))
    counted = _by(index, rows, rendered.source).limit(literal_column(str(most))).subquery("counted")
    return select(func.count()).select_from(counted)


def _by(index: str, statement: Select[Any], table: TableClause) -> Select[Any]:
    # SQLAlchemy fills a hint in by `%`, after which the driver takes a doubled percent sign for one.
    quoted = _PREPARER.quote_identifier(index).replace("%", "%%")
    return statement.with_hint(table, f"FORCE INDEX ({quoted})", "mysql")


def last_key_statement(keyset: Keyset) -> Select[Any]:
    """Ask for the greatest key of a table whose key is one column.

    Args:
        keyset: the key.

    Returns:
        A SELECT of one row; SQL NULL for an empty table.
    """
    [key] = keyset.expressions()
    return select(func.max(key)).select_from(keyset.source)
