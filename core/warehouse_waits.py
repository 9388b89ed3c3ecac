"""Waits for the warehouse that end, although libpq itself waits for ever for a server of which nothing is heard.

The system notices when packets get lost. It does not notice a tunnel, a pooler or a frozen machine that takes every
packet and answers none. So whoever has waited for long has it asked, over another connection, whether the warehouse
is still at work for him, and is woken up by an error when it is not.
"""

from __future__ import annotations

import contextlib
import logging
import os
import socket
import threading
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import attrs
import psycopg2.extensions

_LOOKS = 4  # how often one looks while the silence lasts that is waited for

_log = logging.getLogger(__name__)


@attrs.frozen(kw_only=True)
class Sign:
    """What a backend is at, as another one sees it."""

    at_rest: bool
    """Whether it has had nothing to do for a while, so that the answer it gave is lost."""
    arrived: int | None
    """How many bytes of a COPY arrived there, while it waits for more; None while it does not."""


@attrs.define(eq=False)
class _Wait:
    connection: WarehouseConnection
    since: float | None
    """When it began, by `time.monotonic`; None while it is the warehouse that waits."""
    arrived: int | None = None
    """What had arrived when the warehouse was asked the last time."""

    def is_lost(self, signs: Mapping[int, Sign] | None) -> bool:
        """Judge, and remember, what the warehouse said of it; None when it said nothing."""
        if signs is None:
            return True
        sign, before = signs.get(self.connection.pid), self.arrived
        if sign is None:
            return False  # behind a pooler: it answers, and that is all that is known
        self.arrived = sign.arrived
        return sign.at_rest or (before is not None and sign.arrived == before)


class Waits:
    """Everything that waits for one warehouse."""

    def __init__(
        self, silence_seconds: float, ask: Callable[[Collection[int]], Mapping[int, Sign] | None]
    ) -> None:
        """Prepare; no thread runs before something waits.

        Args:
            silence_seconds: how long a wait may last before the warehouse is asked.
            ask: given the process numbers of backends, it tells what they are at; None when nobody answers.
        """
        self._silence = silence_seconds
        self._signs = ask
        self._lock = threading.Lock()
        self._waits: set[_Wait] = set()
        self._thread: threading.Thread | None = None

    @contextmanager
    def waiting(self, connection: WarehouseConnection) -> Iterator[_Wait]:
        """Wait for the warehouse in the block.

        Args:
            connection: that its answer comes by.

        Yields:
            The wait; while the warehouse waits for the block, its `since` is None.
        """
        wait = _Wait(connection, time.monotonic())
        with self._lock:
            self._waits.add(wait)
            if self._thread is None:
                self._thread = threading.Thread(target=self._look, name="etlkit-waits", daemon=True)
                self._thread.start()
        try:
            yield wait
        finally:
            with self._lock:
                self._waits.discard(wait)

    def _look(self) -> None:
        while True:
            time.sleep(self._silence / _LOOKS)
            with self._lock:
                if not self._waits:
                    self._thread = None
                    return
                latest = time.monotonic() - self._silence
                long = {wait: wait.since for wait in self._waits if (wait.since or latest) < latest}
            if long:
                self._ask(long)

    def _ask(self, long: dict[_Wait, float | None]) -> None:
        signs = self._signs({wait.connection.pid for wait in long})
        for wait, since in long.items():
            # What has its answer by now must not be dropped: it may be at something else already.
            with self._lock:
                if wait not in self._waits or wait.since != since:
                    continue
                lost = wait.is_lost(signs)
                if lost:
                    drop(wait.connection)
                wait.since = time.monotonic()
            if lost:
                _log.warning(
                    "the warehouse answers nothing any more to a statement that is %d seconds old; the connection "
                    "was dropped",
                    self._silence,
                )


def drop(connection: psycopg2.extensions.connection) -> None:
    """Drop a connection's socket, so that whoever waits for its answer goes on by an error at once.

    Args:
        connection: which another thread may use.
    """
    with (
        contextlib.suppress(OSError, psycopg2.Error),
        socket.socket(fileno=os.dup(connection.fileno())) as its,
    ):
        its.shutdown(socket.SHUT_RDWR)


class WarehouseConnection(psycopg2.extensions.connection):
    """A connection whose waits end."""

    waits: Waits | None = None
    """Who looks after them."""
    pid = 0
    """The process number of its backend; of another thread's connection, libpq must not be asked for it."""

    def waiting(self) -> contextlib.AbstractContextManager[_Wait | None]:
        """Give the block in which the warehouse is waited for."""
        return contextlib.nullcontext() if self.waits is None else self.waits.waiting(self)

    def commit(self) -> None:
        """Commit."""
        with self.waiting():
            super().commit()

    def rollback(self) -> None:
        """Roll back."""
        with self.waiting():
            super().rollback()


class WarehouseCursor(psycopg2.extensions.cursor):
    """A cursor of such a connection."""

    connection: WarehouseConnection

    def execute(self, query: Any, vars: Any = None) -> None:  # noqa: A002 - psycopg2's name
        """Run a statement, with values for its placeholders."""
        with self.connection.waiting():
            super().execute(query, vars)

    def executemany(self, query: Any, vars_list: Any) -> None:
        """Run a statement once for each row of values."""
        with self.connection.waiting():
            super().executemany(query, vars_list)

    def copy_expert(self, sql: Any, file: Any, size: int = 8192) -> None:
        """Copy from a file; what is waited for while it is read is not the warehouse."""
        with self.connection.waiting() as wait:
            read: Any = file if wait is None else _Read(file, wait)
            super().copy_expert(sql, read, size)


class _Read:
    """A file that COPY reads from; as long as it has nothing to give, the warehouse waits."""

    def __init__(self, file: Any, wait: _Wait) -> None:
        self._file = file
        self._wait = wait

    def read(self, size: int) -> bytes:
        self._wait.since = None
        try:
            given: bytes = self._file.read(size)
            return given
        finally:
            self._wait.since = time.monotonic()

    def readline(self, *_: Any) -> bytes:
        """Not used by COPY, but psycopg2 asks that a file has it."""
        raise NotImplementedError
