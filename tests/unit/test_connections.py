"""What connections are made of, as far as no server is needed."""

from __future__ import annotations

from pathlib import Path

import psycopg2
import pytest

from etlkit.config import MySQLUrl, PostgresUrl
from etlkit.errors import ConnectionFailed
from etlkit.server_access import ServerAccess
from etlkit.source_session import ServerVersion, session_statements
from etlkit.warehouse_session import connect_postgres, trusted_bundle


@pytest.mark.parametrize(
    ("text", "kind", "version"),
    [
        ("5.6.51-log", "mysql", (5, 6, 51)),
        ("8.0.36-0ubuntu0.22.04.1", "mysql", (8, 0, 36)),
        ("8.4.0", "mysql", (8, 4, 0)),
        ("8.0.35-27", "mysql", (8, 0, 35)),
        ("10.11.6-MariaDB-0+deb12u1-log", "mariadb", (10, 11, 6)),
        ("5.5.5-10.3.39-MariaDB", "mariadb", (10, 3, 39)),
        ("11.4.2-MariaDB-ubu2404", "mariadb", (11, 4, 2)),
        ("5.5.5", "mysql", (5, 5, 5)),
        ("strange", "mysql", (0,)),
    ],
)
def test_version(text: str, kind: str, version: tuple[int, ...]) -> None:
    """Kind and version come from the server's own text."""
    parsed = ServerVersion.parse(text)
    assert (kind, version, text) == (parsed.kind, parsed.version, parsed.text)


@pytest.mark.parametrize(
    ("text", "limit"),
    [
        ("5.6.51", ""),
        ("5.7.7", ""),
        ("5.7.8", ", max_execution_time = 60000"),
        ("8.4.0", ", max_execution_time = 60000"),
        ("10.3.39-MariaDB", ", max_statement_time = 60"),
    ],
)
def test_session_statements(text: str, limit: str) -> None:
    """Each kind of server is given its own statement timeout, and nothing is GLOBAL."""
    assert [
        (
            "SET SESSION time_zone = '+00:00', sql_mode = '', group_concat_max_len = 1048576, "
            f"lock_wait_timeout = 2, net_write_timeout = 70, wait_timeout = 3600{limit}"
        ),
        "SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY",
    ] == session_statements(
        ServerVersion.parse(text), 1048576, statement_seconds=60, silence_seconds=70, read_only=True
    )


@pytest.mark.parametrize(
    ("text", "more"),
    [
        ("5.6.51", ""),
        ("8.4.0", ", max_execution_time = 60000"),
        ("10.1.48-MariaDB", ", max_statement_time = 21600"),
        ("10.3.39-MariaDB", ", check_constraint_checks = 0, max_statement_time = 21600"),
    ],
)
def test_replica_session_statements(text: str, more: str) -> None:
    """A session that writes takes rows as the source has them: zeros, impossible dates, keys that point nowhere."""
    assert [
        (
            "SET SESSION time_zone = '+00:00', sql_mode = 'NO_AUTO_VALUE_ON_ZERO,ALLOW_INVALID_DATES', "
            "group_concat_max_len = 1048576, lock_wait_timeout = 30, net_write_timeout = 70, wait_timeout = 3600, "
            f"foreign_key_checks = 0, innodb_lock_wait_timeout = 30, net_read_timeout = 70{more}"
        ),
        "SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ",
    ] == session_statements(
        ServerVersion.parse(text), 1048576, statement_seconds=60, silence_seconds=70, read_only=False
    )


@pytest.mark.parametrize(
    ("url", "insecure", "ca_file", "required"),
    [
        ("mysql://db.example.com/d", False, None, True),
        ("mysql://10.0.0.1/d", False, None, True),
        ("mysql://10.0.0.1/d", True, None, False),
        ("mysql://10.0.0.1/d", True, Path("ca.pem"), False),
        ("mysql://127.0.0.1/d", False, None, False),
        ("mysql://127.0.0.1/d", False, Path("ca.pem"), True),
        ("mysql:///d?unix_socket=/x", False, Path("ca.pem"), False),
    ],
)
def test_tls_required(url: str, insecure: bool, ca_file: Path | None, required: bool) -> None:
    """What leaves the machine is encrypted unless a person says otherwise; naming a signer asks for it."""
    access = ServerAccess(section="source", url=MySQLUrl.parse(url), insecure=insecure, ca_file=ca_file)
    assert required == access.tls_required


def test_refused_hides_the_password() -> None:
    """What a server says is repeated without the password."""
    url = PostgresUrl.parse("postgresql://u:hunter2@h/d")
    access = ServerAccess(section="warehouse", url=url, password=url.password)
    error = access.refused("{place} refuses the connection ({said})", "no {place} for hunter2")
    assert "warehouse: h:5432 refuses the connection (no {place} for ***)" == str(error)
    assert "hunter2" not in repr(access)


def test_trusted_bundle() -> None:
    """The authorities that the machine trusts are a file, or libpq's own way to find them."""
    bundle = trusted_bundle()
    assert bundle == "system" or Path(bundle).is_file()


def test_a_driver_without_words(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of something else than a PostgreSQL, the driver may tell nothing; then it is told what that means."""

    def connect(**_: object) -> None:
        raise psycopg2.OperationalError

    monkeypatch.setattr(psycopg2, "connect", connect)
    server = ServerAccess(
        section="warehouse", url=PostgresUrl.parse("postgresql://etl@127.0.0.1:5432/dental")
    )
    with pytest.raises(ConnectionFailed) as caught:
        connect_postgres(server)
    assert (
        "warehouse: 127.0.0.1:5432 broke the connection while it was being set up, or is another kind of server; try "
        "again, or correct `warehouse.url`" == str(caught.value)
    )
