"""Runs through a replica: both hops, one run, one exit code."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator

import attrs
import pytest
import sqlalchemy as sa

from etlkit.config import AllowedHours, MySQLUrl, ReplicaSettings
from etlkit.discovery.catalog import Catalog
from etlkit.discovery.reading import read_catalog
from etlkit.errors import OutsideAllowedHours
from etlkit.events import RunFinished, RunStarting, TableFinished
from etlkit.orchestration.run import Run, RunRequest
from support.databases import SourceDatabase, WarehouseDatabase
from support.running import Running, running_of

MakeSource = Callable[[str], SourceDatabase]

pytestmark = pytest.mark.parametrize("source", ["mariadb-myisam"], indirect=True)

PATIENTS = "SELECT id, v FROM {} ORDER BY 1"


@pytest.fixture
def replica(make_source: MakeSource) -> SourceDatabase:
    """An empty database for the copy."""
    return make_source("mariadb-innodb")


@pytest.fixture
def running(
    source: SourceDatabase, replica: SourceDatabase, warehouse: WarehouseDatabase
) -> Iterator[Running]:
    """A clinic with two tables, a replica and a warehouse, analysed."""
    source.execute(
        "CREATE TABLE patient (id INT PRIMARY KEY, v VARCHAR(20) NOT NULL, "
        "s TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP ON UPDATE CURRENT_TIMESTAMP, KEY (s))",
        "CREATE TABLE definition (id INT PRIMARY KEY, v VARCHAR(20))",
        "INSERT INTO patient VALUES (1, 'a', '2024-01-01'), (2, 'b', '2024-01-09')",
        "INSERT INTO definition VALUES (1, 'x')",
    )
    with running_of(source, warehouse, replica=copy_to(replica)) as made:
        made.analyse({"patient": "critical"})
        yield made


def copy_to(replica: SourceDatabase) -> ReplicaSettings:
    """The section `replica` of a deployment."""
    return ReplicaSettings(url=MySQLUrl.parse(replica.url))


def told(running: Running) -> list[tuple[str, str, int, int, int, int, str | None]]:
    """What came of each table of the last run: by hop, and by name within a hop."""
    outcomes = [each for each in running.events if isinstance(each, TableFinished)]
    hops = [each.hop for each in outcomes]
    assert hops == sorted(hops)
    end = running.events[-1]
    assert isinstance(end, RunFinished)
    assert tuple(outcomes) == end.tables
    return [
        (each.table, each.hop, each.read, each.inserted, each.updated, each.deleted, each.error)
        for each in sorted(outcomes, key=lambda each: (each.hop, each.table))
    ]


def test_a_run_and_a_day_later(running: Running, replica: SourceDatabase) -> None:
    """Every table goes into the replica before any goes on; what changed goes the same way."""
    assert 0 == running.run()
    begin = running.events[0]
    assert isinstance(begin, RunStarting)
    assert (("patient", "definition"), ("replica", "warehouse")) == (begin.tables, begin.hops)
    assert [
        ("definition", "replica", 1, 1, 0, 0, None),
        ("patient", "replica", 2, 2, 0, 0, None),
        ("definition", "warehouse", 1, 1, 0, 0, None),
        ("patient", "warehouse", 2, 2, 0, 0, None),
    ] == told(running)
    for rows in (
        replica.rows(PATIENTS.format("patient")),
        running.warehouse.rows(PATIENTS.format("raw.patient")),
    ):
        assert [(1, "a"), (2, "b")] == rows

    running.source.execute(
        "UPDATE patient SET v = 'bb', s = '2024-02-01' WHERE id = 2",
        "DELETE FROM patient WHERE id = 1",
        "INSERT INTO patient VALUES (3, 'c', '2024-02-02')",
    )
    assert 0 == running.run()
    for rows in (
        replica.rows(PATIENTS.format("patient")),
        running.warehouse.rows(PATIENTS.format("raw.patient")),
    ):
        assert [(2, "bb"), (3, "c")] == rows
    assert 0 == running.run()
    assert not [each for each in told(running) if each[3] or each[4] or each[5]]
    # Tables that were proven equal are not read in either hop, as long as their checksums are the same.
    assert 0 == running.run()
    assert {0} == {each[2] for each in told(running)}
    assert {"equal"} == {each.verified for each in running.events if isinstance(each, TableFinished)}
    running.source.execute("UPDATE patient SET v = 'B', s = s WHERE id = 2")
    assert 0 == running.run()
    assert ("patient", "replica", 2, 0, 1, 0, None) in told(running)
    assert [(2, "B"), (3, "c")] == running.warehouse.rows(PATIENTS.format("raw.patient"))


def test_a_table_that_fails_on_its_way_into_the_replica(running: Running, replica: SourceDatabase) -> None:
    """It is not tried in the second hop, and told once; the others go on."""
    replica.execute("CREATE TABLE definition (mine INT)")
    assert 3 == running.run()
    [refused] = [each for each in told(running) if each[-1] is not None]
    assert ("definition", "replica") == refused[:2]
    assert (
        f"replica table `{replica.name}.definition` exists, but etlkit did not make it; rename or drop it, or name "
        "another database in `replica.url`"
    ) == refused[-1]
    assert [("patient", "replica"), ("patient", "warehouse")] == [
        each[:2] for each in told(running) if each[-1] is None
    ]
    assert not running.warehouse.rows("SELECT 1 FROM pg_tables WHERE tablename = 'definition'")
    replica.execute("DROP TABLE definition")
    assert 0 == running.run()


def test_a_failure_of_the_second_hop(running: Running, replica: SourceDatabase) -> None:
    """It says that what it read was the replica; the first hop of the table stands."""
    running.change(run=attrs.evolve(running.deployment.settings.run, threads=1))

    def drop(table: str, _: int) -> None:
        # The second hop begins when all outcomes of the first one are told.
        if table == "patient" and 2 == len(
            [each for each in running.events if isinstance(each, TableFinished)]
        ):
            replica.execute("DROP TABLE IF EXISTS definition")

    made = Run(deployment=running.deployment, tell=running.events.append, rows_read=drop)
    assert 3 == made.carry_out().exit_code
    assert [None, None, None] == [
        each[-1] for each in told(running) if each[:2] != ("definition", "warehouse")
    ]
    [failed] = [each[-1] for each in told(running) if each[-1] is not None]
    assert failed is not None
    assert failed.endswith(
        "it is gone; run `etlkit analyze`, the table was dropped or renamed (source error 1146) (the source of this "
        "hop is the replica)"
    )


def test_a_table_that_is_gone(
    running: Running, replica: SourceDatabase, caplog: pytest.LogCaptureFixture
) -> None:
    """Replica and warehouse keep its rows, marked; that is told once."""
    assert 0 == running.run()
    running.source.execute("DROP TABLE definition")
    caplog.clear()
    assert 0 == running.run()
    words = "table `definition` is gone in the source; the warehouse keeps its last rows"
    assert 1 == [each.message for each in caplog.records].count(words)
    assert ["patient", "patient"] == [each[0] for each in told(running)]
    assert [("definition", 1), ("patient", 0)] == replica.rows(
        "SELECT table_name, gone FROM etlkit_state ORDER BY 1"
    )
    assert [(1, "x")] == replica.rows(PATIENTS.format("definition"))
    assert [("definition", "gone")] == running.warehouse.rows("SELECT table_name, reason FROM etlkit.kept")


@pytest.mark.parametrize("request_", [{"reconcile": True}, {"full_refresh": True}])
def test_what_no_cursor_shows(running: Running, replica: SourceDatabase, request_: dict[str, bool]) -> None:
    """What the first hop finds is followed up by the second one in the same run, whatever its cursor says."""
    assert 0 == running.run()
    running.source.execute(
        "UPDATE patient SET v = 'silent', s = s WHERE id = 1", "DELETE FROM patient WHERE id = 2"
    )
    assert 0 == running.run(**request_)
    for rows in (
        replica.rows(PATIENTS.format("patient")),
        running.warehouse.rows(PATIENTS.format("raw.patient")),
    ):
        assert [(1, "silent")] == rows
    assert [(0,)] == replica.rows("SELECT DISTINCT follow_up FROM etlkit_state")


def test_a_part_of_the_rows(running: Running, replica: SourceDatabase) -> None:
    """With a limit the replica stays as it is; what it has is tried out, and what it lacks is refused."""
    assert 2 == running.run(limit=1)
    why = "is not in the replica yet, and `--limit` leaves the replica as it is; run once without it"
    assert [(name, "warehouse", f"table `{name}` {why}") for name in ("definition", "patient")] == [
        (each[0], each[1], each[-1]) for each in told(running)
    ]
    assert not replica.rows("SELECT table_name FROM etlkit_state WHERE loaded_at IS NOT NULL")
    assert 0 == running.run()
    running.source.execute("INSERT INTO patient VALUES (3, 'c', '2024-02-02')")
    assert 0 == running.run(limit=1)
    assert ["warehouse", "warehouse"] == [each[1] for each in told(running)]
    assert 2 == replica.value("SELECT COUNT(*) FROM patient")
    assert 0 == running.run()
    assert 3 == running.warehouse.value("SELECT COUNT(*) FROM raw.patient")


def test_a_run_that_is_broken_off(running: Running, replica: SourceDatabase) -> None:
    """A run that ends between the hops is told as interrupted; the next one brings everything to its end."""

    def interrupt(event: object) -> None:
        if isinstance(event, TableFinished):
            raise KeyboardInterrupt

    made = Run(deployment=running.deployment, request=RunRequest(), tell=interrupt)
    with pytest.raises(KeyboardInterrupt):
        made.carry_out()
    assert [(1, 1)] == running.warehouse.rows("SELECT exit_code, tables FROM etlkit.runs")
    assert 0 == running.run()
    assert [(1, "a"), (2, "b")] == running.warehouse.rows(PATIENTS.format("raw.patient"))
    assert [(1, "a"), (2, "b")] == replica.rows(PATIENTS.format("patient"))


def test_allowed_hours(running: Running) -> None:
    """They bind the hop that reads the source; the replica is read at any hour."""
    now = dt.datetime.now().astimezone()
    begin = (now + dt.timedelta(hours=2)).time().replace(second=0, microsecond=0)
    hours = AllowedHours(start=begin, end=begin.replace(minute=(begin.minute + 1) % 60))
    settings = running.deployment.settings
    running.change(source=attrs.evolve(settings.source, allowed_hours=hours))
    with pytest.raises(OutsideAllowedHours):
        running.run()
    assert [] == running.events
    assert running.deployment.warehouse_hop().settings.source.allowed_hours is None


def test_each_catalog_is_read_once(running: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    """The source's once in a run, the replica's before its tables are written and once more behind that."""
    asked: list[str] = []

    def read(engine: sa.Engine, database: str) -> Catalog:
        asked.append(database)
        return read_catalog(engine, database)

    monkeypatch.setattr("etlkit.discovery.snapshot.read_catalog", read)
    for _ in range(2):
        asked.clear()
        assert 0 == running.run()
        source = running.source.name
        assert [source, asked[1], asked[1]] == asked
        assert source != asked[1]
