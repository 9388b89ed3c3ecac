"""The two ends of the hop: where rows come from, and where they go."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager

import attrs
import sqlalchemy as sa

from etlkit.discovery import SchemaDiscovery
from etlkit.replication.ledger import ReplicaLedger
from etlkit.source_session import MySQLConnection
from etlkit.transfer.governor import Governor


@attrs.frozen(kw_only=True)
class Source:
    """Where rows come from."""

    discovery: SchemaDiscovery
    """Answers for its schema, and makes tables by it."""
    database: str
    """Its database."""
    lent: Callable[[], AbstractContextManager[MySQLConnection]]
    """Lends a raw connection."""
    governor: Governor | None = None
    """Says when reads go on; None for at once."""


@attrs.frozen(kw_only=True)
class Replica:
    """Where rows go."""

    engine: sa.Engine
    """The server; its sessions write."""
    database: str
    """The database that holds the copies."""
    ledger: ReplicaLedger
    """What was copied so far."""
    storage_engine: str = "InnoDB"
    """The storage engine of the copies; `source` for each table's own."""
