"""`etlkit run` is killed, or asked to end, at every kind of place; whatever came, the next run makes all equal."""

from __future__ import annotations

import hashlib
import json
import re
import signal
import subprocess
from collections.abc import Callable

import attrs
import psycopg2
import pytest
from sqlalchemy.engine import make_url

from support.breakpoints import (
    arrive,
    arrive_when,
    kill_there,
    on_command,
    on_rows,
    on_rows_of_new,
    waiting_at,
)
from support.clinic import Clinic
from support.fault_proxy import Fault, FaultProxy
from support.faults import ROWS, changed
from support.invariants import Invariants
from support.left_overs import connections
from support.locks import WAITING, locked_in_source

ONE_KIND = pytest.mark.parametrize("source", ["mariadb-innodb"], indirect=True)

PATIENCE_SECONDS = 30
"""Far more than the end takes, and far less than what holds the statement would let it wait."""

LAST_WORDS = re.compile(
    r"interrupted: (\d+) tables? (was|were) loaded, (\d+) (was|were) not; run again to go on"
)


def struck(process: subprocess.Popen[str], sent: signal.Signals) -> tuple[int, str, str]:
    """Send a signal to a process that waits for a server, and see it end while the server still lets it wait.

    Returns:
        Its exit code, and what it said.
    """
    process.send_signal(sent)
    stdout, stderr = process.communicate(timeout=PATIENCE_SECONDS)
    if sent is signal.SIGKILL:
        assert -signal.SIGKILL == process.returncode
        return process.returncode, stdout, stderr
    last = json.loads(stdout.splitlines()[-1])
    words = stderr.splitlines()[-1]
    assert LAST_WORDS.fullmatch(words), stderr
    assert (1, "run_finished", 1, words) == (
        process.returncode,
        last["event"],
        last["exit_code"],
        last["error"],
    )
    return process.returncode, stdout, stderr


def struck_at(clinic: Clinic, breakpoint_sql: str, sent: signal.Signals, *command: str) -> None:
    """Send a signal when the warehouse waits at a breakpoint, and make sure that everything holds."""
    invariants = Invariants.of_clinic(clinic)
    with invariants.watching(), waiting_at(clinic.warehouse, breakpoint_sql):
        process = clinic.started(*(command or ("run",)), "--json")
        arrive(process, clinic.warehouse)
        said = struck(process, sent)
    invariants.hold_after(*said, killed=sent is signal.SIGKILL)


SIGNALS = (signal.SIGKILL, signal.SIGTERM, signal.SIGINT)


@attrs.frozen(kw_only=True)
class Place:
    """Where a run is struck."""

    source: str
    """The kind of source."""
    sql: str
    """The breakpoint."""
    prepare: Callable[[Clinic, int], None] = lambda *_: None
    """What happens to the source before; called with the strike's number."""
    command: tuple[str, ...] = ("run",)
    """What is carried out."""


def new_column(clinic: Clinic, number: int) -> None:
    """Add a column to a table."""
    clinic.source.execute(f"alter table patient add Extra{number} int not null default {number}")


PLACES = {
    "before the read": Place(source="mariadb-innodb", sql=on_rows("INSERT", "etlkit.runs")),
    "mid chunk": Place(
        source="mariadb-myisam", sql=on_rows("UPDATE", "etlkit.table_resume", "NEW.read > OLD.read")
    ),
    "mid COPY": Place(source="mysql56", sql=on_rows_of_new("pg_temp.etlkit_stage", 'NEW."Amount" > 200')),
    "between COPY and COMMIT": Place(
        source="mariadb-innodb", sql=on_rows("INSERT", "etlkit.table_loads", "NEW.table_name = 'patient'")
    ),
    "after COMMIT": Place(source="mariadb-myisam", sql=on_rows("UPDATE", "etlkit.runs")),
    "DDL": Place(source="mysql56", sql=on_command("ALTER TABLE", "raw.patient"), prepare=new_column),
    "a reconcile's deletes": Place(
        source="mariadb-innodb", sql=on_rows("DELETE", "raw.securitylog"), command=("reconcile",)
    ),
}


@pytest.mark.parametrize(
    ("source", "place"), [(each.source, each) for each in PLACES.values()], ids=PLACES, indirect=["source"]
)
def test_later_load(clinic: Clinic, place: Place) -> None:
    """A later load that is killed or asked to end leaves each table as it was or as it is to be."""
    for number, sent in enumerate(SIGNALS):
        place.prepare(clinic, number)
        struck_at(clinic, place.sql, sent, *place.command)
        changed(clinic.source)


