"""A signal that is set wakes up those who wait, and nobody else."""

from __future__ import annotations

import threading

import pytest

from etlkit.errors import RunInterrupted
from etlkit.stopping import StopSignal


def test_actions_are_called_while_their_block_runs() -> None:
    """An action belongs to its block: it is called at each setting inside of it, and never after."""
    signal, called = StopSignal(), list[str]()
    with signal.calling(lambda: called.append("outer")):
        with signal.calling(lambda: called.append("inner")):
            signal.set()
        signal.set()
    signal.set()
    assert ["outer", "inner", "outer"] == called


def test_a_block_that_fails_takes_its_action_away() -> None:
    """What a block raises passes, and its action is gone."""
    signal, called = StopSignal(), list[str]()
    with pytest.raises(KeyError), signal.calling(lambda: called.append("gone")):
        raise KeyError
    signal.set()
    assert [] == called


def test_checking() -> None:
    """Before the signal is set there is nothing to say, afterwards it is told in a sentence."""
    signal = StopSignal()
    signal.check()
    assert not signal.is_set()
    signal.set()
    assert signal.is_set()
    with pytest.raises(RunInterrupted) as caught:
        signal.check()
    assert "the run was asked to end; the table is as it was; run again" == str(caught.value)


def test_a_block_is_not_left_while_its_action_runs() -> None:
    """Whatever the action ends stays the block's own until the action is done."""
    signal, events = StopSignal(), list[str]()
    acting, go_on = threading.Event(), threading.Event()

    def action() -> None:
        acting.set()
        go_on.wait(10)
        events.append("acted")

    def block() -> None:
        with signal.calling(action):
            entered.set()
            acting.wait(10)
        events.append("left")

    entered = threading.Event()
    blocked, setter = threading.Thread(target=block), threading.Thread(target=signal.set)
    blocked.start()
    entered.wait(10)
    setter.start()
    acting.wait(10)
    go_on.set()
    for thread in (blocked, setter):
        thread.join(10)
    assert ["acted", "left"] == events
