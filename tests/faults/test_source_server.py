"""The source fails in the middle of a load: what is told, what is kept, and that the next run makes all equal."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from pathlib import Path

import pymysql
import pytest
from sqlalchemy.engine import make_url

from etlkit.demo import PrivateMariaDB
from support.background import Background
from support.databases import SourceDatabase, WarehouseDatabase, source_database
from support.held_reads import arrive_in_source, held
from support.scene import Scene, scene_of

MYISAM = pytest.mark.parametrize("source", ["mariadb-myisam", "mysql56"], indirect=True)
ONE_KIND = pytest.mark.parametrize("source", ["mariadb-innodb"], indirect=True)
FEW_CONNECTIONS = 12
GUEST = "secret of a guest"


def during_the_read(scene: Scene, fault: Callable[[int], None]) -> tuple[int, object]:
    """Carry out a run, and a fault while it reads `patient`; the fault is given the connection's number."""
    with scene.watched(source_changes=True), held(scene.source):
        work = Background(lambda: scene.ends(scene.running.run))
        fault(arrive_in_source(work, scene.source))
        return work.result()


def between_chunks(scene: Scene, *statements: str) -> tuple[int, object]:
    """Carry out a run, and statements that wait for the chunk at work and come in before the next one."""
    waits = (
        f"select 1 from information_schema.processlist where db = '{scene.source.name}' "
        "and state like 'Waiting for table%lock'"
    )
    with scene.watched(source_changes=True):
        with held(scene.source):
            work = Background(lambda: scene.ends(scene.running.run))
            arrive_in_source(work, scene.source)
            change = Background(lambda: scene.source.execute(*statements))
            change.reaches(lambda: bool(scene.source.rows(waits)))
        change.result()
        return work.result()


@pytest.fixture(scope="module")
def private_mariadb(server_folder: Path) -> Iterator[PrivateMariaDB]:
    """A server that may be stopped, killed and filled up with connections."""
    settings = {"max-connections": str(FEW_CONNECTIONS), "innodb-log-file-size": "8M"}
    with PrivateMariaDB(server_folder / "own", settings=settings) as server:
        yield server


@pytest.fixture
def own_source(request: pytest.FixtureRequest, private_mariadb: PrivateMariaDB) -> Iterator[SourceDatabase]:
    """A database on that server, of InnoDB where nothing else is said."""
    private_mariadb.start()
    with source_database(private_mariadb, getattr(request, "param", "mariadb-innodb")) as made:
        yield made


@pytest.mark.parametrize("source", ["mariadb-innodb", "mariadb-myisam", "mysql56"], indirect=True)
@pytest.mark.parametrize(
    ("what", "words"),
    [
        ("query", "the query was killed on the source; run again (source error 1317)"),
        ("connection", "the connection to the source was lost; run again (source error 2013)"),
    ],
)
def test_killed(source: SourceDatabase, warehouse: WarehouseDatabase, what: str, words: str) -> None:
    """A clinic's administrator who kills our statement or our connection costs one table one load."""
    with scene_of(source, warehouse) as scene:
        scene.loaded()
        ended = during_the_read(scene, lambda number: source.execute(f"kill {what} {number}"))
        assert (3, {"patient": f"table `patient`: {words}"}) == ended
        scene.untouched()
        scene.recovers()


@pytest.mark.parametrize("source", ["mariadb-innodb", "mariadb-myisam"], indirect=True)
def test_a_statement_that_takes_too_long(source: SourceDatabase, warehouse: WarehouseDatabase) -> None:
    """The server itself stops a statement of ours that runs longer than `source.statement_seconds`."""
    with scene_of(source, warehouse, statement_seconds=1) as scene:
        scene.loaded()
        words = "a statement took longer than the source's limit for it; run again at a quieter hour"
        ended = during_the_read(scene, lambda _: None)
        assert (3, {"patient": f"table `patient`: {words} (source error 1969)"}) == ended
        scene.untouched()
        scene.recovers()


