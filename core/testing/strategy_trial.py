"""A strategy at work on the table of its contract: loads it, and says which rows did not arrive as planned."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from typing import Any

import attrs

from etlkit.config import TableChoice
from etlkit.contracts import LoadPlan, Strategy, Where
from etlkit.errors import EtlkitError
from etlkit.testing.appointments import KEY, NAME, Appointments, Difference, appointments, differences
from etlkit.testing.contract import Database
from etlkit.testing.trial import Crash, Trial, registry_of_only, trial
from etlkit.wording import counted

MISSING, TWICE, STALE, TOO_MANY = ALL = ("missing", "twice", "stale", "too many")

_WORDS = {
    MISSING: "of the source missing in the warehouse",
    TWICE: "twice in the warehouse",
    STALE: "with other values in the warehouse than in the source",
    TOO_MANY: "in the warehouse that the source no longer has",
}
_BY_CURSOR = (
    "read what is at or behind the watermark (`>=`) and the rows whose cursor is NULL, as `Since` does, and plan from "
    "nothing but the table and its state"
)
_ADVICE = {
    MISSING: _BY_CURSOR,
    TWICE: "read a table without a key with `Everything()` and `Write.REPLACE`, or refuse it in `fits` and `plan`",
    STALE: _BY_CURSOR,
    TOO_MANY: "plan `Deletes.HARD` only where everything is read, with `Everything()`",
}


@attrs.frozen(kw_only=True)
class StrategyTrial:
    """One strategy and its table."""

    name: str
    """The strategy's name."""
    rows: Appointments
    """The table."""
    loads: Trial
    """What loads it."""

    def load(
        self,
        when: str,
        *,
        kinds: Collection[str] = ALL,
        meanwhile: Callable[[], None] = lambda: None,
    ) -> LoadPlan:
        """Load the table, and compare it.

        Args:
            when: the load, in words.
            kinds: which differences are wrong.
            meanwhile: called once, behind the first chunk.

        Returns:
            The plan that was carried out.

        Raises:
            AssertionError: the load failed, or left a difference that its plan promised not to leave.
        """
        before = self.rows.in_warehouse()
        called: list[int] = []

        def rows_read(rows: int) -> None:
            if not called:
                called.append(rows)
                meanwhile()

        try:
            plan, _ = self.loads.load(rows_read=rows_read)
        except EtlkitError as error:
            raise AssertionError(f"strategy `{self.name}`: {when} failed: {error}") from error
        chosen = (
            self.rows.selected(plan.read) if isinstance(plan.read, Where) and plan.cursor is None else set()
        )
        there = self.rows.in_warehouse()
        for found in differences(before, self.rows.in_source(), there, plan, chosen):
            if found.what in kinds:
                raise AssertionError(self._told(found, when))
        return plan

    def crash(self, when: str) -> None:
        """Begin a load, and let it break behind its first chunk.

        Args:
            when: the load, in words.

        Raises:
            AssertionError: it did not read anything, or something of it can be seen.
        """
        before = self.rows.in_warehouse()
        called: list[int] = []

        def rows_read(rows: int) -> None:
            called.append(rows)
            raise Crash

        try:
            self.loads.load(rows_read=rows_read)
        except Crash:
            pass
        except EtlkitError as error:
            # What breaks inside a COPY arrives as the warehouse's trouble.
            if not called:
                raise AssertionError(f"strategy `{self.name}`: {when} failed: {error}") from error
        if not called:
            raise AssertionError(
                f"strategy `{self.name}`: {when} read no row, although there are rows to read; {_BY_CURSOR}"
            )
        if self.rows.in_warehouse() != before:
            raise AssertionError(
                f"strategy `{self.name}`: {when} broke, and the warehouse shows a part of it"
            )

    def _told(self, found: Difference, when: str) -> str:
        first = found.rows[0][0]
        rows = counted(len(found.rows), "row")
        return (
            f"strategy `{self.name}`: {when} left {rows} {_WORDS[found.what]}, the first one with `AptNum` {first}; "
            f"{_ADVICE[found.what]}"
        )


@contextmanager
def strategy_trial(
    source: Database,
    warehouse: Database,
    strategy: Strategy,
    choice: TableChoice,
    **shape: Any,
) -> Iterator[StrategyTrial]:
    """Make the table, and open a deployment with the strategy alone.

    Args:
        source: where the table is.
        warehouse: where it goes.
        strategy: the strategy under test.
        choice: what `tables: appointment:` would say.
        **shape: `key`, `further` and `engine` of the table.

    Yields:
        The trial.
    """
    registry = registry_of_only({"etlkit_strategies": [strategy]})
    with (
        appointments(source, warehouse, **({"key": KEY} | shape)) as rows,
        trial(source, warehouse, registry, NAME, choice) as loads,
    ):
        yield StrategyTrial(name=strategy.name, rows=rows, loads=loads)
