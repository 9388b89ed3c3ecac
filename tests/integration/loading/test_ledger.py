"""The ledger says what was loaded, lets one writer at a table, and never runs ahead of the data."""

from __future__ import annotations

import datetime as dt
import logging
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy.engine import make_url

from etlkit.config import TableChoice
from etlkit.errors import LoadError, LockHeld
from etlkit.events import RunFinished, TableFinished
from etlkit.loading.ledger import Ledger
from etlkit.orchestration.table_processor import TableProcessor
from support.databases import SourceDatabase, WarehouseDatabase
from support.loading import Loading, loading_of

pytestmark = pytest.mark.parametrize("source", ["mariadb-innodb"], indirect=True)

TABLE = (
    "CREATE TABLE t (id INT PRIMARY KEY, v INT, s DATETIME, KEY (s))",
    "INSERT INTO t VALUES (1, 1, '2024-01-01 00:00:00'), (2, 2, '2024-01-02 00:00:00')",
)
BY_CURSOR = TableChoice(extraction_strategy="incremental", incremental_column="s")


def test_what_a_load_leaves_in_the_ledger(loading: Loading) -> None:
    """State and load are recorded with what was read and written, by the source's words and the warehouse's clock."""
    loading.source.execute(*TABLE)
    loading.choose(t=BY_CURSOR)
    loading.outcome("t", run_id="first")
    plan = loading.plan("t")
    loading.source.execute("UPDATE t SET v = 20, s = '2024-01-03 00:00:00' WHERE id = 2")
    loading.carry_out(plan, run_id="second")
    assert [
        (
            *("raw", "t", "t", "s", "2024-01-03 00:00:00"),
            *(plan.analysis.schema_hash, plan.target.mapping_hash, "incremental", 2, 1, 1, "second", True),
        )
    ] == loading.warehouse.rows(
        "SELECT target_schema, table_name, target_name, cursor_column, watermark, schema_hash, mapping_hash, "
        "strategy, generation, read, written, run_id, loaded_at > now() - interval '1 minute' FROM etlkit.table_state"
    )
    assert [
        (
            "first",
            "raw",
            "t",
            "incremental",
            "standard",
            2,
            2,
            0,
            0,
            0,
            True,
            True,
            "not checked: first load",
            "[]",
            None,
            True,
        ),
        (
            "second",
            "raw",
            "t",
            "incremental",
            "standard",
            1,
            0,
            1,
            0,
            0,
            True,
            True,
            "not checked: by cursor",
            "[]",
            None,
            True,
        ),
    ] == loading.warehouse.rows(
        "SELECT run_id, target_schema, table_name, strategy, importance, read, inserted, updated, deleted, unchanged, "
        "rendered_bytes > 0, seconds > 0, verified, losses, error, ended_at > now() - interval '1 minute' "
        "FROM etlkit.table_loads ORDER BY load_id"
    )


def test_losses_are_recorded_without_values(loading: Loading) -> None:
    """A date that does not exist is NULL in the warehouse, and counted by column and rule."""
    loading.source.execute("CREATE TABLE t (id INT PRIMARY KEY, d DATE)")
    with loading.source.engine.begin() as connection:
        connection.exec_driver_sql("SET SESSION sql_mode = ''")
        connection.exec_driver_sql(
            "INSERT INTO t VALUES (1, '0000-00-00'), (2, '2024-01-01'), (3, '0000-00-00')"
        )
    assert (("d", "invalid_date", 2, "null"),) == loading.outcome("t").losses
    assert '[["d", "invalid_date", 2, "null"]]' == loading.warehouse.value(
        "SELECT losses FROM etlkit.table_loads"
    )
    assert [(1, None), (2, dt.date(2024, 1, 1)), (3, None)] == loading.there()


def test_a_run_in_the_ledger(loading: Loading) -> None:
    """A run is recorded when it begins, and completed when it ends."""
    ledger = loading.deployment.ledger
    ledger.runs.start("one", "north", "1.2.3", {"versions": {}})
    row = "SELECT run_id, target_schema, deployment, etlkit_version, finished_at >= started_at, exit_code, tables FROM "
    assert [("one", "raw", "north", "1.2.3", None, None, None)] == loading.warehouse.rows(row + "etlkit.runs")
    ended = RunFinished(run_id="one", deployment="north", exit_code=3, tables=(TableFinished(table="t"),))
    ledger.runs.finish(ended)
    assert [("one", "raw", "north", "1.2.3", True, 3, 1)] == loading.warehouse.rows(row + "etlkit.runs")


