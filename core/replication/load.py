"""One table's load into the replica: aside, in place or by differences; all of it or nothing, and the ledger knows."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

import attrs
import sqlalchemy as sa

from etlkit.contracts import Differences, Everything, Write
from etlkit.errors import ExtractionError, LoadError
from etlkit.events import TableFinished
from etlkit.loading.brake import ANY_SHARE
from etlkit.raising import raise_alone
from etlkit.replication.aside import Aside
from etlkit.replication.ends import Replica, Source
from etlkit.replication.guards import require_own
from etlkit.replication.in_place import InPlace
from etlkit.replication.mending import Mending
from etlkit.replication.plan import ReplicaPlan
from etlkit.replication.trouble import replica_table, replica_trouble
from etlkit.replication.work import Work
from etlkit.stopping import StopSignal, interrupted
from etlkit.transfer.source_queries import SourceQueries
from etlkit.transfer.watermark import CursorBehind

# Rows may be as long as their types allow, and hardly any are; MySQL 8 lets few users say so.
_ANY_ROW_LENGTH = sa.text("SET SESSION innodb_strict_mode = 0")


@attrs.frozen(kw_only=True)
class ReplicaLoad:
    """Carries out one table's plan, once."""

    what: ReplicaPlan
    """The plan."""
    source: Source
    """Where rows come from."""
    replica: Replica
    """Where they go."""
    run_id: str
    """The run this belongs to."""
    max_deleted_share: float = ANY_SHARE
    """The share of the table's rows that the load may not reach when it removes some; 1 for any."""
    stop: StopSignal = attrs.field(factory=StopSignal)
    """When it is set, the load ends by `RunInterrupted`."""
    rows_read: Callable[[int], None] = lambda _: None
    """Called after each chunk with the rows read or compared so far."""

    def carry_out(self) -> TableFinished:
        """Read, apply and commit.

        Returns:
            What happened.

        Raises:
            EtlkitError: the load failed; the table and its state are as they were.
        """
        try:
            return self._carried_out(self.what)
        except CursorBehind:
            plan = attrs.evolve(self.what.plan, read=Everything(), write=Write.REPLACE)
            return self._carried_out(attrs.evolve(self.what, plan=plan))

    def _carried_out(self, what: ReplicaPlan) -> TableFinished:
        where = replica_table(self.replica.database, what.name)
        try:
            with (
                replica_trouble(where, kept="nothing of this load was kept"),
                self._connected() as connection,
                self.replica.ledger.table_lock(connection, what.name),
            ):
                return self._done(what, connection)
        except (LoadError, ExtractionError):
            # To end a load at once, its connections are dropped.
            if self.stop.is_set():
                raise_alone(interrupted())
            raise

    def _done(self, what: ReplicaPlan, connection: sa.Connection) -> TableFinished:
        began = time.monotonic()
        work = Work(
            what=what,
            source=self.source,
            replica=self.replica,
            connection=connection,
            run_id=self.run_id,
            max_deleted_share=self.max_deleted_share,
            stop=self.stop,
            rows_read=self.rows_read,
        )
        require_own(work)
        if what.replaced:
            outcome = Aside(work=work).carry_out()
        elif isinstance(what.plan.read, Differences):
            outcome = Mending(work=work, copy=work.copy).carry_out()
        else:
            outcome = InPlace(work=work).carry_out()
        return attrs.evolve(outcome, seconds=time.monotonic() - began)

    @contextmanager
    def _connected(self) -> Iterator[sa.Connection]:
        with self.replica.engine.connect() as connection:
            driver = SourceQueries(connection.connection.driver_connection)  # type: ignore[arg-type]
            with self.stop.calling(driver.drop):
                self.stop.check()
                with suppress(sa.exc.DBAPIError):
                    connection.execute(_ANY_ROW_LENGTH)
                yield connection
