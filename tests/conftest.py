"""Fixtures: real servers, started once, and for each test empty databases of its own."""

from __future__ import annotations

import gc
import os
import signal
from collections.abc import Callable, Generator, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import TypeVar

import pytest

from etlkit.demo import PrivateMariaDB, PrivateMySQL, PrivatePostgres, PrivateServer
from etlkit.errors import PrivateServerMissing
from support import canary_watch
from support.databases import (
    KINDS,
    SourceDatabase,
    WarehouseDatabase,
    source_database,
    warehouse_database,
)
from support.mysql56 import PrivateMySQL56
from support.server_folders import server_folder_in

Server = TypeVar("Server", bound=PrivateServer)

# Nobody misses the data of a test after a power cut.
MYSQL_SETTINGS = {
    "innodb-flush-log-at-trx-commit": "0",
    "innodb-flush-method": "nosync",
    "innodb-log-file-size": "48M",
}
MYSQL56_SETTINGS = {**MYSQL_SETTINGS, "innodb-flush-method": "O_DIRECT", "performance-schema": "OFF"}
POSTGRES_SETTINGS = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "max_connections": "100",
    "log_line_prefix": "%a|",  # the watch for canaries tells the product's sessions from the tests' own
}


def pytest_configure(config: pytest.Config) -> None:
    """Let the programs under test notice Ctrl-C, and watch the whole suite for canaries."""
    # A shell lets what it starts in the background ignore it.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    canary_watch.register(config)


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """Spare the collector thousands of tests, which stay until the end: it would look through them again and again."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.collect()
        gc.freeze()
        gc.enable()


def pytest_report_header(config: pytest.Config) -> str:
    """Tell what random tests begin with, also when they pass."""
    rounds, seed = config.getoption("--soak-rounds", default=50), config.getoption("--soak-seed", default=1)
    return f"soak: {rounds} rounds, seed {seed}; kills: {config.getoption('--kills', default=100)}"


def pytest_addoption(parser: pytest.Parser) -> None:
    """Let the caller choose the PostgreSQL version."""
    parser.addoption(
        "--postgres",
        type=int,
        choices=[16, 18],
        default=16,
        help="version of the PostgreSQL that the tests write to",
    )


@pytest.fixture(scope="session")
def server_folder() -> Iterator[Path]:
    """A folder for servers, which their own users can pass through (pytest's cannot be)."""
    with server_folder_in(canary_watch.ORDINARY_FOLDER) as folder:
        yield folder


@pytest.fixture(scope="session")
def mariadb(server_folder: Path) -> Iterator[PrivateMariaDB]:
    """A MariaDB for the whole session."""
    yield from _running(PrivateMariaDB(server_folder / "mariadb", settings=MYSQL_SETTINGS))


@pytest.fixture(scope="session")
def mysql56(server_folder: Path) -> Iterator[PrivateMySQL56]:
    """A MySQL 5.6 for the whole session."""
    yield from _running(PrivateMySQL56(server_folder / "mysql56", settings=MYSQL56_SETTINGS))


@pytest.fixture(scope="session")
def postgres(server_folder: Path, pytestconfig: pytest.Config) -> Iterator[PrivatePostgres]:
    """A PostgreSQL for the whole session, version 16 unless `--postgres` says otherwise."""
    version = pytestconfig.getoption("--postgres")
    folder = server_folder / f"postgres{version}"
    yield from _running(PrivatePostgres(folder, version=version, settings=POSTGRES_SETTINGS))


@pytest.fixture
def make_source(request: pytest.FixtureRequest) -> Iterator[Callable[[str], SourceDatabase]]:
    """A function that makes one more empty source database of a kind, for this test."""
    with ExitStack() as stack:

        def make(kind: str) -> SourceDatabase:
            server: PrivateMySQL = request.getfixturevalue(kind.partition("-")[0])
            return stack.enter_context(source_database(server, kind))

        yield make


@pytest.fixture
def make_warehouse(postgres: PrivatePostgres) -> Iterator[Callable[[], WarehouseDatabase]]:
    """A function that makes one more empty warehouse database for this test."""
    with ExitStack() as stack:
        yield lambda: stack.enter_context(warehouse_database(postgres))


@pytest.fixture(params=list(KINDS))
def source(request: pytest.FixtureRequest, make_source: Callable[[str], SourceDatabase]) -> SourceDatabase:
    """An empty source database; the test runs once for every kind of source.

    A test that needs one kind only says so by
    `@pytest.mark.parametrize("source", ["mariadb-innodb"], indirect=True)`.
    """
    return make_source(request.param)


@pytest.fixture
def warehouse(make_warehouse: Callable[[], WarehouseDatabase]) -> WarehouseDatabase:
    """An empty warehouse database."""
    return make_warehouse()


def _running(server: Server) -> Iterator[Server]:
    try:
        server.start()
    except PrivateServerMissing as missing:
        if os.environ.get("ETLKIT_TESTS_ALLOW_MISSING") == "1":
            pytest.skip(str(missing))
        pytest.fail(str(missing), pytrace=False)
    canary_watch.WATCH.add_server(server)
    yield server
    server.stop()
