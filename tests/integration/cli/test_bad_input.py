"""What only a server can tell of a bad input is a sentence as well, and leaves nothing behind."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

import pytest
import sqlalchemy as sa

from support.bad_input.case import state_of
from support.databases import SourceDatabase

pytestmark = pytest.mark.parametrize("source", ["mariadb-innodb"], indirect=True)

SOURCE, WAREHOUSE = "ETLKIT_SOURCE_URL", "ETLKIT_WAREHOUSE_URL"
WRONG = "hunter2"


def changed(url: str, **parts: Any) -> str:
    """An address with some parts changed."""
    return sa.make_url(url).set(**parts).render_as_string(hide_password=False)


def place(url: str) -> str:
    """Host and port of an address."""
    parsed = sa.make_url(url)
    return f"{parsed.host}:{parsed.port}"


def schemas(clinic: Any) -> set[str]:
    """The warehouse's schemas that are not PostgreSQL's own."""
    rows = clinic.warehouse.rows(
        "SELECT nspname FROM pg_namespace WHERE nspname !~ '^pg_|^information_schema$'"
    )
    return {name for (name,) in rows} - {"public"}


def refused(clinic: Any, *args: str, **env: str) -> tuple[int, str]:
    """Run a command that fails; no secret is told and nothing is left in the folder or the warehouse."""
    before = state_of(clinic.folder)
    result = clinic.etlkit(*args, **env)
    assert before == state_of(clinic.folder)
    assert set() == schemas(clinic)
    assert WRONG not in result.output
    return result.exit_code, result.stderr


@contextmanager
def greeting(words: bytes) -> Iterator[int]:
    """A server of another kind, which says something to everybody and hangs up; gives its port."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            with suppress(OSError):
                while True:
                    with server.accept()[0] as guest, suppress(OSError):
                        guest.sendall(words)

        thread = threading.Thread(target=serve)
        thread.start()
        yield server.getsockname()[1]
        server.shutdown(socket.SHUT_RDWR)
    thread.join()


def test_wrong_place(clinic: Any) -> None:
    """An address with one wrong part is told with the server's place and the key to correct."""
    clinic.prepared()
    silent = "no server answers at {place} (connection refused); start it, or correct `{url}`"
    unknown = "the host of {place} is not known; correct `{url}`"
    user = "{place} refuses the user `nobody` with this password; correct `{url}`"
    hidden = "{place} lets the user `reader` not use the database `none`; grant the right to"
    for variable, parts, says in (
        (SOURCE, {"port": 1}, silent),
        (WAREHOUSE, {"port": 1}, silent),
        (SOURCE, {"host": "nowhere.invalid"}, unknown),
        (WAREHOUSE, {"host": "nowhere.invalid"}, unknown),
        (SOURCE, {"username": "nobody"}, user),
        (WAREHOUSE, {"username": "nobody"}, user),
        (SOURCE, {"password": WRONG}, user.replace("nobody", "reader")),
        (WAREHOUSE, {"password": WRONG}, user.replace("nobody", "etlkit")),
        (SOURCE, {"database": "none"}, hidden),
        (WAREHOUSE, {"database": "none"}, "{place} has no database `none`; correct `{url}`"),
    ):
        section = "source" if variable == SOURCE else "warehouse"
        url = changed(clinic.env[variable], **parts)
        words = says.format(place=place(url), url=f"{section}.url")
        assert (1, f"Error: {section}: {words}\n") == refused(clinic, "plan", **{variable: url})


def test_mysql_where_postgresql_is_named(clinic: Any) -> None:
    """A MySQL that is asked as a PostgreSQL is told to be another kind of server."""
    clinic.prepared()
    source = clinic.env[SOURCE]
    url = changed(clinic.env[WAREHOUSE], port=sa.make_url(source).port)
    words = f"warehouse: what answers at {place(source)} is another kind of server; correct `warehouse.url`"
    assert (1, f"Error: {words}\n") == refused(clinic, "plan", **{WAREHOUSE: url})


def test_postgresql_where_mysql_is_named(clinic: Any) -> None:
    """A PostgreSQL waits for who connects to it, as does etlkit for a MySQL: the wait ends, and the answer says why."""
    clinic.prepared()
    warehouse = clinic.env[WAREHOUSE]
    url = changed(clinic.env[SOURCE], port=sa.make_url(warehouse).port)
    file = clinic.folder / "etlkit.yml"
    file.write_text(file.read_text().replace("source:\n", "source:\n  silence_seconds: 1\n"))
    words = (
        f"source: {place(warehouse)} broke the connection while it was being set up, or is another kind of server; "
        "try again, or correct `source.url`"
    )
    assert (1, f"Error: {words}\n") == refused(clinic, "plan", **{SOURCE: url})


