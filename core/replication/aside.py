"""A table is filled aside and takes its place in one step: first loads, other definitions, and rows without a key.

Readers see the table that was there, or the whole new one. The step is a statement of its own, which no transaction
holds; a run that ends between it and the record finds out, because the record says what was about to be done.
"""

from __future__ import annotations

import time
from contextlib import suppress

import attrs
from sqlalchemy.exc import DBAPIError

from etlkit.contracts import Differences
from etlkit.events import TableFinished
from etlkit.replication.filling import Filling
from etlkit.replication.guards import refuse_mass_deletes
from etlkit.replication.ledger_entries import Reading
from etlkit.replication.mending import Mending
from etlkit.replication.statements import Drop, Rename
from etlkit.replication.work import Work
from etlkit.transfer.keys import KeyRange


@attrs.frozen(kw_only=True)
class Aside:
    """Carries out one load that way."""

    work: Work
    """The load."""

    def carry_out(self) -> TableFinished:
        """Fill a table, and put it in place.

        Returns:
            What happened.

        Raises:
            EtlkitError: the load failed; the table and its state are as they were.
        """
        began = time.monotonic()
        work = self.work
        filling = Filling(work=work, table=work.side.table, make=self._make)
        reading = filling.begin()
        if reading.complete and not self._is_there(work.what.side):
            # Put in place by a run that ended before it could say so.
            return self._recorded(reading, self._all_new(reading), began, verified=None)
        mended = None
        if isinstance(work.what.plan.read, Differences):
            if not reading.complete:
                mended = self._rebuilt()
                reading = attrs.evolve(reading, read=mended.read, rendered_bytes=mended.rendered_bytes)
        else:
            reading = filling.fill(reading)
        counts = _counts(mended) if mended else self._all_new(reading)
        if work.what.reshape and mended is None:
            before = work.connection.scalar(work.copy.count()) or 0
            refuse_mass_deletes(work, deleted=max(0, before - reading.read), before=before)
            counts = {"deleted": before, "inserted": reading.read}
        elif not work.what.first and mended is None:
            compared = self._compared()
            if compared is None:
                return self._as_it_was(reading, began)
            counts = compared
        self._put_in_place(attrs.evolve(reading, complete=True))
        return self._recorded(reading, counts, began, verified=mended.verified if mended else None)

    def _make(self) -> None:
        work = self.work
        work.source.discovery.replicate_schema(
            work.what.name,
            work.replica.engine,
            work.replica.database,
            work.what.side,
            drop_if_exists=True,
            storage_engine=work.replica.storage_engine,
        )

    def _rebuilt(self) -> TableFinished:
        """Copy what both definitions have in common on the replica itself; then read what differs."""
        work = self.work
        there = work.what.there
        common = [
            each.name for each in work.columns if there is not None and there.column(each.name) is not None
        ]
        if common:
            work.connection.execute(work.side.insert_common(work.copy.table, common))
            work.connection.commit()
        return Mending(work=work, copy=work.side, recorded=False).carry_out()

    def _compared(self) -> dict[str, int] | None:
        """Count in which rows the table differs from the one aside; None when both are equal."""
        work, connection = self.work, self.work.connection
        with work.lent_replica() as server:
            before = work.side_of(server, work.what.name).summary(KeyRange())
            now = work.side_of(server, work.what.side).summary(KeyRange())
        if before == now:
            return None
        if work.what.analysis.primary_key:
            here, side = work.copy, work.side.table
            deleted = connection.scalar(here.count_missing(here.table, side)) or 0
            inserted = connection.scalar(here.count_missing(side, here.table)) or 0
            counts = {
                "deleted": deleted,
                "inserted": inserted,
                "updated": connection.scalar(here.count_changed(side)) or 0,
            }
        else:
            counts = {"deleted": before.rows, "inserted": now.rows}
            deleted = max(0, before.rows - now.rows)
        connection.commit()
        refuse_mass_deletes(work, deleted=deleted, before=before.rows)
        return counts

    def _as_it_was(self, reading: Reading, began: float) -> TableFinished:
        self.work.connection.execute(Drop(self.work.side.table))
        return self._recorded(reading, {}, began, verified=None)

    def _put_in_place(self, reading: Reading) -> None:
        work, ledger = self.work, self.work.replica.ledger
        work.stop.check()
        ledger.save_reading(work.connection, work.run_id, work.what.name, reading)
        work.connection.commit()
        moves = [(work.side.table, work.copy.table)]
        if self._is_there(work.what.name):
            work.connection.execute(Drop(work.old))
            moves.insert(0, (work.copy.table, work.old))
        work.connection.execute(Rename(moves))

    def _recorded(
        self, reading: Reading, counts: dict[str, int], began: float, *, verified: str | None
    ) -> TableFinished:
        work = self.work
        written = counts.get("inserted", 0) + counts.get("updated", 0)
        outcome = work.outcome(
            counts,
            read=reading.read,
            size=reading.rendered_bytes,
            unchanged=reading.read - written,
            seconds=time.monotonic() - began,
            verified=verified,
        )
        done = work.commit(outcome, reading.watermark)
        # Where a reader still has it in work, the next run removes it.
        with suppress(DBAPIError):
            work.connection.execute(Drop(work.old))
        return done

    def _all_new(self, reading: Reading) -> dict[str, int]:
        return {"inserted": reading.read} if self.work.what.first else {}

    def _is_there(self, name: str) -> bool:
        return self.work.is_there(name)


def _counts(outcome: TableFinished) -> dict[str, int]:
    return {name: getattr(outcome, name) for name in ("inserted", "updated", "deleted")}