FIRST = {
    "before the first table": on_rows("INSERT", "etlkit.runs"),
    "a table is made": on_command("CREATE TABLE", "raw.patient"),
    "in the middle of COPY": on_rows_of_new("raw.appointment", 'NEW."AptNum" > 200'),
    "a key is added": on_command("ALTER TABLE", "raw.recall"),
    "a stage is made": on_command("CREATE TABLE", "etlkit.stage%"),
    "a table is filled and not committed": on_rows(
        "INSERT", "etlkit.table_loads", "NEW.table_name = 'patient'"
    ),
}


@ONE_KIND
def test_first_load(empty_clinic: Clinic) -> None:
    """A first load that is killed leaves each table whole or not there."""
    for place in FIRST.values():
        empty_clinic.loaded("--select", "walkinlist")
        struck_at(empty_clinic, place, signal.SIGKILL)
        empty_clinic.warehouse.execute("drop schema raw cascade", "drop schema etlkit cascade")


@ONE_KIND
def test_a_first_load_is_asked_to_end(empty_clinic: Clinic) -> None:
    """A first load that is asked to end keeps what is committed, and no more."""
    empty_clinic.loaded("--select", "walkinlist")
    struck_at(empty_clinic, FIRST["in the middle of COPY"], signal.SIGTERM)


@pytest.mark.parametrize("source", ["mariadb-myisam"], indirect=True)
def test_chunks(empty_clinic: Clinic) -> None:
    """A read that commits per chunk goes on behind the last chunk before the kill, also when it is killed again."""
    clinic = empty_clinic
    for _ in range(7):
        clinic.source.execute("insert into procedurelog (Note, Amount) select Note, Amount from procedurelog")
    rows = 2**7 * ROWS
    clinic.loaded("--select", "walkinlist")
    invariants = Invariants.of_clinic(clinic)

    def killed_at(place: str) -> tuple[str, int]:
        with waiting_at(clinic.warehouse, place):
            process = clinic.started("run", "--select", "procedurelog")
            kill_there(process, clinic.warehouse)
        invariants.hold_now()
        [unfinished] = clinic.document("status")["unfinished"]
        return unfinished["table"], unfinished["read"]

    with invariants.watching():
        table, read = killed_at(on_rows("UPDATE", "etlkit.table_resume", "OLD.read > 0"))
        assert ("procedurelog", True) == (table, 0 < read < rows)
        applied = on_rows("INSERT", "etlkit.table_loads", "NEW.table_name = 'procedurelog'")
        assert ("procedurelog", rows) == killed_at(applied)
    invariants.hold_after(-signal.SIGKILL, "", "", killed=True)


@pytest.mark.parametrize("source", ["mysql56"], indirect=True)
@pytest.mark.parametrize("sent", SIGNALS)
def test_source(clinic: Clinic, invariants: Invariants, sent: signal.Signals) -> None:
    """A run that waits for the source leaves no connection behind, however it ends."""
    with invariants.watching(), locked_in_source(clinic.source, "recall"):
        process = clinic.started("run", "--json")
        arrive_when(process, lambda: any("`recall`" in each for each in connections(clinic.source)))
        said = struck(process, sent)
    invariants.hold_after(*said, killed=sent is signal.SIGKILL)


HELD = {
    "the ledger is made": "select pg_advisory_lock({lock})",
    "the ledger is read": "lock table etlkit.table_state in access exclusive mode",
    "the run begins": "lock table etlkit.runs in access exclusive mode",
}
"""What somebody else holds, for which the run's main thread waits inside of its driver."""


@ONE_KIND
@pytest.mark.parametrize("held", HELD.values(), ids=HELD)
def test_a_lock_that_the_main_thread_waits_for(clinic: Clinic, invariants: Invariants, held: str) -> None:
    """While the run waits for a lock in the warehouse before its first table, it ends as soon as it is asked to."""
    lock = int.from_bytes(hashlib.sha256(b"etlkit:ledger").digest()[:8], "big", signed=True)
    holder = psycopg2.connect(clinic.warehouse.url)
    with invariants.watching():
        try:
            with holder.cursor() as cursor:
                cursor.execute(held.format(lock=lock))
            process = clinic.started("run", "--json")
            arrive_when(process, lambda: bool(clinic.warehouse.rows(WAITING)))
            said = struck(process, signal.SIGTERM)
        finally:
            holder.close()
    invariants.hold_after(*said)


@ONE_KIND
def test_a_warehouse_that_swallows_everything(clinic: Clinic, invariants: Invariants) -> None:
    """When nothing comes back from the warehouse's network any more, a run ends nevertheless, with its last words."""
    with FaultProxy(make_url(clinic.warehouse.url).port or 5432) as wire, invariants.watching():
        wire.strike_after(Fault.SILENCE, statement="INSERT INTO etlkit.table_loads")
        process = clinic.started("run", "--json", ETLKIT_WAREHOUSE_URL=wire.through(clinic.warehouse.url))
        arrive_when(process, wire.struck.is_set)
        said = struck(process, signal.SIGTERM)
    invariants.hold_after(*said)
