"""What a warehouse was loaded from, when a replica comes between, goes away, moves, or copies another clinic."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from etlkit.config import MySQLUrl, ReplicaSettings
from etlkit.errors import SourceChanged
from etlkit.events import TableFinished
from support.databases import SourceDatabase, WarehouseDatabase
from support.running import Running, running_of

MakeSource = Callable[[str], SourceDatabase]

pytestmark = pytest.mark.parametrize("source", ["mariadb-myisam"], indirect=True)

ROWS = "SELECT id, v FROM raw.patient ORDER BY 1"


@pytest.fixture
def replica(make_source: MakeSource) -> SourceDatabase:
    """An empty database for the copy."""
    return make_source("mariadb-innodb")


def patients(source: SourceDatabase, clinic: str) -> None:
    """Make a table with a cursor."""
    source.execute(
        "CREATE TABLE patient (id INT PRIMARY KEY, v VARCHAR(20) NOT NULL, "
        "s TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP ON UPDATE CURRENT_TIMESTAMP, KEY (s))",
        f"INSERT INTO patient VALUES (1, '{clinic}', '2024-01-01'), (2, '{clinic}', '2024-01-09')",
    )


@contextmanager
def running(
    source: SourceDatabase, replica: SourceDatabase | None, warehouse: WarehouseDatabase
) -> Iterator[Running]:
    """A deployment, analysed, with or without a replica."""
    copy = None if replica is None else ReplicaSettings(url=MySQLUrl.parse(replica.url))
    with running_of(source, warehouse, replica=copy) as made:
        made.analyse()
        yield made


def loads(running: Running) -> dict[str, tuple[int, int]]:
    """What was read and written by hop in the last run."""
    return {
        each.hop: (each.read, each.inserted + each.updated + each.deleted)
        for each in running.events
        if isinstance(each, TableFinished)
    }


def written(running: Running) -> dict[str, int]:
    """What was written by hop in the last run."""
    return {hop: rows for hop, (_, rows) in loads(running).items()}


def told(caplog: pytest.LogCaptureFixture) -> list[str]:
    """What was logged about the way from the source since it was asked last."""
    said = [each.message for each in caplog.records if each.name == "etlkit.loading.source_identity"]
    caplog.clear()
    return said


def test_another_way_from_the_same_source(
    source: SourceDatabase,
    replica: SourceDatabase,
    make_source: MakeSource,
    warehouse: WarehouseDatabase,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """A replica that is added, moved or taken out is noticed: every row is compared once, and none is written again."""
    caplog.set_level(logging.WARNING)
    patients(source, "north")
    with running(source, None, warehouse) as direct:
        assert 0 == direct.run()
        assert 0 == direct.run()
    assert [] == told(caplog)
    begin = "schema `raw` holds rows of the same source, but"
    end = "; every row is read and compared once"
    with running(source, replica, warehouse) as two_hops:
        # A row that the old way had read behind the watermark that it left.
        source.execute("UPDATE patient SET v = 'silent', s = s WHERE id = 1")
        assert 0 == two_hops.run()
        assert [f"{begin} they came from the source itself, and come through a replica now{end}"] == told(
            caplog
        )
        assert {"replica": (2, 2), "warehouse": (2, 1)} == loads(two_hops)
        assert 0 == two_hops.run()
        assert {"replica": 0, "warehouse": 0} == written(two_hops)
    assert [] == told(caplog)
    moved = make_source("mysql56")
    with running(source, moved, warehouse) as two_hops:
        assert 0 == two_hops.run()
        [words] = told(caplog)
        assert words.startswith(
            f"{begin} the replica is another one: the server was a MariaDB and is a MySQL; "
        )
        assert {"replica": (2, 2), "warehouse": (2, 0)} == loads(two_hops)
    with running(source, None, warehouse) as direct:
        assert 0 == direct.run()
        assert [f"{begin} they came through a replica, and come from the source itself now{end}"] == told(
            caplog
        )
        assert {"warehouse": (2, 0)} == loads(direct)
        assert 0 == direct.run()
    assert [] == told(caplog)
    assert [(1, "silent"), (2, "north")] == warehouse.rows(ROWS)


def test_another_clinic(
    source: SourceDatabase, replica: SourceDatabase, make_source: MakeSource, warehouse: WarehouseDatabase
) -> None:
    """It is refused before anything is written, in either hop; once accepted, both hops begin anew."""
    patients(source, "north")
    with running(source, replica, warehouse) as north:
        assert 0 == north.run()
    second = make_source("mysql56")
    patients(second, "south")
    differences = (
        f"the server was a MariaDB and is a MySQL; the database was `{source.name}` and is `{second.name}`"
    )
    for copy in (replica, make_source("mariadb-innodb")):
        with running(second, copy, warehouse) as south, pytest.raises(SourceChanged) as caught:
            south.run()
        assert (
            f"schema `raw` was loaded from another source: {differences}. Nothing was read. When the clinic's database "
            "moved, `etlkit run --accept-source` goes on with it and reads every row once; another clinic needs "
            "another `warehouse.schema` in etlkit.yml"
        ) == str(caught.value)
    assert [] == copy.rows("SHOW TABLES")
    assert [(1, "north"), (2, "north")] == warehouse.rows(ROWS)
    with running(second, replica, warehouse) as south:
        assert 0 == south.run(accept_source=True)
        assert [(1, "south"), (2, "south")] == warehouse.rows(ROWS)
        assert 0 == south.run()
        assert {"replica": 0, "warehouse": 0} == written(south)


def test_a_replica_of_another_clinic(
    source: SourceDatabase, replica: SourceDatabase, make_source: MakeSource, warehouse: WarehouseDatabase
) -> None:
    """A replica that says it copies another source is not taken for a copy of this one."""
    patients(source, "north")
    with running(source, replica, warehouse) as north:
        assert 0 == north.run()
    second = make_source("mariadb-innodb")
    patients(second, "south")
    warehouse.execute("DELETE FROM etlkit.sources")
    with running(second, replica, warehouse) as south, pytest.raises(SourceChanged) as caught:
        south.run()
    assert (
        f"the replica `{replica.name}` copies another source: the database was `{source.name}` and is "
        f"`{second.name}`. Nothing was read. When the clinic's database moved, `etlkit run --accept-source` goes on "
        "with it and compares every row once; another clinic needs a replica of its own"
    ) == str(caught.value)
    assert [] == warehouse.rows("SELECT * FROM etlkit.sources")


def test_a_ledger_of_an_older_etlkit(
    source: SourceDatabase, replica: SourceDatabase, warehouse: WarehouseDatabase
) -> None:
    """It knows nothing of replicas, and is told of the first one."""
    patients(source, "north")
    with running(source, None, warehouse) as direct:
        assert 0 == direct.run()
    warehouse.execute("ALTER TABLE etlkit.sources DROP COLUMN origin")
    with running(source, replica, warehouse) as two_hops:
        assert 0 == two_hops.run()
        assert {"replica": (2, 2), "warehouse": (2, 0)} == loads(two_hops)
    assert replica.name == warehouse.value("SELECT database FROM etlkit.sources")
    assert source.name == warehouse.value("SELECT origin::json->>'database' FROM etlkit.sources")
