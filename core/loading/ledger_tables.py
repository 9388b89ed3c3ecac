"""The ledger's tables. Columns are only ever added, so that an older ledger goes on working."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import attrs
import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.schema import CreateColumn, DDLElement

from etlkit.contracts import TableState
from etlkit.events import TableFinished

SCHEMA = "etlkit"
"""The schema in the warehouse that holds the ledger and nothing else."""

metadata = sa.MetaData(schema=SCHEMA)

_now = sa.DateTime(timezone=True)

RUNS = sa.Table(
    "runs",
    metadata,
    sa.Column("run_id", sa.Text, primary_key=True),
    sa.Column("target_schema", sa.Text, nullable=False),
    sa.Column("deployment", sa.Text, nullable=False),
    sa.Column("etlkit_version", sa.Text, nullable=False),
    sa.Column("started_at", _now, nullable=False, server_default=sa.func.now()),
    sa.Column("finished_at", _now),
    sa.Column("exit_code", sa.Integer),
    sa.Column("tables", sa.Integer),
    sa.Column("audit", JSONB, comment="Who, where, versions, plugins, what was asked for, policies."),
    sa.Column("plugin_lock", sa.Text, comment="sha256 of plugins.lock.yml; empty without one."),
    comment="One row per `etlkit run`; finished_at stays empty when the process was killed.",
)

LOADS = sa.Table(
    "table_loads",
    metadata,
    sa.Column("load_id", sa.BigInteger, sa.Identity(always=True), primary_key=True),
    sa.Column("run_id", sa.Text, nullable=False, index=True),
    sa.Column("target_schema", sa.Text, nullable=False),
    sa.Column("table_name", sa.Text, nullable=False),
    sa.Column("strategy", sa.Text, nullable=False),
    sa.Column("importance", sa.Text, nullable=False),
    sa.Column("read", sa.BigInteger, nullable=False),
    sa.Column("inserted", sa.BigInteger, nullable=False),
    sa.Column("updated", sa.BigInteger, nullable=False),
    sa.Column("deleted", sa.BigInteger, nullable=False),
    sa.Column("unchanged", sa.BigInteger, nullable=False),
    sa.Column("rendered_bytes", sa.BigInteger, nullable=False),
    sa.Column("seconds", sa.Double, nullable=False),
    sa.Column("verified", sa.Text, nullable=False),
    sa.Column(
        "losses",
        sa.Text,
        nullable=False,
        comment="JSON: [column, rule, count, policy] per loss; never a value.",
    ),
    sa.Column("error", sa.Text),
    sa.Column("ended_at", _now, nullable=False, server_default=sa.func.now()),
    sa.Column("whole", sa.Boolean),
    sa.Column("mapping_hash", sa.Text, comment="Which columns were read, in table_columns."),
    comment="One row per table and run, failed ones included.",
)

STATES = sa.Table(
    "table_state",
    metadata,
    sa.Column("target_schema", sa.Text, primary_key=True),
    sa.Column("table_name", sa.Text, primary_key=True),
    sa.Column("target_name", sa.Text, nullable=False),
    sa.Column("cursor_column", sa.Text),
    sa.Column("watermark", sa.Text, comment="The cursor as the source server printed it."),
    sa.Column("schema_hash", sa.Text, nullable=False),
    sa.Column("mapping_hash", sa.Text, nullable=False),
    sa.Column("strategy", sa.Text, nullable=False),
    sa.Column("generation", sa.BigInteger, nullable=False),
    sa.Column("loaded_at", _now, nullable=False),
    sa.Column("read", sa.BigInteger, nullable=False),
    sa.Column("written", sa.BigInteger, nullable=False),
    sa.Column("run_id", sa.Text, nullable=False),
    sa.Column("first_loaded_at", _now, server_default=sa.func.now()),
    sa.Column("proven_at", _now, comment="When it was last proven equal to the source."),
    sa.Column("compared_at", _now, comment="When every row was last compared for that, not only checksums."),
    sa.Column(
        "checksum",
        sa.BigInteger,
        comment="CHECKSUM TABLE of the source at the last proof; empty when rows were written since.",
    ),
    comment="The end of each table's last committed load; written by the transaction that wrote its rows.",
)

RESUMES = sa.Table(
    "table_resume",
    metadata,
    sa.Column("target_schema", sa.Text, primary_key=True),
    sa.Column("table_name", sa.Text, primary_key=True),
    sa.Column("run_id", sa.Text, nullable=False),
    sa.Column("plan", sa.Text, nullable=False),
    sa.Column("stage", sa.Text, nullable=False),
    sa.Column("last_key", sa.Text),
    sa.Column("watermark", sa.Text),
    sa.Column("began", sa.Text),
    sa.Column("read", sa.BigInteger, nullable=False),
    sa.Column("rendered_bytes", sa.BigInteger, nullable=False),
    sa.Column("losses", sa.Text, nullable=False, comment="JSON: count by column number and rule."),
    sa.Column("complete", sa.Boolean, nullable=False),
    sa.Column("quarantined", sa.Text, comment="JSON: [column number, rule, key] per value; never a value."),
    comment="Loads that commit per chunk and are not finished; a later run goes on behind last_key.",
)

QUARANTINE = sa.Table(
    "quarantine",
    metadata,
    sa.Column("entry_id", sa.BigInteger, sa.Identity(always=True), primary_key=True),
    sa.Column("target_schema", sa.Text, nullable=False),
    sa.Column("table_name", sa.Text, nullable=False),
    sa.Column("column_name", sa.Text, nullable=False),
    sa.Column("rule", sa.Text, nullable=False),
    sa.Column("key", sa.Text, nullable=False, comment="JSON: the parts of the row's primary key, as texts."),
    sa.Column("run_id", sa.Text, nullable=False),
    sa.Column("seen_at", _now, nullable=False, server_default=sa.func.now()),
    # Not unique: a long key does not fit into an index, and a table has one writer at a time.
    sa.Index("quarantine_of_table", "target_schema", "table_name"),
    comment="Rows that have NULL where the source's value cannot be held; gone as soon as it can.",
)

COLUMNS = sa.Table(
    "table_columns",
    metadata,
    sa.Column("target_schema", sa.Text, primary_key=True),
    sa.Column("table_name", sa.Text, primary_key=True),
    sa.Column("mapping_hash", sa.Text, primary_key=True),
    sa.Column("columns", JSONB, nullable=False, comment="[{source, name, type, conversion, policy}]"),
    sa.Column("seen_at", _now, nullable=False, server_default=sa.func.now()),
    comment="The columns that leave the source, and what they become; a row for each mapping that was ever used.",
)

SOURCES = sa.Table(
    "sources",
    metadata,
    sa.Column("target_schema", sa.Text, primary_key=True),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("server", sa.Text),
    sa.Column("machine", sa.Text, nullable=False),
    sa.Column("place", sa.Text, nullable=False),
    sa.Column("database", sa.Text, nullable=False),
    sa.Column("seen_at", _now, nullable=False, server_default=sa.func.now()),
    sa.Column("origin", sa.Text, comment="JSON: what that database is a replica of; empty for a source."),
    comment="The database that each schema is loaded from; another one must be accepted first.",
)


SECRETS = sa.Table(
    "secrets",
    metadata,
    sa.Column("target_schema", sa.Text, primary_key=True),
    sa.Column("secret", sa.Text, nullable=False),
    comment="Goes into the digests of rows, so that they cannot be guessed by who sees nothing but digests.",
)

KEPT = sa.Table(
    "kept",
    metadata,
    sa.Column("target_schema", sa.Text, primary_key=True),
    sa.Column("table_name", sa.Text, primary_key=True),
    sa.Column("column_name", sa.Text, primary_key=True, comment="Empty for the table itself."),
    sa.Column("reason", sa.Text, nullable=False, comment="gone or narrower"),
    sa.Column("type", sa.Text, comment="The narrower type that the source has."),
    sa.Column("run_id", sa.Text, nullable=False),
    sa.Column("since", _now, nullable=False, server_default=sa.func.now()),
    comment="What the warehouse keeps although the source no longer has it, or narrower.",
)


def load_values(run_id: str, schema: str, outcome: TableFinished) -> dict[str, Any]:
    """Give what a row of `table_loads` holds of an outcome.

    Args:
        run_id: the run.
        schema: the schema that the deployment loads into.
        outcome: the table's.

    Returns:
        Columns and values.
    """
    values = attrs.asdict(outcome, filter=lambda field, _: field.name in LOADS.c)
    return {
        **values,
        "losses": json.dumps([list(each) for each in outcome.losses]),
        "run_id": run_id,
        "target_schema": schema,
        "table_name": outcome.table,
    }


def state_values(run_id: str, schema: str, state: TableState, outcome: TableFinished) -> dict[str, Any]:
    """Give what a row of `table_state` holds of a load that is committed.

    Args:
        run_id: the run.
        schema: the schema that the deployment loads into.
        state: the state after the load.
        outcome: what was read and written.

    Returns:
        Columns and values, without those that tell which table it is, and how its values became columns.
    """
    return {
        "target_schema": schema,
        "cursor_column": state.cursor_column,
        "watermark": state.watermark,
        "schema_hash": state.schema_hash,
        "strategy": outcome.strategy,
        "loaded_at": sa.func.now(),
        "read": outcome.read,
        "written": outcome.inserted + outcome.updated + outcome.deleted,
        "run_id": run_id,
    }


class AddColumn(DDLElement):
    """`ALTER TABLE ... ADD COLUMN IF NOT EXISTS ...`."""

    def __init__(self, column: sa.Column[Any]) -> None:
        """Prepare.

        Args:
            column: of one of the ledger's tables; in rows that are there it is NULL, or has its default.
        """
        self.column = column


@compiles(AddColumn, "postgresql")
def _compile(element: AddColumn, compiler: Any, **_: Any) -> str:
    table = compiler.preparer.format_table(element.column.table)
    definition = compiler.process(CreateColumn(element.column))
    return f"ALTER TABLE {table} ADD COLUMN IF NOT EXISTS {definition}"


def missing_columns(there: Mapping[str, Mapping[str, str]]) -> list[sa.Column[Any]]:
    """Find what a ledger that an older etlkit made lacks.

    Args:
        there: by table, the columns that it has and their types.

    Returns:
        Columns of tables that are there.
    """
    return [
        column
        for table in metadata.sorted_tables
        if table.name in there
        for column in table.columns
        if column.name not in there[table.name]
    ]
