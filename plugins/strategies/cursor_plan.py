"""What the strategies that follow a cursor have in common: what they need, and the plan they make.

They differ in the tables they bid for, in what survives a crash, and in the budgets of a chunk.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

import attrs

from etlkit import (
    INTEGER_TYPES,
    Chunks,
    Commit,
    CursorCandidate,
    Everything,
    LoadPlan,
    PlanRefused,
    Read,
    Refusal,
    Since,
    TableAnalysis,
    TableState,
    Write,
)

MB = 1024 * 1024
"""Bytes of the MB that sizes and thresholds are told in."""

LOOKBACK_SECONDS: Mapping[str, int] = MappingProxyType(
    {
        # A row is stamped when its statement begins and can be seen when its transaction ends.
        "timestamp": 300,
        # A wall clock shows one hour twice when daylight saving ends.
        "datetime": 3900,
        # Rows of the day before may be entered after midnight.
        "date": 86400,
    }
)
"""Per type of a time cursor, the seconds behind the watermark that are read again."""

LOOKBACK_KEYS = 1000
"""Key units behind the watermark that are read again: a key is given before its row can be seen."""

OPTIONS = ("chunk_mb", "kept_seconds", "lookback_keys")
"""What `tables: <name>: options:` in etlkit.yml may hold for these strategies."""


def lacking(table: TableAnalysis) -> Refusal | None:
    """Tell what a table lacks for following a cursor.

    Args:
        table: the table.

    Returns:
        The refusal, or None when nothing is lacking.
    """
    if not table.primary_key:
        return Refusal(
            reason="The table has no primary key, so a row that changed cannot be told from a new one."
        )
    if table.cursor is None:
        return Refusal(reason="No column tells which rows changed since the last load.")
    if table.cursor.data_type not in LOOKBACK_SECONDS and table.cursor.data_type not in INTEGER_TYPES:
        what = f"{table.cursor.column} is a {table.cursor.data_type}"
        return Refusal(reason=f"{what}; only an integer, a date or a time can be a cursor.")
    return None


def cursor_plan(
    table: TableAnalysis,
    state: TableState | None,
    *,
    strategy: str,
    commit: Commit,
    chunks: Chunks | None = None,
) -> LoadPlan:
    """Plan to read what changed since the committed watermark, or everything when there is none to go by.

    Args:
        table: the table.
        state: the end of its last committed load.
        strategy: the name of the strategy that plans.
        commit: what survives a crash.
        chunks: budgets, apart from the rows, which are the table's batch size.

    Returns:
        The plan.

    Raises:
        PlanRefused: the table lacks a primary key or a cursor, or an option cannot be meant.
    """
    refusal = lacking(table)
    if refusal is not None or table.cursor is None:
        reason = refusal.reason if refusal is not None else ""
        raise PlanRefused(
            f"table {table.name}: strategy {strategy} cannot serve it. {reason} "
            "Choose another `extraction_strategy` in etlkit.yml, such as full_table"
        )
    budgets = attrs.evolve(chunks or Chunks(), rows=table.batch_size)
    megabytes = _option(table, "chunk_mb", lowest=1)
    if megabytes is not None:
        budgets = attrs.evolve(budgets, max_bytes=megabytes * MB)
    kept = _option(table, "kept_seconds", lowest=0)
    if kept is not None:
        budgets = attrs.evolve(budgets, kept_seconds=float(kept))
    read, write, reason = _reading(table, state, table.cursor)
    return LoadPlan(
        table=table.name,
        strategy=strategy,
        read=read,
        write=write,
        reason=reason,
        cursor=table.cursor.column,
        chunks=budgets,
        commit=commit,
    )


def _reading(
    table: TableAnalysis, state: TableState | None, cursor: CursorCandidate
) -> tuple[Read, Write, str]:
    everything = (Everything(), Write.REPLACE)
    if state is None or state.watermark is None:
        return *everything, f"First load by {cursor.column}: reads every row once."
    if state.cursor_column != cursor.column:
        last = state.cursor_column
        return (
            *everything,
            f"The last load went by {last}, this one by {cursor.column}: reads every row once.",
        )
    # Rows that no cursor shows as changed may hold other values now: a new column's default, a wider type.
    if state.schema_hash and table.schema_hash and state.schema_hash != table.schema_hash:
        return *everything, "The table's definition changed since the last load: reads every row once."
    lookback, words = _lookback(table, cursor.data_type)
    return (
        Since(column=cursor.column, watermark=state.watermark, lookback=lookback),
        Write.MERGE,
        f"Reads what {cursor.column} shows as changed since the last load, and {words} before it again.",
    )


def _lookback(table: TableAnalysis, data_type: str) -> tuple[int, str]:
    keys = _option(table, "lookback_keys", lowest=0)
    if data_type in INTEGER_TYPES:
        units = LOOKBACK_KEYS if keys is None else keys
        return units, f"{units} keys"
    seconds = LOOKBACK_SECONDS[data_type] if table.lookback_seconds is None else table.lookback_seconds
    for unit, length in (("hours", 3600), ("minutes", 60)):
        if seconds and seconds % length == 0:
            return seconds, f"{seconds // length} {unit}"
    return seconds, f"{seconds} seconds"


def _option(table: TableAnalysis, name: str, *, lowest: int) -> int | None:
    for given in table.options:
        if given not in OPTIONS:
            raise PlanRefused(
                f"table {table.name}: there is no option `{given}` (there are: {', '.join(OPTIONS)})"
            )
    if name not in table.options:
        return None
    text = str(table.options[name])
    if not text.isdecimal() or int(text) < lowest:
        raise PlanRefused(
            f"table {table.name}: option `{name}` must be a whole number from {lowest} (got {text!r})"
        )
    return int(text)