@pytest.mark.parametrize(
    "words",
    [b"SSH-2.0-OpenSSH_9.2\r\n", b"HTTP/1.1 400 Bad Request\r\n\r\n", b"\0\0\0\0", b"\xff" * 99],
    ids=["ssh", "http", "zeros", "noise"],
)
def test_another_kind_of_server(clinic: Any, words: bytes) -> None:
    """Whatever answers instead of a database is told, never taken for a defect."""
    clinic.prepared()
    for variable, section in ((SOURCE, "source"), (WAREHOUSE, "warehouse")):
        with greeting(words) as port:
            url = changed(clinic.env[variable], port=port)
            code, said = refused(clinic, "plan", **{variable: url})
        assert code == 1
        another = (
            f"{section}: what answers at 127.0.0.1:{port} is another kind of server; correct `{section}.url`"
        )
        broken = (
            f"{section}: 127.0.0.1:{port} broke the connection while it was being set up, or is another kind of "
            f"server; try again, or correct `{section}.url`"
        )
        assert said in {f"Error: {another}\n", f"Error: {broken}\n"}


def test_swapped(clinic: Any) -> None:
    """Addresses that are swapped are told both at once, before anybody connects."""
    clinic.prepared()
    file = clinic.folder / "etlkit.yml"
    lines = [
        number for number, line in enumerate(file.read_text().splitlines(), 1) if line.startswith("  url:")
    ]
    code, said = refused(clinic, "run", **{SOURCE: clinic.env[WAREHOUSE], WAREHOUSE: clinic.env[SOURCE]})
    assert (
        2,
        (
            f"Error: {file}:{lines[0]}: `source.url` must begin with `mysql://` or `mariadb://` (got `postgresql://`)\n"
            f"{file}:{lines[1]}: `warehouse.url` must begin with `postgresql://` or `postgres://` (got `mysql://`)\n"
        ),
    ) == (code, said)


def test_no_tables(clinic: Any, make_source: Callable[[str], SourceDatabase]) -> None:
    """A database without tables is refused, before it replaces what is known of the right one."""
    clinic.prepared()
    empty = make_source("mariadb-innodb")
    words = (
        f"source: the database `{empty.name}` at {place(empty.reader_url)} has no table that could be loaded, or shows "
        "none to this user; correct `source.url`, or see what `etlkit doctor` says of the grants"
    )
    assert (2, f"Error: {words}\n") == refused(clinic, "analyze", **{SOURCE: empty.reader_url})


@pytest.mark.parametrize(
    ("choice", "says"),
    [
        (
            {"extraction_strategy": "incremental", "incremental_column": "DateTStmp"},
            (
                "`tables.patient.incremental_column` names the column `DateTStmp`, which the table does not have; did "
                "you mean `DateTStamp`?"
            ),
        ),
        (
            {"column_overrides": {"LNam": {"policy": "null"}}},
            (
                "`tables.patient.column_overrides` names the column `LNam`, which the table does not have; did you "
                "mean `LName`?"
            ),
        ),
        (
            {"column_overrides": {"PatNum": {"policy": "quarantine"}}},
            (
                "`tables.patient.column_overrides.PatNum.policy` is `quarantine`, but PostgreSQL holds every value of "
                "a bigint; take it out"
            ),
        ),
    ],
)
def test_wrong_columns(clinic: Any, choice: dict[str, Any], says: str) -> None:
    """A choice about a column that only the source can refute is told for its table; the others are planned."""
    clinic.prepared()
    clinic.choose({"patient": choice})
    result = clinic.etlkit("plan")
    assert (2, f"\n{says}\n") == (result.exit_code, result.stdout[-len(says) - 2 :])
    assert "definition" in result.stdout
    assert set() == schemas(clinic)


def test_a_run_tells_wrong_columns(clinic: Any) -> None:
    """A run loads the other tables; where nothing else failed, its exit code is that of a wrong configuration."""
    clinic.prepared()
    clinic.choose({"patient": {"column_overrides": {"LNam": {"policy": "null"}}}})
    result = clinic.etlkit("run")
    assert (2, 3) == (result.exit_code, clinic.warehouse.value("SELECT count(*) FROM raw.definition"))
