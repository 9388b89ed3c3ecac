"""The ledger: runs, loads and per-table state in schema `etlkit` of the warehouse, committed with the data.

State is never ahead of data, because both are written by the same transaction. A table has one writer at a time: a
transaction-level advisory lock (it survives transaction pooling), and a generation that is compared and swapped, so
that a run which was asleep while another finished cannot write.
"""

from __future__ import annotations

import logging
import secrets
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from etlkit.contracts import TableState
from etlkit.errors import LockHeld
from etlkit.events import TableFinished
from etlkit.loading.broken_reads import BrokenReads
from etlkit.loading.kept import read_kept
from etlkit.loading.ledger_entries import LedgerEntry, LedgerSnapshot, entry_of
from etlkit.loading.ledger_tables import (
    KEPT,
    LOADS,
    RESUMES,
    SCHEMA,
    SECRETS,
    STATES,
    AddColumn,
    load_values,
    metadata,
    missing_columns,
    state_values,
)
from etlkit.loading.locks import try_lock, wait_for_lock
from etlkit.loading.proof_ledger import ProofLedger
from etlkit.loading.proofs import proof_values
from etlkit.loading.run_lock import RunLock
from etlkit.loading.run_records import RunRecords
from etlkit.loading.shapes import shape_of, shapes_in
from etlkit.loading.target import DELETED_AT, TargetTable
from etlkit.loading.trouble import warehouse_trouble

_WHERE = f"the ledger in the warehouse's schema `{SCHEMA}`"
_log = logging.getLogger(__name__)


