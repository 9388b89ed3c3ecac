"""The replica's ledger: which source it copies, and how far each table is; committed with the rows on InnoDB."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import attrs
import sqlalchemy as sa
from pymysql.constants import ER
from sqlalchemy.dialects.mysql import insert

from etlkit.contracts import TableState
from etlkit.errors import LockHeld, SourceChanged
from etlkit.events import TableFinished
from etlkit.loading.source_identity import SourceIdentity
from etlkit.loading.staged import is_proof
from etlkit.replication.ledger_entries import ReplicaEntry, ReplicaSnapshot, entry_of, utc
from etlkit.replication.ledger_tables import READS, SOURCE, STATES, metadata
from etlkit.replication.readings import WHERE, Readings
from etlkit.replication.trouble import replica_trouble

_NOW = sa.func.utc_timestamp(sa.literal_column("6"))
_COUNTS = ("read", "inserted", "updated", "deleted", "unchanged", "seconds")


class ReplicaLedger(Readings):
    """Reads and writes the replica's ledger. Methods that take a connection take part in its transaction."""

    def __init__(self, engine: sa.Engine, database: str) -> None:
        """Prepare, without connecting.

        Args:
            engine: the replica; its sessions write.
            database: the database that holds the copies.
        """
        super().__init__(engine)
        self.database = database

    def ensure(self) -> None:
        """Create the ledger's tables where they are missing.

        Raises:
            LoadError: the replica refused it; the user may lack the privilege to create tables.
            ConnectionFailed: it cannot be reached.
        """
        with self._writing() as connection:
            for table in metadata.sorted_tables:
                connection.execute(sa.schema.CreateTable(table, if_not_exists=True))

    def snapshot(self) -> ReplicaSnapshot:
        """Read what is remembered.

        Returns:
            Nothing, when no run ever wrote a ledger here.

        Raises:
            LoadError: the replica refused it.
            ConnectionFailed: it cannot be reached.
        """
        with replica_trouble(WHERE), self.engine.connect() as connection:
            try:
                rows = connection.execute(sa.select(STATES).order_by(STATES.c.table_name)).mappings().all()
                source = connection.scalar(sa.select(SOURCE.c.identity))
            except sa.exc.ProgrammingError as error:
                if getattr(error.orig, "args", (0,))[0] != ER.NO_SUCH_TABLE:
                    raise
                return ReplicaSnapshot()
            taken_at = connection.scalar(sa.select(_NOW))
        return ReplicaSnapshot(
            entries={row["table_name"]: entry_of(row) for row in rows},
            source=None if source is None else SourceIdentity(**json.loads(source)),
            taken_at=utc(taken_at),
        )

    def require_source(self, now: SourceIdentity, *, accept: bool = False) -> bool:
        """Go on only with the source that the replica copies, and remember it.

        Args:
            now: the source as it is now.
            accept: go on with another source as well; every watermark is forgotten then, so that each table's next
                load, in whichever run, compares every row.

        Returns:
            Whether another source was accepted.

        Raises:
            SourceChanged: it is another one.
        """
        with self._writing() as connection:
            said = connection.scalar(sa.select(SOURCE.c.identity).with_for_update())
            before = None if said is None else SourceIdentity(**json.loads(said))
            differences = now.differences(before) if before is not None else []
            if not differences or accept:
                values = {"identity": json.dumps(attrs.asdict(now)), "seen_at": _NOW}
                statement = insert(SOURCE).values(number=1, **values)
                connection.execute(statement.on_duplicate_key_update(values))
            if differences and accept:
                self._forget_loads(connection)
        if differences and not accept:
            raise SourceChanged(
                f"the replica `{self.database}` copies another source: {'; '.join(differences)}. Nothing was read. "
                "When the clinic's database moved, `etlkit run --accept-source` goes on with it and compares every row "
                "once; another clinic needs a replica of its own"
            )
        return bool(differences)

    def mark_gone(self, names: Iterable[str]) -> None:
        """Mark the tables that the source no longer has, and take the mark from all others.

        Args:
            names: those that are gone.
        """
        gone = STATES.c.table_name.in_(sorted(names))
        with self._writing() as connection:
            connection.execute(sa.update(STATES).where(STATES.c.gone != gone).values(gone=gone))

    def followed_up(self, table: str, generation: int) -> None:
        """Note that the next hop has compared every row of a table.

        Args:
            table: its name.
            generation: the `follow_up` that was known when it began; a later one stays.
        """
        known = STATES.c.table_name == table, STATES.c.follow_up == generation
        with self._writing() as connection:
            connection.execute(sa.update(STATES).where(*known).values(follow_up=0))

    def record_failure(self, run_id: str, outcome: TableFinished) -> None:
        """Record a load that failed, in a transaction of its own; what the last one left stays.

        Args:
            run_id: the run.
            outcome: what happened; its error holds no value of a row.
        """
        failed = {"error": outcome.error, "exit_code": outcome.exit_code, "failed_at": _NOW}
        values = _outcome_values(run_id, attrs.evolve(outcome, seconds=0.0)) | failed
        nothing = {"generation": 0, "schema_hash": "", "follow_up": 0, "gone": False, "adapted": "[]"}
        statement = insert(STATES).values(table_name=outcome.table, **nothing, **values)
        with self._writing() as connection:
            connection.execute(statement.on_duplicate_key_update(failed))

    @contextmanager
    def table_lock(self, connection: sa.Connection, table: str) -> Iterator[None]:
        """Be the only writer of a table while a block runs.

        Args:
            connection: holds the lock; when it is lost, so is the lock.
            table: its name.

        Yields:
            Nothing.

        Raises:
            LockHeld: another run writes it.
        """
        name = "etlkit:" + hashlib.sha256(f"{self.database}\0{table}".encode()).hexdigest()[:40]
        if connection.scalar(sa.select(sa.func.get_lock(name, 0))) != 1:
            raise LockHeld(
                f"table `{table}`: another run is writing it in the replica; run again when it is done"
            )
        try:
            yield
        except BaseException:
            # Whatever it was in the middle of ends with the session, and the lock with it.
            connection.invalidate()
            raise
        connection.execute(sa.select(sa.func.release_lock(name)))
        connection.commit()

    def entry(self, connection: sa.Connection, table: str) -> ReplicaEntry | None:
        """Read what is remembered of one table.

        Args:
            connection: to the replica.
            table: its name.

        Returns:
            The entry; None when it was never tried.
        """
        query = sa.select(STATES).where(STATES.c.table_name == table)
        row = connection.execute(query).mappings().first()
        return None if row is None else entry_of(row)

    def commit_load(
        self,
        connection: sa.Connection,
        *,
        run_id: str,
        generation: int,
        state: TableState,
        outcome: TableFinished,
        adapted: tuple[str, ...],
        unseen: bool = False,
    ) -> None:
        """Record a load, and commit the transaction that holds its rows.

        Args:
            connection: in the load's transaction.
            run_id: the run.
            generation: which the load builds upon; 0 where nothing is recorded.
            state: the state after it; its generation is set here.
            outcome: what was read and written.
            adapted: what of the table's definition is adapted.
            unseen: whether rows changed which no cursor shows.

        Raises:
            LockHeld: another run committed the table meanwhile.
        """
        table = outcome.table
        values: dict[str, Any] = _outcome_values(run_id, outcome) | {
            "cursor_column": state.cursor_column,
            "watermark": state.watermark,
            "schema_hash": state.schema_hash,
            "generation": generation + 1,
            "loaded_at": _NOW,
            "adapted": json.dumps(adapted),
            "error": None,
            "exit_code": 0,
            "gone": False,
        }
        if outcome.inserted or outcome.updated or outcome.deleted:
            values["checksum"] = None
        if is_proof(outcome.verified):
            values |= {"proven_at": _NOW, "compared_at": _NOW}
        if unseen:
            values["follow_up"] = generation + 1
        # A run may load a table and then prove it: both are its last load.
        together = {
            name: sa.case((STATES.c.run_id == run_id, STATES.c[name] + values[name]), else_=values[name])
            for name in ("read", "inserted", "updated", "deleted", "seconds")
        }
        first = {"first_loaded_at": sa.func.coalesce(STATES.c.first_loaded_at, _NOW)}
        # The server assigns from left to right: whose load it was must be known until the end.
        changes = sorted((values | together | first).items(), key=lambda each: each[0] == "run_id")
        known = STATES.c.table_name == table, STATES.c.generation == generation
        statements: list[sa.Update | sa.Insert] = [
            sa.update(STATES)
            .where(*known)
            .ordered_values(*((STATES.c[name], each) for name, each in changes))
        ]
        if generation == 0:
            # Before the UPDATE: one that finds no row locks the gap there, and two of them let neither insert.
            whole = {"follow_up": 0, "first_loaded_at": _NOW} | values
            statements.insert(0, insert(STATES).prefix_with("IGNORE").values(table_name=table, **whole))
        done = next((each for each in map(connection.execute, statements) if each.rowcount), None)
        if done is None:
            raise LockHeld(
                f"table `{table}`: another run loaded it into the replica meanwhile; nothing of this load was kept; "
                "run again"
            )
        connection.commit()

    def renew(self, checksums: Mapping[str, int]) -> frozenset[str]:
        """Record that tables are proven equal because their checksums are those of their last proofs.

        Args:
            checksums: by table, those of the source now.

        Returns:
            The tables for which that still holds: nobody wrote them meanwhile.
        """
        if not checksums:
            return frozenset()
        same = sa.tuple_(STATES.c.table_name, STATES.c.checksum).in_(sorted(checksums.items()))
        with self._writing() as connection:
            renewed = frozenset(
                connection.scalars(sa.select(STATES.c.table_name).where(same).with_for_update())
            )
            if renewed:
                known = STATES.c.table_name.in_(sorted(renewed))
                connection.execute(sa.update(STATES).where(known).values(proven_at=_NOW))
        return renewed

    def keep_checksums(self, run_id: str, checksums: Mapping[str, int]) -> None:
        """Keep the checksums that the source had when tables were proven equal.

        Args:
            run_id: the run that proved it; tables that another run wrote since are left alone.
            checksums: by table.
        """
        if not checksums:
            return
        known = STATES.c.table_name.in_(sorted(checksums)), STATES.c.run_id == run_id
        said = sa.case(dict(sorted(checksums.items())), value=STATES.c.table_name)
        with self._writing() as connection:
            connection.execute(sa.update(STATES).where(*known).values(checksum=said))

    def _forget_loads(self, connection: sa.Connection) -> None:
        # Without a watermark a load reads every row; with another generation no broken read goes on.
        connection.execute(
            sa.update(STATES).values(
                watermark=None,
                cursor_column=None,
                checksum=None,
                proven_at=None,
                generation=STATES.c.generation + 1,
                follow_up=STATES.c.generation,
            )
        )
        connection.execute(sa.delete(READS))

    @contextmanager
    def _writing(self) -> Iterator[sa.Connection]:
        with replica_trouble(WHERE), self.engine.begin() as connection:
            yield connection


def _outcome_values(run_id: str, outcome: TableFinished) -> dict[str, Any]:
    said = {name: getattr(outcome, name) for name in _COUNTS}
    return {"run_id": run_id, "strategy": outcome.strategy, "verified": outcome.verified, **said}
