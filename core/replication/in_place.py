"""Rows that were read are applied to the table that is there, in one transaction with its state."""

from __future__ import annotations

import time

import attrs
import sqlalchemy as sa

from etlkit.events import TableFinished
from etlkit.replication.filling import Filling
from etlkit.replication.guards import refuse_mass_deletes
from etlkit.replication.statements import Copy, Drop
from etlkit.replication.work import Work


def applied(connection: sa.Connection, copy: Copy, stage: sa.TableClause, *, whole: bool) -> dict[str, int]:
    """Make a table's rows those that were read.

    Rows that changed are removed and inserted anew, so that no column is stamped, and unique values may change places.
    Where the engine knows no transactions, a load that breaks here is begun again, and ends the same.

    Args:
        connection: in the load's transaction.
        copy: the table.
        stage: what was read.
        whole: whether rows that were not read are gone.

    Returns:
        Rows deleted, updated and inserted, by these words.
    """
    deleted = connection.execute(copy.delete_missing(stage)).rowcount if whole else 0
    updated = connection.execute(copy.delete_changed(stage)).rowcount
    inserted = connection.execute(copy.insert_new(stage)).rowcount - updated
    return {"deleted": deleted, "updated": updated, "inserted": inserted}


@attrs.frozen(kw_only=True)
class InPlace:
    """Carries out one load that way."""

    work: Work
    """The load."""

    def carry_out(self) -> TableFinished:
        """Read, stage, apply and commit.

        Returns:
            What happened.

        Raises:
            EtlkitError: the load failed; the table and its state are as they were.
        """
        began = time.monotonic()
        work, connection = self.work, self.work.connection
        resumable = work.what.resumable
        stage = work.side.table if resumable else work.copy.stage
        filling = Filling(work=work, table=stage, make=self._make, lazily=not resumable)
        reading = filling.fill(filling.begin())
        counts = self._counts(stage, empty=not reading.read)
        if work.what.whole:
            before = reading.read - counts["inserted"] + counts["deleted"]
            refuse_mass_deletes(work, deleted=counts["deleted"], before=before)
        outcome = work.outcome(
            counts,
            read=reading.read,
            size=reading.rendered_bytes,
            unchanged=reading.read - counts["inserted"] - counts["updated"],
            seconds=time.monotonic() - began,
        )
        done = work.commit(outcome, reading.watermark)
        if resumable or reading.read:
            connection.execute(Drop(stage, temporary=not resumable))
        return done

    def _counts(self, stage: sa.TableClause, *, empty: bool) -> dict[str, int]:
        connection, copy = self.work.connection, self.work.copy
        if not empty:
            return applied(connection, copy, stage, whole=self.work.what.whole)
        gone = connection.execute(sa.delete(copy.table)).rowcount if self.work.what.whole else 0
        return {"deleted": gone, "updated": 0, "inserted": 0}

    def _make(self) -> None:
        work = self.work
        copy, temporary = work.copy, not work.what.resumable
        stage = copy.stage if temporary else work.side.table
        if not temporary:
            work.connection.execute(Drop(stage))
        work.connection.execute(copy.create_stage(stage, temporary=temporary))
        work.connection.commit()
