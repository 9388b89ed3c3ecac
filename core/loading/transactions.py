"""A load's transaction in the warehouse: ends at once when the run is asked to, and knows whether it was committed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import sqlalchemy as sa

from etlkit.errors import EtlkitError
from etlkit.loading.cancelling import cancelled_by
from etlkit.loading.ledger import Ledger
from etlkit.loading.table_plan import TablePlan
from etlkit.stopping import StopSignal


@contextmanager
def transaction(
    ledger: Ledger, stop: StopSignal, *, recorded_as: tuple[str, TablePlan] | None = None
) -> Iterator[sa.Connection]:
    """Do what the block does in one transaction of the warehouse, and commit it.

    Args:
        ledger: the ledger, and the warehouse that holds it.
        stop: cancels what runs when it is set.
        recorded_as: the run and the table's plan, when the block records the table's load; then a commit whose answer
            is lost is settled by what the ledger holds.

    Yields:
        The connection.

    Raises:
        RunInterrupted: the signal was set before.
        sqlalchemy.exc.DBAPIError: the warehouse refused something, or it is not known to have committed.
    """
    with ledger.engine.connect() as connection, cancelled_by(stop, connection):
        yield connection
        try:
            connection.commit()
        except sa.exc.DBAPIError:
            if recorded_as is None or not _was_committed(ledger, *recorded_as):
                raise


def _was_committed(ledger: Ledger, run_id: str, plan: TablePlan) -> bool:
    before = plan.before.state.generation if plan.before else 0
    try:
        return ledger.was_committed(run_id, plan.analysis.name, before + 1)
    except EtlkitError:
        return False
