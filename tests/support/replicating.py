"""Loads of single tables into a replica, by plans that a test writes."""

from __future__ import annotations

from functools import partial
from typing import Any

import attrs

from etlkit import SchemaDiscovery
from etlkit.config import TableConfig
from etlkit.contracts import Chunks, Commit, Everything, LoadPlan, Read, Write
from etlkit.errors import SchemaNotFoundError
from etlkit.events import TableFinished
from etlkit.replication.ends import Replica, Source
from etlkit.replication.ledger import ReplicaLedger
from etlkit.replication.load import ReplicaLoad
from etlkit.replication.plan import ReplicaPlan
from etlkit.replication.rendering import render_exactly
from etlkit.source_session import lent_raw, own_sessions
from etlkit.tables import TableAnalysis
from tests.support.databases import SourceDatabase

OWN_TABLES = {"etlkit_state", "etlkit_reads", "etlkit_source"}
"""The tables of the replica's ledger."""


@attrs.define(kw_only=True, slots=False)
class Replicating:
    """One source and one replica."""

    source: SourceDatabase
    """Where rows come from."""
    target: SourceDatabase
    """Where they go."""
    storage_engine: str = "InnoDB"
    """Of the copies."""

    def __attrs_post_init__(self) -> None:
        self.read = own_sessions(self.source.engine, statement_seconds=300, read_only=True)
        self.written = own_sessions(self.target.engine, statement_seconds=300, read_only=False)
        self.discovery = SchemaDiscovery(self.read, self.source.name)
        self.there = SchemaDiscovery(self.written, self.target.name)
        self.ledger = ReplicaLedger(self.written, self.target.name)
        self.ledger.ensure()

    def plan(
        self,
        table: str,
        read: Read | None = None,
        *,
        write: Write = Write.REPLACE,
        commit: Commit = Commit.ONCE,
        cursor: str | None = None,
        rows: int | None = None,
    ) -> ReplicaPlan:
        """Decide how a table is loaded, as a test wants it.

        Args:
            table: its name.
            read: which rows; every one by default.
            write: how they are applied.
            commit: what survives a crash.
            cursor: the column whose watermark is kept.
            rows: rows of a chunk, however small the table is; by default the table is read at once.
        """
        self.discovery.clear_cache()
        self.there.clear_cache()
        known = self.ledger.snapshot()
        entry, tried = known.loaded(table), known.entries.get(table)
        there = self._there(table)
        how = {"storage_engine": self.storage_engine}
        same = entry is None or there is None
        analysis = self.discovery.analysis(table)
        return ReplicaPlan(
            analysis=analysis,
            there=there,
            config=TableConfig(),
            rendered=render_exactly(analysis, self.source.name),
            plan=LoadPlan(
                table=table,
                strategy="tried",
                read=read or Everything(),
                write=write,
                reason="A test.",
                cursor=cursor,
                chunks=Chunks(kept_seconds=0)
                if rows is None
                else Chunks(rows=rows, max_bytes=1, kept_seconds=0),
                commit=commit,
            ),
            entry=entry,
            generation=tried.state.generation if tried else 0,
            adaptations=tuple(
                map(str, self.discovery.replica_definition(table, self.there, **how).adaptations)
            ),
            differences=() if same else self.discovery.definition_differences(table, self.there, **how),
        )

    def load(self, plan: ReplicaPlan, **more: Any) -> TableFinished:
        """Carry a plan out.

        Args:
            plan: the plan.
            **more: of `ReplicaLoad`.
        """
        return ReplicaLoad(
            what=plan,
            source=Source(
                discovery=self.discovery, database=self.source.name, lent=partial(lent_raw, self.read)
            ),
            replica=Replica(
                engine=self.written,
                database=self.target.name,
                ledger=self.ledger,
                storage_engine=self.storage_engine,
            ),
            run_id="run 1",
            **more,
        ).carry_out()

    def tables(self) -> set[str]:
        """The tables of the replica but for its ledger's."""
        return {name for (name,) in self.target.rows("show tables")} - OWN_TABLES

    def close(self) -> None:
        """Close the connections."""
        self.read.dispose()
        self.written.dispose()

    def _there(self, table: str) -> TableAnalysis | None:
        try:
            return self.there.analysis(table)
        except SchemaNotFoundError:
            return None


def bytes_of(database: SourceDatabase, table: str) -> list[tuple[Any, ...]]:
    """All rows of a table as its server stores them, sorted."""
    columns = [name for name, *_ in database.rows(f"show columns from `{table}`")]
    said = ", ".join(f"hex(cast(`{name}` as binary))" for name in columns)
    return sorted(database.rows(f"select {said} from `{table}`"), key=repr)
