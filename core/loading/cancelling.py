"""A load's statements in the warehouse end at once when the run is asked to end."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg2
import sqlalchemy as sa

from etlkit.stopping import StopSignal


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

    def cancel() -> None:
        # When the connection broke, there is nothing to cancel any more.
        with contextlib.suppress(psycopg2.Error):
            driver.cancel()

    with stop.calling(cancel):
        stop.check()
        yield
