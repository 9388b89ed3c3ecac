"""The ledger's record of each run: who asked for what, where, with which versions and policies, and how it ended."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Mapping
from typing import Any

import attrs
import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB, insert

from etlkit.events import RunFinished
from etlkit.loading.ledger_tables import COLUMNS, LOADS, RUNS, SCHEMA
from etlkit.loading.target import TargetTable
from etlkit.loading.trouble import warehouse_trouble

_WHERE = f"the ledger in the warehouse's schema `{SCHEMA}`"
_COUNTS = ("read", "inserted", "updated", "deleted", "unchanged")


@attrs.frozen(kw_only=True)
class AuditedTable:
    """What a run did with one table."""

    table: str
    """Its name in the source."""
    strategy: str
    """The strategy, as far as it came."""
    counts: Mapping[str, int]
    """Rows read, inserted, updated, deleted, unchanged."""
    columns: tuple[Mapping[str, Any], ...]
    """The columns that left the source: `source`, `name` and `type` in the warehouse, `conversion` and `policy` (null
    for none); empty when nothing was read or the load failed."""
    error: str | None
    """Why it failed."""


@attrs.frozen(kw_only=True)
class AuditedRun:
    """What the ledger knows of one run."""

    run_id: str
    """Identifies it."""
    deployment: str
    """The deployment's name."""
    started_at: dt.datetime
    """When it began, by the warehouse's clock."""
    finished_at: dt.datetime | None
    """When it ended; None while it runs, and when it was killed."""
    exit_code: int | None
    """How it ended."""
    audit: Mapping[str, Any]
    """Who, where, versions, plugins, what was asked for, policies; empty for runs of an older etlkit."""
    tables: tuple[AuditedTable, ...]
    """The tables in the order of their ends; one that was loaded and then proven is there once for each."""


class RunRecords:
    """The runs of one schema."""

    def __init__(self, engine: sa.Engine, schema: str) -> None:
        """Prepare, without connecting.

        Args:
            engine: the warehouse.
            schema: the schema that the deployment loads into.
        """
        self.engine = engine
        self.schema = schema

    def start(
        self,
        run_id: str,
        deployment: str,
        version: str,
        audit: Mapping[str, Any],
        plugin_lock: str | None = None,
    ) -> None:
        """Record that a run begins.

        Args:
            run_id: the run.
            deployment: its name.
            version: etlkit's.
            audit: see `AuditedRun`; the warehouse's version is added.
            plugin_lock: the sha256 of the lock that the plugins were compared with; None without one.

        Raises:
            LoadError: the ledger cannot be written.
        """
        path = sa.literal(["versions", "warehouse"], sa.ARRAY(sa.Text))
        server = sa.func.to_jsonb(
            sa.func.concat("PostgreSQL ", sa.func.current_setting("server_version"), type_=sa.Text)
        )
        values = {
            "run_id": run_id,
            "target_schema": self.schema,
            "deployment": deployment,
            "etlkit_version": version,
            "plugin_lock": plugin_lock,
            "audit": sa.func.jsonb_set(sa.literal(audit, JSONB), path, server),
        }
        with warehouse_trouble(_WHERE), self.engine.begin() as connection:
            connection.execute(sa.insert(RUNS).values(values))

    def finish(self, event: RunFinished) -> None:
        """Record how a run ended.

        Args:
            event: what happened.

        Raises:
            LoadError: the ledger cannot be written.
        """
        ended = (
            sa.update(RUNS)
            .values(finished_at=sa.func.now(), exit_code=event.exit_code, tables=len(event.tables))
            .where(RUNS.c.run_id == event.run_id)
        )
        with warehouse_trouble(_WHERE), self.engine.begin() as connection:
            connection.execute(ended)

    def keep_columns(self, connection: sa.Connection, target: TargetTable) -> None:
        """Record which columns leave the source for a table, and how; once for each such mapping.

        Args:
            connection: in the load's transaction.
            target: the table.
        """
        columns = [
            {
                "source": each.source,
                "name": each.name,
                "type": each.type,
                "conversion": each.conversion,
                "policy": each.policy,
            }
            for each in target.columns
        ]
        values = {
            "target_schema": self.schema,
            "table_name": target.source,
            "mapping_hash": target.mapping_hash,
            "columns": columns,
        }
        connection.execute(insert(COLUMNS).values(values).on_conflict_do_nothing())

    def read(self, run_id: str | None = None) -> AuditedRun | None:
        """Read the record of a run.

        Args:
            run_id: the run, or the beginning of its number; by default the one that began last.

        Returns:
            The record; None when there is no such run.

        Raises:
            LoadError: the ledger cannot be read.
            ConnectionFailed: the warehouse cannot be reached.
        """
        with warehouse_trouble(_WHERE), self.engine.connect() as connection:
            if not sa.inspect(connection).has_table(COLUMNS.name, schema=SCHEMA):
                return None
            runs = sa.select(RUNS).where(RUNS.c.target_schema == self.schema)
            if run_id:
                runs = runs.where(RUNS.c.run_id.startswith(run_id, autoescape=True))
            run = connection.execute(runs.order_by(RUNS.c.started_at.desc()).limit(1)).mappings().first()
            return None if run is None else self._audited(connection, run)

    def _audited(self, connection: sa.Connection, run: sa.RowMapping) -> AuditedRun:
        loads = sa.select(LOADS).where(LOADS.c.run_id == run["run_id"]).order_by(LOADS.c.load_id)
        of_run = sa.select(LOADS.c.table_name, LOADS.c.mapping_hash).where(LOADS.c.run_id == run["run_id"])
        mappings = sa.select(COLUMNS).where(
            COLUMNS.c.target_schema == self.schema,
            sa.tuple_(COLUMNS.c.table_name, COLUMNS.c.mapping_hash).in_(of_run),
        )
        known: defaultdict[tuple[str, str | None], tuple[Any, ...]] = defaultdict(tuple)
        for row in connection.execute(mappings):
            known[row.table_name, row.mapping_hash] = tuple(row.columns)
        tables = tuple(
            AuditedTable(
                table=row["table_name"],
                strategy=row["strategy"],
                counts={name: row[name] for name in _COUNTS},
                columns=known[row["table_name"], row["mapping_hash"]],
                error=row["error"],
            )
            for row in connection.execute(loads).mappings()
        )
        return AuditedRun(
            **{
                name: run[name] for name in ("run_id", "deployment", "started_at", "finished_at", "exit_code")
            },
            audit=run["audit"] or {},
            tables=tables,
        )
