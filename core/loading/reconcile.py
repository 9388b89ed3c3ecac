"""One table's reconcile: the ranges whose digests differ are compared row by row, and exactly those rows are mended.

On InnoDB everything is read in one snapshot, so what is equal then was equal at that instant. On MyISAM each
statement sees its own instant: a row that changes between two of them is found by the next reconcile.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import attrs
import sqlalchemy as sa

from etlkit.connections import ConnectionFactory
from etlkit.contracts import Deletes, Write
from etlkit.errors import ExtractionError, LoadError
from etlkit.events import TableFinished
from etlkit.loading import digest_statements
from etlkit.loading.apply import insert_new, update_changed
from etlkit.loading.brake import ANY_SHARE, refuse_mass_deletes
from etlkit.loading.cancelling import cancelled_by
from etlkit.loading.ledger import Ledger
from etlkit.loading.ranges import Ranges
from etlkit.loading.shapes import shape_of
from etlkit.loading.staged import EQUAL, REPAIRED, Staged, outcome_of
from etlkit.loading.stored_rows import StoredRows, Summary, same_order
from etlkit.loading.table_plan import TablePlan
from etlkit.loading.trouble import write_trouble
from etlkit.loading.warehouse_table import copy_into
from etlkit.raising import raise_alone
from etlkit.stopping import StopSignal, interrupted
from etlkit.transfer import chunk_queries as queries
from etlkit.transfer.chunk import Chunk
from etlkit.transfer.copy_text import DELIMITER, copy_text
from etlkit.transfer.keys import Key, KeyRange, Keyset, as_key
from etlkit.transfer.pipeline import CopyFile
from etlkit.transfer.reader import Reader
from etlkit.transfer.source_queries import SourceQueries
from etlkit.transfer.trouble import read_trouble

_CHANGED = "not checked: rows changed while they were compared"
_STAGE = "etlkit_stage"
_SETTINGS = {"work_mem": "64MB"}
_GAP = 20  # equal rows between two that differ, up to which both are read in one range
_PIECE_ROWS = 10_000


@attrs.define(kw_only=True)
class _Found:
    """What was found so far."""

    compared: int = 0
    listed: int = 0
    staged: int = 0
    size: int = 0
    losses: Counter[tuple[int, str]] = attrs.field(factory=Counter)
    differing: list[tuple[KeyRange, Summary]] = attrs.field(factory=list)


@attrs.frozen(kw_only=True)
class Reconcile:
    """Carries out one table's plan to read differences, once."""

    what: TablePlan
    """The plan."""
    connections: ConnectionFactory
    """Lends the source's connection."""
    ledger: Ledger
    """The ledger, and the warehouse that holds it."""
    run_id: str
    """The run this belongs to."""
    max_deleted_share: float = ANY_SHARE
    """The share of the table's rows that must not be removed; 1 for any."""
    stop: StopSignal = attrs.field(factory=StopSignal)
    """When it is set, the reconcile ends by `RunInterrupted`."""
    rows_read: Callable[[int], None] = lambda _: None
    """Called after each range with the rows compared so far."""

    def carry_out(self) -> TableFinished:
        """Compare, mend and commit.

        Returns:
            What happened; `verified` says whether the table was proven equal.

        Raises:
            EtlkitError: the reconcile failed; the table and its state are as they were.
        """
        began = time.monotonic()
        try:
            with write_trouble(self.what.target), read_trouble(self.what.analysis.name):
                return self._carried_out(began)
        except (LoadError, ExtractionError):
            if self.stop.is_set():
                raise_alone(interrupted())
            raise

    def _carried_out(self, began: float) -> TableFinished:
        keyset = Keyset.of(self.what.analysis, self.what.rendered.source)
        if keyset is None:
            raise ExtractionError(f"table `{self.what.analysis.name}` has no key to be reconciled by")
        stored = StoredRows(target=self.what.target, key=tuple(digest_statements.key_names(keyset)))
        with (
            self.connections.source_raw() as raw,
            self.stop.calling(SourceQueries(raw, self.stop).drop),
            self._transaction() as connection,
        ):
            source = SourceQueries(raw, self.stop)
            self.ledger.lock_table(connection, self.what.analysis.name, _SETTINGS)
            if shape_of(connection, stored.table) is None:
                raise LoadError(f"warehouse table `{self.what.target}` is gone; run again")
            stage = self.what.target.table(schema=None, name=_STAGE, temporary=True)
            for each in (stored.keys, stored.gone, stage):
                connection.execute(sa.schema.CreateTable(each))
            if self.what.analysis.engine == "InnoDB":
                source.text(queries.SNAPSHOT)
            comparing = _Comparing(
                what=self.what,
                keyset=keyset,
                stored=stored,
                source=source,
                connection=connection,
                stage=stage,
            )
            found = comparing.compare(self.rows_read, self.stop.check)
            source.text(queries.END_SNAPSHOT)
            counts = self._apply(connection, stored, stage, found)
            verified = comparing.proof(found, mended=any(counts.values()))
            return self._commit(connection, found, counts, verified, time.monotonic() - began)

    def _apply(
        self, connection: sa.Connection, stored: StoredRows, stage: sa.Table, found: _Found
    ) -> dict[str, int]:
        counts: dict[str, int] = {}
        if not found.differing:
            return counts
        target, table = self.what.target, stored.table
        if self.what.plan.deletes is Deletes.HARD:
            counts["deleted"] = connection.execute(stored.delete_gone()).rowcount
        update = None if self.what.plan.write is Write.APPEND else update_changed(target, table, stage)
        if update is not None:
            counts["updated"] = connection.execute(update).rowcount
        counts["inserted"] = connection.execute(insert_new(target, table, stage)).rowcount
        return counts

    def _commit(
        self, connection: sa.Connection, found: _Found, counts: dict[str, int], verified: str, seconds: float
    ) -> TableFinished:
        before = self.what.before
        if before is None:
            raise LoadError(f"table `{self.what.analysis.name}` was never loaded; run again")
        refuse_mass_deletes(self.what.target, counts, rows=found.compared, share=self.max_deleted_share)
        staged = Staged(rows=found.staged, size=found.size, losses=found.losses, watermark=None)
        outcome = outcome_of(self.what, staged, counts, seconds)
        written = outcome.inserted + outcome.updated
        outcome = attrs.evolve(outcome, unchanged=max(0, found.compared - written), verified=verified)
        self.ledger.commit_load(
            connection,
            run_id=self.run_id,
            target=self.what.target,
            before=before,
            state=attrs.evolve(before.state, schema_hash=self.what.analysis.schema_hash),
            mapping_hash=self.what.target.mapping_hash,
            outcome=outcome,
        )
        return outcome

    @contextmanager
    def _transaction(self) -> Iterator[sa.Connection]:
        with self.ledger.engine.connect() as connection, cancelled_by(self.stop, connection):
            yield connection
            connection.commit()


