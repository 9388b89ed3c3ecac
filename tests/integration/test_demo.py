"""The quickstart's home and its command `python -m etlkit.demo`."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from etlkit.demo.__main__ import main
from etlkit.demo.home import QuickstartHome, default_home
from etlkit.demo.practice import planned_rows
from etlkit.errors import PrivateServerError

Demo = Callable[..., str]


@pytest.fixture(scope="module")
def home(server_folder: Path) -> Iterator[QuickstartHome]:
    """A home whose servers stop at the end."""
    made = QuickstartHome(folder=server_folder / "home")
    yield made
    made.stop()


@pytest.fixture
def demo(home: QuickstartHome) -> Demo:
    """Run the command in that home, and give what it printed."""

    def run(*arguments: str, exit_code: int = 0, **variables: str) -> str:
        environment = {name: value for name, value in os.environ.items() if not name.startswith("ETLKIT_")}
        done = subprocess.run(
            [sys.executable, "-m", "etlkit.demo", "--home", str(home.folder), *arguments],
            env={**environment, **variables},
            capture_output=True,
            text=True,
            check=False,
        )
        assert exit_code == done.returncode, done.stderr
        return done.stderr if exit_code else done.stdout

    return run


def test_life_of_a_quickstart(home: QuickstartHome, demo: Demo) -> None:
    """Start, practice, day, status and stop each say what they did; done twice, they find what is there."""
    assert f"Nothing runs in {home.folder}.\n" == demo("stop")
    demo("start")
    ports = [server.access.port for _, server in home.servers]
    assert (
        f"Found MariaDB on 127.0.0.1:{ports[0]} as the source.\n"
        f"Found PostgreSQL 16 on 127.0.0.1:{ports[1]} as the warehouse.\n"
    ) == demo("start")
    rows = sum(planned_rows(0.01).values())
    assert f"Created a practice: 80 tables with {rows:,} rows (InnoDB, seed 7).\n" == demo(
        "practice", "--scale", "0.01", "--seed", "7", "--engine", "InnoDB"
    )
    assert "Found the practice, 0 days old.\n" == demo("practice")
    assert demo("day", "--no-deletes").startswith(
        "Day 1 (2024-06-29) has passed in the practice: 674 rows inserted, "
    )
    assert "Found the practice, 1 days old.\n" == demo("practice")
    assert (
        f"The quickstart lives in {home.folder}.\n"
        f"The source is MariaDB on 127.0.0.1:{ports[0]}.\n"
        f"The warehouse is PostgreSQL 16 on 127.0.0.1:{ports[1]}.\n"
        f"Ask the warehouse: {home.query_command()}\n"
    ) == demo("status")
    assert "Stopped the source.\nStopped the warehouse.\n" == demo("stop")
    assert f"The source in {home.folder}/source does not run; start it: examples/quickstart/run.sh\n" == demo(
        "day", exit_code=1
    )
    assert (
        f"The quickstart lives in {home.folder}.\nThe source does not run.\nThe warehouse does not run.\n"
    ) == demo("status")


def test_deployment_finds_the_servers(home: QuickstartHome, demo: Demo) -> None:
    """The deployment's `.env` is for its owner only, and its source may only be read."""
    demo("start")
    file = home.deployment / ".env"
    assert 0o600 == stat.S_IMODE(file.stat().st_mode)
    _, source, warehouse = file.read_text().splitlines()
    assert f"ETLKIT_SOURCE_URL='{home.source_url}'" == source
    assert f"ETLKIT_WAREHOUSE_URL='{home.warehouse_url}'" == warehouse
    assert "mysql://reader:" in source
    assert home.source_url + "\n" == demo("show", "source")
    assert home.warehouse_url + "\n" == demo("show", "warehouse")
    assert f"{home.deployment}\n" == demo("show", "deployment")


