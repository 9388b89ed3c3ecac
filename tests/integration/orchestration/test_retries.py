"""A run tries a table again when its failure may pass, and no further table when none can be loaded."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator

import pytest

from etlkit import TableFinished
from etlkit.config import RunSettings
from support.databases import SourceDatabase, WarehouseDatabase
from support.running import Running, running_of

pytestmark = pytest.mark.parametrize("source", ["mariadb-innodb"], indirect=True)

TABLES = ("appointment", "definition", "patient")
RAISES = """
CREATE FUNCTION public.refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    -- A sequence goes on also where its transaction is rolled back.
    IF nextval('public.tries') <= {times} THEN RAISE EXCEPTION USING ERRCODE = '{state}'; END IF;
    RETURN NEW;
END $$
"""


@pytest.fixture
def running(source: SourceDatabase, warehouse: WarehouseDatabase) -> Iterator[Running]:
    """A deployment of three tables, loaded once, each with a change since; one is loaded after the other."""
    for name in TABLES:
        source.execute(
            f"CREATE TABLE {name} (id INT PRIMARY KEY, v VARCHAR(20))", f"INSERT INTO {name} VALUES (1, 'x')"
        )
    with running_of(source, warehouse, run=RunSettings(threads=1)) as made:
        made.analyse()
        assert 0 == made.run()
        source.execute(*(f"INSERT INTO {name} VALUES (2, 'y')" for name in TABLES))
        yield made


def refuse(warehouse: WarehouseDatabase, table: str, *, times: int, state: str) -> None:
    """Let the warehouse refuse rows of a table some times."""
    warehouse.execute(
        "CREATE SEQUENCE public.tries",
        RAISES.format(times=times, state=state),
        f"CREATE TRIGGER refuse BEFORE INSERT ON raw.{table} FOR EACH ROW EXECUTE FUNCTION public.refuse()",
    )


def outcomes(running: Running) -> dict[str, TableFinished]:
    """What the last run told of each table."""
    return {each.table: each for each in running.events if isinstance(each, TableFinished)}


def test_a_deadlock_passes(running: Running, caplog: pytest.LogCaptureFixture) -> None:
    """A table that is the victim of deadlocks twice is loaded at the third try, and its failures are told once each."""
    refuse(running.warehouse, "definition", times=2, state="40P01")
    with caplog.at_level(logging.WARNING):
        assert 0 == running.run()
    assert dict.fromkeys(TABLES) == {name: each.error for name, each in outcomes(running).items()}
    assert [(2,)] * 3 == [
        row for name in TABLES for row in running.warehouse.rows(f"SELECT count(*) FROM raw.{name}")
    ]
    said = [re.sub(r"\d\.\d s", "N s", each.message) for each in caplog.records]
    refusal = (
        "warehouse table `raw.definition`: the warehouse chose it as victim of a deadlock; run again; nothing of this "
        "load was kept (sqlstate 40P01, deadlock_detected); trying again in N s ({} of 2)"
    )
    assert [refusal.format(1), refusal.format(2)] == said
    assert [(0,)] == running.warehouse.rows("SELECT count(*) FROM etlkit.table_loads WHERE error IS NOT NULL")


def test_nothing_is_tried_again_where_that_is_chosen(running: Running) -> None:
    """With `retries: 0`, the first failure is the table's, and the other tables are loaded."""
    running.change(run=RunSettings(threads=1, retries=0))
    refuse(running.warehouse, "definition", times=1, state="40P01")
    assert 3 == running.run()
    assert ["definition"] == [name for name, each in outcomes(running).items() if each.error]
    assert [(1,)] == running.warehouse.rows("SELECT last_value FROM public.tries")


def test_a_full_disk_ends_the_run(running: Running, caplog: pytest.LogCaptureFixture) -> None:
    """What every table would meet is met once and logged once; the tables that are left say why they were not tried."""
    refuse(running.warehouse, "appointment", times=99, state="53100")
    running.analyse({"appointment": "critical", "definition": "audit", "patient": "audit"})
    with caplog.at_level(logging.WARNING):
        assert 3 == running.run()
    full = (
        "warehouse table `raw.appointment`: the warehouse's disk is full; free some of it and run again; nothing of "
        "this load was kept (sqlstate 53100, disk_full)"
    )
    not_tried = "table `{}` was not tried, since another one showed that none can be loaded: " + full
    assert {
        "appointment": full,
        "definition": not_tried.format("definition"),
        "patient": not_tried.format("patient"),
    } == {name: each.error for name, each in outcomes(running).items()}
    assert ["critical table `appointment` was not loaded: " + full] == [
        each.message for each in caplog.records
    ]
    assert [(1,)] * 2 == running.warehouse.rows(
        "SELECT count(*) FROM raw.patient UNION ALL SELECT count(*) FROM raw.definition"
    )