@pytest.mark.parametrize("own_source", ["mariadb-myisam"], indirect=True)
@pytest.mark.parametrize("how", ["killed", "stopped"])
def test_a_restart(own_source: SourceDatabase, warehouse: WarehouseDatabase, how: str) -> None:
    """A server that goes away fails every table that is left; when it is there again, one run makes all equal."""
    server = own_source.server

    def stop(_: int) -> None:
        pid = server.pid
        assert pid is not None
        os.kill(pid, signal.SIGKILL if how == "killed" else signal.SIGTERM)
        server.stop()

    with scene_of(own_source, warehouse) as scene:
        scene.loaded()
        place = f"127.0.0.1:{server.access.port}"
        assert (
            3,
            {
                "patient": "table `patient`: the connection to the source was lost; run again (source error 2013)",
                "visit": f"source: no server answers at {place} (connection refused); start it, or correct "
                "`source.url`",
            },
        ) == during_the_read(scene, stop)
        server.start()
        own_source.engine.dispose()
        if how == "killed":
            # Who may only read cannot have the server repair tables by itself; whoever may write can.
            crashed = "it is marked as crashed; repair it on the source with REPAIR TABLE (source error 145)"
            every = {name: f"table `{name}`: {crashed}" for name in ("patient", "visit")}
            assert (3, every) == scene.ends(scene.running.run)
        scene.untouched()
        scene.recovers()


@pytest.mark.parametrize("fault", ["the query is killed", "the server is killed"])
def test_what_passes_is_tried_again(
    own_source: SourceDatabase,
    warehouse: WarehouseDatabase,
    caplog: pytest.LogCaptureFixture,
    fault: str,
) -> None:
    """By default the same run loads the table after all, with one warning about what happened."""
    server = own_source.server
    with scene_of(own_source, warehouse, retries=8) as scene:
        scene.loaded()
        caplog.clear()
        with scene.watched(source_changes=True):
            with held(own_source):
                work = Background(lambda: scene.ends(scene.running.run))
                number = arrive_in_source(work, own_source)
                if fault == "the query is killed":
                    own_source.execute(f"kill query {number}")
                    words = "the query was killed on the source; run again (source error 1317)"
                else:
                    pid = server.pid
                    assert pid is not None
                    os.kill(pid, signal.SIGKILL)
                    server.stop()
                    server.start()
                    own_source.engine.dispose()
                    words = "the connection to the source was lost; run again (source error 2013)"
            assert (0, {}) == work.result()
        said = [each.getMessage().partition(" in ")[0] for each in caplog.records]
        assert f"table `patient`: {words}; trying again" == said[0]
        # A server that is slow to start is asked for more than once.
        assert fault == "the server is killed" or len(said) == 1
        scene.recovers(recovered=True)


def test_too_many_connections(own_source: SourceDatabase, warehouse: WarehouseDatabase) -> None:
    """While others use every connection that the server has, a run says so and ends."""
    reader = make_url(own_source.reader_url)
    taken = {
        "host": reader.host,
        "port": reader.port,
        "user": reader.username,
        "password": reader.password,
        "ssl_disabled": True,
    }
    with scene_of(own_source, warehouse) as scene, ExitStack() as others:
        scene.loaded()
        scene.running.deployment.connections.close()
        with suppress(pymysql.err.OperationalError):
            while True:
                others.enter_context(pymysql.connect(**taken))
        place = f"127.0.0.1:{own_source.server.access.port}"
        with scene.watched(source_changes=True):
            ended = scene.ends(scene.running.run)
            others.close()
        assert (1, f"source: {place} has no connection left; try again later") == ended
        scene.untouched()
        scene.recovers()


DAMAGED = "the source cannot open it; repair it there with REPAIR TABLE, or restore it from a backup"
CRASHED = "it is marked as crashed; repair it on the source with REPAIR TABLE"


