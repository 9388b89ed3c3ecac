"""Work in a thread of its own, so that a test can do something to the servers while it waits."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Generic, TypeVar

Result = TypeVar("Result")

_PATIENCE_SECONDS = 60


class Background(Generic[Result]):
    """A function that runs in a thread."""

    def __init__(self, function: Callable[[], Result]) -> None:
        """Start it.

        Args:
            function: what to do.
        """
        self._function = function
        self._results: list[Result] = []
        self._raised: list[BaseException] = []
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        try:
            self._results.append(self._function())
        except BaseException as error:  # noqa: BLE001 - given to who asks for the result
            self._raised.append(error)

    def result(self) -> Result:
        """Wait for the end.

        Returns:
            What the function gave.

        Raises:
            BaseException: what it raised.
        """
        self._thread.join(_PATIENCE_SECONDS)
        assert not self._thread.is_alive(), "the work did not end"
        if self._raised:
            raise self._raised[0]
        return self._results[0]

    def reaches(self, there: Callable[[], bool]) -> None:
        """Wait until a condition holds, which is asked of a server again and again.

        Args:
            there: the condition.
        """
        until = time.monotonic() + _PATIENCE_SECONDS
        while not there():
            if not self._thread.is_alive():
                raise AssertionError(f"the work ended before it came there: {self.result()}")
            assert time.monotonic() < until, "the work did not come there"
            self._thread.join(0.01)
