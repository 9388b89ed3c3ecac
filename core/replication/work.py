"""A load into the replica at work: its plan, its connections, and what every way of loading has in common."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import cached_property
from typing import cast

import attrs
import sqlalchemy as sa
from pymysql.constants import ER
from sqlalchemy.dialects.mysql.pymysql import MySQLDialect_pymysql

from etlkit.contracts import Since, TableState
from etlkit.events import TableFinished
from etlkit.loading.brake import ANY_SHARE
from etlkit.loading.staged import EQUAL, REPAIRED
from etlkit.loading.stored_rows import same_order
from etlkit.replication.ends import Replica, Source
from etlkit.replication.ledger_entries import Reading
from etlkit.replication.plan import OLD, SIDE, ReplicaPlan
from etlkit.replication.reading import ExactReader
from etlkit.replication.sides import Side
from etlkit.replication.statements import Copy
from etlkit.replication.trouble import replica_table
from etlkit.source_session import MySQLConnection, lent_raw
from etlkit.stopping import StopSignal
from etlkit.tables import Column
from etlkit.transfer import chunk_queries as queries
from etlkit.transfer.keys import Keyset, from_json
from etlkit.transfer.pipeline import Pipeline
from etlkit.transfer.source_queries import SourceQueries
from etlkit.transfer.trouble import read_trouble

CHANGED = "not checked: rows changed while they were compared"
"""What `TableFinished.verified` says where a proof failed because the source went on."""

# As names stand in a statement that goes to the driver as it is: a percent sign stands for itself.
_PREPARER = MySQLDialect_pymysql(paramstyle="named").identifier_preparer


@attrs.frozen(kw_only=True, slots=False)
class Work:
    """One load."""

    what: ReplicaPlan
    """The plan."""
    source: Source
    """Where rows come from."""
    replica: Replica
    """Where they go."""
    connection: sa.Connection
    """Writes, and holds the table's lock."""
    run_id: str
    """The run this belongs to."""
    max_deleted_share: float = ANY_SHARE
    """The share of the table's rows that the load may not reach when it removes some; 1 for any."""
    stop: StopSignal = attrs.field(factory=StopSignal)
    """When it is set, the load ends by `RunInterrupted`."""
    rows_read: Callable[[int], None] = lambda _: None
    """Called after each chunk with the rows read or compared so far."""

    @property
    def columns(self) -> tuple[Column, ...]:
        """The columns that come from the source; the replica computes the others."""
        return tuple(each.column for each in self.what.rendered.columns)

    @cached_property
    def copy(self) -> Copy:
        """The table in the replica."""
        return self.copy_of(self.what.name)

    @cached_property
    def side(self) -> Copy:
        """The table that is filled aside."""
        return self.copy_of(self.what.side)

    @property
    def old(self) -> sa.TableClause:
        """What the table is called once another one took its place."""
        return self.copy.beside(OLD + self.what.side.removeprefix(SIDE))

    @property
    def told_as(self) -> str:
        """What messages call the table, also where rows lie aside."""
        return replica_table(self.replica.database, self.what.name)

    def copy_of(self, name: str) -> Copy:
        """Describe a table of the replica that rows are applied to.

        Args:
            name: what it is called.

        Returns:
            The table.
        """
        there = self.what.there or self.what.analysis
        analysis = attrs.evolve(
            self.what.analysis,
            name=name,
            engine=there.engine if self.what.there or self.replica.storage_engine == "source" else "InnoDB",
        )
        return Copy(analysis=analysis, database=self.replica.database, columns=self.columns)

    def quoted(self, table: sa.TableClause) -> str:
        """Write a table's name as it stands in a statement.

        Args:
            table: the table.

        Returns:
            The name, quoted, with its database where it has one.
        """
        return _PREPARER.format_table(table)

    def pipeline(self, reading: Reading | None = None) -> Pipeline:
        """Prepare to read what the plan reads.

        Args:
            reading: where a broken read goes on.

        Returns:
            Chunks of framed rows.
        """
        goes_on = reading if reading is not None and reading.last_key else None

        def reader(source: SourceQueries) -> ExactReader:
            return ExactReader(
                source=source,
                analysis=self.what.analysis,
                rendered=self.what.rendered,
                plan=self.what.plan,
                resume_after=from_json(goes_on.last_key) if goes_on and goes_on.last_key else None,
                watermark=goes_on.watermark if goes_on else None,
                began=goes_on.began if goes_on else None,
                tell_behind=isinstance(self.what.plan.read, Since),
            )

        return Pipeline(
            self.source.lent,
            reader,
            ahead=self.what.plan.chunks.queue,
            governor=self.source.governor,
            interrupted=self.stop,
            rows_read=self.rows_read,
        )

    @contextmanager
    def lent_replica(self) -> Iterator[SourceQueries]:
        """Lend another connection to the replica, which sees what is committed.

        Yields:
            The replica, asked as a source is.
        """
        with lent_raw(self.replica.engine) as raw:
            server = SourceQueries(raw, self.stop)
            with self.stop.calling(server.drop):
                self.stop.check()
                yield server

    @contextmanager
    def lent_source(self) -> Iterator[SourceQueries]:
        """Lend the source's connection, once the source is calm.

        Yields:
            The source, in no snapshot yet.
        """
        with self.source.lent() as raw:
            source = SourceQueries(raw, self.stop, self.source.governor)
            with self.stop.calling(source.drop):
                with read_trouble(self.what.name):
                    source.rest(f"table `{self.what.name}`", self.what.analysis.engine)
                yield source

    @contextmanager
    def snapshot(self, source: SourceQueries) -> Iterator[None]:
        """See one instant of the source while a block runs, where the table's engine can show it.

        Args:
            source: the source.

        Yields:
            Nothing.
        """
        if self.what.analysis.engine != "InnoDB":
            yield
            return
        with read_trouble(self.what.name):
            source.text(queries.SNAPSHOT)
        yield
        with read_trouble(self.what.name):
            source.text(queries.END_SNAPSHOT)

    def side_of(self, server: SourceQueries, name: str | None = None) -> Side:
        """Describe one server's rows of the table, for comparing them.

        Args:
            server: the source, or the replica where a name is given.
            name: what the table is called in the replica.

        Returns:
            The side.
        """
        database = self.source.database if name is None else self.replica.database
        signed = not getattr(self.connection.dialect, "is_mariadb", False)
        return Side.of(self.what.analysis, database, server, name=name, signed_zeros=signed)

    @property
    def same_order(self) -> bool:
        """Whether ranges of the key hold the same rows on both servers; adapted collations sort differently."""
        keyset = Keyset.of(self.what.analysis, self.what.rendered.source)
        adapted = any("collation" in each or "character set" in each for each in self.what.adaptations)
        return not adapted or keyset is None or same_order(keyset)

    def raw(self) -> MySQLConnection:
        """Give the writing connection as PyMySQL's own, to ask within its transaction."""
        return cast("MySQLConnection", self.connection.connection.driver_connection)

    def is_there(self, name: str) -> bool:
        """Tell whether the replica has a table.

        Args:
            name: what it is called.
        """
        table = self.copy.beside(name)
        try:
            self.connection.execute(sa.select(sa.literal_column("1")).select_from(table).limit(0))
        except sa.exc.ProgrammingError as error:
            if getattr(error.orig, "args", (0,))[0] != ER.NO_SUCH_TABLE:
                raise
            return False
        finally:
            self.connection.commit()
        return True

    def outcome(
        self,
        counts: Mapping[str, int],
        *,
        read: int,
        size: int,
        unchanged: int,
        seconds: float,
        verified: str | None = None,
    ) -> TableFinished:
        """Say what came of the load.

        Args:
            counts: rows inserted, updated and deleted, by these words; what did not happen may be missing.
            read: rows read.
            size: bytes read.
            unchanged: rows that were there already.
            seconds: how long it took.
            verified: whether the table was proven equal, where that is known.

        Returns:
            The outcome of a load that is committed.
        """
        return TableFinished(
            table=self.what.name,
            hop="replica",
            strategy=self.what.plan.strategy,
            importance=self.what.analysis.importance,
            read=read,
            rendered_bytes=size,
            unchanged=max(0, unchanged),
            seconds=seconds,
            verified=verified or self._verified(changed=any(counts.values())),
            **counts,  # type: ignore[arg-type]
        )

    def commit(self, outcome: TableFinished, watermark: str | None) -> TableFinished:
        """Record the load, and commit it with its rows where the engine knows transactions.

        Args:
            outcome: what came of it.
            watermark: of what was read.

        Returns:
            The outcome.
        """
        what, plan = self.what, self.what.plan
        old = what.entry.state if what.entry else TableState(table=what.name)
        keeps_cursor = outcome.verified != CHANGED and plan.cursor is not None
        state = attrs.evolve(
            old,
            cursor_column=plan.cursor if keeps_cursor else old.cursor_column,
            watermark=watermark if keeps_cursor else old.watermark,
            schema_hash=what.analysis.schema_hash,
        )
        changed = bool(outcome.inserted or outcome.updated or outcome.deleted)
        self.replica.ledger.end_reading(self.connection, what.name)
        self.replica.ledger.commit_load(
            self.connection,
            run_id=self.run_id,
            generation=what.generation,
            state=state,
            outcome=outcome,
            adapted=what.adaptations,
            # Where the copy is new, the next hop may have rows of an older one.
            unseen=what.first or (changed and not isinstance(plan.read, Since)),
        )
        return outcome

    def _verified(self, *, changed: bool) -> str:
        if self.what.first:
            return "not checked: first load"
        if isinstance(self.what.plan.read, Since):
            return "not checked: by cursor"
        if not self.what.whole:
            return "not checked: a part"
        return REPAIRED if changed else EQUAL