@pytest.mark.parametrize(
    ("source", "part", "words"),
    [
        ("mariadb-myisam", "MYI", f"table `patient`: {DAMAGED} (source error 130)"),
        (
            "mysql56",
            "MYI",
            (
                "The table `patient` of `{name}` shows no columns: this user lacks the SELECT privilege, or the "
                "server cannot open the table (the server says: Incorrect file format 'patient'). GRANT SELECT on "
                "it, or repair it."
            ),
        ),
        ("mariadb-myisam", "MYD", f"table `patient`: {CRASHED} (source error 1194)"),
        ("mysql56", "MYD", f"table `patient`: {CRASHED} (source error 1194)"),
    ],
    indirect=["source"],
)
def test_a_crashed_table(source: SourceDatabase, warehouse: WarehouseDatabase, part: str, words: str) -> None:
    """A table that the server cannot read costs itself only, and says how it is repaired; the others go on."""
    with scene_of(source, warehouse) as scene:
        scene.loaded()
        source.execute("flush tables")
        file = source.server.data_folder / source.name / f"patient.{part}"
        whole = file.read_bytes()
        with scene.watched(source_changes=True):
            # Of the index nothing is left, of the rows the first half.
            file.write_bytes(b"" if part == "MYI" else whole[: len(whole) // 2])
            ended = scene.ends(scene.running.run)
            source.execute("flush tables")
            file.write_bytes(whole)
        assert (3, {"patient": words.format(name=source.name)}) == ended
        assert scene.kept["rows"] == scene.rows()
        source.execute("repair table patient")
        scene.recovers()


GONE = "it is gone; run `etlkit analyze`, the table was dropped or renamed (source error 1146)"
ALTERED = "a column is gone; run `etlkit analyze`, the table was altered (source error 1054)"


@pytest.mark.parametrize(
    ("source", "statement", "words", "undone"),
    [
        ("mariadb-myisam", "drop table patient", GONE, None),
        ("mysql56", "rename table patient to patient_old", GONE, "rename table patient_old to patient"),
        (
            "mariadb-myisam",
            "alter table patient drop LName",
            ALTERED,
            "alter table patient add LName varchar(40) not null after PatNum",
        ),
        (
            "mysql56",
            "alter table patient change LName LastName varchar(40) not null",
            ALTERED,
            "alter table patient change LastName LName varchar(40) not null",
        ),
    ],
    indirect=["source"],
)
def test_a_table_that_goes_while_it_is_read(
    source: SourceDatabase, warehouse: WarehouseDatabase, statement: str, words: str, undone: str | None
) -> None:
    """What a read still needs is gone before its next chunk: the table fails, and the warehouse holds what it held."""
    with scene_of(source, warehouse, strategy="incremental") as scene:
        scene.loaded()
        assert (3, {"patient": f"table `patient`: {words}"}) == between_chunks(scene, statement)
        assert scene.kept["rows"] == scene.rows()
        if undone is None:
            assert (0, {}) == scene.ends(scene.running.run)
            assert scene.kept["rows"] == scene.rows()
        else:
            source.execute(undone)
            scene.recovers()


@pytest.mark.parametrize(
    ("source", "statement"),
    [
        (
            "mariadb-myisam",
            "alter table patient modify LName varchar(80) not null, add Age int not null default 3",
        ),
        ("mysql56", "rename table patient to patient_old, patient_new to patient"),
    ],
    indirect=["source"],
)
def test_a_table_that_becomes_another_one_while_it_is_read(
    source: SourceDatabase, warehouse: WarehouseDatabase, statement: str
) -> None:
    """What a read does not notice, the next run mends: a wider column and a new one, and a table in its place."""
    with scene_of(source, warehouse, strategy="incremental") as scene:
        source.execute(
            "create table patient_new like patient",
            "insert into patient_new select PatNum, concat(LName, '?'), Note, DateTStamp from patient",
        )
        scene.loaded()
        ended = between_chunks(scene, statement)
        assert (0, {}) == ended
        source.execute("drop table if exists patient_old, patient_new")
        scene.recovers(recovered=True)


@ONE_KIND
def test_a_snapshot_keeps_a_table_as_it_is(source: SourceDatabase, warehouse: WarehouseDatabase) -> None:
    """On InnoDB, who drops a table waits for the chunks that are left: all rows arrive, the proof comes too late."""
    with scene_of(source, warehouse, strategy="incremental") as scene:
        scene.loaded()
        rows = source.rows("select PatNum, LName from patient where PatNum <> 20 order by PatNum")
        assert (3, {"patient": f"table `patient`: {GONE}"}) == between_chunks(scene, "drop table patient")
        assert rows == warehouse.rows(
            'select "PatNum", "LName" from raw.patient where "PatNum" <> 20 order by 1'
        )
        assert [] == source.rows("show tables like 'patient'")


@pytest.mark.parametrize("source", ["mariadb-myisam", "mysql56"], indirect=True)
def test_a_right_that_is_taken_away(source: SourceDatabase, warehouse: WarehouseDatabase) -> None:
    """A table that must not be read any more fails in the middle of a read, and is not called gone afterwards."""
    url = make_url(source.url).set(username="guest", password=GUEST)
    hosts = ("guest@127.0.0.1", "guest@localhost")
    grants = [f"grant select on {table} to {host}" for table in ("patient", "visit") for host in hosts]
    with scene_of(
        source,
        warehouse,
        strategy="incremental",
        source_url=url.render_as_string(hide_password=False),
        prepare=[f"{each} identified by '{GUEST}'" for each in grants],
    ) as scene:
        scene.loaded()

        words = "table `patient`: the user may not read it; grant SELECT on it (source error 1142)"
        with scene.watched(source_changes=True):
            with held(source):
                work = Background(lambda: scene.ends(scene.running.run))
                arrive_in_source(work, source)
                source.execute(*(f"revoke select on patient from {host}" for host in hosts))
            assert (3, {"patient": words}) == work.result()
        scene.untouched()
        assert (
            3,
            {
                "patient": f"The server shows this user no table `patient` in the database `{source.name}`, and does "
                f"not tell whether there is one. Let an administrator GRANT SELECT on the database `{source.name}`, "
                "or check the name; `etlkit analyze` lists its tables."
            },
        ) == scene.ends(scene.running.run)
        source.execute(*(f"grant select on patient to {host}" for host in hosts))
        scene.recovers()
    source.execute(*(f"drop user {host}" for host in hosts))


@pytest.mark.parametrize("source", ["mysql56"], indirect=True)
def test_a_restored_backup_on_another_host(
    source: SourceDatabase, make_source: Callable[[str], SourceDatabase], warehouse: WarehouseDatabase
) -> None:
    """A clinic moved to another server, from a backup that is older than the last load: one run makes all equal."""
    moved = make_source("mariadb-innodb")
    with scene_of(source, warehouse, strategy="incremental") as scene:
        scene.loaded()
        assert 0 == scene.running.run()
    with scene_of(
        moved,
        warehouse,
        strategy="incremental",
        prepare=["update patient set LName = concat(LName, ' as it was'), DateTStamp = '2023-12-31'"],
    ) as scene:
        with scene.watched():
            ended = scene.ends(scene.running.run)
        assert (
            1,
            (
                "schema `raw` was loaded from another source: the server was a MySQL and is a MariaDB; the database "
                f"was `{source.name}` and is `{moved.name}`. Nothing was read. When the clinic's database moved, "
                "`etlkit run --accept-source` goes on with it and reads every row once; another clinic needs another "
                "`warehouse.schema` in etlkit.yml"
            ),
        ) == ended
        assert 0 == scene.running.run(accept_source=True)
        scene.recovers()
