"""How a table is used, which no catalog tells: whether rows are only ever added, and which columns say when.

What the catalog itself proves comes first; then plugins are asked, and who answered is told with each answer.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Literal

import attrs

from etlkit.contracts import Habit, TableHabit
from etlkit.errors import PluginError
from etlkit.providers import Provided
from etlkit.tables import TEMPORAL_TYPES, Column, TableAnalysis

Frequency = Literal["append_only", "rare", "frequent"]
"""How often rows change, as far as columns and plugins can tell."""


@attrs.frozen(kw_only=True)
class Source:
    """Who says so, and why."""

    reason: str
    """A clause that follows "because"."""
    habit: str = ""
    """The habit's name; empty for what the catalog shows."""
    plugin: str = ""
    """The plugin that provides it."""

    def __str__(self) -> str:
        return (
            f"{self.reason}; so says the habit {self.habit} of plugin {self.plugin}"
            if self.habit
            else self.reason
        )


NOBODY_KNOWS = Source(reason="nothing shows that its rows are never edited")
"""Of a table whose rows may be edited for all that is known."""


@attrs.frozen(kw_only=True)
class Usage:
    """What is known of how one table is used."""

    only_added: bool = False
    """Whether rows are only ever added; in doubt they are not."""
    why: Source = NOBODY_KNOWS
    """Who says so of `only_added`."""
    entered: frozenset[str] = frozenset()
    """Columns that say when a row was entered."""
    edited: frozenset[str] = frozenset()
    """Columns that say when a row was changed last, without being stamped by the server."""
    lookback_seconds: int | None = None
    """What is to be read again behind a time cursor; None for the strategy's own default."""
    lookback_why: Source | None = None
    """Who says so of `lookback_seconds`."""

    def frequency(self, table: TableAnalysis) -> Frequency:
        """Tell how often rows of the table change.

        Sizes and times of change have no say, so that the answer stays the same from one analysis to the next.

        Args:
            table: the table.

        Returns:
            `append_only` where rows are only added, `frequent` for a table with points in time, `rare` for others.
        """
        if self.only_added:
            return "append_only"
        return "frequent" if any(each.data_type in TEMPORAL_TYPES for each in table.columns) else "rare"


def usage_of(table: TableAnalysis, habits: Iterable[Provided[Habit]] = ()) -> Usage:
    """Find out how a table is used.

    Args:
        table: as the catalog has it.
        habits: in the order to ask; to each question the first answer holds.

    Returns:
        What is known.

    Raises:
        PluginError: a habit failed, answered with something else, or named a column that is not there.
    """
    known: dict[str, Any] = {}
    stamp = next((each.name for each in table.columns if each.on_update_now), None)
    if stamp is not None:
        known["only_added"] = False
        known["why"] = Source(reason=f"the server stamps changes of its rows in {stamp}")
    for provided in habits:
        said = _answer(table, provided)
        if said is None:
            continue
        who = Source(reason=said.reason, habit=provided.item.name, plugin=provided.plugin.name)
        if said.only_added is not None and "only_added" not in known:
            known |= {"only_added": said.only_added, "why": who}
        if said.lookback_seconds is not None and "lookback_seconds" not in known:
            known |= {"lookback_seconds": said.lookback_seconds, "lookback_why": who}
        for part, columns in (("entered", said.entered), ("edited", said.edited)):
            if columns and part not in known:
                known[part] = frozenset(columns)
    return Usage(**known)


def _answer(table: TableAnalysis, provided: Provided[Habit]) -> TableHabit | None:
    try:
        said = provided.call("habit", table, expecting=(TableHabit, type(None)))
    except PluginError as error:
        raise type(error)(f"table `{table.name}`: {error}") from error
    if said is None:
        return None
    answer: TableHabit = said
    for name in sorted(answer.entered | answer.edited):
        if table.column(name) is None:
            raise provided.problem("habit", f"names the column `{name}`, which `{table.name}` does not have")
    if answer.lookback_seconds is not None and answer.lookback_seconds < 0:
        text = f"looks back {answer.lookback_seconds} seconds in `{table.name}`, expected 0 or more"
        raise provided.problem("habit", text)
    return answer


def is_stamped_at_entry(column: Column, usage: Usage) -> bool:
    """Tell whether a column says when its row was entered: the server fills it in, or a plugin knows it.

    Args:
        column: any column of the table.
        usage: the table's.
    """
    return column.name in usage.entered or (column.default or "").startswith("current_timestamp")
