"""What the catalog tells of a table's past: whether rows are only ever added, and how often they change."""

from __future__ import annotations

import re
from typing import Literal

import attrs

from etlkit.discovery.catalog import TableFacts
from etlkit.tables import Column

Frequency = Literal["append_only", "rare", "frequent"]
"""How often rows change, as far as the catalog can tell."""

_EDITED = re.compile(
    r"(?:datetstamp|datet?(?:ime)?edit(?:ed)?|lastedit(?:ed)?|last(?:update|updated|modified|changed)"
    r"|(?:updated|modified|edited|changed)(?:at|on|date|time|datetime|timestamp)?)$"
)
_ENTERED = re.compile(
    r"(?:datet?(?:ime)?(?:entry|entered|created|logged|inserted)|(?:entry|log)(?:datet?(?:ime)?|timestamp)"
    r"|histdatet(?:ime|stamp)|(?:created|inserted|logged|entered)(?:at|on|date|time|datetime|timestamp)?)$"
)

_KNOWN_LOGS = frozenset({"securitylog", "securityloghash", "entrylog", "eservicelog", "inseditlog"})
_NO_LOGS = frozenset(
    {"procedurelog", "commlog", "promotionlog", "medlablog", "claimlog", "changelog_pending"}
)
_HISTORY = re.compile(r"(?:hist|history)$|^hist[a-z]", re.IGNORECASE)
_TIMES = frozenset({"datetime", "timestamp"})
_LOG = re.compile(r"(?:log|logs)$", re.IGNORECASE)
_CHANGEABLE = re.compile(
    r"status|state$|ishidden|isdeleted|deleted|resolved|completed|processed|sent$", re.IGNORECASE
)


@attrs.frozen(kw_only=True)
class AppendOnly:
    """Whether rows of a table are only ever added."""

    shown: bool
    """True when the catalog shows it; False when it shows the opposite, or nothing."""
    reason: str
    """Why, in a clause that follows "because"."""


def append_only(table: TableFacts) -> AppendOnly:
    """Judge whether rows of a table are only ever added; in doubt they are not.

    Args:
        table: what the catalog says of it.

    Returns:
        The judgement with its reason.
    """
    name = table.name.casefold()
    stamp = next((each.name for each in table.columns if each.on_update_now), None)
    entry = next((each.name for each in table.columns if is_time(each) and says_when_entered(each)), None)
    if stamp is not None:
        shown, reason = False, f"the server stamps changes of its rows in {stamp}"
    elif name in _NO_LOGS:
        shown, reason = False, "its rows are edited although its name ends like a log's"
    elif name in _KNOWN_LOGS:
        shown, reason = True, "it is known as a log whose rows are never edited"
    elif entry is None:
        shown, reason = False, "no column says when a row was entered, as a log's would"
    elif _HISTORY.search(name):
        shown, reason = True, f"it is named like a history, and {entry} says when a row was entered"
    elif _LOG.search(name):
        later = _filled_in_later(table, entry)
        shown = later is None
        reason = f"it is named like a log, and {entry} says when a row was entered"
        if later is not None:
            reason = f"it is named like a log, but {later} looks like it is filled in later"
    else:
        shown, reason = False, "it is not named like a log or a history"
    return AppendOnly(shown=shown, reason=reason)


def _filled_in_later(table: TableFacts, entry: str) -> str | None:
    return next(
        (
            each.name
            for each in table.columns
            if each.name != entry
            and (each.data_type in _TIMES or each.data_type == "date" or _CHANGEABLE.search(each.name))
        ),
        None,
    )


def update_frequency(table: TableFacts) -> Frequency:
    """Tell how often rows of a table change, as far as columns and names can tell.

    Sizes and times of change have no say, so that the answer stays the same from one analysis to the next.

    Args:
        table: what the catalog says of it.

    Returns:
        `append_only` for a log, `frequent` for a table with points in time, `rare` for one without.
    """
    if append_only(table).shown:
        return "append_only"
    return "frequent" if any(each.data_type in _TIMES | {"date"} for each in table.columns) else "rare"


def says_when_edited(column: Column) -> bool:
    """Tell whether a column is named as if it said when its row was changed last, like `SecDateTEdit`.

    Args:
        column: any column.
    """
    return not says_when_entered(column) and _EDITED.search(_folded(column)) is not None


def says_when_entered(column: Column) -> bool:
    """Tell whether a column is named as if it said when its row was entered, like `SecDateTEntry`.

    Args:
        column: any column.
    """
    return _ENTERED.search(_folded(column)) is not None


def is_time(column: Column) -> bool:
    """Tell whether a column holds a date with a time of day.

    Args:
        column: any column.
    """
    return column.data_type in _TIMES


def _folded(column: Column) -> str:
    return column.name.replace("_", "").casefold()