@attrs.frozen(kw_only=True)
class _Comparing:
    """The comparison of one table, range by range."""

    what: TablePlan
    keyset: Keyset
    stored: StoredRows
    source: SourceQueries
    connection: sa.Connection
    stage: sa.Table

    def compare(self, rows_read: Callable[[int], None], check: Callable[[], None]) -> _Found:
        found = _Found()
        ranges = Ranges(what=self.what, keyset=self.keyset, source=self.source)
        if not same_order(self.keyset):
            # A range of the source is no range here, so all keys are compared.
            for each in ranges.alone():
                check()
                self._list(each, found)
                rows_read(found.compared)
            everything = KeyRange()
            self.connection.execute(self.stored.note_gone(None, None))
            found.differing.append((everything, Summary(rows=found.compared, xor=0, total=0)))
            return found
        for each, theirs in ranges.summed():
            check()
            found.compared += theirs.rows
            if theirs != self._stored(each):
                self._list(each, found)
                self.connection.execute(self.stored.note_gone(each.lower, each.upper))
                found.differing.append((each, theirs))
            rows_read(found.compared)
        return found

    def proof(self, found: _Found, *, mended: bool) -> str:
        """Say whether the table is proven equal now."""
        if not same_order(self.keyset):
            left = self.connection.scalar(self.stored.unequal())
            return _CHANGED if left else REPAIRED if mended else EQUAL
        left = sum(theirs != self._stored(each) for each, theirs in found.differing)
        return _CHANGED if left else REPAIRED if mended else EQUAL

    def _stored(self, of: KeyRange) -> Summary:
        rows, xor, total = self.connection.execute(self.stored.summary(of.lower, of.upper)).one()
        return Summary(rows=rows, xor=int(xor or 0), total=int(total or 0))

    def _list(self, of: KeyRange, found: _Found) -> None:
        """Compare a range key by key, and stage the rows that are not stored as they are."""
        keys: list[Key] = []
        lines: list[bytes] = []
        first = found.listed
        parts = len(self.keyset.columns)
        statement = digest_statements.keys_statement(
            self.what.rendered, self.keyset, of.conditions(self.keyset)
        )
        for row in self.source.stream(queries.Prepared.of(statement), of.values(self.keyset)):
            keys.append(as_key(row[:parts]))
            lines.append(_line(first + len(keys), row[parts:]))
            if len(lines) >= _PIECE_ROWS:
                self._copy(lines)
        self._copy(lines)
        found.listed += len(keys)
        if not same_order(self.keyset):
            found.compared += len(keys)
        if not keys:
            return
        changed = [
            number - first - 1
            for (number,) in self.connection.execute(self.stored.changed((first + 1, found.listed)))
        ]
        for begin, end in _spans(changed):
            lower = keys[begin - 1] if begin else of.lower
            self._read(lower, keys[end], found)

    def _read(self, lower: Key | None, upper: Key, found: _Found) -> None:
        reader = Reader(
            source=self.source,
            analysis=self.what.analysis,
            rendered=self.what.rendered,
            plan=self.what.plan,
            resume_after=lower,
            until=upper,
            in_snapshot=True,
        )
        file = CopyFile(reader.chunks())
        copy_into(self.connection, self.stage, file)
        found.staged += file.rows
        found.size += file.size
        found.losses.update(file.losses)

    def _copy(self, lines: list[bytes]) -> None:
        if lines:
            chunk = Chunk(data=b"".join(lines), rows=len(lines))
            copy_into(self.connection, self.stored.keys, CopyFile(iter([chunk])))
            lines.clear()


def _line(number: int, fields: Sequence[Any]) -> bytes:
    *key, digest = (each if isinstance(each, bytes) else str(each).encode() for each in fields)
    texts = (copy_text(each).data for each in key)
    return DELIMITER.encode().join([b"%d" % number, *texts, digest]) + b"\n"


def _spans(places: Sequence[int]) -> list[tuple[int, int]]:
    """Join places that lie close together into ranges from the first to the last, both included."""
    spans: list[tuple[int, int]] = []
    for place in places:
        if spans and place - spans[-1][1] <= _GAP:
            spans[-1] = (spans[-1][0], place)
        else:
            spans.append((place, place))
    return spans
