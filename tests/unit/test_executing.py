"""An executor loads every table once, and whatever it does wrong is told with its plugin."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from types import ModuleType

import attrs
import pytest

from etlkit import Executor, TableFinished, hookimpl
from etlkit.errors import ConfigurationError, LoadError, PluginError
from etlkit.executing import outcomes
from etlkit.plugins.executors import threads
from etlkit.providers import Provided
from etlkit.registry import Registry

THREADS = Registry.of(threads).executor("threads")


def load(table: str) -> TableFinished:
    """Load nothing, well."""
    return TableFinished(table=table)


def provided(run: object) -> Provided[Executor]:
    """Give an executor as a plugin `mine` would provide it."""

    @hookimpl
    def etlkit_executors() -> Iterator[Executor]:
        yield Executor(name="own", summary="Own.", run=run)  # type: ignore[arg-type]

    module = ModuleType("mine")
    vars(module)["etlkit_executors"] = etlkit_executors
    return Registry.of(module).executor("own")


def refusal(run: object) -> str:
    """Give the message of the error that an executor ends with."""
    with pytest.raises(PluginError) as caught:
        list(outcomes(provided(run), load, ["a", "b"], 1))
    return str(caught.value)


def test_threads_give_each_table_once() -> None:
    """Every table has one outcome, whatever the number of workers."""
    tables = [f"t{number}" for number in range(20)]
    for workers in (1, 3, 50):
        found = [each.table for each in outcomes(THREADS, load, tables, workers)]
        assert tables == sorted(found, key=tables.index)
    assert [] == list(outcomes(THREADS, load, [], 2))


def test_threads_begin_tables_in_their_order() -> None:
    """Important tables come first: one worker loads them in the order given."""
    begun: list[str] = []

    def noted(table: str) -> TableFinished:
        begun.append(table)
        return load(table)

    list(outcomes(THREADS, noted, ["c", "a", "b"], 1))
    assert ["c", "a", "b"] == begun


def test_threads_work_at_the_same_time_and_yield_as_outcomes_come() -> None:
    """A slow table holds back neither the others nor what is told of them."""
    told = threading.Event()

    def slow_first(table: str) -> TableFinished:
        if table == "slow":
            told.wait(10)
        return load(table)

    found = []
    with closing(outcomes(THREADS, slow_first, ["slow", "quick"], 2)) as finished:
        for outcome in finished:
            found.append(outcome.table)
            told.set()
    assert ["quick", "slow"] == found


@pytest.fixture
def given_up(monkeypatch: pytest.MonkeyPatch) -> threading.Event:
    """An event that is set once the executor has given up the tables that were not begun."""
    event = threading.Event()

    class Telling(ThreadPoolExecutor):
        def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
            super().shutdown(wait=False, cancel_futures=cancel_futures)
            event.set()
            super().shutdown(wait=wait)

    monkeypatch.setattr(threads, "ThreadPoolExecutor", Telling)
    return event


def test_what_a_load_raises_ends_the_run_and_begins_no_further_table(given_up: threading.Event) -> None:
    """A load that raises is a defect of the kernel, told as it was raised and not as the plugin's."""
    begun: list[str] = []

    def failing(table: str) -> TableFinished:
        begun.append(table)
        if table != "a":
            given_up.wait(10)
        raise KeyError(table)

    with pytest.raises(KeyError, match=r"\A'a'\Z"):
        list(outcomes(THREADS, failing, [*"abcdefghij"], 1))
    assert begun in (["a"], ["a", "b"])


def test_closing_early_waits_for_tables_in_work_and_begins_no_other(given_up: threading.Event) -> None:
    """After the generator is closed no load is running, so connections can be closed behind it."""
    begun: list[str] = []
    ended: list[str] = []

    def slow_after_the_first(table: str) -> TableFinished:
        begun.append(table)
        if table != "a":
            given_up.wait(10)
        ended.append(table)
        return load(table)

    with closing(outcomes(THREADS, slow_after_the_first, [*"abcdefghij"], 2)) as finished:
        assert "a" == next(finished).table
    assert sorted(begun) == sorted(ended)
    assert {*begun} <= {"a", "b", "c"}


