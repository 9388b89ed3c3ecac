"""The warehouse fails in the middle of a load: what is told, what is kept, and that the next run makes all equal."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import attrs
import psycopg2
import pytest
from sqlalchemy.engine import make_url

from etlkit.demo import PrivatePostgres
from etlkit.demo.accounts import ServerAccount
from etlkit.loading import patient_lock
from support.background import Background
from support.breakpoints import on_rows, on_rows_of_new, waiting_at
from support.databases import SourceDatabase, WarehouseDatabase, warehouse_database
from support.scene import ROWS, Scene, scene_of

pytestmark = pytest.mark.parametrize("source", ["mariadb-innodb"], indirect=True)

PLACES = {
    "in the middle of COPY": on_rows_of_new("pg_temp.etlkit_stage", "NEW::text LIKE '(40,%'"),
    "while rows are changed": on_rows("UPDATE", "raw.patient", 'NEW."PatNum" = 40'),
    "before COMMIT": on_rows(
        "INSERT", "etlkit.table_loads", "NEW.table_name = 'patient' AND NEW.error IS NULL"
    ),
}
WAITS = "select pid from pg_locks where locktype = 'advisory' and not granted"
ON_A_ROW = "select 1 from pg_locks where locktype = 'transactionid' and not granted"
KEPT = "nothing of this load was kept"
LEDGER = "the ledger in the warehouse's schema `etlkit`"
BROKEN = "warehouse table `raw.patient`: the connection to the warehouse broke before it confirmed anything; run again"


def meanwhile(scene: Scene, place: str, fault: Callable[[int], None]) -> tuple[int, object]:
    """Carry out a run, and a fault while it waits at a place; the fault is given the backend's number."""
    with scene.watched(), waiting_at(scene.warehouse, place):
        work = Background(lambda: scene.ends(scene.running.run))
        work.reaches(lambda: bool(scene.warehouse.rows(WAITS)))
        fault(scene.warehouse.value(WAITS))
        return work.result()


@pytest.mark.parametrize("place", PLACES.values(), ids=PLACES)
def test_a_backend_that_is_terminated(
    source: SourceDatabase, warehouse: WarehouseDatabase, capfd: pytest.CaptureFixture[str], place: str
) -> None:
    """An administrator who ends our connection costs one table one load, wherever that load is; no row is printed."""
    with scene_of(source, warehouse) as scene:
        scene.loaded()
        ended = meanwhile(scene, place, lambda pid: warehouse.execute(f"select pg_terminate_backend({pid})"))
        assert (3, {"patient": BROKEN}) == ended
        scene.untouched()
        scene.recovers()
    assert "" == capfd.readouterr().err


def test_a_statement_that_is_cancelled(source: SourceDatabase, warehouse: WarehouseDatabase) -> None:
    """A statement that somebody cancels, or a limit of the server, is told apart from a lost connection."""
    with scene_of(source, warehouse) as scene:
        scene.loaded()
        words = "the statement was cancelled there; run again"
        ended = meanwhile(
            scene,
            PLACES["while rows are changed"],
            lambda pid: warehouse.execute(f"select pg_cancel_backend({pid})"),
        )
        assert (
            3,
            {"patient": f"warehouse table `raw.patient`: {words}; {KEPT} (sqlstate 57014, query_canceled)"},
        ) == ended
        scene.untouched()
        scene.recovers()


@pytest.fixture(scope="module")
def private_postgres(server_folder: Path) -> Iterator[PrivatePostgres]:
    """A server that may be stopped, and that keeps what it says it has kept."""
    with PrivatePostgres(server_folder / "ownpg") as server:
        yield server


@pytest.fixture
def own_warehouse(private_postgres: PrivatePostgres) -> Iterator[WarehouseDatabase]:
    """A database on that server."""
    private_postgres.start()
    with warehouse_database(private_postgres) as made:
        yield made


def crash(warehouse: WarehouseDatabase) -> None:
    """Stop a server as `pg_ctl stop -m immediate` does: nothing is written down any more."""
    pid = warehouse.server.pid
    assert pid is not None
    os.kill(pid, signal.SIGQUIT)
    warehouse.server.stop()
    warehouse.engine.dispose()


@pytest.mark.parametrize("place", ["in the middle of COPY", "before COMMIT"])
# So many that a slow machine has time to start a server.
@pytest.mark.parametrize("retries", [0, 8])
def test_an_immediate_restart(
    source: SourceDatabase, own_warehouse: WarehouseDatabase, place: str, retries: int
) -> None:
    """A warehouse that crashes has lost what was not committed; the same run loads it after all, or the next one."""
    with scene_of(source, own_warehouse, retries=retries) as scene:
        scene.loaded()

        def restart(_: int) -> None:
            crash(own_warehouse)
            own_warehouse.server.start()

        ended = meanwhile(scene, PLACES[place], restart)
        if retries:
            assert (0, {}) == ended
        else:
            assert BROKEN == scene.errors()["patient"]
        scene.recovers(recovered=bool(retries))


