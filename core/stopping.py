"""Telling work that nobody waits for it any more, also while it waits for a server."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from etlkit.errors import RunInterrupted


class StopSignal:
    """Is set once and stays set; whoever waits for a server leaves an action here that ends the waiting.

    A thread that waits in a driver looks at no flag. So it names what would wake it up (dropping a socket, cancelling
    a statement), and the thread that sets the signal does that.
    """

    def __init__(self) -> None:
        """Begin unset."""
        self._event = threading.Event()
        # Held while actions run: what an action ends cannot be lent to somebody else meanwhile.
        self._lock = threading.Lock()
        self._actions: list[Callable[[], None]] = []

    def is_set(self) -> bool:
        """Tell whether work is to end."""
        return self._event.is_set()

    def check(self) -> None:
        """Go on only if work is not to end.

        Raises:
            RunInterrupted: it is.
        """
        if self.is_set():
            raise interrupted()

    def wait(self, seconds: float) -> bool:
        """Wait until work is to end, or the time is over.

        Args:
            seconds: the longest time to wait.

        Returns:
            Whether work is to end.
        """
        return self._event.wait(seconds)

    def set(self) -> None:
        """Let work end, and wake up what waits; called again, it wakes up what waits by then."""
        self._event.set()
        with self._lock:
            for action in self._actions:
                action()

    @contextmanager
    def calling(self, action: Callable[[], None]) -> Iterator[None]:
        """Have an action called when the signal is set while the block runs, by the thread that sets it.

        Who enters a block looks at `is_set` inside of it: an action is not called for a signal that was set before.

        Args:
            action: wakes up what the block may wait for; it returns at once and raises nothing.

        Yields:
            Nothing.
        """
        with self._lock:
            self._actions.append(action)
        try:
            yield
        finally:
            with self._lock:
                self._actions.remove(action)


def interrupted() -> RunInterrupted:
    """Give the error of a load that ends because it was asked to."""
    return RunInterrupted("the run was asked to end; the table is as it was; run again")
