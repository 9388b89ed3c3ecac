"""ExactMySQLReplicator: copies tables exactly into another MySQL or MariaDB database, and tells whether it is equal."""

from __future__ import annotations

from functools import partial
from types import TracebackType
from typing import Self

import attrs
import sqlalchemy as sa

from etlkit.config import TableConfig
from etlkit.contracts import Chunks, Commit, Differences, Everything, LoadPlan, TableState, Write
from etlkit.discovery import SchemaDiscovery
from etlkit.errors import SchemaNotFoundError
from etlkit.events import TableFinished
from etlkit.replication.comparing import Comparing
from etlkit.replication.ends import Replica, Source
from etlkit.replication.ledger import ReplicaLedger
from etlkit.replication.load import ReplicaLoad
from etlkit.replication.plan import ReplicaPlan
from etlkit.replication.rendering import render_exactly
from etlkit.source_session import lent_raw, own_sessions
from etlkit.tables import TableAnalysis

QUERY_TIMEOUT_SECONDS = 300
"""How long a statement on the source may take by default."""
_CREATED = "create_exact_replica"
MAX_BATCH_SIZE = 10_000
"""Rows that are read at once by default; larger tables are read in chunks."""


class ExactMySQLReplicator:
    """Copies tables, one at a time per call; may be called from several threads. A context manager.

    Nothing is analysed here: what a table is, `schema_discovery` says, and remembers until its `clear_cache`. The
    replica's own record of what was copied lies in tables `etlkit_...` of its database.

    Example:
        discovery = SchemaDiscovery(source, "opendental")
        with ExactMySQLReplicator(source, target, "opendental", "opendental_copy", discovery) as replicator:
            replicator.create_exact_replica("patient")
            replicator.copy_table_data("patient")
            assert replicator.verify_exact_replica("patient")
    """

    def __init__(
        self,
        source_engine: sa.Engine,
        target_engine: sa.Engine,
        source_db: str,
        target_db: str,
        schema_discovery: SchemaDiscovery | None,
        *,
        storage_engine: str = "InnoDB",
        query_timeout: int = QUERY_TIMEOUT_SECONDS,
        max_batch_size: int = MAX_BATCH_SIZE,
    ) -> None:
        """Prepare, without connecting.

        Args:
            source_engine: a `mysql+pymysql` engine of the source. Its sessions are made read-only.
            target_engine: one of the replica, whose user may create, fill and drop tables.
            source_db: the source's database.
            target_db: the replica's database.
            schema_discovery: what is known of the source.
            storage_engine: of the copies; `source` for each table's own.
            query_timeout: seconds after which the source stops a statement (MySQL 5.6 cannot).
            max_batch_size: rows that are read at once; a table with more is copied in chunks, and a copy that breaks
                goes on behind the last one.

        Raises:
            ValueError: there is no SchemaDiscovery.
        """
        if schema_discovery is None:
            raise ValueError("SchemaDiscovery instance is required")
        self.schema_discovery = schema_discovery
        self.query_timeout = query_timeout
        self.max_batch_size = max_batch_size
        # Of its own, made as the given ones make theirs: settings of a session would stay with a connection.
        self._from = own_sessions(source_engine, statement_seconds=query_timeout, read_only=True)
        self._to = own_sessions(target_engine, statement_seconds=query_timeout, read_only=False)
        self._there = SchemaDiscovery(self._to, target_db)
        self._source = Source(
            discovery=schema_discovery, database=source_db, lent=partial(lent_raw, self._from)
        )
        self._replica = Replica(
            engine=self._to,
            database=target_db,
            ledger=ReplicaLedger(self._to, target_db),
            storage_engine=storage_engine,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections; the replicator can be used again."""
        self._from.dispose()
        self._to.dispose()

    def create_exact_replica(self, table: str) -> bool:
        """Make a table in the replica as the source defines it, but for what its server cannot take.

        What is adapted is logged. A table that is there with the same definition stays as it is, with its rows. One
        that the replicator made by another definition is replaced in one step, by one that has the source's rows.

        Args:
            table: its name.

        Returns:
            True.

        Raises:
            SchemaNotFoundError: the source has no such table.
            TargetConflict: the replica has a table of that name that was not made here.
            SchemaAnalysisError: the replica's server cannot hold the definition.
            LoadError: the replica refused something.
        """
        self._replica.ledger.ensure()
        plan = self._plan(table, self._copying(table))
        if plan.reshape:
            self._carried_out(plan)
        elif plan.entry is None:
            made = plan.generation > 0
            self.schema_discovery.replicate_schema(
                table,
                self._to,
                self._replica.database,
                drop_if_exists=made,
                storage_engine=self._replica.storage_engine,
            )
            self._record(plan)
        return True

    def copy_table_data(self, table: str) -> bool:
        """Make a table's rows in the replica those of the source, directly or in chunks, by its size.

        Readers of the replica see the rows before or those after it; see `docs/replica.md` for what that means on
        engines without transactions.

        Args:
            table: its name; it is made where it is missing.

        Returns:
            True.

        Raises:
            TargetConflict: the replica has a table of that name that was not made here.
            ExtractionError: the source refused something.
            LoadError: the replica refused something; its table is as it was.
        """
        self._replica.ledger.ensure()
        self._carried_out(self._plan(table, self._copying(table)))
        return True

    def verify_exact_replica(self, table: str) -> bool:
        """Tell whether a table is the same on both servers: its definition, the number of rows, and their digests.

        Args:
            table: its name.

        Returns:
            False when the replica has no such table, when its definition is another one (but for what its server
            cannot take), or when any row is missing, is too many or has another value.

        Raises:
            SchemaNotFoundError: the source has no such table.
            ExtractionError: the source refused something.
            LoadError: the replica refused something.
        """
        self._there.clear_cache()
        return (
            Comparing(
                source=self.schema_discovery,
                lent_source=self._source.lent,
                replica=self._there,
                lent_replica=partial(lent_raw, self._to),
                storage_engine=self._replica.storage_engine,
            )
            .table(table)
            .equal
        )

    def _copying(self, table: str) -> LoadPlan:
        rows = self.schema_discovery.analysis(table).row_count
        return LoadPlan(
            table=table,
            strategy="copy_table_data",
            read=Everything(),
            write=Write.REPLACE,
            reason="Copies every row.",
            chunks=Chunks(rows=self.max_batch_size),
            commit=Commit.PER_CHUNK if rows > self.max_batch_size else Commit.ONCE,
        )

    def _plan(self, table: str, plan: LoadPlan) -> ReplicaPlan:
        self._there.clear_cache()
        known = self._replica.ledger.snapshot()
        analysis, there = self.schema_discovery.analysis(table), self._analysis(table)
        how = {"storage_engine": self._replica.storage_engine}
        analysis = self.schema_discovery.as_copied(analysis, self._there, **how)
        entry, tried = known.loaded(table), known.entries.get(table)
        if entry is not None and entry.strategy == _CREATED:
            entry = None  # it has no rows yet, and can be filled aside
        differences = (
            ()
            if entry is None or there is None
            else self.schema_discovery.definition_differences(table, self._there, **how)
        )
        if differences and analysis.primary_key:
            plan = attrs.evolve(plan, read=Differences(), write=Write.MERGE, commit=Commit.ONCE)
        return ReplicaPlan(
            analysis=analysis,
            there=there,
            config=TableConfig(),
            rendered=render_exactly(analysis, self._source.database),
            plan=plan,
            entry=entry,
            generation=tried.state.generation if tried else 0,
            adaptations=tuple(
                map(str, self.schema_discovery.replica_definition(table, self._there, **how).adaptations)
            ),
            differences=differences,
        )

    def _record(self, plan: ReplicaPlan) -> None:
        with self._to.connect() as connection:
            self._replica.ledger.commit_load(
                connection,
                run_id="",
                generation=plan.generation,
                state=TableState(table=plan.name, schema_hash=plan.analysis.schema_hash),
                outcome=TableFinished(table=plan.name, hop="replica", strategy=_CREATED),
                adapted=plan.adaptations,
            )

    def _analysis(self, table: str) -> TableAnalysis | None:
        try:
            return self._there.analysis(table)
        except SchemaNotFoundError:
            return None

    def _carried_out(self, plan: ReplicaPlan) -> TableFinished:
        return ReplicaLoad(what=plan, source=self._source, replica=self._replica, run_id="").carry_out()