def test_a_warehouse_that_stays_away(source: SourceDatabase, own_warehouse: WarehouseDatabase) -> None:
    """Without its warehouse a run says so, and ends."""
    with scene_of(source, own_warehouse) as scene:
        scene.loaded()
        with scene.watched(), waiting_at(own_warehouse, PLACES["in the middle of COPY"]):
            work = Background(lambda: scene.ends(scene.running.run))
            work.reaches(lambda: bool(own_warehouse.rows(WAITS)))
            crash(own_warehouse)
            try:
                ended = work.result()
            finally:
                own_warehouse.server.start()
        place = f"127.0.0.1:{own_warehouse.server.access.port}"
        # It may still be dying when it is asked.
        away = {
            f"warehouse: no server answers at {place} (connection refused); start it, or correct `warehouse.url`",
            f"warehouse: {place} broke the connection while it was being set up; try again",
            f"warehouse: {place} is starting or stopping; try again in a minute",
        }
        code, said = ended
        assert 1 == code
        assert said in away
        assert ["patient", "visit"] == sorted(scene.errors())
        assert BROKEN == scene.errors()["patient"]
        scene.untouched()
        scene.recovers()


def test_a_reader_that_holds_the_table(
    source: SourceDatabase, warehouse: WarehouseDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the table itself must change, a reader that never ends its transaction is waited for so long, no longer."""
    monkeypatch.setattr(patient_lock, "_PATIENCE", 0.6)
    with scene_of(source, warehouse) as scene:
        scene.loaded()
        source.execute("alter table patient add Age int not null default 3")
        scene.remember()
        reader = psycopg2.connect(warehouse.url)
        with scene.watched(), reader.cursor() as cursor:
            cursor.execute("select count(*) from raw.patient")
            ended = scene.ends(scene.running.run)
            reader.close()
        words = "somebody else holds a lock on the table; run again when it is free"
        assert (
            3,
            {
                "patient": f"warehouse table `raw.patient`: {words}; {KEPT} (sqlstate 55P03, lock_not_available)"
            },
        ) == ended
        scene.untouched()
        scene.recovers()


@pytest.mark.parametrize("retries", [0, 2])
def test_a_deadlock(source: SourceDatabase, warehouse: WarehouseDatabase, retries: int) -> None:
    """A load that is chosen as the victim of a deadlock keeps nothing, and by default is done again at once."""
    warehouse.execute(f"alter database {warehouse.name} set deadlock_timeout = '20ms'")
    other = psycopg2.connect(warehouse.url)
    try:
        with scene_of(source, warehouse, retries=retries) as scene, other.cursor() as cursor:
            scene.loaded()
            # Whoever waits longest before it looks for a deadlock is not its victim.
            cursor.execute("set deadlock_timeout = '60s'")
            cursor.execute("select 1 from etlkit.table_state where table_name = 'patient' for update")

            def change() -> None:
                cursor.execute('update raw.patient set "LName" = \'\' where "PatNum" = 31')
                other.rollback()

            with scene.watched():
                with waiting_at(warehouse, on_rows("INSERT", "raw.patient", f'NEW."PatNum" > {ROWS}')):
                    work = Background(lambda: scene.ends(scene.running.run))
                    work.reaches(lambda: bool(warehouse.rows(WAITS)))
                    blocked = Background(change)
                    blocked.reaches(lambda: bool(warehouse.rows(ON_A_ROW)))
                blocked.result()
                ended = work.result()
            words = "the warehouse chose it as victim of a deadlock; run again"
            failed = f"warehouse table `raw.patient`: {words}; {KEPT} (sqlstate 40P01, deadlock_detected)"
            assert ((0, {}) if retries else (3, {"patient": failed})) == ended
            if not retries:
                scene.untouched()
            scene.recovers(recovered=bool(retries))
    finally:
        other.close()


@contextmanager
def small_file_system(folder: Path, megabytes: int) -> Iterator[Path]:
    """Mount a file system of a size; the test is skipped where this machine does not let us."""
    folder.mkdir()
    mount = shutil.which("mount")
    made = mount and subprocess.run(
        [mount, "-t", "tmpfs", "-o", f"size={megabytes}m,mode=0711", "etlkit-tests", str(folder)],
        check=False,
        capture_output=True,
    )
    if not made or made.returncode:
        pytest.skip(
            "the right to mount a file system (root, CAP_SYS_ADMIN) is missing: no disk can be made full"
        )
    try:
        yield folder
    finally:
        subprocess.run([f"{mount[:-5]}umount", "-l", str(folder)], check=True)


@pytest.fixture(scope="module")
def small_disk(server_folder: Path, postgres: PrivatePostgres) -> Iterator[Path]:
    """A disk of 24 MB with a tablespace `small` on it."""
    with small_file_system(server_folder / "small", 24) as disk:
        account = ServerAccount.for_folder(postgres.data_folder)
        (disk / "tables").mkdir()
        account.own(disk / "tables", 0o700)
        connection = postgres.connect()
        try:
            with connection.cursor() as cursor:
                cursor.execute("create tablespace small location %s", (str(disk / "tables"),))
                yield disk
                cursor.execute("drop tablespace small")
        finally:
            connection.close()


def test_a_full_disk(source: SourceDatabase, warehouse: WarehouseDatabase, small_disk: Path) -> None:
    """When the warehouse's disk is full, the run stops at once, and nothing of the table is kept or lost."""
    warehouse.execute(
        f"alter database {warehouse.name} set default_tablespace = small",
        f"alter database {warehouse.name} set temp_tablespaces = small",
    )
    warehouse.engine.dispose()
    with scene_of(source, warehouse) as scene:
        scene.loaded()
        # What cannot be compressed.
        source.execute(
            "update patient set Note = (select group_concat(sha2(concat(PatNum, seq), 512) separator '') "
            "from seq_1_to_100)"
        )
        scene.remember()
        ballast = small_disk / "ballast"
        with scene.watched():
            with ballast.open("wb") as file:
                file.truncate()
                free = os.statvfs(small_disk)
                os.posix_fallocate(file.fileno(), 0, free.f_bavail * free.f_frsize - 64 * 1024)
            ended = scene.ends(scene.running.run)
            ballast.unlink()
        full = (
            "warehouse table `raw.patient`: the warehouse's disk is full; free some of it and run again; "
            f"{KEPT} (sqlstate 53100, disk_full)"
        )
        not_tried = "table `visit` was not tried, since another one showed that none can be loaded: "
        assert (3, {"patient": full, "visit": not_tried + full}) == ended
        scene.untouched()
        scene.recovers()


def test_a_read_only_warehouse(source: SourceDatabase, warehouse: WarehouseDatabase) -> None:
    """A warehouse that became a standby ends the run before anything is read."""
    with scene_of(source, warehouse) as scene:
        scene.loaded()
        scene.running.deployment.connections.close()
        with scene.watched():
            warehouse.execute(f"alter database {warehouse.name} set default_transaction_read_only = on")
            ended = scene.ends(scene.running.run)
            scene.running.deployment.connections.close()
            warehouse.execute(
                "set default_transaction_read_only = off; "
                f"alter database {warehouse.name} reset default_transaction_read_only"
            )
        words = "the warehouse is read-only; connect to its primary server; nothing was written"
        assert (1, f"{LEDGER}: {words} (sqlstate 25006, read_only_sql_transaction)") == ended
        scene.untouched()
        scene.recovers()


LACKS = (
    "the user lacks a privilege; grant it USAGE and CREATE on the schemas, TEMPORARY on the database, and ownership of "
    "the tables; {kept} (sqlstate 42501, insufficient_privilege)"
)


@pytest.mark.parametrize(
    ("taken", "given", "expected"),
    [
        ("alter table raw.patient owner to etlkit", "alter table raw.patient owner to {user}", ["patient"]),
        (
            "revoke usage on schema raw from {user}",
            "grant usage on schema raw to {user}",
            ["patient", "visit"],
        ),
        ("revoke usage on schema etlkit from {user}", "grant usage on schema etlkit to {user}", None),
    ],
    ids=["a table", "the schema", "the ledger"],
)
def test_a_missing_privilege(
    source: SourceDatabase, warehouse: WarehouseDatabase, taken: str, given: str, expected: list[str] | None
) -> None:
    """A right that was taken away is told with where it is missing; once it is given back, everything arrives."""
    user = f"loader_{warehouse.name}"
    url = make_url(warehouse.url).set(username=user, password=user)
    warehouse.execute(f"create role {user} login password '{user}'")
    for schema in ("etlkit", "raw"):
        warehouse.execute(f"create schema {schema}", f"grant usage, create on schema {schema} to {user}")
    try:
        as_user = attrs.evolve(warehouse, url=url.render_as_string(hide_password=False))
        with scene_of(source, as_user) as scene:
            # Only the run is this user's.
            scene.warehouse = scene.running.warehouse = warehouse
            scene.loaded()
            warehouse.execute(taken.format(user=user))
            with scene.watched():
                ended = scene.ends(scene.running.run)
            warehouse.execute(given.format(user=user))
            if expected is None:
                assert (1, f"{LEDGER}: {LACKS.format(kept='nothing was written')}") == ended
            else:
                words = LACKS.format(kept=KEPT)
                assert (3, {name: f"warehouse table `raw.{name}`: {words}" for name in expected}) == ended
            scene.untouched()
            scene.recovers()
    finally:
        warehouse.execute(f"drop owned by {user} cascade", f"drop role {user}")
