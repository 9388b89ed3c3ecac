"""The right to run a deployment: one run has it at a time, from its beginning to its end."""

from __future__ import annotations

import contextlib
import logging
import selectors
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import attrs
import sqlalchemy as sa

from etlkit.errors import LoadError, LockHeld
from etlkit.loading.ledger_tables import RUNS, SCHEMA
from etlkit.loading.locks import try_lock
from etlkit.loading.trouble import warehouse_trouble

_WHERE = f"the ledger in the warehouse's schema `{SCHEMA}`"

_log = logging.getLogger(__name__)


@attrs.define(kw_only=True)
class RunLock:
    """A lock that a transaction of its own holds; may be asked from several threads.

    The transaction is idle until the run ends, which may take hours. When its connection is lost, because the warehouse
    was restarted or because this process was asleep, another run may have begun meanwhile. It may go on only where
    none has.
    """

    engine: sa.Engine
    """The warehouse."""
    schema: str
    """The schema that the deployment loads into."""
    run_id: str
    """The run."""
    _connection: sa.Connection | None = None
    _turn: threading.Lock = attrs.field(factory=threading.Lock)

    @contextmanager
    def held(self) -> Iterator[RunLock]:
        """Hold the lock while the block runs.

        Yields:
            This.

        Raises:
            LockHeld: another run holds it.
        """
        try:
            self._take()
            yield self
            self._let_go()
        finally:
            self._close()

    def keep(self) -> None:
        """Make sure that this run may go on; where the lock's connection was lost, the lock is taken again.

        Raises:
            LockHeld: another run holds it, or held it meanwhile.
            LoadError: the warehouse cannot be asked.
        """
        with self._turn:
            if not self._is_lost():
                return
            self._close()
            self._take()
            with warehouse_trouble(_WHERE):
                another = self._another_began()
            if another:
                self._close()
                raise LockHeld(
                    f"another run was loading into schema `{self.schema}` while this one was cut off from the "
                    "warehouse; this one writes nothing more; run again"
                )
            _log.warning("the connection that held the run's lock was lost; the run holds it again")

    def _take(self) -> None:
        with warehouse_trouble(_WHERE):
            connection = self.engine.connect()
            try:
                connection.execute(sa.text("SET LOCAL idle_in_transaction_session_timeout = 0"))
                held = connection.scalar(sa.select(try_lock(f"etlkit:run:{self.schema}")))
            except BaseException:
                connection.close()
                raise
        if not held:
            connection.close()
            raise LockHeld(
                f"another run is loading into schema `{self.schema}` of this warehouse; wait until it is done "
                "(`etlkit status` shows it) and run again"
            )
        self._connection = connection

    def _let_go(self) -> None:
        try:
            with warehouse_trouble(_WHERE):
                if self._connection is not None:
                    self._connection.commit()
        except LoadError:
            # What was loaded is committed by then, and each table was fenced by its own lock and generation.
            _log.warning("the connection that held the run's lock was lost during the run")

    def _close(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            with contextlib.suppress(sa.exc.DBAPIError):
                connection.close()

    def _is_lost(self) -> bool:
        """Find out without asking, in almost all cases: who holds a lock and does nothing hears nothing."""
        connection = self._connection
        if connection is None or connection.invalidated:
            return True
        if not _hears(connection.connection.driver_connection):
            return False
        try:
            connection.execute(sa.text("SELECT 1"))
        except sa.exc.DBAPIError:
            return True
        return False

    def _another_began(self) -> bool:
        connection = self._connection
        if connection is None:
            return True
        mine = sa.select(RUNS.c.started_at).where(RUNS.c.run_id == self.run_id).scalar_subquery()
        others = RUNS.c.target_schema == self.schema, RUNS.c.run_id != self.run_id
        return bool(connection.scalar(sa.select(sa.exists().where(*others, RUNS.c.started_at >= mine))))


def _hears(driver: Any) -> bool:
    """Tell whether the server said something, or hung up."""
    if driver.closed:
        return True
    with selectors.DefaultSelector() as selector:
        selector.register(driver.fileno(), selectors.EVENT_READ)
        return bool(selector.select(0))
