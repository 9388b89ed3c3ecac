"""What is shown while a run is at work: bars on a terminal, log lines elsewhere; always on standard error."""

from __future__ import annotations

import logging
import sys
import threading
from types import TracebackType
from typing import Protocol, Self

from rich.console import Console
from rich.progress import (
    BarColumn,
    Progress,
    SpinnerColumn,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
)

from etlkit.cli import logs
from etlkit.events import WAREHOUSE, RunStarting, TableFinished
from etlkit.wording import one_line

_log = logging.getLogger(__name__)


class Watching(Protocol):
    """Shows a run; a context manager around it."""

    def __enter__(self) -> Self:
        """Begin to show."""

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Leave the screen to others."""

    def starting(self, event: RunStarting) -> None:
        """Show that the run begins."""

    def rows_read(self, table: str, rows: int) -> None:
        """Show how far a table is; called from any thread."""

    def finished(self, outcome: TableFinished) -> None:
        """Show that a table is done."""


def watching() -> Watching:
    """Choose how to show a run.

    Returns:
        Bars when standard error is a terminal and the log is for people; else log lines.
    """
    handler = logs.current()
    if sys.stderr.isatty() and not (handler is not None and handler.as_json):
        return Bars()
    return LogLines()


class LogLines:
    """One line for each table."""

    def __init__(self) -> None:
        """Begin to count."""
        self._total = 0
        self._done = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        pass

    def starting(self, event: RunStarting) -> None:
        """Log that the run begins.

        Args:
            event: the run.
        """
        self._total = len(event.tables) * len(event.hops)
        _log.info("run %s of `%s` begins: %d tables", event.run_id, event.deployment, len(event.tables))

    def rows_read(self, table: str, rows: int) -> None:
        """Say nothing: a log is not a screen.

        Args:
            table: its name.
            rows: read so far.
        """

    def finished(self, outcome: TableFinished) -> None:
        """Log that a table was loaded; what failed was logged where it did.

        Args:
            outcome: the table's.
        """
        self._done += 1
        if outcome.error is not None:
            return
        place = f"{self._done}/{max(self._total, self._done)}"
        _log.info(
            "%s table `%s`%s (%s): %d rows read, %d inserted, %d updated, %d deleted in %.1f s",
            place,
            outcome.table,
            "" if outcome.hop == WAREHOUSE else " into the replica",
            outcome.strategy,
            outcome.read,
            outcome.inserted,
            outcome.updated,
            outcome.deleted,
            outcome.seconds,
        )


class Bars:
    """A bar for the tables, and a line for each table in work; gone when the run is over."""

    def __init__(self) -> None:
        """Prepare the screen."""
        self._progress = Progress(
            SpinnerColumn(),
            TextColumn("{task.description}", markup=False),
            BarColumn(bar_width=30),
            TextColumn("{task.fields[done]}", markup=False),
            TimeElapsedColumn(),
            console=Console(stderr=True, highlight=False),
            transient=True,
        )
        self._total = 0
        self._done = 0
        self._all: TaskID | None = None
        self._at_work: dict[str, TaskID] = {}
        self._lock = threading.Lock()

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._progress.stop()

    def starting(self, event: RunStarting) -> None:
        """Show how many tables there are.

        Args:
            event: the run.
        """
        self._total = len(event.tables) * len(event.hops)
        self._all = self._progress.add_task("tables", total=self._total, done=f"0/{self._total}")

    def rows_read(self, table: str, rows: int) -> None:
        """Show how far a table is.

        Args:
            table: its name.
            rows: read so far.
        """
        with self._lock:
            if table not in self._at_work:
                self._at_work[table] = self._progress.add_task(one_line(table), total=None, done="")
            self._progress.update(self._at_work[table], done=f"{rows:,} rows")

    def finished(self, outcome: TableFinished) -> None:
        """Take a table off the screen and count it.

        Args:
            outcome: the table's.
        """
        with self._lock:
            task = self._at_work.pop(outcome.table, None)
            if task is not None:
                self._progress.remove_task(task)
        self._done += 1
        if self._all is not None:
            self._progress.update(self._all, completed=self._done, done=f"{self._done}/{self._total}")
