"""A process that is asked to end does so, whether it is able to or not, and says so once."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading

import pytest

from etlkit.ending import end_signal, listening

STUBBORN = """
import sys, time
from etlkit import ending
ending.LONGEST_SECONDS = 0.3
with ending.listening(1) as asked:
    asked.last_words = lambda: print("interrupted", flush=True)
    greeting = "ready\\n"
    while True:
        try:
            said, greeting = greeting, ""
            print(said, end="", flush=True)
            time.sleep(60)
        except KeyboardInterrupt:
            {then}
"""


def ended(then: str, sent: signal.Signals) -> tuple[int, str]:
    """Start a program that does not end when it is asked to, ask it, and give what came of it."""
    process = subprocess.Popen(
        [sys.executable, "-c", STUBBORN.format(then=then)], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert "ready\n" == process.stdout.readline()
    process.send_signal(sent)
    output, _ = process.communicate(timeout=30)
    return process.returncode, output


@pytest.mark.parametrize("sent", [signal.SIGTERM, signal.SIGINT])
def test_who_does_not_end_is_ended(sent: signal.Signals) -> None:
    """Whoever goes on waiting is ended with its last words."""
    assert (1, "interrupted\n") == ended("pass", sent)


def test_the_end_is_told_once() -> None:
    """Who has told the end already, and does not come to it, is ended without telling it again."""
    assert (1, "told\n") == ended(
        "print('told', flush=True) if asked.takes_the_word() else None", signal.SIGTERM
    )


@pytest.mark.parametrize("sent", [signal.SIGTERM, signal.SIGINT])
def test_both_signals_interrupt(sent: signal.Signals) -> None:
    """Inside of the block a signal raises KeyboardInterrupt and is told to who left an action; outside nothing is."""
    told = threading.Event()
    before = signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGINT)
    with listening(1) as asked, asked.calling(told.set):
        assert asked is end_signal()
        with pytest.raises(KeyboardInterrupt):  # noqa: PT012 - it comes while something is waited for
            os.kill(os.getpid(), sent)
            threading.Event().wait(30)
        assert told.wait(30)
        assert asked.is_set()
    assert not end_signal().is_set()
    assert before == (signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGINT))


def test_other_threads_do_not_listen() -> None:
    """A command that is called in another thread than the main one runs without."""
    found: list[bool] = []

    def call() -> None:
        with listening(1) as asked:
            found.append(asked.is_set())

    thread = threading.Thread(target=call)
    thread.start()
    thread.join()
    assert [False] == found
