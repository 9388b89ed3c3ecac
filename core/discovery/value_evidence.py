"""What a table's values say of the conversions that would make something else of them: one question per table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import attrs
from sqlalchemy import Select, case, column, func, literal_column, null, quoted_name, select, table

from etlkit.discovery.claims import Claim
from etlkit.discovery.ddl import Place
from etlkit.discovery.trouble import told_plainly
from etlkit.errors import SchemaDiscoveryError
from etlkit.tables import TableAnalysis

MOST_ROWS = 500_000
"""Rows that are looked at where writers wait for who reads; half a second on a slow server."""
MOST_BYTES = 128 * 1024 * 1024
"""Bytes that these rows may have."""

_NOBODY_WAITS = frozenset({"InnoDB"})


@attrs.frozen(kw_only=True)
class Evidence:
    """What was found among a table's values."""

    rows: int = 0
    """Rows that were looked at."""
    whole: bool = True
    """Whether these were all rows of the table."""
    outside: Mapping[str, int] = attrs.field(factory=dict)
    """By column, how many values (NULL aside) its conversion does not accept."""
    trouble: str | None = None
    """Why the values could not be looked at; None when they were."""


def look_at_values(place: Place, analysis: TableAnalysis, claims: Sequence[Claim]) -> Evidence:
    """Ask the source how many values lie outside what conversions accept; one statement, none without need.

    On engines whose writers wait for who reads, only the first rows of a large table are looked at.

    Args:
        place: the source.
        analysis: the table.
        claims: on its columns.

    Returns:
        What was found. A server that refuses to tell is no failure of the analysis: nothing is proven then.

    Raises:
        ConnectionFailed: the server cannot be reached.
        PluginError: a conversion failed.
    """
    proving = [each for each in claims if each.has_proof]
    if not proving:
        return Evidence()
    if analysis.row_count_exact and not analysis.row_count:
        return Evidence()
    limit = rows_to_look_at(analysis)
    query = evidence_statement(place.database, analysis.name, proving, limit)
    doing = f"looking at the values of `{place.database}`.`{analysis.name}`"
    try:
        with told_plainly(place.engine, place.database, doing), place.engine.connect() as connection:
            rows, *counts = connection.execute(query).one()
    except SchemaDiscoveryError as error:
        return Evidence(whole=False, trouble=error.args[0])
    return Evidence(
        rows=int(rows),
        whole=limit is None or int(rows) < limit,
        outside={each.column.name: int(count) for each, count in zip(proving, counts, strict=True)},
    )


def rows_to_look_at(analysis: TableAnalysis) -> int | None:
    """Tell how many rows of a table may be looked at by one statement.

    Args:
        analysis: the table.

    Returns:
        Rows; None for all of them.
    """
    if analysis.engine in _NOBODY_WAITS:
        return None
    if analysis.row_count < MOST_ROWS and analysis.data_bytes <= MOST_BYTES:
        return None
    by_size = analysis.row_count * MOST_BYTES // max(1, analysis.data_bytes)
    return max(1, min(MOST_ROWS, by_size))


def evidence_statement(
    database: str, name: str, claims: Sequence[Claim], limit: int | None = None
) -> Select[Any]:
    """Ask how many rows there are, and per claim, how many values its conversion does not accept.

    Args:
        database: the table's database.
        name: the table.
        claims: each with a conversion that says what it accepts.
        limit: look at the first so many rows only; None for all.

    Returns:
        A SELECT of one row: the rows looked at, then a number for each claim.

    Raises:
        PluginError: a conversion failed.
    """
    names = [quoted_name(each.column.name, quote=True) for each in claims]
    source = table(
        quoted_name(name, quote=True),
        *(column(each) for each in names),
        schema=quoted_name(database, quote=True),
    )
    looked_at = source if limit is None else select(*source.c).limit(limit).subquery("looked_at")
    refused = [
        # In the order of a load's own proof: NULL is no value, on NOT NULL columns `0000-00-00` neither.
        func.count(
            case(
                (looked_at.c[each.column.name].is_(None), null()),
                (each.accepts(looked_at.c[each.column.name]), null()),
                else_=literal_column("1"),
            )
        )
        for each in claims
    ]
    rows: Select[Any] = select(func.count()).select_from(looked_at)
    return rows.add_columns(*refused)
