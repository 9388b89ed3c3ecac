"""Any password works from every place it may stand in, and is seen in none where it should not be."""

from __future__ import annotations

import copy
import pickle
import shlex
import subprocess
import sys
import traceback
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from urllib.parse import quote

import attrs
import psycopg2.sql
import pytest
from sqlalchemy import make_url

from etlkit.config import Settings
from etlkit.connections import ConnectionFactory
from etlkit.errors import ConnectionFailed
from support.clinic import Clinic
from support.databases import SourceDatabase, WarehouseDatabase
from support.locks import locked_in_warehouse

PASSWORDS = [
    """sp ace'"@/:%#\\ü""",
    " blanks around ",
    "%41%zz%",
    "${HOME}$$(id)`id`",
    "#comment: [yaml, {a: b}] & *x !y | > -",
    "'single' \"double\" \\n \\",
    "a=b;c&d?e+f,g~h^i",
    "🦷日本語é",
    "x" * 70,
]
"""Characters that mean something in an address, to a shell, in YAML, in `.env`, in SQL, to a driver."""
ONE_KIND = pytest.mark.parametrize("source", ["mariadb-innodb", "mysql56"], indirect=True)

Place = Callable[[Path, str, str], tuple[str, Mapping[str, str]]]


def in_environment(_: Path, section: str, password: str) -> tuple[str, Mapping[str, str]]:
    """As a part of the address that a variable holds."""
    return f'url: "${{{section}}}"', {section: password}


def in_dotenv(folder: Path, section: str, password: str) -> tuple[str, Mapping[str, str]]:
    """The same in `.env`."""
    with (folder / ".env").open("a") as file:
        file.write(f"{section}='{password}'\n")
    return f'url: "${{{section}}}"', {}


def in_file(folder: Path, section: str, password: str) -> tuple[str, Mapping[str, str]]:
    """As it is in a file."""
    path = folder / f"pw {section}"
    path.write_text(password + "\n")
    path.chmod(0o600)
    return f'url: "${{BARE_{section}}}"\n  password_file: "{path.name}"', {}


def of_command(folder: Path, section: str, password: str) -> tuple[str, Mapping[str, str]]:
    """As the output of a command."""
    in_file(folder, section, password)
    command = f"cat {shlex.quote(str(folder / f'pw {section}'))}"
    return f'url: "${{BARE_{section}}}"\n  password_command: "{command}"', {}


@pytest.fixture
def role(warehouse: WarehouseDatabase) -> Iterator[str]:
    """A user of the warehouse without password."""
    name = f"odd_{warehouse.name}"
    connection = warehouse.server.connect()
    with connection.cursor() as cursor:
        cursor.execute(psycopg2.sql.SQL("create role {} login").format(psycopg2.sql.Identifier(name)))
        yield name
        cursor.execute(psycopg2.sql.SQL("drop role {}").format(psycopg2.sql.Identifier(name)))
    connection.close()


@pytest.fixture
def user(source: SourceDatabase) -> Iterator[str]:
    """A user of the source without password."""
    with source.server.connect() as connection, connection.cursor() as cursor:
        cursor.execute("create user 'odd_one'@'127.0.0.1'")
        cursor.execute(f"grant select on `{source.name}`.* to 'odd_one'@'127.0.0.1'")
        yield "odd_one"
        cursor.execute("drop user 'odd_one'@'127.0.0.1'")