def test_what_a_load_raises_is_not_the_fault_of_an_executor_without_generator() -> None:
    """An executor that loads before it answers is told apart from a load that raises, too."""

    def failing(table: str) -> TableFinished:
        raise KeyError(table)

    executor = provided(lambda load, tables, _: [load(table) for table in tables])
    with pytest.raises(KeyError, match=r"\A'a'\Z"):
        list(outcomes(executor, failing, ["a"], 1))


def test_an_executor_may_give_any_iterable() -> None:
    """A list of outcomes is as good as a generator."""
    executor = provided(lambda load, tables, _: [load(table) for table in tables])
    assert ["a", "b"] == [each.table for each in outcomes(executor, load, ["a", "b"], 1)]


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (lambda load: [load("a")], "ended without an outcome for `b`"),
        (lambda load: [load("a")] * 2, "yielded table `a`, which is not among those that are left"),
        (lambda _: [load("c")], "yielded table `c`, which is not among those that are left"),
        (lambda _: [load("a")], "yielded an outcome of table `a` that its load did not have"),
        (
            lambda load: [attrs.evolve(load("a"), read=1)],
            "yielded an outcome of table `a` that its load did not have",
        ),
        (lambda load: [load("a"), load("a")], "loads table `a`, which is not among those that are left"),
        (lambda load: [load("c")], "loads table `c`, which is not among those that are left"),
        (lambda _: ["a"], "yielded str, expected TableFinished"),
        (lambda _: None, "raised TypeError: 'NoneType' object is not iterable"),
    ],
)
def test_a_wrong_answer_of_an_executor_is_told_with_its_plugin(
    answer: Callable[[Callable[[str], TableFinished]], object], expected: str
) -> None:
    """A table that is lost, made up, or loaded or told of twice ends the run: a report must not be wrong."""
    assert f"plugin `mine` (not installed), `run` of `own`: {expected}; correct the module" == refusal(
        lambda load, *_: answer(load)
    )


def test_what_an_executor_raises_is_told_with_its_plugin() -> None:
    """The executor's own failure is told apart from a load's."""

    def run(load: Callable[[str], TableFinished], tables: Sequence[str], _: int) -> Iterator[TableFinished]:
        yield load(tables[0])
        raise OSError("no workers")

    line = run.__code__.co_firstlineno + 2
    assert (
        "plugin `mine` (not installed), `run` of `own`: raised OSError: no workers "
        f"(test_executing.py, line {line}); correct the module"
    ) == refusal(run)


def test_refusals_of_etlkit_pass_as_they_are() -> None:
    """An executor that refuses in etlkit's own words is not called broken."""

    def run(load: Callable[[str], TableFinished], tables: Sequence[str], _: int) -> Iterator[TableFinished]:
        yield load(tables[0])
        raise LoadError("no workers left")

    with pytest.raises(LoadError, match=r"\Ano workers left\Z"):
        list(outcomes(provided(run), load, ["a"], 1))


def test_an_unknown_executor_names_those_that_are_there() -> None:
    """A misspelt `run.executor` says what it may have meant."""
    with pytest.raises(ConfigurationError) as caught:
        Registry.of(threads).executor("thread")
    assert "no plugin provides an executor `thread`; did you mean `threads`?" == str(caught.value)


def test_loads_that_went_on_waiting_are_woken_up_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """Work that could not be woken up at first is asked to end again and again until it has ended."""
    monkeypatch.setattr("etlkit.executing._PATIENCE_SECONDS", 0.01)
    begun, woken = threading.Event(), threading.Event()
    asked: list[int] = []

    def give_up() -> None:
        asked.append(1)
        if len(asked) == 3:
            woken.set()

    def wait(table: str) -> TableFinished:
        begun.set()
        woken.wait(10)
        return load(table)

    finished = outcomes(
        THREADS, lambda table: load(table) if table == "a" else wait(table), ["a", "b"], 2, give_up
    )
    next(finished)
    begun.wait(10)
    finished.close()
    assert 3 <= len(asked)