@pytest.mark.parametrize("table", ["etlkit.table_state", "etlkit.table_loads", "raw.t"])
def test_a_load_that_fails_keeps_nothing(loading: Loading, table: str) -> None:
    """Whichever statement of the load the warehouse refuses: rows and state are as before."""
    loading.source.execute(*TABLE)
    loading.choose(t=BY_CURSOR)
    loading.load("t")
    before = loading.versions(), loading.warehouse.rows("SELECT * FROM etlkit.table_state")
    loading.warehouse.execute(
        "CREATE FUNCTION public.fail() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN RAISE EXCEPTION 'a canary %', NEW; END $$",
        f"CREATE TRIGGER fail BEFORE INSERT OR UPDATE ON {table} FOR EACH ROW EXECUTE FUNCTION public.fail()",
    )
    loading.source.execute("UPDATE t SET v = 20, s = '2024-01-03 00:00:00' WHERE id = 2")
    with pytest.raises(LoadError) as caught:
        loading.load("t")
    assert (
        "warehouse table `raw.t`: a trigger that was added in the warehouse refused a row; drop that trigger, or mend "
        "the row; nothing of this load was kept (sqlstate P0001, raise_exception)"
    ) == str(caught.value)
    assert before == (loading.versions(), loading.warehouse.rows("SELECT * FROM etlkit.table_state"))
    loading.warehouse.execute("DROP FUNCTION public.fail CASCADE")
    assert (2, 0, 1, 0, 1) == loading.load("t", force_full=True)


def test_a_failure_is_recorded(loading: Loading) -> None:
    """A failed load stands in the ledger with its sentence, and the state stays."""
    loading.source.execute(*TABLE)
    loading.load("t")
    loading.warehouse.execute("ALTER TABLE raw.t ADD CHECK (v < 3)")
    loading.source.execute("UPDATE t SET v = 777 WHERE id = 2")
    outcome = TableProcessor(loading.deployment.discovery, loading.loader("broken")).process_table("t")
    sentence = (
        "warehouse table `raw.t`, constraint `t_v_check`: a check that was added in the warehouse refused a row; drop "
        "that constraint, or mend the row; nothing of this load was kept (sqlstate 23514, check_violation)"
    )
    assert (sentence, 1) == (outcome.error, outcome.exit_code)
    assert [(0, 0, sentence, "not checked: the load failed")] == loading.warehouse.rows(
        "SELECT read, inserted, error, verified FROM etlkit.table_loads WHERE run_id = 'broken'"
    )
    assert 1 == loading.warehouse.value("SELECT generation FROM etlkit.table_state")


def test_a_plan_that_another_run_overtook_is_fenced(loading: Loading) -> None:
    """Who planned before another run committed, and writes after it, is refused and leaves nothing."""
    loading.source.execute(*TABLE)
    first = loading.plan("t"), loading.plan("t")
    loading.carry_out(first[0])
    with pytest.raises(LockHeld) as caught:
        loading.carry_out(first[1])
    assert "table `t`: another run loaded it meanwhile; run again" == str(caught.value)
    later = loading.plan("t"), loading.plan("t")
    loading.carry_out(later[0])
    loading.source.execute("UPDATE t SET v = 20 WHERE id = 2")
    with pytest.raises(LockHeld) as caught:
        loading.carry_out(later[1])
    assert "table `t`: another run loaded it meanwhile; nothing of this load was kept; run again" == str(
        caught.value
    )
    assert 7 == caught.value.exit_code
    assert [(1, 1), (2, 2)] == loading.there("id, v")
    assert (2, 0, 1, 0, 1) == loading.load("t")


def test_one_writer_at_a_time(loading: Loading) -> None:
    """While a table's lock is held by a transaction, another load of the table leaves; other tables are loaded."""
    loading.source.execute(*TABLE, "CREATE TABLE u (id INT PRIMARY KEY)")
    with loading.engine.begin() as connection:
        loading.deployment.ledger.lock_table(connection, "t", {})
        with pytest.raises(LockHeld) as caught:
            loading.load("t")
        loading.load("u")
    assert "table `t`: another run is writing it; wait until it is done and run again" == str(caught.value)
    assert (2, 2, 0, 0, 0) == loading.load("t")


def test_one_run_at_a_time(loading: Loading) -> None:
    """A second run of a deployment is refused until the first one ends; another schema's run is not."""
    ledger = loading.deployment.ledger
    with ledger.run_lock():
        with pytest.raises(LockHeld) as caught, ledger.run_lock():
            pass
        with Ledger(loading.engine, "other").run_lock():
            pass
    assert (
        "another run is loading into schema `raw` of this warehouse; wait until it is done (`etlkit status` shows it) "
        "and run again"
    ) == str(caught.value)
    with ledger.run_lock():
        pass


def test_a_lost_lock_does_not_undo_a_run(loading: Loading, caplog: pytest.LogCaptureFixture) -> None:
    """When the connection with the run's lock breaks, the run goes on, and its end says so."""
    with caplog.at_level(logging.WARNING, "etlkit.loading"), loading.deployment.ledger.run_lock():
        loading.warehouse.execute(
            "SELECT pg_terminate_backend(pid, 10000) FROM pg_locks WHERE locktype = 'advisory' AND granted"
        )
    assert ["the connection that held the run's lock was lost during the run"] == caplog.messages


