"""How fit each column is to tell which rows changed since the last load, and which one to use.

A cursor only saves work; what it misses, nothing but a reconcile finds again. So only two kinds are chosen
without a
person: a column that the server itself stamps at every change, and the key or entry time of a table that is
shown to only ever grow.
"""

from __future__ import annotations

import attrs

from etlkit.discovery.catalog import TableFacts, shortened
from etlkit.discovery.history import Usage, is_stamped_at_entry
from etlkit.tables import INTEGER_TYPES, TEMPORAL_TYPES, TEXT_TYPES, Column, CursorCandidate

CHOSEN_FROM = 0.6
"""The score from which a column is chosen without a person asking for it."""

HIGHEST_SEQUENTIAL_KEY = 2**40
"""A million rows a day for 3000 years; keys beyond it were drawn at random (a replication option)."""

_INDEXED_BONUS = 0.04
_STRINGS_WITH_TIMES = ("date", "time", "stamp")


def cursor_candidates(table: TableFacts, usage: Usage) -> tuple[CursorCandidate, ...]:
    """Judge the columns that look like cursors: points in time, texts named like one, a single numeric key.

    Args:
        table: what the catalog says of it.
        usage: what is known of how it is used.

    Returns:
        The candidates, best first; refused ones last.
    """
    judged = [
        candidate for column in table.columns if (candidate := _judged(table, column, usage)) is not None
    ]
    position = {column.name: at for at, column in enumerate(table.columns)}
    return tuple(sorted(judged, key=lambda each: (each.refused, -each.score, position[each.column])))


def judged_cursor(table: TableFacts, column: Column, usage: Usage) -> CursorCandidate:
    """Judge any column as a cursor, for a person who chose it.

    Args:
        table: what the catalog says of it.
        column: one of its columns.
        usage: what is known of how the table is used.

    Returns:
        The judgement; a refused one does not bind the person.
    """
    candidate = _judged(table, column, usage)
    if candidate is None:
        said = f"{column.name} is {column.column_type}, and nothing shows that it grows with every change."
        return _candidate(table, column, 0.0, said)
    return candidate


def best_cursor(candidates: tuple[CursorCandidate, ...]) -> CursorCandidate | None:
    """Choose the cursor that an incremental strategy may use without a person asking for it.

    Args:
        candidates: as `cursor_candidates` gives them.

    Returns:
        The best that is not refused and scores at least `CHOSEN_FROM`; None when there is none.
    """
    return next((each for each in candidates if not each.refused and each.score >= CHOSEN_FROM), None)


def why_no_cursor(candidates: tuple[CursorCandidate, ...]) -> str:
    """Say in a sentence why no cursor was chosen.

    Args:
        candidates: as `cursor_candidates` gives them.
    """
    if not candidates:
        return "No column says when a row changed."
    if not candidates[0].refused:
        return f"{candidates[0].column} was not chosen: {candidates[0].reasons[0]}"
    refused = shortened([each.column for each in candidates])
    return f"No column says when a row changed; refused: {refused}."


def _judged(table: TableFacts, column: Column, usage: Usage) -> CursorCandidate | None:
    if column.data_type in TEMPORAL_TYPES:
        return _time(table, column, usage)
    if table.primary_key == (column.name,) and column.data_type in INTEGER_TYPES:
        return _key(table, column, usage)
    if column.data_type in TEXT_TYPES and any(part in column.name.lower() for part in _STRINGS_WITH_TIMES):
        return _candidate(table, column, 0.0, f"{column.name} is text, and text does not order like time.")
    return None


def _time(table: TableFacts, column: Column, usage: Usage) -> CursorCandidate:
    name = column.name
    score = 0.0
    if column.generated:
        reasons = [f"{name} is computed from other columns."]
    elif column.data_type == "date":
        reasons = [f"{name} is a date without a time of day."]
    elif column.on_update_now:
        score = 0.9 if column.nullable else 0.95
        reasons = [f"The server stamps {name} at every change of a row (ON UPDATE CURRENT_TIMESTAMP)."]
        if column.nullable:
            reasons.append(f"{name} may be NULL; such rows are read every time.")
    elif column.name in usage.edited:
        score = 0.5
        said = f"{name} is named like the time of the last change, but the server does not stamp it"
        reasons = [f"{said}: it is as true as every program that writes the table."]
    elif is_stamped_at_entry(column, usage):
        score = 0.7 if usage.only_added else 0.0
        judged = "rows are only ever added" if usage.only_added else "rows may be edited"
        reasons = [
            f"{name} says when a row was entered, not when it was changed; {judged}: {usage.why.reason}."
        ]
    else:
        reasons = [
            f"{name} is a date of the business: it may lie in the future, or never change with the row."
        ]
    return _candidate(table, column, score, *reasons)


def _key(table: TableFacts, column: Column, usage: Usage) -> CursorCandidate:
    name = column.name
    if not usage.only_added:
        return _candidate(
            table, column, 0.0, f"{name} is a key, and a key says nothing of edits: {usage.why.reason}."
        )
    if not column.auto_increment:
        return _candidate(
            table, column, 0.0, f"{name} is not numbered by the server, so new rows may come in anywhere."
        )
    if _drawn_at_random(table):
        return _candidate(
            table,
            column,
            0.0,
            f"{name} has keys that were drawn at random ({table.row_count} rows, the next key would be "
            f"{table.auto_increment}), so new rows come in anywhere.",
        )
    return _candidate(
        table,
        column,
        0.8,
        f"{name} numbers rows in the order they come, and rows are only ever added: {usage.why.reason}.",
    )


def _drawn_at_random(table: TableFacts) -> bool:
    if table.auto_increment is None:
        return table.row_count > 0
    return table.auto_increment > HIGHEST_SEQUENTIAL_KEY and table.auto_increment > 1000 * table.row_count


def _candidate(table: TableFacts, column: Column, score: float, *reasons: str) -> CursorCandidate:
    indexed = table.begins_an_index(column.name)
    candidate = CursorCandidate(
        column=column.name,
        data_type=column.data_type,
        score=score,
        refused=score == 0,
        reasons=reasons,
        indexed=indexed,
    )
    if candidate.refused:
        return candidate
    if indexed:
        return attrs.evolve(
            candidate, score=round(score + _INDEXED_BONUS, 2), reasons=(*reasons, "An index begins with it.")
        )
    return attrs.evolve(
        candidate, reasons=(*reasons, "No index begins with it, so finding changes scans the table.")
    )
