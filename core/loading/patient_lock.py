"""Having a table, and views upon it, for oneself, without holding up who reads them.

A lock that is waited for keeps every later reader waiting, and two sessions that wait for each other are a deadlock, in
which PostgreSQL picks a victim after a second. So locks are waited for half a second, and then given up for a while.
"""

from __future__ import annotations

import time
from collections.abc import Callable

import sqlalchemy as sa

from etlkit.loading.alterations import LockTable
from etlkit.loading.dependents import Dependents
from etlkit.loading.target import TargetTable

_PATIENCE = 60.0
_WAIT = "500ms"
_PAUSE = 0.25
_LATER = ("55P03", "40P01")
"""A lock was not given in time; a deadlock."""


def locked(
    connection: sa.Connection, target: TargetTable, dependents: Dependents, check: Callable[[], None]
) -> None:
    """Lock a table and the views that depend on it, until the transaction ends.

    Args:
        connection: in the load's transaction.
        target: the table.
        dependents: with the views.
        check: called between two attempts; raises when the load is to end.

    Raises:
        sqlalchemy.exc.DBAPIError: somebody held a lock for a minute.
    """
    until = time.monotonic() + _PATIENCE
    before = connection.scalar(sa.text("SELECT current_setting('lock_timeout')"))
    while True:
        try:
            with connection.begin_nested():
                _set(connection, _WAIT)
                dependents.lock(connection)
                connection.execute(LockTable(target.itself()))
                _set(connection, before)
        except sa.exc.DBAPIError as error:
            if getattr(error.orig, "pgcode", None) not in _LATER or time.monotonic() > until:
                raise
        else:
            return
        # The locks are free again: who waited for them goes first.
        time.sleep(_PAUSE)
        check()


def _set(connection: sa.Connection, value: str | None) -> None:
    connection.execute(sa.select(sa.func.set_config("lock_timeout", value, True)))
