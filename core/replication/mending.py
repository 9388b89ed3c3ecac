"""What differs between source and replica is found by digests, and exactly those rows are read and changed."""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterator

import attrs
import sqlalchemy as sa

from etlkit.events import TableFinished
from etlkit.loading.staged import EQUAL, REPAIRED
from etlkit.loading.stored_rows import Summary
from etlkit.replication.guards import refuse_mass_deletes
from etlkit.replication.in_place import applied
from etlkit.replication.reading import ExactReader
from etlkit.replication.sides import Sides
from etlkit.replication.statements import Copy, Drop
from etlkit.replication.work import CHANGED, Work
from etlkit.replication.writing import RowWriter
from etlkit.transfer.keys import Key, KeyRange, comparable
from etlkit.transfer.source_queries import SourceQueries

_GAP = 20  # equal rows between two that differ, up to which both are read in one range
_MOST_KEYS = 1000


@attrs.define(kw_only=True)
class _Found:
    """What was found so far."""

    compared: int = 0
    read: int = 0
    size: int = 0
    extra: list[Key] = attrs.field(factory=list)
    differing: list[tuple[KeyRange, Summary | None]] = attrs.field(factory=list)


@attrs.frozen(kw_only=True)
class Mending:
    """Carries out one load that way."""

    work: Work
    """The load."""
    copy: Copy
    """The table that is compared and changed."""
    recorded: bool = True
    """Whether the load is recorded in the ledger, and so committed; else it is committed alone."""

    def carry_out(self) -> TableFinished:
        """Compare, read what differs, and apply it.

        Returns:
            What happened; `verified` says whether the table was proven equal.

        Raises:
            EtlkitError: it failed; the table and its state are as they were.
        """
        began = time.monotonic()
        work, stage = self.work, self.copy.stage
        work.connection.execute(self.copy.create_stage(stage, temporary=True))
        found = self._compare(stage)
        counts = self._applied(found, stage)
        outcome = work.outcome(
            counts,
            read=found.read,
            size=found.size,
            unchanged=found.compared - counts["inserted"] - counts["updated"],
            seconds=time.monotonic() - began,
            verified=self._proof(found, changed=any(counts.values())),
        )
        if self.recorded:
            work.commit(outcome, None)
        else:
            work.connection.commit()
        for each in (stage, self.copy.gone):
            work.connection.execute(Drop(each, temporary=True))
        return outcome

    def _compare(self, stage: sa.TableClause) -> _Found:
        work, found = self.work, _Found()
        writer = RowWriter.of(work.connection, told_as=work.told_as)
        with work.lent_source() as source, work.lent_replica() as server:
            sides = Sides(
                plan=work.what.plan,
                source=work.side_of(source),
                replica=work.side_of(server, self.copy.analysis.name),
                database=work.replica.database,
                same_order=work.same_order,
            )
            with work.snapshot(source):
                for each in sides.differences():
                    work.stop.check()
                    found.compared += each.rows
                    for lower, upper in each.spans(_GAP):
                        self._read(source, writer, stage, (lower, upper), found)
                    found.extra += each.extra
                    if not each.equal:
                        found.differing.append((each.range, each.theirs))
                    work.rows_read(found.compared)
        work.connection.commit()
        return found

    def _read(
        self,
        source: SourceQueries,
        writer: RowWriter,
        stage: sa.TableClause,
        between: tuple[Key | None, Key],
        found: _Found,
    ) -> None:
        what = self.work.what
        reader = ExactReader(
            source=source,
            analysis=what.analysis,
            rendered=what.rendered,
            plan=what.plan,
            resume_after=between[0],
            until=between[1],
            in_snapshot=True,
        )
        for chunk in reader.chunks():
            writer.write(self.work.quoted(stage), what.rendered, chunk)
            found.read += chunk.rows
            found.size += len(chunk.data)

    def _applied(self, found: _Found, stage: sa.TableClause) -> dict[str, int]:
        connection, copy = self.work.connection, self.copy
        if not found.differing:
            return {"inserted": 0, "updated": 0, "deleted": 0}
        if found.extra:
            connection.execute(copy.create_gone())
            for rows in _some(self._rows_of(found.extra)):
                connection.execute(sa.insert(copy.gone), rows)
        # First of all: a key that is written in another way may be the same to the server.
        deleted = connection.execute(copy.delete_gone()).rowcount if found.extra else 0
        counts = applied(connection, copy, stage, whole=False) | {"deleted": deleted}
        before = found.compared - counts["inserted"] + counts["deleted"]
        refuse_mass_deletes(self.work, deleted=counts["deleted"], before=before)
        return counts

    def _rows_of(self, keys: list[Key]) -> Iterator[dict[str, object]]:
        columns = [self.work.what.analysis.column(name) for name in self.copy.analysis.primary_key]
        for key in keys:
            yield {
                column.name: comparable(column, part)
                for column, part in zip(columns, key, strict=True)
                if column is not None
            }

    def _proof(self, found: _Found, *, changed: bool) -> str:
        """Say whether the table is proven equal now; the source may have gone on while its rows were compared."""
        work = self.work
        server = SourceQueries(work.raw(), work.stop)
        here = work.side_of(server, self.copy.analysis.name)
        for each, theirs in found.differing:
            if theirs is None or theirs != here.summary(each):
                return CHANGED
        return REPAIRED if changed else EQUAL


def _some(rows: Iterator[dict[str, object]]) -> Iterator[list[dict[str, object]]]:
    while some := list(itertools.islice(rows, _MOST_KEYS)):
        yield some
