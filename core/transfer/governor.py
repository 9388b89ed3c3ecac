"""The source governor: between chunks it rests in proportion to the work, and waits while the clinic's server is busy.

One governor serves all reads of a deployment. It asks the server how busy it is on the connection that reads anyway,
and seldom enough to cost at most a hundredth of the time.
"""

from __future__ import annotations

import datetime as dt
import logging
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

import attrs
import pymysql

from etlkit.config import SourceSettings
from etlkit.errors import OutsideAllowedHours, SourceBusy
from etlkit.stopping import StopSignal
from etlkit.transfer.chunk_size import Pace
from etlkit.transfer.manners import Manners

LOOK = "SHOW GLOBAL STATUS WHERE Variable_name IN ('Threads_running', 'Table_locks_waited')"
"""Asks how busy the server is; needs no privilege."""
SNAPSHOT_SECONDS = 30
"""How long a read pauses inside of an InnoDB snapshot, which keeps everybody from altering the table."""

_LOOK_SECONDS = 0.5
_SELDOM_SECONDS = 5.0
_COST_SHARE = 0.01
_RATE_SECONDS = 0.2  # below it, a few waits would look like many a second
_FIRST_PAUSE_SECONDS = 0.25
_LONGEST_PAUSE_SECONDS = 2.0
_WORTH_A_REST_SECONDS = 0.005
_FORGET_SECONDS = 60.0
# Not allowed, or the server's own tables are damaged: it answers everything else.
_NO_ANSWER = frozenset({1142, 1146, 1227, 1682})

_log = logging.getLogger(__name__)


@attrs.define
class Spent:
    """The time for which one read kept the source at work since it rested last."""

    seconds: float = 0.0
    """So long."""
    until: float = 0.0
    """When it ended, by the monotonic clock."""

    @contextmanager
    def counted(self) -> Iterator[None]:
        """Count the time of a statement, from when it is sent to when its last row is here."""
        began = time.monotonic()
        try:
            yield
        finally:
            self.until = time.monotonic()
            self.seconds += self.until - began


@attrs.frozen(kw_only=True)
class Guest:
    """One read on one connection."""

    what: str
    """What is read, for messages, such as ``table `patient` ``."""
    engine: str
    """The storage engine of what is read."""
    spent: Spent
    """What it cost the source."""
    ask: Callable[[str], Mapping[str, str]]
    """Asks the source for status variables on the read's own connection."""
    stop: StopSignal
    """Ends every wait."""
    in_snapshot: bool = False
    """Whether the connection is in a snapshot at the moment."""
    patient: bool = True
    """Whether it waits for a busy server; False for what only saves work."""


@attrs.frozen(kw_only=True)
class _Busy:
    name: str
    value: float
    setting: str
    most: int

    def __str__(self) -> str:
        return f"{self.name} is {self.value:.0f}, and `source.{self.setting}` is {self.most}"


