"""A run that is asked to end does so at once, whichever server it waits for, and the next run is complete."""

from __future__ import annotations

import json
import signal
import subprocess
import threading
import time
from collections.abc import Callable

import pytest
import sqlalchemy as sa

from etlkit.contracts import Where
from etlkit.errors import RunInterrupted
from etlkit.loading.load import Load
from etlkit.stopping import StopSignal
from support.clinic import Clinic
from support.comparison import all_differences
from support.databases import SourceDatabase, WarehouseDatabase
from support.fault_proxy import Fault, FaultProxy
from support.left_overs import connections, left_overs
from support.loading import loading_of
from support.locks import WAITING, locked_in_source, locked_in_warehouse

# Far more than the end takes, and far less than what it would take to wait for the server's own limits.
PATIENCE_SECONDS = 25

STATES = "SELECT table_name, watermark, generation, run_id FROM etlkit.table_state ORDER BY table_name"

ONE_KIND = pytest.mark.parametrize("source", ["mariadb-innodb"], indirect=True)


def reached(process: subprocess.Popen[str], what: Callable[[], bool]) -> None:
    """Wait until a process has come to something."""
    until = time.monotonic() + 60
    while not what():
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < until
        time.sleep(0.01)


def terminated(process: subprocess.Popen[str], *, loaded: int, left: int) -> None:
    """Send SIGTERM, and see the process end in order while everything is still as slow as it was."""
    process.send_signal(signal.SIGTERM)
    output, errors = process.communicate(timeout=PATIENCE_SECONDS)
    were = "table was" if loaded == 1 else "tables were"
    words = f"interrupted: {loaded} {were} loaded, {left} {'was' if left == 1 else 'were'} not; run again to go on"
    last = json.loads(output.splitlines()[-1])
    assert (1, words, "run_finished", 1, words) == (
        process.returncode,
        errors.splitlines()[-1],
        last["event"],
        last["exit_code"],
        last["error"],
    )
    assert "Traceback" not in errors


def complete(clinic: Clinic) -> None:
    """Nothing was left behind; the next run makes all equal."""
    assert {} == left_overs(clinic.source, clinic.warehouse)
    assert 1 == clinic.document("status")["last_run"]["exit_code"]
    clinic.loaded()
    assert [] == all_differences(clinic.source, clinic.warehouse)


@pytest.mark.parametrize("source", ["mariadb-myisam", "mysql56"], indirect=True)
def test_a_read_that_waits_for_a_lock(clinic: Clinic) -> None:
    """While somebody locks the table in the source, SIGTERM ends the run; the table keeps its rows and its state."""
    clinic.prepared()
    clinic.loaded()
    clinic.source.execute("insert into patient (LName) values ('Miller')")
    before = clinic.warehouse.rows(STATES)
    with locked_in_source(clinic.source, "patient"):
        process = clinic.started("run", "--json", "--threads", "1")
        reached(process, lambda: any("patient" in each for each in connections(clinic.source)))
        terminated(process, loaded=0, left=3)
    assert before == clinic.warehouse.rows(STATES)
    assert 2 == clinic.warehouse.value("select count(*) from raw.patient")
    complete(clinic)


@ONE_KIND
def test_an_apply_that_waits_for_a_lock(clinic: Clinic) -> None:
    """While somebody locks the table in the warehouse, SIGTERM cancels the load's statement there."""
    clinic.prepared()
    clinic.loaded()
    clinic.source.execute("update patient set LName = 'Miller' where PatNum = 1")
    with locked_in_warehouse(clinic.warehouse, "raw.patient"):
        process = clinic.started("run", "--json", "--select", "patient")
        reached(process, lambda: bool(clinic.warehouse.rows(WAITING)))
        terminated(process, loaded=0, left=1)
    assert ["CANARY Smith", "Jones"] == sorted(
        name for (name,) in clinic.warehouse.rows('select "LName" from raw.patient')
    )
    complete(clinic)


