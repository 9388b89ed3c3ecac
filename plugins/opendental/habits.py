"""How Open Dental uses its tables: which only grow, which columns say when, and where rows change late.

The knowledge stands in `habits.yml`. There are two habits, because a deployment may want to put one of its own
between them: what is known of a table by its name, and what names in general suggest.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from etlkit import Column, Habit, TableAnalysis, TableHabit, hookimpl
from etlkit.plugins.opendental.knowledge import read

DAY = 24 * 60 * 60
"""Seconds."""

_TIMES = frozenset({"datetime", "timestamp"})
_KNOWLEDGE = read("habits.yml")
GROWS: Mapping[str, str] = _KNOWLEDGE["grows"]
"""By table in lower case whose rows are never edited, why."""
EDITED: Mapping[str, str] = _KNOWLEDGE["edited"]
"""By table in lower case that only looks like a log, what is edited."""
LOOKBACKS: Mapping[str, tuple[int, str]] = {
    table: (each["days"] * DAY, each["reason"]) for table, each in _KNOWLEDGE["lookbacks"].items()
}
"""By table in lower case, the seconds after which its rows still change, and why."""
_HISTORIES = re.compile(_KNOWLEDGE["histories"], re.IGNORECASE)
_LOGS = re.compile(_KNOWLEDGE["logs"], re.IGNORECASE)
_LATER = re.compile(_KNOWLEDGE["filled_in_later"], re.IGNORECASE)
_ENTERED = re.compile(_KNOWLEDGE["entered"].replace(" ", ""))
_STAMPED = re.compile(_KNOWLEDGE["stamped"].replace(" ", ""))


def by_table(table: TableAnalysis) -> TableHabit | None:
    """Tell what is known of a table of Open Dental.

    Args:
        table: the table.

    Returns:
        Whether it only grows, or how late its rows change; None for a table that is not known.
    """
    name = table.name.casefold()
    if name in GROWS:
        return TableHabit(only_added=True, reason=GROWS[name])
    if name in EDITED:
        return TableHabit(only_added=False, reason=EDITED[name])
    if name in LOOKBACKS:
        seconds, reason = LOOKBACKS[name]
        return TableHabit(only_added=False, lookback_seconds=seconds, reason=reason)
    return None


def by_names(table: TableAnalysis) -> TableHabit | None:
    """Tell what the names of a table and its columns suggest; in doubt, rows are edited.

    Args:
        table: the table.

    Returns:
        The columns that say when a row was entered or changed last, and whether a log or a history only grows;
        None where names tell nothing.
    """
    entered = [each for each in table.columns if says_when_entered(each)]
    stamped = [each for each in table.columns if says_when_edited(each)]
    only_added, reason = _growth(table, [each for each in entered if each.data_type in _TIMES])
    if only_added is None and not entered and not stamped:
        return None
    return TableHabit(
        only_added=only_added,
        entered=frozenset(each.name for each in entered),
        edited=frozenset(each.name for each in stamped),
        reason=reason,
    )


def says_when_entered(column: Column) -> bool:
    """Tell whether a column is named as if it said when its row was entered, like `SecDateTEntry`.

    Args:
        column: any column.
    """
    return _ENTERED.search(_folded(column)) is not None


def says_when_edited(column: Column) -> bool:
    """Tell whether a column is named as if it said when its row was changed last, like `SecDateTEdit`.

    Args:
        column: any column.
    """
    return not says_when_entered(column) and _STAMPED.search(_folded(column)) is not None


def _growth(table: TableAnalysis, entered: list[Column]) -> tuple[bool | None, str]:
    if _HISTORIES.search(table.name):
        kind = "a history"
    elif _LOGS.search(table.name):
        kind = "a log"
    else:
        return None, "its columns are named so"
    if not entered:
        return False, f"it is named like {kind}, but no column says when a row was entered"
    entry = entered[0].name
    later = next((each.name for each in table.columns if each.name != entry and _is_later(each)), None)
    if kind == "a log" and later is not None:
        return False, f"it is named like a log, but {later} looks like it is filled in later"
    return True, f"it is named like {kind}, and {entry} says when a row was entered"


def _is_later(column: Column) -> bool:
    return column.data_type in _TIMES | {"date"} or _LATER.search(column.name) is not None


def _folded(column: Column) -> str:
    return column.name.replace("_", "").casefold()


@hookimpl
def etlkit_habits() -> Iterator[Habit]:
    """Provide the habits; their names put them in the order given here."""
    yield Habit(
        name="open_dental_known",
        summary="Tables of Open Dental that only grow, that do not though they are named so, or that change late.",
        habit=by_table,
    )
    yield Habit(
        name="open_dental_names",
        summary="Logs, histories and the columns that say when a row was entered or changed, by their names.",
        habit=by_names,
    )