class Governor:
    """Decides when the reads of a deployment go on; may be used from several threads."""

    def __init__(self, settings: SourceSettings, clock: Callable[[], float] = time.monotonic) -> None:
        """Begin; nothing is asked before the first read.

        Args:
            settings: the deployment's section `source`.
            clock: gives seconds that only ever grow.
        """
        self.pace = Pace()
        """How fast the source gave chunks lately."""
        self._manners = Manners(settings)
        self._clock = clock
        self._lock = threading.Lock()
        self._next_look = 0.0
        self._busy: _Busy | None = None
        self._busy_since = 0.0
        self._seen_at: float | None = None
        self._waits = 0
        self._waits_at: float | None = None
        self._rate = 0.0
        self._blind = False
        self._told = False

    def rest(self, guest: Guest) -> None:
        """Let others have the server before a read goes on.

        Args:
            guest: the read; between two of its statements.

        Raises:
            RunInterrupted: the read is to end.
            OutsideAllowedHours: the hours have ended in which the source may be read.
            SourceBusy: the server stays busy.
        """
        share = self._manners.duty_cycle(guest.engine)
        owed = guest.spent.seconds * (1 / share - 1) - (self._clock() - guest.spent.until)
        if owed >= _WORTH_A_REST_SECONDS:
            self._wait(guest, owed)
        if owed <= 0 or owed >= _WORTH_A_REST_SECONDS:
            guest.spent.seconds = 0.0
        self._require_allowed_hour(guest)
        busy = self._look(guest, at_once=False)
        if busy is not None:
            self._until_calm(guest, busy)

    def _until_calm(self, guest: Guest, busy: _Busy) -> None:
        began = self._clock()
        pause = _FIRST_PAUSE_SECONDS
        settings = self._manners.settings
        patience = settings.busy_patience_minutes * 60 if guest.patient else 0
        now: _Busy | None = busy
        while now is not None:
            if self._clock() - self._busy_since >= patience:
                raise SourceBusy(
                    f"{guest.what}: the source has been busy for {settings.busy_patience_minutes:g} minutes ({now}), "
                    "so the read was given up, and what was loaded before is as it was; run again at a quieter hour, "
                    f"or raise `source.{now.setting}` or `source.busy_patience_minutes` in etlkit.yml"
                )
            if guest.in_snapshot and self._clock() - began >= SNAPSHOT_SECONDS:
                # Whoever wants to alter the table waits for the snapshot, and everybody behind them: that alone can
                # be what makes the server busy.
                raise SourceBusy(
                    f"{guest.what}: the source became busy while the table was read ({now}), and its snapshot was let "
                    f"go after {SNAPSHOT_SECONDS} seconds, since it keeps others from altering the table; run again at "
                    f"a quieter hour, or raise `source.{now.setting}` in etlkit.yml",
                    transient=True,
                )
            self._tell(guest, now)
            self._wait(guest, pause)
            pause = min(2 * pause, _LONGEST_PAUSE_SECONDS)
            self._require_allowed_hour(guest)
            now = self._look(guest, at_once=True)
        _log.debug("%s: the source is calm again after %.1f s", guest.what, self._clock() - began)

    def _look(self, guest: Guest, *, at_once: bool) -> _Busy | None:
        """Tell whether the server is busy; that it was calm a moment ago still counts."""
        began = self._clock()
        with self._lock:
            if self._blind or (began < self._next_look and self._busy is None and not at_once):
                return None
            # Other threads go by what was seen last, while this one asks.
            self._next_look = began + _LOOK_SECONDS
        try:
            seen = guest.ask(LOOK)
        except pymysql.err.Error as error:
            if not error.args or error.args[0] not in _NO_ANSWER:
                raise
            seen = {}
        now = self._clock()
        with self._lock:
            if "Threads_running" not in seen:
                self._blind = True
                _log.warning(
                    "the source does not tell how busy it is; etlkit rests, but does not pause for it"
                )
                return None
            self._next_look = now + min(_SELDOM_SECONDS, max(_LOOK_SECONDS, (now - began) / _COST_SHARE))
            self._note(int(seen["Threads_running"]), int(seen.get("Table_locks_waited", 0)), now)
            return self._busy

    def _note(self, threads_running: int, waits: int, now: float) -> None:
        if self._waits_at is None:
            self._waits, self._waits_at = waits, now
        elif now - self._waits_at >= _RATE_SECONDS:
            # A server that was started again counts from 0.
            self._rate = max(0, waits - self._waits) / (now - self._waits_at)
            self._waits, self._waits_at = waits, now
        was_busy = self._busy is not None
        settings = self._manners.settings
        if threads_running > settings.max_threads_running:
            self._busy = _Busy(
                name="Threads_running",
                value=threads_running,
                setting="max_threads_running",
                most=settings.max_threads_running,
            )
        elif self._rate > settings.max_table_lock_waits:
            self._busy = _Busy(
                name="Table_locks_waited a second",
                value=self._rate,
                setting="max_table_lock_waits",
                most=settings.max_table_lock_waits,
            )
        else:
            self._busy = None
        if not was_busy or self._seen_at is None or now - self._seen_at > _FORGET_SECONDS:
            self._busy_since = now
        self._seen_at = now

    def _require_allowed_hour(self, guest: Guest) -> None:
        hours = self._manners.settings.allowed_hours
        if hours is not None and not hours.include(dt.datetime.now().astimezone().time()):
            raise OutsideAllowedHours(
                f"{guest.what}: the hours ended in which the source may be read ({hours}, `source.allowed_hours` in "
                "etlkit.yml), so the read was given up, and what was loaded before is as it was; run again then"
            )

    def _wait(self, guest: Guest, seconds: float) -> None:
        guest.stop.wait(seconds)
        guest.stop.check()

    def _tell(self, guest: Guest, busy: _Busy) -> None:
        with self._lock:
            first, self._told = not self._told, True
        if first:
            _log.warning(
                "%s: the source is busy (%s); waiting until it is calm, at most %g minutes",
                guest.what,
                busy,
                self._manners.settings.busy_patience_minutes,
            )