@ONE_KIND
@pytest.mark.parametrize("fault", [Fault.CRAWL, Fault.SILENCE], ids=["slow", "silent"])
def test_a_stream(clinic: Clinic, fault: Fault) -> None:
    """A table without key that is still being read ends with the run, whether its rows come slowly or not at all."""
    clinic.source.execute("insert into scratchlog select repeat('n', 100) from seq_1_to_100000")
    clinic.prepared()
    with FaultProxy(clinic.source.server.access.port) as wire:
        wire.strike_after(fault, answered=1_000_000)
        env = {"ETLKIT_SOURCE_URL": wire.through(clinic.source.reader_url)}
        process = clinic.started("run", "--json", "--select", "scratchlog", **env)
        assert wire.struck.wait(60)
        terminated(process, loaded=0, left=1)
    assert [] == clinic.warehouse.rows("select 1 from pg_tables where schemaname = 'raw'")
    complete(clinic)


@ONE_KIND
def test_tables_that_wait_for_their_turn(clinic: Clinic) -> None:
    """With one connection that hears nothing more, the tables that wait for it end as well."""
    clinic.source.execute("insert into patient (LName) select repeat('n', 100) from seq_1_to_20000")
    clinic.prepared()
    with FaultProxy(clinic.source.server.access.port) as wire:
        wire.strike_after(Fault.SILENCE, answered=500_000)
        env = {"ETLKIT_SOURCE_URL": wire.through(clinic.source.reader_url)}
        process = clinic.started("run", "--json", "--threads", "3", **env)
        assert wire.struck.wait(60)
        process.send_signal(signal.SIGTERM)
        output, errors = process.communicate(timeout=PATIENCE_SECONDS)
    assert (1, "interrupted") == (process.returncode, errors.splitlines()[-1].partition(":")[0])
    assert 1 == json.loads(output.splitlines()[-1])["exit_code"]
    complete(clinic)


@pytest.mark.parametrize("source", ["mariadb-innodb", "mysql56"], indirect=True)
def test_a_statement_that_runs_long_in_the_source(
    source: SourceDatabase, warehouse: WarehouseDatabase
) -> None:
    """A load ends although the source is still busy with its statement, and says only that it was asked to."""
    source.execute("CREATE TABLE t (id INT PRIMARY KEY)", "INSERT INTO t VALUES (1)")
    stop = StopSignal()
    raised: list[BaseException] = []
    busy = (
        f"SELECT id FROM information_schema.processlist WHERE db = '{source.name}' AND state = 'User sleep'"
    )
    with loading_of(source, warehouse) as loading:
        load = Load(
            what=loading.plan("t", read=Where(condition=lambda _: sa.func.sleep(120) == 0, text="slowly")),
            connections=loading.deployment.connections,
            ledger=loading.deployment.ledger,
            run_id="run",
            drift=loading.deployment.settings.drift,
            stop=stop,
        )

        def carry_out() -> None:
            try:
                load.carry_out()
            except BaseException as error:  # noqa: BLE001 - looked at below
                raised.append(error)

        thread = threading.Thread(target=carry_out)
        thread.start()
        while not (numbers := source.rows(busy)):
            assert thread.is_alive()
        stop.set()
        thread.join(PATIENCE_SECONDS)
        assert not thread.is_alive()
    assert numbers == source.rows(busy)
    source.execute(*(f"KILL {number}" for (number,) in numbers))
    [error] = raised
    assert (RunInterrupted, "the run was asked to end; the table is as it was; run again") == (
        type(error),
        str(error),
    )
    assert (None, None) == (error.__cause__, error.__context__)


@ONE_KIND
def test_a_load_that_begins_too_late(source: SourceDatabase, warehouse: WarehouseDatabase) -> None:
    """A load that begins after the signal reads and writes nothing."""
    source.execute("CREATE TABLE t (id INT PRIMARY KEY)", "INSERT INTO t VALUES (1)")
    with loading_of(source, warehouse) as loading:
        loader = loading.loader()
        loader.stop.set()
        with pytest.raises(RunInterrupted):
            loader.load_table("t")
    assert [] == warehouse.rows("SELECT 1 FROM pg_tables WHERE schemaname = 'raw'")
