"""What must not be left when no run is at work: on the warehouse, and on the source."""

from __future__ import annotations

import time

from support.databases import SourceDatabase, WarehouseDatabase

_PATIENCE_SECONDS = 30

_WAREHOUSE = {
    "tables that are neither a loaded table nor the ledger": (
        "SELECT n.nspname || '.' || c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace "
        "WHERE c.relkind IN ('r', 'p', 'f', 'u') AND c.relname LIKE '%stage%'"
    ),
    "reads to go on with": "SELECT table_name FROM etlkit.table_resume",
    "locks": (
        "SELECT locktype || ' ' || mode FROM pg_locks WHERE locktype = 'advisory' "
        "AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
    ),
}


def sessions(warehouse: WarehouseDatabase) -> list[str]:
    """Give what etlkit's sessions in a warehouse are doing."""
    return [
        f"{state}: {query}"
        for state, query in warehouse.rows(
            "SELECT state, query FROM pg_stat_activity "
            "WHERE datname = current_database() AND application_name = 'etlkit'"
        )
    ]


def connections(source: SourceDatabase) -> list[str]:
    """Give what the connections of the source's reader are doing."""
    return [
        f"{command}: {query}"
        for command, query in source.rows(
            "SELECT command, coalesce(info, '') FROM information_schema.processlist "
            f"WHERE db = '{source.name}' AND user <> substring_index(current_user(), '@', 1)"
        )
    ]


def wait_for_end(source: SourceDatabase, warehouse: WarehouseDatabase) -> None:
    """Wait until both servers have noticed that a process is gone."""
    until = time.monotonic() + _PATIENCE_SECONDS
    while at_work := [*sessions(warehouse), *connections(source)]:
        assert time.monotonic() < until, f"still at work: {at_work}"
        warehouse.rows("SELECT pg_sleep(0.01)")


def left_overs(source: SourceDatabase, warehouse: WarehouseDatabase) -> dict[str, list[str]]:
    """Find what a run left behind.

    Returns:
        By a word for it; empty when there is nothing.
    """
    wait_for_end(source, warehouse)
    found = {what: [each for (each,) in warehouse.rows(query)] for what, query in _WAREHOUSE.items()}
    return {what: each for what, each in found.items() if each}
