"""`etlkit run` is killed with SIGKILL at every kind of place; the next run makes all equal, and nothing is left."""

from __future__ import annotations

import signal

import pymysql
import pytest
from sqlalchemy.engine import make_url

from support.breakpoints import (
    kill_there,
    kill_when,
    on_command,
    on_rows,
    on_rows_of_new,
    waiting_at,
)
from support.clinic import Clinic
from support.comparison import all_differences
from support.left_overs import connections, left_overs, wait_for_end
from support.practice import MakePractice

SCALE = 0.02
KEPT = {"patient", "appointment", "procedurelog", "recall", "definition", "walkinlist", "zipcode"}
CHOICES = {
    "procedurelog": {
        "extraction_strategy": "chunked_incremental",
        "batch_size": 50,
        "options": {"chunk_mb": "1", "kept_seconds": "0"},
    },
    "recall": {"extraction_strategy": "streaming_incremental", "batch_size": 50},
    "patient": {"extraction_strategy": "incremental"},
}


def prepared(make_practice: MakePractice, scale: float) -> Clinic:
    """Analyse a practice of few tables, one of them to be read by small resumable chunks."""
    clinic = make_practice(scale, only=KEPT)
    clinic.prepared()
    clinic.choose(CHOICES)
    return clinic


@pytest.fixture
def clinic(make_practice: MakePractice) -> Clinic:
    """A practice of few tables."""
    return prepared(make_practice, SCALE)


def ends_equal(clinic: Clinic) -> None:
    """One more run succeeds at once and makes all equal, nothing is left, and a further one writes nothing."""
    assert KEPT == set(clinic.loaded())
    assert [] == all_differences(clinic.source, clinic.warehouse)
    assert {} == left_overs(clinic.source, clinic.warehouse)
    assert [] == clinic.document("status")["unfinished"]
    assert 0 == sum(each["inserted"] + each["updated"] + each["deleted"] for each in clinic.loaded().values())


def killed_at(clinic: Clinic, breakpoint_sql: str) -> None:
    """Kill a run when the warehouse waits at a breakpoint, and wait until both servers have noticed."""
    with waiting_at(clinic.warehouse, breakpoint_sql):
        process = clinic.started("run")
        kill_there(process, clinic.warehouse)
    assert -signal.SIGKILL == process.returncode
    wait_for_end(clinic.source, clinic.warehouse)


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


@pytest.mark.parametrize("source", ["mariadb-innodb"], indirect=True)
def test_first_load(clinic: Clinic) -> None:
    """A first load that is killed leaves each table whole or not there."""
    for place in FIRST.values():
        clinic.loaded("--select", "zipcode")
        killed_at(clinic, place)
        ends_equal(clinic)
        clinic.warehouse.execute("drop schema raw cascade", "drop schema etlkit cascade")


CHUNKS = {
    "the first one": ("mariadb-innodb", 0.02, "NEW.read > 0", False),
    "a later one": ("mariadb-myisam", 0.1, "OLD.read > 200", True),
}


@pytest.mark.parametrize(
    ("source", "scale", "condition", "kept"), CHUNKS.values(), ids=CHUNKS, indirect=["source"]
)
def test_chunks(make_practice: MakePractice, scale: float, condition: str, kept: bool) -> None:
    """A read that commits per chunk goes on behind the last chunk before the kill, also when it is killed again."""
    clinic = prepared(make_practice, scale)
    clinic.loaded("--select", "zipcode")
    killed_at(clinic, on_rows("UPDATE", "etlkit.table_resume", condition))
    [unfinished] = clinic.document("status")["unfinished"]
    assert ("procedurelog", kept) == (unfinished["table"], unfinished["read"] > 0)
    killed_at(clinic, on_rows("INSERT", "etlkit.table_loads", "NEW.table_name = 'procedurelog'"))
    [again] = clinic.document("status")["unfinished"]
    assert again["read"] == clinic.source.value("select count(*) from procedurelog")
    ends_equal(clinic)


@pytest.mark.parametrize("source", ["mysql56"], indirect=True)
def test_source(clinic: Clinic) -> None:
    """A run that is killed while it waits for the source leaves no connection behind."""
    url = make_url(clinic.source.url)
    holder = pymysql.connect(
        host=url.host,
        port=url.port or 3306,
        user=url.username,
        password=url.password or "",
        ssl_disabled=True,
    )
    with holder, holder.cursor() as cursor:
        cursor.execute(f"lock tables `{clinic.source.name}`.recall write")
        process = clinic.started("run")
        kill_when(process, lambda: any("`recall`" in each for each in connections(clinic.source)))
    assert -signal.SIGKILL == process.returncode
    ends_equal(clinic)


LATER = {
    "a row is updated": on_rows("UPDATE", "raw.patient"),
    "a row is deleted": on_rows("DELETE", "raw.appointment"),
    "a row is inserted": on_rows("INSERT", "raw.procedurelog"),
    "a table without key is replaced": on_rows("INSERT", "raw.walkinlist"),
    "a table is merged and not committed": on_rows(
        "INSERT", "etlkit.table_loads", "NEW.table_name = 'procedurelog'"
    ),
    "every table is committed": on_rows("UPDATE", "etlkit.runs"),
}


CHANGES = (
    "update patient set Address = concat('x', Address) order by PatNum limit 5",
    "update recall set Note = concat('x', Note) order by RecallNum limit 5",
    "delete from appointment order by AptNum limit 5",
    "insert into walkinlist select * from walkinlist limit 5",
    "create temporary table new_ones as select * from procedurelog order by ProcNum limit 5",
    "set @last = (select max(ProcNum) from procedurelog)",
    "update new_ones set ProcNum = ProcNum + @last, DateTStamp = now()",
    "insert into procedurelog select * from new_ones",
    "drop temporary table new_ones",
)


@pytest.mark.parametrize("source", ["mariadb-myisam"], indirect=True)
def test_later_load(clinic: Clinic) -> None:
    """A later load that is killed leaves each table as it was or as it is to be."""
    clinic.loaded()
    for place in LATER.values():
        clinic.source.execute(*CHANGES)
        killed_at(clinic, place)
        ends_equal(clinic)
