"""The replica's own record: what was copied into it, from where, and how far. It lies beside the copied tables."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.mysql import DATETIME, LONGTEXT

metadata = sa.MetaData()

_name = sa.String(64, collation="utf8mb4_bin")
_when = DATETIME(fsp=6)
_InnoDB: dict[str, Any] = {
    "mysql_engine": "InnoDB",
    "mysql_charset": "utf8mb4",
    "mysql_collate": "utf8mb4_bin",
}

STATES = sa.Table(
    "etlkit_state",
    metadata,
    sa.Column("table_name", _name, primary_key=True),
    sa.Column("generation", sa.BigInteger, nullable=False, comment="Counts the loads that were committed."),
    sa.Column("run_id", sa.String(64), nullable=False),
    sa.Column("strategy", sa.String(255), nullable=False),
    sa.Column("cursor_column", _name),
    sa.Column("watermark", sa.Text, comment="The cursor as the source printed it."),
    sa.Column("schema_hash", sa.String(64), nullable=False),
    sa.Column("loaded_at", _when, comment="When the last load was committed (UTC); empty before the first."),
    sa.Column("first_loaded_at", _when),
    sa.Column("proven_at", _when, comment="When it was last proven equal to the source (UTC)."),
    sa.Column("compared_at", _when, comment="When every row was last compared for that, not only checksums."),
    sa.Column("checksum", sa.BigInteger, comment="Of the source at that time; empty when rows were written."),
    sa.Column("read", sa.BigInteger, nullable=False),
    sa.Column("inserted", sa.BigInteger, nullable=False),
    sa.Column("updated", sa.BigInteger, nullable=False),
    sa.Column("deleted", sa.BigInteger, nullable=False),
    sa.Column("unchanged", sa.BigInteger, nullable=False),
    sa.Column("seconds", sa.Double, nullable=False),
    sa.Column("verified", sa.String(255), nullable=False),
    sa.Column("adapted", LONGTEXT, nullable=False, comment="JSON: what of its definition was adapted."),
    sa.Column("error", sa.Text, comment="Why the last load failed; empty when it was committed."),
    sa.Column("exit_code", sa.Integer, nullable=False),
    sa.Column("failed_at", _when),
    sa.Column("gone", sa.Boolean, nullable=False, comment="Whether the source no longer has the table."),
    sa.Column(
        "follow_up",
        sa.BigInteger,
        nullable=False,
        comment="The generation that changed rows which no cursor shows; 0 when the next hop compared them since.",
    ),
    comment="The end of the last load of each table; written by the transaction that wrote its rows.",
    **_InnoDB,
)

READS = sa.Table(
    "etlkit_reads",
    metadata,
    sa.Column("table_name", _name, primary_key=True),
    sa.Column("run_id", sa.String(64), nullable=False),
    sa.Column("plan", sa.String(64), nullable=False, comment="sha256 of what a read is gone on with under."),
    sa.Column("side", _name, nullable=False, comment="The table that holds what was read."),
    sa.Column("last_key", LONGTEXT, comment="JSON: the key behind which to go on."),
    sa.Column("watermark", sa.Text),
    sa.Column("began", sa.Text, comment="Where the cursor stood when the read began."),
    sa.Column("read", sa.BigInteger, nullable=False),
    sa.Column("rendered_bytes", sa.BigInteger, nullable=False),
    sa.Column("complete", sa.Boolean, nullable=False),
    comment="Loads that are not finished; a later run goes on behind last_key.",
    **_InnoDB,
)

SOURCE = sa.Table(
    "etlkit_source",
    metadata,
    sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("identity", LONGTEXT, nullable=False, comment="JSON: the server and database that is copied."),
    sa.Column("seen_at", _when, nullable=False),
    comment="One row: which source this is a replica of.",
    **_InnoDB,
)
