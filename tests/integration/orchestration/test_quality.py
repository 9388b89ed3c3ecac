"""A run tells which tables lost more than their `data_quality_threshold` allows."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator

import pytest

from etlkit import TableFinished
from etlkit.config import MonitoringChoice, TableChoice
from support.clinic import Clinic
from support.databases import SourceDatabase, WarehouseDatabase
from support.running import Running, running_of

LOSING = (
    "create table visit (VisitNum int primary key, Day date)",
    "insert into visit values (1, '2024-01-01'), (2, '2024-01-02'), (3, '2024-01-03')",
)


@pytest.fixture
def running(source: SourceDatabase, warehouse: WarehouseDatabase) -> Iterator[Running]:
    """A deployment of one table with three dates, all of which exist."""
    source.execute(*LOSING)
    with running_of(source, warehouse) as made:
        made.analyse()
        yield made


def lose(source: SourceDatabase, number: int) -> None:
    """Give a visit a day that does not exist."""
    with source.engine.begin() as connection:
        connection.exec_driver_sql("set session sql_mode = ''")
        connection.exec_driver_sql(f"update visit set Day = '0000-00-00' where VisitNum = {number}")


def alerts(running: Running) -> dict[str, bool]:
    """What the last run said of each table."""
    return {each.table: each.alert for each in running.events if isinstance(each, TableFinished)}


def lines(caplog: pytest.LogCaptureFixture) -> list[tuple[int, str]]:
    """What the log holds about quality, with its level."""
    return [(each.levelno, each.message) for each in caplog.records if "data_quality" in each.message]


def test_alert(running: Running, caplog: pytest.LogCaptureFixture) -> None:
    """Rows with lost values are an alert below the threshold; the load is kept and the exit code is 0."""
    assert (0, {"visit": False}, []) == (running.run(), alerts(running), lines(caplog))
    lose(running.source, 2)
    assert (0, {"visit": True}) == (running.run(), alerts(running))
    assert 1 == running.warehouse.value('select count(*) from raw.visit where "Day" is null')
    words = (
        "table `visit`: 66.66% of 3 rows are in the warehouse as they are in the source, below the 95% of "
        "`data_quality_threshold`; `etlkit report` names columns and rules"
    )
    assert [(logging.WARNING, words)] == lines(caplog)


@pytest.mark.parametrize("source", ["mariadb-innodb"], indirect=True)
@pytest.mark.parametrize(
    ("threshold", "wanted", "levels"),
    [(0.66, True, []), (0.67, True, [logging.ERROR]), (0.67, False, [logging.WARNING])],
)
def test_choices(
    running: Running, caplog: pytest.LogCaptureFixture, threshold: float, wanted: bool, levels: list[int]
) -> None:
    """etlkit.yml chooses the threshold, and whether the line is an error."""
    chosen = MonitoringChoice(data_quality_threshold=threshold, alert_on_failure=wanted)
    running.change(tables={"visit": TableChoice(monitoring=chosen)})
    lose(running.source, 2)
    assert (0, {"visit": bool(levels)}) == (running.run(), alerts(running))
    assert levels == [level for level, _ in lines(caplog)]


@pytest.mark.parametrize("source", ["mariadb-innodb"], indirect=True)
def test_what_the_run_mends(running: Running) -> None:
    """Rows that differed and are equal behind the run are no alert, with and without digests."""
    running.change(
        tables={
            "visit": TableChoice(
                extraction_strategy="reconcile",
                monitoring=MonitoringChoice(data_quality_threshold=1),
            )
        }
    )
    assert 0 == running.run()
    running.warehouse.execute(
        'update raw.visit set "Day" = null', 'delete from raw.visit where "VisitNum" = 1'
    )
    running.source.execute("update visit set Day = '2025-01-01'")
    assert (0, {"visit": False}) == (running.run(), alerts(running))


@pytest.mark.parametrize("source", ["mariadb-innodb"], indirect=True)
def test_events(clinic: Clinic) -> None:
    """With `--json` each table's event says whether it is an alert."""
    clinic.source.execute(*LOSING)
    lose(clinic.source, 1)
    clinic.prepared()
    events = [json.loads(line) for line in clinic.done("run", "--json").splitlines()]
    assert {"visit": True, "patient": False, "definition": False, "scratchlog": False} == {
        each["table"]: each["alert"] for each in events if each["event"] == "table_finished"
    }
