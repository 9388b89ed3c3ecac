"""A plugin for pytest: real servers for the contracts, and a registry that looks for no installed distribution.

A test module or the topmost conftest.py says `pytest_plugins = ["etlkit.testing.fixtures"]`. Servers are started once a
session, when the first test asks for one, unless `ETLKIT_TEST_SOURCE_URL` (one or several, separated by blanks) and
`ETLKIT_TEST_WAREHOUSE_URL` name some that are there; each test gets a database of its own on them, which is dropped at
its end. Where no server can be had, the tests that need one are skipped, and say what is missing.
"""

from __future__ import annotations

import importlib.metadata
import os
import tempfile
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import NoReturn

import attrs
import pytest
import sqlalchemy as sa
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import DBAPIError

from etlkit.demo import PrivateMariaDB, PrivatePostgres, PrivateServer
from etlkit.errors import PrivateServerError
from etlkit.registry import Registry

SOURCE_VARIABLE = "ETLKIT_TEST_SOURCE_URL"
"""Names a MySQL or MariaDB on which tests may make databases; or several, separated by blanks."""
WAREHOUSE_VARIABLE = "ETLKIT_TEST_WAREHOUSE_URL"
"""Names a PostgreSQL on which tests may make databases."""

# Nobody misses the data of a test after a power cut.
_MARIADB = {
    "innodb-flush-log-at-trx-commit": "0",
    "innodb-flush-method": "nosync",
    "innodb-log-file-size": "48M",
}
_POSTGRES = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
_SOURCES = os.environ.get(SOURCE_VARIABLE, "").split()


def _numbered(url: str) -> str:
    # Not the URL itself, which holds a password.
    return f"source{_SOURCES.index(url) + 1}"


@attrs.frozen(kw_only=True)
class EmptyDatabase:
    """A database of one test's own."""

    url: str = attrs.field(repr=False)
    """Its URL as a person writes it, password included."""


@pytest.fixture(scope="session")
def etlkit_server_folder() -> Iterator[Path]:
    """A folder for servers, which their own users can pass through: servers refuse to run as root."""
    with tempfile.TemporaryDirectory(prefix="etlkit-", ignore_cleanup_errors=True) as name:
        Path(name).chmod(0o711)
        yield Path(name)


@pytest.fixture(scope="session", params=_SOURCES if len(_SOURCES) > 1 else None, ids=_numbered)
def etlkit_source_server(request: pytest.FixtureRequest) -> Iterator[str]:
    """URL of a server of the MySQL family; a test runs once for each one given."""
    if _SOURCES:
        yield getattr(request, "param", _SOURCES[0])
        return
    folder: Path = request.getfixturevalue("etlkit_server_folder")
    server = PrivateMariaDB(folder / "mariadb", settings=_MARIADB)
    with _running(server, SOURCE_VARIABLE):
        yield server.url


@pytest.fixture(scope="session")
def etlkit_warehouse_server(request: pytest.FixtureRequest) -> Iterator[str]:
    """URL of a PostgreSQL."""
    given = os.environ.get(WAREHOUSE_VARIABLE)
    if given:
        yield given
        return
    folder: Path = request.getfixturevalue("etlkit_server_folder")
    server = PrivatePostgres(folder / "postgres", settings=_POSTGRES)
    with _running(server, WAREHOUSE_VARIABLE):
        yield server.url


@pytest.fixture
def etlkit_source(etlkit_source_server: str) -> Iterator[EmptyDatabase]:
    """An empty database in the source, for this test."""
    url = make_url(etlkit_source_server)
    with _database(url.set(drivername="mysql+pymysql"), "mysql", " CHARACTER SET utf8mb4", "") as made:
        yield made


@pytest.fixture
def etlkit_warehouse(etlkit_warehouse_server: str) -> Iterator[EmptyDatabase]:
    """An empty database in the warehouse, for this test."""
    url = make_url(etlkit_warehouse_server)
    with _database(url.set(drivername="postgresql+psycopg2"), "postgresql", "", " WITH (FORCE)") as made:
        yield made


@pytest.fixture
def etlkit_registry(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Registry]:
    """A function that makes a registry of the modules given; whoever looks for installed plugins is refused."""

    def refuse(*_: object, **__: object) -> NoReturn:
        raise AssertionError(
            "this test uses `etlkit_registry`, so only the modules given to it are plugins, and something looked for "
            "installed distributions; pass the registry on, as `Deployment.of(settings, registry)` takes it"
        )

    for name in ("distributions", "entry_points"):
        monkeypatch.setattr(importlib.metadata, name, refuse)

    def registry(*modules: ModuleType) -> Registry:
        return Registry.of(*modules)

    return registry


@contextmanager
def _running(server: PrivateServer, variable: str) -> Iterator[None]:
    try:
        server.start()
    except PrivateServerError as error:
        pytest.skip(f"this contract needs a server. {error} Or name one that is there in {variable}.")
    try:
        yield
    finally:
        server.stop()


@contextmanager
def _database(server: URL, scheme: str, further: str, forced: str) -> Iterator[EmptyDatabase]:
    name = f"etlkit_test_{uuid.uuid4().hex[:12]}"
    engine = sa.create_engine(server, isolation_level="AUTOCOMMIT")
    quoted = engine.dialect.identifier_preparer.quote(name)
    try:
        try:
            _execute(engine, f"CREATE DATABASE {quoted}{further}")
        except DBAPIError as error:
            pytest.fail(
                f"no database can be made on {server.render_as_string()}: {error.orig}; the user must be allowed to",
                pytrace=False,
            )
        url = server.set(drivername=scheme, database=name)
        yield EmptyDatabase(url=url.render_as_string(hide_password=False))
        _execute(engine, f"DROP DATABASE {quoted}{forced}")
    finally:
        engine.dispose()


def _execute(engine: sa.Engine, statement: str) -> None:
    with engine.connect() as connection:
        connection.exec_driver_sql(statement)
