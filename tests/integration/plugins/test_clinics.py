"""The clinics of `examples/clinics`: the same distributions, other sets of plugins, and a lock for each."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import attrs
import pytest
import yaml

from support.databases import SourceDatabase, WarehouseDatabase
from support.new_user import ROOT, NewUser

CLINICS = ROOT / "examples" / "clinics"
RELEASES = [*sorted((CLINICS / "plugins").iterdir()), ROOT / "examples" / "plugin-distribution"]
TABLES = (
    (
        "create table patient (PatNum bigint not null primary key, SSN varchar(100) not null, "
        "WirelessPhone varchar(30) not null, Email varchar(100) not null)"
    ),
    "insert into patient values (1, '123456789', '(503)555-0142', 'a@b@example.com'), (2, '', '', 'none')",
    "create table appointment (AptNum bigint not null primary key, AptDateTime datetime not null)",
    "insert into appointment values (1, '2020-01-01'), (2, now())",
    "create table recall (RecallNum bigint not null primary key)",
    "create table walkinlist (WalkInNum bigint not null primary key)",
)


@attrs.frozen(kw_only=True)
class Side:
    """One clinic of the two."""

    name: str
    user: NewUser
    folder: Path
    """The deployment."""
    installed: Path
    """Where its plugins are installed; the environment behind it has etlkit and no other plugin."""
    source: SourceDatabase
    warehouse: WarehouseDatabase

    def etlkit(
        self, *arguments: str, plugins_of: Side | None = None, started: list[subprocess.Popen[str]]
    ) -> None:
        """Start a command, and let it run beside others."""
        env = {
            **self.user.env,
            "ETLKIT_SOURCE_URL": self.source.reader_url,
            "ETLKIT_WAREHOUSE_URL": self.warehouse.url,
            "PYTHONPATH": str((plugins_of or self).installed),
        }
        started.append(
            subprocess.Popen(
                [self.user.home / "bin" / "etlkit", *arguments, "-C", str(self.folder)],
                env=env,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
            )
        )

    def column(self, name: str) -> list[str | None]:
        """The values of one of the patients' columns in the warehouse."""
        return [row[0] for row in self.warehouse.rows(f'select "{name}" from raw.patient order by "PatNum"')]


def ended(started: list[subprocess.Popen[str]]) -> list[tuple[int | None, str]]:
    """Wait for commands; gives exit codes and messages."""
    told = [each.communicate(timeout=60) for each in started]
    return [(each.returncode, errors) for each, (_, errors) in zip(started, told, strict=True)]


