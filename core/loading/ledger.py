"""The ledger: runs, loads and per-table state in schema `etlkit` of the warehouse, committed with the data.

State is never ahead of data, because both are written by the same transaction. A table has one writer at a time: a
transaction-level advisory lock (it survives transaction pooling), and a generation that is compared and swapped, so
that a run which was asleep while another finished cannot write.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import attrs
import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from etlkit.contracts import TableState
from etlkit.errors import LockHeld
from etlkit.events import RunFinished, TableFinished
from etlkit.loading.ledger_tables import LOADS, RESUMES, RUNS, SCHEMA, STATES, metadata
from etlkit.loading.target import TargetTable


@attrs.frozen(kw_only=True)
class LedgerEntry:
    """What is remembered of a table's last committed load."""

    state: TableState
    """What a strategy may know."""
    mapping_hash: str
    """How values became columns then."""
    target_name: str
    """What the table is called in the warehouse."""
    loaded_at: Any
    """When it was committed, by the warehouse's clock."""
    read: int
    """Rows read then."""
    written: int
    """Rows inserted, updated and deleted then."""
    run_id: str
    """The run that committed it."""


@attrs.frozen(kw_only=True)
class LedgerSnapshot:
    """What the warehouse held at one moment."""

    entries: Mapping[str, LedgerEntry] = attrs.field(factory=dict)
    """By the table's name in the source; tables that were never loaded have none."""
    tables: frozenset[str] = frozenset()
    """The tables that are there, by their names in the warehouse."""


