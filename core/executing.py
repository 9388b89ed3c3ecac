"""Running an executor, so that its failures name the plugin and no table is lost without a word."""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence

from etlkit.contracts import Executor
from etlkit.errors import EtlkitError
from etlkit.events import TableFinished
from etlkit.providers import Provided, told

_PATIENCE_SECONDS = 1.0


def outcomes(
    executor: Provided[Executor],
    load: Callable[[str], TableFinished],
    tables: Sequence[str],
    workers: int,
    give_up: Callable[[], None] = lambda: None,
) -> Generator[TableFinished, None, None]:
    """Load tables by an executor.

    Close the generator (`contextlib.closing`) when it is not read to its end: then no further table is begun, and
    no load is running any more when the generator has ended, however it ends.

    Args:
        executor: the executor, as `Registry.executor` gives it.
        load: loads one table; a failure is an outcome, and whatever is raised nevertheless ends the run.
        tables: their names, in the order to begin; each once.
        workers: tables in work at the same time, at least 1.
        give_up: called when tables in work are no longer wanted, and again each second until they have ended.

    Yields:
        One outcome for each table, as they come.

    Raises:
        PluginError: the executor failed, or left out a table, or loaded or told of one twice or of one it was not
            given, or told of a load what did not come of it.
    """
    raised: list[BaseException] = []
    in_work = _InWork()
    left = set(tables)
    returned: dict[str, TableFinished] = {}
    complete = False

    def guarded(table: str) -> TableFinished:
        with in_work:
            # Taking a table out of a set is one step for all threads.
            try:
                left.remove(table)
            except (KeyError, TypeError):
                what = f"loads table `{table}`, which is not among those that are left"
                raise executor.problem("run", what) from None
            try:
                returned[table] = load(table)
                return returned[table]
            except BaseException as failure:
                raised.append(failure)
                raise

    try:
        yield from _checked(executor, guarded, tables, workers, returned)
        complete = True
    except EtlkitError as error:
        raise executor.plugin.options.redact(error)  # noqa: B904 - the same error
    except (Exception, SystemExit) as failure:
        # What the load itself raised is not the executor's failure.
        if any(failure is each for each in raised):
            raise
        options = executor.plugin.options
        raise executor.problem("run", told(failure, options)) from options.cause(failure)
    finally:
        if not complete:
            give_up()
            while not in_work.wait(_PATIENCE_SECONDS):
                # A load that was just about to wait for something could not be woken up.
                give_up()
        in_work.wait()


class _InWork:
    """Counts the loads that are running."""

    def __init__(self) -> None:
        self._running = 0
        self._changed = threading.Condition()

    def __enter__(self) -> None:
        with self._changed:
            self._running += 1

    def __exit__(self, *_: object) -> None:
        with self._changed:
            self._running -= 1
            self._changed.notify_all()

    def wait(self, seconds: float | None = None) -> bool:
        with self._changed:
            return self._changed.wait_for(lambda: not self._running, seconds)


def _checked(
    executor: Provided[Executor],
    load: Callable[[str], TableFinished],
    tables: Sequence[str],
    workers: int,
    returned: Mapping[str, TableFinished],
) -> Iterator[TableFinished]:
    missing = dict.fromkeys(tables)
    iterator = iter(executor.item.run(load, tables, workers))
    try:
        for outcome in iterator:
            if not isinstance(outcome, TableFinished):
                raise executor.problem("run", f"yielded {type(outcome).__name__}, expected TableFinished")
            if outcome.table not in missing:
                what = f"yielded table `{outcome.table}`, which is not among those that are left"
                raise executor.problem("run", what)
            if returned.get(outcome.table) != outcome:
                what = f"yielded an outcome of table `{outcome.table}` that its load did not have"
                raise executor.problem("run", what)
            del missing[outcome.table]
            yield outcome
    finally:
        # A generator that is not read to its end must end its threads now, not when it is collected.
        close = getattr(iterator, "close", None)
        if close is not None:
            close()
    if missing:
        names = ", ".join(f"`{name}`" for name in missing)
        raise executor.problem("run", f"ended without an outcome for {names}")