@pytest.fixture(scope="module")
def wheels(user: NewUser, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """All releases, as a package index would offer them."""
    folder = tmp_path_factory.mktemp("releases")
    # A build leaves files beside the sources, so copies are built.
    ignored = shutil.ignore_patterns("build", "*.egg-info", "__pycache__")
    for each in RELEASES:
        # One after the other: pip does not build two releases of one distribution at once.
        copy = shutil.copytree(each, folder / each.name, ignore=ignored)
        user.done(f"pip wheel --no-deps --wheel-dir wheels {copy}", folder)
    return folder / "wheels"


def set_up(name: str, user: NewUser, wheels: Path, folder: Path, **databases: object) -> Side:
    """Install what a clinic's `requirements.txt` names, and copy its configuration."""
    deployment = folder / name
    deployment.mkdir()
    shutil.copy(CLINICS / name / "etlkit.yml", deployment)
    chosen = (CLINICS / name / "requirements.txt").read_text(encoding="utf-8").splitlines()
    plugins = " ".join(each for each in chosen if not each.startswith("etlkit-core=="))
    user.done(f"pip install --no-deps --find-links {wheels} --target installed/{name} {plugins}", folder)
    return Side(name=name, user=user, folder=deployment, installed=folder / "installed" / name, **databases)  # type: ignore[arg-type]


def test_two_clinics_side_by_side(
    user: NewUser,
    wheels: Path,
    make_source: Callable[[str], SourceDatabase],
    make_warehouse: Callable[[], WarehouseDatabase],
    tmp_path: Path,
) -> None:
    """Each clinic's data are what its own plugins make of them, and neither runs with the other's plugins."""
    sides = []
    for name, kind in (("north", "mariadb-innodb"), ("harbor", "mariadb-myisam")):
        source = make_source(kind)
        source.execute(*TABLES)
        sides.append(set_up(name, user, wheels, tmp_path, source=source, warehouse=make_warehouse()))
    north, harbor = sides
    for command in (("plugins", "lock"), ("analyze", "--locked"), ("run", "--locked")):
        started: list[subprocess.Popen[str]] = []
        for side in sides:
            side.etlkit(*command, started=started)
        done = ended(started)
        assert [0, 0] == [code for code, _ in done], done

    assert (["***-**-6789", ""], ["(503)***", None]) == (north.column("SSN"), north.column("WirelessPhone"))
    assert ["a@b@example.com", "none"] == north.column("Email")
    assert (["***@example.com", None], ["(503)***", None]) == (
        harbor.column("Email"),
        harbor.column("WirelessPhone"),
    )
    columns = "select column_name from information_schema.columns where table_schema = 'raw' and table_name = 'patient'"
    assert {("PatNum",), ("WirelessPhone",), ("Email",)} == set(harbor.warehouse.rows(columns))
    loads = "select table_name, strategy, importance from etlkit.table_loads where table_name <> 'patient' order by 1"
    assert [
        ("appointment", "recent_by_date", "critical"),
        ("recall", "full_table", "critical"),
        ("walkinlist", "full_table", "front_desk"),
    ] == north.warehouse.rows(loads)
    assert [
        ("appointment", "full_table", "critical"),
        ("recall", "full_table", "critical"),
        ("walkinlist", "full_table", "standard"),
    ] == harbor.warehouse.rows(loads)

    started = []
    north.etlkit("run", plugins_of=harbor, started=started)
    harbor.etlkit("run", plugins_of=north, started=started)
    locked = {side.name: digest(side) for side in sides}
    assert [
        (6, refused(north, ("1.0", locked["north"]), ("1.1", locked["harbor"]))),
        (6, refused(harbor, ("1.1", locked["harbor"]), ("1.0", locked["north"]))),
    ] == ended(started)
    assert [[(1,)], [(1,)]] == [side.warehouse.rows("select count(*) from etlkit.runs") for side in sides]


def digest(side: Side) -> str:
    """The first digits of the group's release, as a clinic locked it."""
    lock = yaml.safe_load((side.folder / "plugins.lock.yml").read_text(encoding="utf-8"))
    content: str = lock["distributions"]["lakeside-rules"]["sha256"]
    return content[:12]


def refused(side: Side, locked: tuple[str, str], there: tuple[str, str]) -> str:
    """What a run says that finds another release than the locked one."""
    return (
        f"Error: {side.folder}/plugins.lock.yml: the plugins are not those that are locked:\n"
        f"  lakeside-rules: locked is version {locked[0]}, there is version {there[0]}\n"
        f"  lakeside-rules: locked is content {locked[1]}, there is content {there[1]}\n"
        f"install what is locked, or accept what is there by `etlkit plugins lock -C {side.folder}`; "
        "nothing was read from the source\n"
    )


def test_the_pins_are_releases_that_are_there(wheels: Path) -> None:
    """Each distribution that a clinic names is built here, in the version that it names."""
    there = {"-".join(each.name.split("-")[:2]).replace("_", "-") for each in wheels.iterdir()}
    for name in ("north", "harbor"):
        pins = (CLINICS / name / "requirements.txt").read_text(encoding="utf-8").split()
        assert "etlkit-core==0.1.0" == pins.pop(0)
        assert [] == [each for each in pins if each.replace("==", "-") not in there]


def test_set_up_is_written_for_bash() -> None:
    """The shell code can be read by bash, and names only files that are there."""
    for path in CLINICS.glob("*.sh"):
        assert 0 == subprocess.run(["/bin/bash", "-n", path], check=False).returncode
        for source in re.findall(
            r"^# shellcheck source=(.*)$", path.read_text(encoding="utf-8"), re.MULTILINE
        ):
            assert (ROOT / source).is_file()
