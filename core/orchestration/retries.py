"""Trying again what failed for a reason that may pass: so often, ever later, never all at the same time."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from typing import TypeVar

import attrs
import tenacity

from etlkit.errors import EtlkitError
from etlkit.stopping import StopSignal

T = TypeVar("T")

_FIRST_SECONDS = 1
_LONGEST_SECONDS = 30
_OF_A_RUN = 20  # when so much fails, it is no passing trouble, and the clinic's server is spared the rest
_TRIES_AT_THE_END = 5  # the signal to end cancels what is worked on up to four times; see etlkit.ending

_log = logging.getLogger(__name__)


@attrs.define(kw_only=True)
class Retries:
    """How often a run tries again; may be used from several threads.

    Between two tries it waits about 1, 2, 4 ... seconds, at most 30, and up to a second more by chance, so that
    tables which failed together do not come back together.
    """

    most: int
    """How often each piece of work is tried again; 0 for never."""
    stop: StopSignal = attrs.field(factory=StopSignal)
    """When it is set, waiting ends and nothing is tried again."""
    _spent: int = 0
    _lock: threading.Lock = attrs.field(factory=threading.Lock)

    def call(
        self, work: Callable[[], T], *, again: Callable[[], T] | None = None, at_the_end: bool = False
    ) -> T:
        """Do a piece of work, and do it again as long as it fails for a reason that may pass.

        Args:
            work: what to do.
            again: what to do at every further try, where that is something else.
            at_the_end: whether it belongs to the end of a run, and is short. The signal to end cancels whatever the
                warehouse works on, a little late at times: such work is then tried again at once.

        Returns:
            What it gave.

        Raises:
            EtlkitError: it failed, and is not tried again (any more); as it was raised the last time.
        """
        attempts = tenacity.Retrying(
            retry=tenacity.retry_if_exception(_may_pass),
            stop=self._is_enough_at_the_end if at_the_end else self._is_enough,
            wait=tenacity.wait_exponential_jitter(initial=_FIRST_SECONDS, max=_LONGEST_SECONDS, jitter=1),
            sleep=self._wait if at_the_end else self._sleep,
            before_sleep=self._tell,
            reraise=True,
        )
        for attempt in attempts:
            with attempt:
                first = attempt.retry_state.attempt_number == 1
                return work() if first or again is None else again()
        raise AssertionError("a loop that returns or raises ended")  # pragma: no cover

    def _is_enough(self, state: tenacity.RetryCallState) -> bool:
        if self.stop.is_set() or state.attempt_number > self.most:
            return True
        with self._lock:
            self._spent += 1
            return self._spent > _OF_A_RUN

    def _is_enough_at_the_end(self, state: tenacity.RetryCallState) -> bool:
        if self.stop.is_set():
            return state.attempt_number >= _TRIES_AT_THE_END
        return self._is_enough(state)

    def _wait(self, seconds: float) -> None:
        self.stop.wait(seconds)

    def _sleep(self, seconds: float) -> None:
        self._wait(seconds)
        self.stop.check()

    def _tell(self, state: tenacity.RetryCallState) -> None:
        if self.stop.is_set():
            return  # nothing is waited for, and what was cancelled is no trouble
        failure = state.outcome.exception() if state.outcome else None
        seconds = state.next_action.sleep if state.next_action else 0.0
        _log.warning(
            "%s; trying again in %.1f s (%d of %d)", failure, seconds, state.attempt_number, self.most
        )


def _may_pass(failure: BaseException) -> bool:
    return isinstance(failure, EtlkitError) and failure.transient
