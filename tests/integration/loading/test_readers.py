"""Who reads the warehouse sees a table before or after a load, and keeps views and grants."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import text

from etlkit.config import TableChoice
from support.databases import WarehouseDatabase
from support.loading import Loading

pytestmark = pytest.mark.parametrize("source", ["mariadb-innodb"], indirect=True)

PAUSE = """
CREATE FUNCTION public.pause() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN PERFORM pg_advisory_xact_lock(4711); RETURN NULL; END $$
"""


@contextlib.contextmanager
def paused_at(warehouse: WarehouseDatabase, event: str, table: str) -> Iterator[threading.Event]:
    """Make a load stop at an event on a table, within its transaction; yields what lets it go on."""
    warehouse.execute(
        PAUSE,
        f"CREATE TRIGGER pause AFTER {event} ON {table} FOR EACH STATEMENT EXECUTE FUNCTION public.pause()",
    )
    go_on = threading.Event()
    with warehouse.engine.connect() as connection:
        connection.execute(text("SELECT pg_advisory_lock(4711)"))
        waiter = threading.Thread(
            target=lambda: go_on.wait(30) and connection.execute(text("SELECT pg_advisory_unlock(4711)"))
        )
        waiter.start()
        yield go_on
        go_on.set()
        waiter.join()


def until_paused(warehouse: WarehouseDatabase) -> None:
    """Wait until a load stands at the pause."""
    waiting = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND objid = 4711 AND NOT granted"
    while warehouse.value(waiting) == 0:
        pass


@pytest.mark.parametrize("event", ["DELETE", "UPDATE", "INSERT"])
def test_a_load_is_seen_whole_or_not_at_all(loading: Loading, event: str) -> None:
    """While deletes, updates and inserts are under way, another connection sees the old rows; then the new ones."""
    loading.source.execute(
        "CREATE TABLE t (id INT PRIMARY KEY, v INT)", "INSERT INTO t VALUES (1, 1), (2, 2), (3, 3)"
    )
    loading.load("t")
    loading.source.execute(
        "UPDATE t SET v = 10 WHERE id = 1",
        "DELETE FROM t WHERE id = 2",
        "INSERT INTO t VALUES (4, 4), (5, 5)",
    )
    state = "SELECT count(*), sum(v) FROM raw.t"
    with paused_at(loading.warehouse, event, "raw.t") as go_on, ThreadPoolExecutor() as pool:
        load = pool.submit(loading.load, "t")
        until_paused(loading.warehouse)
        assert [(3, 6)] == loading.warehouse.rows(state)
        go_on.set()
        assert (4, 2, 1, 1, 1) == load.result()
    assert [(4, 22)] == loading.warehouse.rows(state)


def test_a_first_load_is_seen_whole_or_not_at_all(loading: Loading) -> None:
    """A table and its rows appear together, with the ledger's entry."""
    loading.source.execute("CREATE TABLE t (id INT PRIMARY KEY)", "INSERT INTO t VALUES (1), (2)")
    there = "SELECT to_regclass('raw.t') IS NOT NULL, (SELECT count(*) FROM etlkit.table_state)"
    with paused_at(loading.warehouse, "INSERT", "etlkit.table_loads") as go_on, ThreadPoolExecutor() as pool:
        load = pool.submit(loading.load, "t")
        until_paused(loading.warehouse)
        assert [(False, 0)] == loading.warehouse.rows(there)
        go_on.set()
        load.result()
    assert [(True, 1)] == loading.warehouse.rows(there)


def test_views_and_grants_survive(loading: Loading) -> None:
    """A dependent view, its rows and a grant live through edits, an added column and a full refresh."""
    loading.source.execute(
        "CREATE TABLE t (id INT PRIMARY KEY, v INT)", "INSERT INTO t VALUES (1, 1), (2, 2)"
    )
    loading.load("t")
    loading.warehouse.execute(
        "CREATE VIEW public.twice AS SELECT id, v * 2 AS v FROM raw.t", "GRANT SELECT ON raw.t TO pg_monitor"
    )
    identity = (
        "SELECT 'raw.t'::regclass::oid, relfilenode, relacl::text FROM pg_class WHERE oid = 'raw.t'::regclass"
    )
    before = loading.warehouse.rows(identity)
    loading.source.execute("UPDATE t SET v = 5 WHERE id = 1")
    assert (2, 0, 1, 0, 1) == loading.load("t")
    loading.source.execute("ALTER TABLE t ADD note VARCHAR(9) NOT NULL DEFAULT 'x'")
    assert (2, 0, 2, 0, 0) == loading.load("t")
    assert (2, 0, 0, 0, 2) == loading.load("t", force_full=True)
    assert [(1, 10), (2, 4)] == loading.warehouse.rows("SELECT * FROM public.twice ORDER BY id")
    assert before == loading.warehouse.rows(identity)


def test_default_privileges_reach_new_tables(loading: Loading) -> None:
    """Tables get what was promised for new tables of the schema, also when they are loaded by chunks."""
    loading.source.execute(
        "CREATE TABLE t (id INT PRIMARY KEY, s TIMESTAMP NOT NULL DEFAULT current_timestamp ON UPDATE "
        "current_timestamp)",
        "INSERT INTO t (id) VALUES (1), (2)",
        "CREATE TABLE u LIKE t",
    )
    loading.choose(t=TableChoice(extraction_strategy="chunked_incremental", incremental_column="s"))
    loading.warehouse.execute("ALTER DEFAULT PRIVILEGES IN SCHEMA raw GRANT SELECT ON TABLES TO pg_monitor")
    assert [(2, 2, 0, 0, 0), (0, 0, 0, 0, 0)] == [loading.load("t"), loading.load("u")]
    assert [("t", True), ("u", True)] == loading.warehouse.rows(
        "SELECT relname::text, has_table_privilege('pg_monitor', oid, 'SELECT') FROM pg_class "
        "WHERE relnamespace = 'raw'::regnamespace AND relkind = 'r' ORDER BY 1"
    )