def test_ensure_is_idempotent_and_concurrent(loading: Loading, warehouse: WarehouseDatabase) -> None:
    """The ledger is made once, whoever asks at the same time, and asking again changes nothing."""
    warehouse.execute("DROP SCHEMA etlkit CASCADE", "DROP SCHEMA raw")
    ledger = loading.deployment.ledger
    assert False is ledger.exists()
    with ThreadPoolExecutor(6) as pool:
        for made in [pool.submit(ledger.ensure) for _ in range(6)]:
            made.result()
    tables = (
        "SELECT relname, relfilenode FROM pg_class WHERE relnamespace = 'etlkit'::regnamespace ORDER BY 1"
    )
    before = warehouse.rows(tables)
    ledger.ensure()
    assert (True, before) == (ledger.exists(), warehouse.rows(tables))


def test_a_ledger_of_an_older_etlkit(loading: Loading, warehouse: WarehouseDatabase) -> None:
    """Tables and columns that were added since are added to a ledger that is there; what it holds stays."""
    loading.source.execute(*TABLE)
    loading.outcome("t", run_id="first")
    ledger = loading.deployment.ledger
    columns = (
        "SELECT attrelid::regclass::text, attname, format_type(atttypid, atttypmod), attnotnull, "
        "pg_get_expr(adbin, adrelid) FROM pg_attribute LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum "
        "JOIN pg_class c ON c.oid = attrelid "
        "WHERE relnamespace = 'etlkit'::regnamespace AND relkind = 'r' AND attnum > 0 AND NOT attisdropped "
        "ORDER BY 1, 2"
    )
    before = warehouse.rows(columns)
    warehouse.execute(
        "DROP TABLE etlkit.table_resume",
        "ALTER TABLE etlkit.table_state DROP COLUMN watermark",
        "ALTER TABLE etlkit.table_loads DROP COLUMN error, DROP COLUMN ended_at",
        "ALTER TABLE etlkit.runs DROP COLUMN started_at",
    )
    with pytest.raises(LoadError) as caught:
        ledger.entries()
    assert (
        "the ledger in the warehouse's schema `etlkit`: a column is missing there; `etlkit run` adds it; nothing was "
        "written (sqlstate 42703, undefined_column)"
    ) == str(caught.value)
    ledger.ensure()
    assert before == warehouse.rows(columns)
    assert [("first", True)] == warehouse.rows("SELECT run_id, ended_at IS NOT NULL FROM etlkit.table_loads")
    assert (1, None) == (ledger.entries()["t"].state.generation, ledger.entries()["t"].state.watermark)
    assert (2, 0, 0, 0, 2) == loading.load("t")


def test_a_user_who_may_not_make_schemas(source: SourceDatabase, warehouse: WarehouseDatabase) -> None:
    """A user with rights on existing schemas only can make the ledger in them and load; else a sentence says why."""
    name = f"loader_{warehouse.name}"
    url = make_url(warehouse.url).set(username=name, password=name).render_as_string(hide_password=False)
    source.execute(*TABLE)
    warehouse.execute(f"CREATE ROLE {name} LOGIN PASSWORD '{name}'")
    try:
        with pytest.raises(LoadError) as caught, loading_of(source, warehouse, url):
            pass
        assert (
            "the ledger in the warehouse's schema `etlkit`: the user lacks a privilege; grant it USAGE and CREATE on "
            "the schemas, TEMPORARY on the database, and ownership of the tables; nothing was written (sqlstate 42501, "
            "insufficient_privilege)"
        ) == str(caught.value)
        for schema in ("etlkit", "raw"):
            warehouse.execute(f"CREATE SCHEMA {schema}", f"GRANT USAGE, CREATE ON SCHEMA {schema} TO {name}")
        with loading_of(source, warehouse, url) as loading:
            assert [(2, 2, 0, 0, 0), (2, 0, 0, 0, 2)] == [loading.load("t"), loading.load("t")]
    finally:
        warehouse.execute(f"DROP OWNED BY {name} CASCADE", f"DROP ROLE {name}")


def test_a_commit_whose_answer_was_lost(loading: Loading) -> None:
    """Whether a load was committed is looked up by its run, once the old transaction has ended."""
    loading.source.execute(*TABLE)
    loading.outcome("t", run_id="mine")
    ledger = loading.deployment.ledger
    assert [True, False, False, False] == [
        ledger.was_committed("mine", "t", 1),
        ledger.was_committed("other", "t", 1),
        ledger.was_committed("mine", "u", 1),
        ledger.was_committed("mine", "t", 2),
    ]