def test_replica(server_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A replica that was asked for once is started each time, with a user who may fill it and do nothing else."""
    source, warehouse = "mysql://me@h/od", "postgresql://me@h/w"
    home = QuickstartHome(folder=server_folder / "copied", given_source=source, given_warehouse=warehouse)
    monkeypatch.setenv("ETLKIT_SOURCE_URL", source)
    monkeypatch.setenv("ETLKIT_WAREHOUSE_URL", warehouse)

    def demo(*arguments: str) -> str:
        return (
            CliRunner().invoke(main, ["--home", str(home.folder), *arguments], catch_exceptions=False).stdout
        )

    assert "\n" == demo("show", "replica")
    demo("start", "--replica")
    replica = home.replica
    assert replica is not None
    line = f"MariaDB on 127.0.0.1:{replica.access.port} as the replica.\n"
    assert demo("start").endswith(f"Found {line}")
    url = f"{home.replica_url}"
    assert f"ETLKIT_REPLICA_URL='{url}'" == (home.deployment / ".env").read_text().splitlines()[-1]
    assert f"{url}\n" == demo("show", "replica")
    with replica.connect() as connection, connection.cursor() as cursor:
        cursor.execute("show grants for copier@localhost")
        rights = [line for (line,) in cursor if "USAGE" not in line]
    privileges = "SELECT, INSERT, UPDATE, DELETE, CREATE, DROP, INDEX, ALTER, CREATE TEMPORARY TABLES"
    assert [f"GRANT {privileges} ON `opendental_copy`.* TO `copier`@`localhost`"] == rights
    assert "Stopped the replica.\n" == demo("stop")


def test_query_command_runs(demo: Demo) -> None:
    """The printed command line asks the warehouse as it stands."""
    demo("start")
    command = demo("show", "query").strip()
    done = subprocess.run(
        ["/bin/sh", "-c", command + " -Atc 'select 6 * 7'"], capture_output=True, text=True, check=True
    )
    assert "42\n" == done.stdout


def test_given_servers(server_folder: Path, demo: Demo) -> None:
    """Servers that the environment names are used, never started, and nothing is generated in them."""
    source, warehouse = "mysql://me:it's\\@h/od", "postgresql://me:p@h/w"
    given = {"ETLKIT_SOURCE_URL": source, "ETLKIT_WAREHOUSE_URL": warehouse}
    folder = server_folder / "given"
    home = QuickstartHome(folder=folder, given_source=source, given_warehouse=warehouse)
    assert (
        "The source is the one that ETLKIT_SOURCE_URL names.\n"
        "The warehouse is the one that ETLKIT_WAREHOUSE_URL names.\n"
    ) == demo("--home", str(folder), "start", **given)
    assert ["clinic"] == [each.name for each in folder.iterdir()]
    assert "ETLKIT_SOURCE_URL='mysql://me:it\\'s\\\\@h/od'" in (home.deployment / ".env").read_text()
    assert "\n" == demo("--home", str(folder), "show", "query", **given)
    assert ("ETLKIT_SOURCE_URL names a source of your own; nothing is generated or changed in it.\n") == demo(
        "practice", exit_code=1, **given
    )


def test_practice_needs_a_running_source(server_folder: Path) -> None:
    """Who asks for the practice's database before the start is told how to start."""
    home = QuickstartHome(folder=server_folder / "never")
    with pytest.raises(PrivateServerError) as caught:
        _ = home.practice_url
    assert (f"The source in {home.folder}/source does not run; start it: examples/quickstart/run.sh") == str(
        caught.value
    )


def test_default_home(monkeypatch: pytest.MonkeyPatch) -> None:
    """The home is under /var/lib for root, among the user's data for others, or where it is asked for."""
    monkeypatch.setattr("os.geteuid", lambda: 0)
    assert Path("/var/lib/etlkit-quickstart") == default_home({})
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    assert Path.home() / ".local/share/etlkit/quickstart" == default_home({})
    assert Path("/data/etlkit/quickstart") == default_home({"XDG_DATA_HOME": "/data"})
    assert Path("/elsewhere") == default_home({"ETLKIT_QUICKSTART_HOME": "/elsewhere", "XDG_DATA_HOME": "/x"})