@attrs.frozen(kw_only=True)
class Resume:
    """Where a broken read that commits per chunk goes on."""

    run_id: str
    """The run that wrote it last."""
    plan: str
    """Digest of the plan; a read only goes on under the same one."""
    stage: str
    """The table in schema `etlkit` that holds what was read."""
    last_key: str | None = None
    """The key behind which to go on, as `etlkit.transfer.keys.to_json` writes it; None before the first chunk."""
    watermark: str | None = None
    """The watermark of the chunks so far."""
    began: str | None = None
    """When the read began, on the cursor's clock."""
    read: int = 0
    """Rows staged so far."""
    rendered_bytes: int = 0
    """Bytes staged so far."""
    losses: Mapping[int, int] = attrs.field(factory=dict)
    """By column number, values that became NULL so far."""
    complete: bool = False
    """Whether everything was read, so that only applying is left."""


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

    def ensure(self) -> None:
        """Create the ledger's schema and tables where they are missing, and the schema to load into."""
        with self.engine.begin() as connection:
            connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_number("etlkit:ledger"))))
            present = set(sa.inspect(connection).get_schema_names())
            for name in (SCHEMA, self.schema):
                # Only when missing: IF NOT EXISTS asks for the privilege to create even when there is nothing to do.
                if name not in present:
                    connection.execute(sa.schema.CreateSchema(name))
            metadata.create_all(connection)

    def exists(self) -> bool:
        """Tell whether a run ever wrote a ledger here."""
        with self.engine.connect() as connection:
            return sa.inspect(connection).has_table(STATES.name, schema=SCHEMA)

    @contextmanager
    def run_lock(self) -> Iterator[None]:
        """Hold the right to run this deployment.

        Yields:
            Nothing.

        Raises:
            LockHeld: another run holds it.
        """
        with self.engine.connect() as connection, connection.begin():
            connection.execute(sa.text("SET LOCAL idle_in_transaction_session_timeout = 0"))
            if not connection.scalar(_try_lock(f"etlkit:run:{self.schema}")):
                raise LockHeld(
                    f"another run is loading into schema `{self.schema}` of this warehouse; wait until it is done "
                    "(`etlkit status` shows it) and run again"
                )
            yield

    def lock_table(self, connection: sa.Connection, table: str) -> None:
        """Be the only writer of a table until the transaction ends.

        Args:
            connection: in a transaction.
            table: its name in the source.

        Raises:
            LockHeld: another run writes it.
        """
        if not connection.scalar(_try_lock(f"etlkit:table:{self.schema}.{table}")):
            raise LockHeld(f"table `{table}`: another run is writing it; wait until it is done and run again")

    def entries(self) -> dict[str, LedgerEntry]:
        """Read what is remembered of all tables.

        Returns:
            By the table's name in the source.
        """
        query = sa.select(STATES).where(STATES.c.target_schema == self.schema).order_by(STATES.c.table_name)
        with self.engine.connect() as connection:
            return {row["table_name"]: _entry(row) for row in connection.execute(query).mappings()}

    def snapshot(self) -> LedgerSnapshot:
        """Read what is remembered of all tables, and which are there.

        Returns:
            Nothing, when no run ever wrote a ledger here.
        """
        if not self.exists():
            return LedgerSnapshot()
        with self.engine.connect() as connection:
            tables = frozenset(sa.inspect(connection).get_table_names(schema=self.schema))
        return LedgerSnapshot(entries=self.entries(), tables=tables)

    def entry(self, table: str) -> LedgerEntry | None:
        """Read what is remembered of one table.

        Args:
            table: its name in the source.

        Returns:
            The entry; None before its first load.
        """
        query = sa.select(STATES).where(STATES.c.target_schema == self.schema, STATES.c.table_name == table)
        with self.engine.connect() as connection:
            row = connection.execute(query).mappings().first()
        return None if row is None else _entry(row)

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

        Raises:
            LockHeld: another run committed the table meanwhile.
        """
        generation = before.state.generation if before else 0
        values = {
            "target_schema": self.schema,
            "table_name": target.source,
            "target_name": target.name,
            "cursor_column": state.cursor_column,
            "watermark": state.watermark,
            "schema_hash": state.schema_hash,
            "mapping_hash": mapping_hash,
            "strategy": outcome.strategy,
            "generation": generation + 1,
            "loaded_at": sa.func.now(),
            "read": outcome.read,
            "written": outcome.inserted + outcome.updated + outcome.deleted,
            "run_id": run_id,
        }
        if before is None:
            done = connection.execute(insert(STATES).values(values).on_conflict_do_nothing())
        else:
            done = connection.execute(
                sa.update(STATES)
                .values(values)
                .where(
                    STATES.c.target_schema == self.schema,
                    STATES.c.table_name == target.source,
                    STATES.c.generation == generation,
                )
            )
        if done.rowcount != 1:
            raise LockHeld(
                f"table `{target.source}`: another run loaded it meanwhile; nothing of this load was kept; run again"
            )
        self._insert_load(connection, run_id, outcome)

    def record_failure(self, run_id: str, outcome: TableFinished) -> None:
        """Record a load that failed, in a transaction of its own.

        Args:
            run_id: the run.
            outcome: what happened; its error holds no value of a row.
        """
        with self.engine.begin() as connection:
            self._insert_load(connection, run_id, outcome)

    def start_run(self, run_id: str, deployment: str, version: str) -> None:
        """Record that a run begins.

        Args:
            run_id: the run.
            deployment: its name.
            version: etlkit's.
        """
        with self.engine.begin() as connection:
            connection.execute(
                sa.insert(RUNS).values(
                    run_id=run_id, target_schema=self.schema, deployment=deployment, etlkit_version=version
                )
            )

    def finish_run(self, event: RunFinished) -> None:
        """Record how a run ended.

        Args:
            event: what happened.
        """
        with self.engine.begin() as connection:
            connection.execute(
                sa.update(RUNS)
                .values(finished_at=sa.func.now(), exit_code=event.exit_code, tables=len(event.tables))
                .where(RUNS.c.run_id == event.run_id)
            )

    def resume(self, connection: sa.Connection, table: str) -> Resume | None:
        """Find where a broken read goes on.

        Args:
            connection: in a transaction that holds the table's lock.
            table: its name in the source.

        Returns:
            The place, or None.
        """
        row = connection.execute(sa.select(RESUMES).where(*self._resume_of(table))).mappings().first()
        if row is None:
            return None
        known = {each.name: row[each.name] for each in attrs.fields(Resume) if each.name != "losses"}
        return Resume(**known, losses={int(each): count for each, count in json.loads(row["losses"]).items()})

    def save_resume(
        self, connection: sa.Connection, table: str, resume: Resume, *, owner: str | None
    ) -> None:
        """Record how far a read got, in the transaction that stages its rows.

        Args:
            connection: in that transaction, holding the table's lock.
            table: its name in the source.
            resume: the place.
            owner: the run that wrote the place before; None when there was none.

        Raises:
            LockHeld: another run went on with the read meanwhile.
        """
        values = {**attrs.asdict(resume), "losses": json.dumps(dict(resume.losses))}
        if owner is None:
            statement: Any = (
                insert(RESUMES)
                .values(target_schema=self.schema, table_name=table, **values)
                .on_conflict_do_nothing()
            )
        else:
            statement = (
                sa.update(RESUMES).values(values).where(*self._resume_of(table), RESUMES.c.run_id == owner)
            )
        if connection.execute(statement).rowcount != 1:
            raise LockHeld(f"table `{table}`: another run went on with its load; run again when that is done")

    def drop_resume(self, connection: sa.Connection, table: str) -> None:
        """Forget a broken read and remove what it staged.

        Args:
            connection: in a transaction that holds the table's lock.
            table: its name in the source.
        """
        connection.execute(sa.schema.DropTable(stage_table(self.schema, table), if_exists=True))
        connection.execute(sa.delete(RESUMES).where(*self._resume_of(table)))

    def resumable(self) -> list[str]:
        """List the tables with a broken read.

        Returns:
            Their names in the source.
        """
        query = sa.select(RESUMES.c.table_name).where(RESUMES.c.target_schema == self.schema)
        with self.engine.connect() as connection:
            return list(connection.scalars(query.order_by(RESUMES.c.table_name)))

    def _resume_of(self, table: str) -> tuple[sa.ColumnElement[bool], ...]:
        return RESUMES.c.target_schema == self.schema, RESUMES.c.table_name == table

    def _insert_load(self, connection: sa.Connection, run_id: str, outcome: TableFinished) -> None:
        values = attrs.asdict(outcome, filter=lambda field, _: field.name in LOADS.c)
        values["losses"] = json.dumps([list(each) for each in outcome.losses])
        connection.execute(
            sa.insert(LOADS).values(
                run_id=run_id, target_schema=self.schema, table_name=outcome.table, **values
            )
        )


def stage_table(schema: str, table: str) -> sa.Table:
    """Name the table that holds the rows of a read that commits per chunk.

    Args:
        schema: the schema it will be applied to.
        table: the table's name in the source.

    Returns:
        A table without columns; the same for the same arguments.
    """
    digest = hashlib.sha256(f"{schema}\0{table}".encode()).hexdigest()[:24]
    return sa.Table(f"stage_{digest}", sa.MetaData(), schema=SCHEMA)


def _try_lock(name: str) -> sa.Select[tuple[bool]]:
    return sa.select(sa.func.pg_try_advisory_xact_lock(_number(name)))


def _number(name: str) -> int:
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big", signed=True)


def _entry(row: sa.RowMapping) -> LedgerEntry:
    state = TableState(
        table=row["table_name"],
        cursor_column=row["cursor_column"],
        watermark=row["watermark"],
        schema_hash=row["schema_hash"],
        strategy=row["strategy"],
        generation=row["generation"],
    )
    known = {each.name: row[each.name] for each in attrs.fields(LedgerEntry) if each.name != "state"}
    return LedgerEntry(state=state, **known)
