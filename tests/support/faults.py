"""A small clinic with one table for each way of loading, whose rows hold texts that must be told nowhere."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import attrs

from etlkit.config import Settings
from etlkit.orchestration.deployment import Deployment
from etlkit.registry import Registry
from support.clinic import Clinic
from support.databases import SourceDatabase
from support.invariants import CANARY
from support.running import Running

ROWS = 300
"""Rows of each table at first."""

_STAMP = "DateTStamp timestamp not null default current_timestamp on update current_timestamp"
_COLUMNS = f"Note varchar(100), Amount decimal(10, 2) not null, {_STAMP}, key (DateTStamp)"

_PARTS: dict[str, Any] = {
    "batch_size": 40,
    "incremental_column": "DateTStamp",
    "options": {"chunk_mb": "1", "kept_seconds": "0"},
}

_CHOICES: Mapping[str, Mapping[str, Any]] = {
    "patient": {"extraction_strategy": "full_table", "batch_size": 40},
    "walkinlist": {"extraction_strategy": "full_table"},
    "appointment": {**_PARTS, "extraction_strategy": "incremental", "options": {}},
    "procedurelog": {**_PARTS, "extraction_strategy": "chunked_incremental"},
    "recall": {**_PARTS, "extraction_strategy": "streaming_incremental"},
    "securitylog": {"extraction_strategy": "reconcile", "batch_size": 40},
}

KEYS = {
    "patient": "PatNum",
    "appointment": "AptNum",
    "procedurelog": "ProcNum",
    "recall": "RecallNum",
    "securitylog": "SecurityLogNum",
}
"""By table, its key; `walkinlist` has none."""

TABLES = frozenset(_CHOICES)
"""The tables."""


def choices() -> Mapping[str, Mapping[str, Any]]:
    """Give what `Clinic.choose` takes: each table is read in a way of its own, in small chunks."""
    return _CHOICES


def filled(source: SourceDatabase, rows: int = ROWS) -> None:
    """Make the tables, and fill them with rows that were stamped a while ago."""
    for table in _CHOICES:
        key = f"{KEYS[table]} bigint not null auto_increment primary key, " if table in KEYS else ""
        values = ", ".join(
            f"('{CANARY} {table} {number}', {number}.25, '2024-03-01 08:00:00' + interval {number // 10} minute)"
            for number in range(rows)
        )
        source.execute(
            f"create table {table} ({key}{_COLUMNS})",
            f"insert into {table} (Note, Amount, DateTStamp) values {values}",
        )


def changed(source: SourceDatabase) -> None:
    """Change rows of every table as a practice does: edits, new rows, deletes, and an edit that no stamp shows."""
    for table in _CHOICES:
        order = f"order by {KEYS.get(table, 'Amount')}"
        source.execute(
            f"update {table} set Note = concat('{CANARY} edited ', Amount) {order} limit 7",
            f"delete from {table} {order} desc limit 5",
            f"update {table} set Amount = Amount + 1, DateTStamp = DateTStamp {order} desc limit 3",
            f"insert into {table} (Note, Amount) values "
            + ", ".join(f"('{CANARY} new {number}', {number})" for number in range(12)),
        )


@contextmanager
def running_in(clinic: Clinic, registry: Registry | None = None, **changes: Any) -> Iterator[Running]:
    """Open a clinic's deployment for runs in this process, as its folder says it.

    Args:
        clinic: the deployment, analysed.
        registry: plugins instead of those that are installed.
        changes: of the settings.
    """
    settings = attrs.evolve(Settings.load(clinic.folder, clinic.env), **changes)
    with Deployment.of(settings, registry) as deployment:
        yield Running(source=clinic.source, warehouse=clinic.warehouse, deployment=deployment)
