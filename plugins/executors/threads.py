"""Executor `threads`: several tables at a time, each in a thread of this process."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed

from etlkit import Executor, TableFinished, hookimpl


def run(load: Callable[[str], TableFinished], tables: Sequence[str], workers: int) -> Iterator[TableFinished]:
    """Load tables in threads; rendering and COPY are the servers' work, so threads are kept busy by waiting.

    Args:
        load: loads one table.
        tables: their names, in the order to begin.
        workers: tables in work at the same time.

    Yields:
        Outcomes as they come.
    """
    pool = ThreadPoolExecutor(max_workers=workers, thread_name_prefix="etlkit-table")
    try:
        for future in as_completed([pool.submit(load, table) for table in tables]):
            yield future.result()
    finally:
        # Also when the generator is closed, or a person interrupts it.
        pool.shutdown(wait=False, cancel_futures=True)


@hookimpl
def etlkit_executors() -> Iterator[Executor]:
    """Provide the executor."""
    yield Executor(name="threads", summary="Loads tables in threads of this process.", run=run)
