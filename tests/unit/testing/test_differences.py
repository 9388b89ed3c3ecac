"""What a load left in the warehouse is compared with what its plan promised, and with nothing else."""

from __future__ import annotations

from typing import Any

import attrs
import pytest

from etlkit import Deletes, Differences, Everything, LoadPlan, Since, Where, Write
from etlkit.testing.appointments import Row, differences

PLAN = LoadPlan(table="appointment", strategy="mine", read=Everything(), write=Write.REPLACE, reason="All.")
BY_TIME = attrs.evolve(
    PLAN, read=Since(column="DateTStamp", watermark="2024-01-01"), write=Write.MERGE, cursor="DateTStamp"
)
BY_NUMBER = attrs.evolve(BY_TIME, read=Since(column="AptNum", watermark="2"), cursor="AptNum")
APPENDING = attrs.evolve(BY_TIME, write=Write.APPEND)
BY_CONDITION = attrs.evolve(BY_TIME, read=Where(condition=lambda of: of("AptNum") > 1, text=""), cursor=None)


def row(number: int, note: str = "old") -> Row:
    """Make a row."""
    return number, 1, None, note, None, None


def found(
    plan: LoadPlan, before: Any, here: Any, there: Any, chosen: Any = ()
) -> list[tuple[str, list[int]]]:
    """Give the kinds of differences, with the rows' numbers."""
    return [
        (each.what, [number for number, _ in each.rows])
        for each in differences(before, here, there, plan, chosen)
    ]


@pytest.mark.parametrize("plan", [PLAN, BY_TIME, BY_NUMBER, APPENDING, BY_CONDITION])
def test_equal_rows_are_no_difference(plan: LoadPlan) -> None:
    """Whatever a plan promises, more is not wrong."""
    assert [] == found(plan, [], [row(1), row(2)], [row(2), row(1)], {(1, 1)})


@pytest.mark.parametrize("plan", [PLAN, BY_TIME, BY_NUMBER, APPENDING])
def test_a_row_that_did_not_arrive_is_missing(plan: LoadPlan) -> None:
    """A new row behind all others is promised by every plan with a cursor."""
    assert [("missing", [3])] == found(plan, [row(2)], [row(2), row(3)], [row(2)])


def test_what_a_plan_does_not_promise_is_not_missing() -> None:
    """A number as cursor shows no row before the last one, a condition only those that it selects."""
    assert [] == found(BY_NUMBER, [row(2)], [row(1), row(2)], [row(2)])
    assert [] == found(BY_CONDITION, [], [row(1), row(2)], [row(2)], {(2, 1)})
    assert [("missing", [2])] == found(BY_CONDITION, [], [row(1), row(2)], [], {(2, 1)})


@pytest.mark.parametrize("plan", [PLAN, BY_TIME])
def test_an_edit_that_did_not_arrive_is_stale(plan: LoadPlan) -> None:
    """Everything and a time show edits."""
    assert [("stale", [1])] == found(plan, [row(1)], [row(1, "new")], [row(1)])


@pytest.mark.parametrize("plan", [BY_NUMBER, APPENDING, BY_CONDITION])
def test_an_edit_that_is_not_promised_may_stay_away(plan: LoadPlan) -> None:
    """A number, `APPEND` and a condition that does not select the row show no edits; another value is wrong."""
    assert [] == found(plan, [row(1)], [row(1, "new")], [row(1)])
    assert [("stale", [1])] == found(plan, [row(1)], [row(1, "new")], [row(1, "neither")])


@pytest.mark.parametrize("plan", [PLAN, BY_TIME])
def test_a_row_that_is_there_twice_is_told(plan: LoadPlan) -> None:
    """As many equal rows as the source has are right, and one more is not."""
    assert [("twice", [1])] == found(plan, [], [row(1)], [row(1), row(1)])
    assert [("twice", [1])] == found(plan, [], [row(1)], [row(1), row(1, "other")])
    assert [] == found(plan, [], [row(1), row(1)], [row(1), row(1)])


def test_a_row_that_vanished_is_missing() -> None:
    """What was there and still is in the source stays there, whatever is read."""
    assert [("missing", [1])] == found(BY_CONDITION, [row(1)], [row(1)], [])


def test_rows_that_are_gone_may_stay_unless_all_is_read() -> None:
    """A cursor does not show deletes, and a plan may keep the rows."""
    assert [] == found(BY_TIME, [row(1)], [], [row(1)])
    assert [("too many", [1])] == found(PLAN, [row(1)], [], [row(1)])
    by_digests = attrs.evolve(BY_TIME, read=Differences(), cursor=None)
    assert [("too many", [1])] == found(by_digests, [row(1)], [], [row(1)])
    assert [] == found(attrs.evolve(PLAN, deletes=Deletes.IGNORE), [row(1)], [], [row(1)])