class Ledger:
    """Reads and writes the ledger. Methods that take a connection take part in its transaction."""

    def __init__(self, engine: sa.Engine, schema: str) -> None:
        """Prepare, without connecting.

        Args:
            engine: the warehouse.
            schema: the schema that this deployment loads into; its entries are kept apart by it.
        """
        self.engine = engine
        self.schema = schema
        self._secret = ""
        self.broken_reads = BrokenReads(schema)
        self.proofs = ProofLedger(engine, schema)
        self.runs = RunRecords(engine, schema)

    def ensure(self) -> None:
        """Create the ledger's schema, tables and columns where they are missing, and the schema to load into.

        Raises:
            LoadError: the warehouse refused it; the user may lack the privilege to create schemas.
        """
        with self._writing() as connection:
            connection.execute(sa.select(wait_for_lock("etlkit:ledger")))
            present = set(sa.inspect(connection).get_schema_names())
            for name in (SCHEMA, self.schema):
                # Only when missing: IF NOT EXISTS asks for the privilege to create even when there is nothing to do.
                if name not in present:
                    connection.execute(sa.schema.CreateSchema(name))
            there = {name: shape.types for name, shape in shapes_in(connection, SCHEMA).items()}
            if not there.keys() >= {table.name for table in metadata.sorted_tables}:
                metadata.create_all(connection)
            for column in missing_columns(there):
                connection.execute(AddColumn(column))
            made = insert(SECRETS).values(target_schema=self.schema, secret=secrets.token_hex(16))
            connection.execute(made.on_conflict_do_nothing())

    def secret(self) -> str:
        """Give the secret that goes into the digests of rows.

        Returns:
            Hexadecimal digits; empty before the first run.
        """
        if not self._secret:
            with self._reading() as connection:
                if sa.inspect(connection).has_table(SECRETS.name, schema=SCHEMA):
                    query = sa.select(SECRETS.c.secret).where(SECRETS.c.target_schema == self.schema)
                    self._secret = connection.scalar(query) or ""
        return self._secret

    def exists(self) -> bool:
        """Tell whether a run ever wrote a ledger here."""
        with self._reading() as connection:
            return sa.inspect(connection).has_table(STATES.name, schema=SCHEMA)

    def run_lock(self, run_id: str = "") -> AbstractContextManager[RunLock]:
        """Hold the right to run this deployment while a block runs.

        Args:
            run_id: the run.

        Returns:
            A context manager that gives the lock; it raises LockHeld when another run holds it.
        """
        return RunLock(engine=self.engine, schema=self.schema, run_id=run_id).held()

    def lock_table(self, connection: sa.Connection, table: str, settings: Mapping[str, str]) -> bool:
        """Be the only writer of a table until the transaction ends.

        Args:
            connection: in a transaction, nothing done in it yet.
            table: its name in the source.
            settings: PostgreSQL's own, set until the transaction ends in the same round trip.

        Returns:
            Whether a broken read of the table left something behind.

        Raises:
            LockHeld: another run writes it.
        """
        sets = [sa.func.set_config(name, value, True) for name, value in settings.items()]
        held, remains, *_ = connection.execute(
            sa.select(try_lock(self._lock_of(table)), self.broken_reads.remains(table), *sets)
        ).one()
        if not held:
            raise LockHeld(f"table `{table}`: another run is writing it; wait until it is done and run again")
        return bool(remains)

    def was_committed(self, run_id: str, table: str, generation: int) -> bool:
        """Find out whether a commit whose answer was lost took place.

        Args:
            run_id: the run.
            table: its name in the source.
            generation: which the load would give the table.

        Returns:
            Whether the table's last committed load is that one.
        """
        query = sa.select(STATES.c.run_id, STATES.c.generation).where(*self._state_of(table))
        with self._writing() as connection:
            # As long as the old connection's transaction is alive, it holds this lock.
            connection.execute(sa.select(wait_for_lock(self._lock_of(table))))
            return connection.execute(query).first() == (run_id, generation)

    def entries(self) -> dict[str, LedgerEntry]:
        """Read what is remembered of all tables.

        Returns:
            By the table's name in the source.
        """
        with self._reading() as connection:
            rows = connection.execute(self._all_states()).mappings()
            return {row["table_name"]: entry_of(row) for row in rows}

    def snapshot(self) -> LedgerSnapshot:
        """Read what is remembered of all tables, and which are there.

        Returns:
            Nothing, when no run ever wrote a ledger here.
        """
        with self._reading() as connection:
            made = sa.inspect(connection).get_table_names(schema=SCHEMA)
            if STATES.name not in made:
                return LedgerSnapshot()
            # A ledger that an older etlkit made has no such table before the first run.
            kept = read_kept(connection, self.schema) if KEPT.name in made else {}
            tables = shapes_in(connection, self.schema)
            states = self._all_states().add_columns(sa.func.now().label("taken_at"))
            rows = connection.execute(states).mappings().all()
        entries = {row["table_name"]: entry_of(row) for row in rows}
        taken_at = rows[0]["taken_at"] if rows else None
        return LedgerSnapshot(entries=entries, tables=tables, kept=kept, taken_at=taken_at)

    def count(self, target_name: str) -> int:
        """Count the rows of a table, those that are marked as gone left out.

        Args:
            target_name: its name in the warehouse.

        Returns:
            Rows.
        """
        table = sa.table(target_name, schema=self.schema)
        with self._reading() as connection:
            there = shape_of(connection, sa.Table(target_name, sa.MetaData(), schema=self.schema))
            marks = [sa.column(DELETED_AT).is_(None)] if there and DELETED_AT in there.types else []
            return connection.scalar(sa.select(sa.func.count()).select_from(table).where(*marks)) or 0

    def entry(self, table: str) -> LedgerEntry | None:
        """Read what is remembered of one table.

        Args:
            table: its name in the source.

        Returns:
            The entry; None before its first load.
        """
        query = sa.select(STATES).where(*self._state_of(table))
        with self._reading() as connection:
            row = connection.execute(query).mappings().first()
        return None if row is None else entry_of(row)

    def commit_load(
        self,
        connection: sa.Connection,
        *,
        run_id: str,
        target: TargetTable,
        before: LedgerEntry | None,
        state: TableState,
        mapping_hash: str,
        outcome: TableFinished,
        whole: bool = False,
    ) -> None:
        """Record a load in the transaction that holds its rows.

        Args:
            connection: in the load's transaction.
            run_id: the run.
            target: the table.
            before: the entry that the load began with.
            state: the state after it; its generation is set here.
            mapping_hash: how values became columns; empty when a later load must not build upon this one.
            outcome: what was read and written.
            whole: whether every row was read.

        Raises:
            LockHeld: another run committed the table meanwhile.
        """
        generation = before.state.generation if before else 0
        values = {
            **state_values(run_id, self.schema, state, outcome),
            **proof_values(outcome),
            "table_name": target.source,
            "target_name": target.name,
            "mapping_hash": mapping_hash,
            "generation": generation + 1,
        }
        # A run may load a table and then prove it: both are its last load.
        together = {
            name: sa.case((STATES.c.run_id == run_id, STATES.c[name] + values[name]), else_=values[name])
            for name in ("read", "written")
        }
        if before is None:
            done = connection.execute(insert(STATES).values(values).on_conflict_do_nothing())
        else:
            done = connection.execute(
                sa.update(STATES)
                .values(values | together)
                .where(*self._state_of(target.source), STATES.c.generation == generation)
            )
        if done.rowcount != 1:
            raise LockHeld(
                f"table `{target.source}`: another run loaded it meanwhile; nothing of this load was kept; run again"
            )
        if before is None or before.mapping_hash != target.mapping_hash:
            self.runs.keep_columns(connection, target)
        self._insert_load(connection, run_id, outcome, whole=whole, mapping_hash=target.mapping_hash)

    def record_failure(self, run_id: str, outcome: TableFinished) -> None:
        """Record a load that failed, in a transaction of its own.

        Args:
            run_id: the run.
            outcome: what happened; its error holds no value of a row.
        """
        with self._writing() as connection:
            self._insert_load(connection, run_id, outcome)

    def resumable(self) -> list[str]:
        """List the tables with a broken read.

        Returns:
            Their names in the source.
        """
        query = sa.select(RESUMES.c.table_name).where(RESUMES.c.target_schema == self.schema)
        with self._reading() as connection:
            return list(connection.scalars(query.order_by(RESUMES.c.table_name)))

    def loaded_as(self, connection: sa.Connection, target_name: str) -> str | None:
        """Find the table that is loaded under a name.

        Args:
            connection: in a transaction.
            target_name: a table's name in the warehouse.

        Returns:
            Its name in the source, or None.
        """
        named = STATES.c.target_schema == self.schema, STATES.c.target_name == target_name
        return connection.scalar(sa.select(STATES.c.table_name).where(*named))

    @contextmanager
    def _reading(self) -> Iterator[sa.Connection]:
        # Without a transaction, which would be two more round trips.
        with warehouse_trouble(_WHERE), self.engine.connect() as connection:
            yield connection.execution_options(isolation_level="AUTOCOMMIT")

    @contextmanager
    def _writing(self) -> Iterator[sa.Connection]:
        with warehouse_trouble(_WHERE), self.engine.begin() as connection:
            yield connection

    def _all_states(self) -> sa.Select[Any]:
        return sa.select(STATES).where(STATES.c.target_schema == self.schema).order_by(STATES.c.table_name)

    def _state_of(self, table: str) -> tuple[sa.ColumnElement[bool], ...]:
        return STATES.c.target_schema == self.schema, STATES.c.table_name == table

    def _lock_of(self, table: str) -> str:
        return f"etlkit:table:{self.schema}.{table}"

    def _insert_load(
        self, connection: sa.Connection, run_id: str, outcome: TableFinished, **more: Any
    ) -> None:
        values = {"whole": False, **load_values(run_id, self.schema, outcome), **more}
        connection.execute(sa.insert(LOADS).values(values))
