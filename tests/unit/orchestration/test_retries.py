"""What fails for a reason that may pass is tried again: so often, later each time, and not when a run is to end."""

from __future__ import annotations

import logging
import re

import attrs
import pytest

from etlkit.errors import EtlkitError, LoadError, RunInterrupted
from etlkit.orchestration.retries import Retries
from etlkit.stopping import StopSignal


@attrs.define
class Waits(StopSignal):
    """A signal that tells how long was waited for it, and does not wait."""

    seconds: list[float] = attrs.field(factory=list)
    set_after: int = 99

    def __attrs_post_init__(self) -> None:
        StopSignal.__init__(self)

    def wait(self, seconds: float) -> bool:
        """Wait for nothing."""
        self.seconds.append(seconds)
        if len(self.seconds) >= self.set_after:
            self.set()
        return self.is_set()


@attrs.define
class Work:
    """Fails some times before it succeeds."""

    failures: list[Exception]
    calls: int = 0

    def __call__(self) -> str:
        """Fail, or succeed."""
        self.calls += 1
        if self.failures:
            raise self.failures.pop(0)
        return "done"


def broken(times: int) -> list[Exception]:
    """As many failures that may pass."""
    return [LoadError(f"broke {number}", transient=True) for number in range(times)]


def test_what_passes_is_tried_again(caplog: pytest.LogCaptureFixture) -> None:
    """Work succeeds at the third try; each failure is one line, and the waits grow."""
    stop, work = Waits(), Work(broken(2))
    with caplog.at_level(logging.WARNING):
        assert "done" == Retries(most=2, stop=stop).call(work)
    assert 3 == work.calls
    first, second = stop.seconds
    assert 1 <= first <= 2 <= second <= 3
    assert [
        "broke 0; trying again in N s (1 of 2)",
        "broke 1; trying again in N s (2 of 2)",
    ] == [re.sub(r"\d+\.\d", "N", record.message) for record in caplog.records]


def test_waiting_is_not_the_same_for_all() -> None:
    """Two that fail together do not come back together."""
    waits = []
    for _ in range(5):
        stop = Waits()
        Retries(most=1, stop=stop).call(Work(broken(1)))
        waits += stop.seconds
    assert 5 == len(set(waits))


def test_a_further_try_may_be_something_else() -> None:
    """What the first try built upon is not built upon again."""
    first, later = Work(broken(1)), Work([])
    assert "done" == Retries(most=2, stop=Waits()).call(first, again=later)
    assert (1, 1) == (first.calls, later.calls)


@pytest.mark.parametrize("most", [0, 1, 2])
def test_the_last_failure_is_the_one_to_report(most: int) -> None:
    """When all tries fail, the last failure is raised as it is."""
    work = Work(broken(9))
    with pytest.raises(LoadError) as caught:
        Retries(most=most, stop=Waits()).call(work)
    assert (f"broke {most}", most + 1) == (str(caught.value), work.calls)


@pytest.mark.parametrize(
    "failure", [LoadError("full", fatal=True), EtlkitError("no"), ValueError("a defect")]
)
def test_what_does_not_pass_is_not_tried_again(failure: Exception) -> None:
    """Other failures end the work at once."""
    work = Work([failure])
    with pytest.raises(type(failure)) as caught:
        Retries(most=5, stop=Waits()).call(work)
    assert (failure, 1) == (caught.value, work.calls)


def test_a_run_does_not_try_again_for_ever() -> None:
    """When so much fails, all tables together are tried again twenty times."""
    retries = Retries(most=10, stop=Waits())
    calls = []
    for _ in range(5):
        work = Work(broken(99))
        with pytest.raises(LoadError):
            retries.call(work)
        calls.append(work.calls)
    assert [11, 11, 1, 1, 1] == calls


def test_a_run_that_is_to_end_waits_for_nothing() -> None:
    """The wait ends with the signal, and nothing is tried again."""
    work = Work(broken(9))
    with pytest.raises(RunInterrupted):
        Retries(most=5, stop=Waits(set_after=2)).call(work)
    assert 2 == work.calls
    with pytest.raises(LoadError):
        Retries(most=5, stop=_already_set()).call(work)
    assert 3 == work.calls


def test_the_end_of_a_run_is_tried_again_at_once() -> None:
    """What belongs to the end is tried again although the signal is set, at most five times in all."""
    stop, work = _already_set(), Work(broken(4))
    assert "done" == Retries(most=0, stop=stop).call(work, at_the_end=True)
    assert 5 == work.calls
    with pytest.raises(LoadError) as caught:
        Retries(most=9, stop=stop).call(Work(broken(9)), at_the_end=True)
    assert "broke 4" == str(caught.value)


def test_the_end_of_a_run_that_goes_on() -> None:
    """Without the signal it is tried as often as everything else; the signal ends a wait, not the tries."""
    work = Work(broken(9))
    with pytest.raises(LoadError):
        Retries(most=2, stop=Waits()).call(work, at_the_end=True)
    assert 3 == work.calls
    work = Work(broken(2))
    assert "done" == Retries(most=2, stop=Waits(set_after=1)).call(work, at_the_end=True)


def _already_set() -> StopSignal:
    stop = StopSignal()
    stop.set()
    return stop
