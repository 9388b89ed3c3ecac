"""The replica's server fails while a run writes to it: the table is as it was, and the next run ends equal."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event

import pytest

from etlkit.config import RunSettings, TableChoice
from etlkit.demo import PrivateMariaDB
from etlkit.errors import ConnectionFailed, LockHeld
from etlkit.loading.run_lock import RunLock
from etlkit.orchestration.replica_planning import ReplicaPlanner
from etlkit.replication.plan import ReplicaPlan
from support.background import Background
from support.databases import SourceDatabase, WarehouseDatabase, source_database
from support.two_hops import Exact, TwoHops, exact_rows, tables, two_hops

ROWS = 50
COPIER = (
    "SELECT id FROM information_schema.processlist WHERE user = 'copier' AND db = database() "
    "AND info LIKE '%etlkit_state%' AND state <> ''"
)
"""The run's connection whose statement waits for the record's row: its rows are applied, and nothing is committed."""


def filled(source: SourceDatabase) -> None:
    """A table whose every row is read again in each run."""
    values = ", ".join(f"({number}, 'text {number}')" for number in range(ROWS))
    source.execute(
        "CREATE TABLE visit (Num INT NOT NULL PRIMARY KEY, Text VARCHAR(40) NOT NULL)",
        f"INSERT INTO visit VALUES {values}",
    )


@contextmanager
def loaded(
    source: SourceDatabase, replica: SourceDatabase, warehouse: WarehouseDatabase
) -> Iterator[tuple[TwoHops, Exact]]:
    """Load once, and change every row; gives what the replica holds as well."""
    filled(source)
    with two_hops(source, replica, warehouse, run=RunSettings(retries=0, threads=1)) as hops:
        assert 0 == hops.run()
        source.execute("UPDATE visit SET Text = CONCAT(Text, '!')", "DELETE FROM visit WHERE Num = 7")
        yield hops, exact_rows(replica, "visit")


def struck(hops: TwoHops, strike: Callable[[int], None]) -> int:
    """Strike the replica when a run's rows are applied and not committed; gives the run's exit code."""
    with hops.replica.engine.connect() as holder:
        holder.exec_driver_sql("SELECT * FROM etlkit_state WHERE table_name = 'visit' FOR UPDATE")
        run = Background(hops.run)
        run.reaches(lambda: bool(hops.replica.rows(COPIER)))
        strike(hops.replica.rows(COPIER)[0][0])
        holder.invalidate()
    try:
        return run.result()
    except ConnectionFailed as error:
        return error.exit_code


@pytest.mark.parametrize("source", ["mariadb-myisam"], indirect=True)
@pytest.mark.parametrize("what", ["QUERY", "CONNECTION"])
def test_killed(
    source: SourceDatabase,
    make_source: Callable[[str], SourceDatabase],
    warehouse: WarehouseDatabase,
    what: str,
) -> None:
    """An administrator who ends our statement or our connection costs one load, and no reader sees any of it."""
    replica = make_source("mariadb-innodb")
    with loaded(source, replica, warehouse) as (hops, before):

        def strike(number: int) -> None:
            assert before == exact_rows(replica, "visit")
            replica.execute(f"KILL {what} {number}")

        assert 3 == struck(hops, strike)
        assert [("visit", "replica")] == list(hops.errors())
        assert before == exact_rows(replica, "visit")
        assert 0 == hops.run(), hops.errors()
        assert [] == hops.settled()
        assert {"visit"} == tables(replica)


@pytest.mark.parametrize("source", ["mysql56"], indirect=True)
def test_a_restart(source: SourceDatabase, warehouse: WarehouseDatabase, server_folder: Path) -> None:
    """A replica that is killed right before a commit has the rows that it had before, and goes on."""
    with (
        PrivateMariaDB(server_folder / "replica") as server,
        source_database(server, "mariadb-innodb") as replica,
        loaded(source, replica, warehouse) as (hops, before),
    ):

        def strike(_: int) -> None:
            assert server.pid is not None
            os.kill(server.pid, signal.SIGKILL)
            server.stop()

        assert 1 == struck(hops, strike)
        server.start()
        replica.engine.dispose()
        assert before == exact_rows(replica, "visit")
        assert 0 == hops.run(), hops.errors()
        assert [] == hops.settled()
        assert {"visit"} == tables(replica)


@pytest.mark.parametrize("source", ["mariadb-innodb"], indirect=True)
def test_another_run_before_a_proof(
    source: SourceDatabase,
    make_source: Callable[[str], SourceDatabase],
    warehouse: WarehouseDatabase,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A run that another one replaced between a load and its proof leaves the replica as the load did."""
    stamp = "Stamp TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP ON UPDATE CURRENT_TIMESTAMP, KEY (Stamp)"
    source.execute(
        f"CREATE TABLE visit (Num INT NOT NULL PRIMARY KEY, Text VARCHAR(40) NOT NULL, {stamp})",
        "INSERT INTO visit VALUES (1, 'one', '2024-01-01'), (2, 'two', '2023-01-01')",
    )
    proving, asleep = ReplicaPlanner.proving, Event()

    def proving_after_sleep(planner: ReplicaPlanner, loaded: ReplicaPlan) -> ReplicaPlan:
        asleep.set()
        return proving(planner, loaded)

    def keep(_: RunLock) -> None:
        if asleep.is_set():
            raise LockHeld("another run was at work")

    choice = TableChoice(extraction_strategy="incremental", incremental_column="Stamp", reconcile="every_run")
    replica = make_source("mariadb-innodb")
    with two_hops(source, replica, warehouse, tables={"visit": choice}) as hops:
        assert 0 == hops.run()
        # One change that the stamp shows, and one that only a proof finds.
        source.execute(
            "UPDATE visit SET Text = 'shown' WHERE Num = 1",
            "UPDATE visit SET Text = 'unseen', Stamp = Stamp WHERE Num = 2",
        )
        monkeypatch.setattr(ReplicaPlanner, "proving", proving_after_sleep)
        monkeypatch.setattr(RunLock, "keep", keep)
        assert 7 == hops.run()
        assert "another run was at work" == hops.errors()["visit", "replica"]
        assert [("shown",), ("two",)] == replica.rows("SELECT Text FROM visit ORDER BY Num")
        monkeypatch.undo()
        assert 0 == hops.run(), hops.errors()
        assert [] == hops.settled()