@ONE_KIND
def test_every_password_from_every_place(
    tmp_path: Path, source: SourceDatabase, warehouse: WarehouseDatabase, role: str, user: str
) -> None:
    """Both servers accept each password from address, `.env`, file and command."""
    there = {
        "source": (f"mysql://{user}", f"127.0.0.1:{make_url(source.url).port}/{source.name}"),
        "warehouse": (f"postgresql://{role}", f"127.0.0.1:{make_url(warehouse.url).port}/{warehouse.name}"),
    }
    for number, password in enumerate(PASSWORDS):
        with source.server.connect() as connection, connection.cursor() as cursor:
            cursor.execute("set password for 'odd_one'@'127.0.0.1' = password(%s)", (password,))
        with warehouse.server.connect() as admin, admin.cursor() as cursor:
            alter = psycopg2.sql.SQL("alter role {} password %s").format(psycopg2.sql.Identifier(role))
            cursor.execute(alter, (password,))
        for place in (in_environment, in_dotenv, in_file, of_command):
            folder = tmp_path / f"{number} {place.__name__}"
            folder.mkdir()
            env, lines = {}, ["deployment: odd"]
            for section, (begin, end) in there.items():
                whole = f"{begin}:{quote(password, safe='')}@{end}"
                written = whole if place in (in_environment, in_dotenv) else password
                text, more = place(folder, section, written)
                env |= {f"BARE_{section}": f"{begin}@{end}", **more}
                lines.append(f"{section}:\n  {text}")
            (folder / "etlkit.yml").write_text("\n".join(lines) + "\n")
            settings = Settings.load(folder, env)
            with ConnectionFactory(settings) as connections:
                for engine in (connections.source(), connections.warehouse()):
                    with engine.connect() as connected:
                        assert 1 == connected.exec_driver_sql("select 1").scalar_one()
                    assert password not in f"{engine!r} {engine.url} {engine.url!r} {engine.pool!r}"
                assert password not in repr(vars(connections))
            assert (
                password
                not in f"{settings!r} {settings} {attrs.asdict(settings)} {copy.deepcopy(settings.source)}"
            )


@pytest.mark.parametrize("source", ["mariadb-innodb"], indirect=True)
def test_nothing_shows_a_refused_password(
    tmp_path: Path, source: SourceDatabase, warehouse: WarehouseDatabase
) -> None:
    """A refused login shows its password neither in the error nor in a listing with the variables of each call."""
    wrong = "hun'ter\"2 Zq"
    urls = [
        make_url(each).set(password=wrong).render_as_string(hide_password=False)
        for each in (source.url, warehouse.url)
    ]
    lines = 'deployment: odd\nsource: {url: "${S}"}\nwarehouse: {url: "${W}"}\n'
    (tmp_path / "etlkit.yml").write_text(lines)
    settings = Settings.load(tmp_path, {"S": urls[0], "W": urls[1]})
    with pytest.raises(TypeError):
        pickle.dumps(settings)
    with ConnectionFactory(settings) as connections:
        for engine in (connections.source(), connections.warehouse()):
            with pytest.raises(ConnectionFailed) as caught:
                engine.connect()
            listing = traceback.TracebackException.from_exception(caught.value, capture_locals=True)
            shown = "".join(each for each in listing.format() if "test_passwords.py" not in each)
            assert [] == [each for each in (wrong, repr(wrong)[1:-1], quote(wrong)) if each in shown]


@pytest.mark.parametrize("source", ["mariadb-innodb"], indirect=True)
def test_no_command_line_holds_a_password(
    tmp_path: Path, source: SourceDatabase, warehouse: WarehouseDatabase
) -> None:
    """While a run is at work, no process of this machine has a password in its command line."""
    source.execute("create table t (id int primary key)", "insert into t values (1)")
    clinic = Clinic(folder=tmp_path / "north", source=source, warehouse=warehouse)
    clinic.prepared()
    clinic.loaded()
    source.execute("insert into t values (2)")
    secrets = [str(make_url(url).password).encode() for url in clinic.env.values()]
    seen: list[bytes] = []
    with locked_in_warehouse(warehouse, "raw.t"):
        process = clinic.started("run")
        waiting = "select 1 from pg_locks where not granted"
        while not warehouse.rows(waiting):
            with pytest.raises(subprocess.TimeoutExpired):
                process.wait(0.05)
        for path in Path("/proc").glob("[0-9]*/cmdline"):
            try:
                seen.append(path.read_bytes())
            except OSError:
                continue  # it has ended meanwhile
    process.communicate()
    assert any(sys.executable.encode() in each and b"etlkit\0run" in each for each in seen)
    assert [] == [each for each in seen for secret in secrets if secret in each]
