"""Statements in the warehouse end at once when a load, or the whole process, is asked to end."""

from __future__ import annotations

import contextlib
import os
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import psycopg2
import sqlalchemy as sa

from etlkit.stopping import StopSignal

_ANSWER_SECONDS = 0.5
# PostgreSQL's protocol: is encryption offered? Answered by one byte before anything else is asked.
_SSL_REQUEST = bytes.fromhex("00000008 04d2162f")


@contextmanager
def cancelled_by(stop: StopSignal, connection: sa.Connection) -> Iterator[None]:
    """Have what runs on a connection cancelled when a signal is set.

    Args:
        stop: the signal.
        connection: to the warehouse.

    Yields:
        Nothing.

    Raises:
        RunInterrupted: the signal was set before.
    """
    driver: Any = connection.connection.driver_connection
    with stop.calling(lambda: _cancel(driver)):
        stop.check()
        yield


@contextmanager
def all_cancelled_by(
    stop: StopSignal, engine: sa.Engine, by: Callable[[Any], None] | None = None
) -> Iterator[None]:
    """Have what runs on any of an engine's connections cancelled when a signal is set.

    Args:
        stop: the signal.
        engine: nothing was asked of it before.
        by: ends what runs on a driver's connection at once; by default as the warehouse wants it.

    Yields:
        Nothing.
    """
    lent: dict[int, Any] = {}

    def lend(driver: Any, record: Any, _: object) -> None:
        lent[id(record)] = driver

    def take_back(_: object, record: Any) -> None:
        lent.pop(id(record), None)

    def cancel() -> None:
        for each in list(lent.values()):
            (by or _cancel)(each)

    sa.event.listen(engine, "checkout", lend)
    sa.event.listen(engine, "checkin", take_back)
    with stop.calling(cancel):
        yield


def _cancel(driver: Any) -> None:
    # When the connection broke, there is nothing to cancel any more.
    with contextlib.suppress(psycopg2.Error, OSError):
        if _answers(driver):
            driver.cancel()


def _answers(driver: Any) -> bool:
    """Find out whether the warehouse answers; psycopg2 would wait for that forever, and every thread with it."""
    with socket.socket(fileno=os.dup(driver.fileno())) as same:
        family, place = same.family, same.getpeername()
    with socket.socket(family) as probe:
        probe.settimeout(_ANSWER_SECONDS)
        probe.connect(place)
        probe.sendall(_SSL_REQUEST)
        return bool(probe.recv(1))
