"""A process that is asked to end, by SIGINT or SIGTERM: whoever waits for a server is told at once.

Python calls a signal's handler only when the main thread comes back from C, and a driver that waits for its server
does not. So a thread of its own hears of the signal as well, and ends the waiting. Should the process not have ended
a few seconds later, because nothing ends its waiting (a network that swallows everything, a plugin), that thread
ends it: a process may be killed at any moment without harm, but not without a word.
"""

from __future__ import annotations

import os
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from etlkit.stopping import StopSignal

LONGEST_SECONDS = 4.0
"""How long a process may take to end in order."""

_AGAIN_SECONDS = 1.0
_WORDS_SECONDS = 0.5
_SIGNALS = (signal.SIGINT, signal.SIGTERM)


class EndSignal(StopSignal):
    """Is set when the process is asked to end."""

    def __init__(self) -> None:
        """Begin unset."""
        super().__init__()
        self.last_words: Callable[[], None] = lambda: None
        """Tells the world that the process was interrupted; called when it could not end in order."""
        self._unspoken = threading.Lock()

    def takes_the_word(self) -> bool:
        """Ask to be the one who tells the end; the first who asks may."""
        return self._unspoken.acquire(blocking=False)


_current = [EndSignal()]


def end_signal() -> EndSignal:
    """Give the signal that is set when the process is asked to end; outside of `listening` it never is."""
    return _current[-1]


@contextmanager
def listening(exit_code: int) -> Iterator[EndSignal]:
    """Make SIGTERM, which services and schedulers send, raise KeyboardInterrupt as Ctrl-C does, and hear of both.

    Only the main thread can do so; in another one nothing happens.

    Args:
        exit_code: of a process that could not end in order.

    Yields:
        The signal, unset.
    """
    asked = EndSignal()
    if threading.current_thread() is not threading.main_thread():
        yield asked
        return
    ear, mouth = socket.socketpair()
    mouth.setblocking(False)
    over = threading.Event()
    thread = threading.Thread(
        target=_listen, args=(ear, over, asked, exit_code), name="etlkit-signals", daemon=True
    )
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    heard_before = signal.set_wakeup_fd(mouth.fileno(), warn_on_full_buffer=False)
    _current.append(asked)
    thread.start()
    try:
        yield asked
    finally:
        # The work is over: what is to be told and the exit code stand.
        interrupting = signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        over.set()
        _current.remove(asked)
        signal.set_wakeup_fd(heard_before)
        mouth.close()
        thread.join()
        ear.close()
        signal.signal(signal.SIGTERM, before)
        signal.signal(signal.SIGINT, interrupting)


def _listen(ear: socket.socket, over: threading.Event, asked: EndSignal, exit_code: int) -> None:
    while (said := ear.recv(1)) and said[0] not in _SIGNALS:
        pass  # other signals have other handlers
    if not said:
        return
    ends = time.monotonic() + LONGEST_SECONDS
    while (left := ends - time.monotonic()) > 0:
        # Again and again: one that was just about to wait for something could not be woken up.
        threading.Thread(target=asked.set, name="etlkit-end", daemon=True).start()
        if over.wait(min(left, _AGAIN_SECONDS)):
            return
    if asked.takes_the_word():
        # Not in this thread: whoever is to read the words may not read any more.
        words = threading.Thread(target=asked.last_words, name="etlkit-last-words", daemon=True)
        words.start()
        words.join(_WORDS_SECONDS)
    elif over.wait(_WORDS_SECONDS):
        return
    os._exit(exit_code)
