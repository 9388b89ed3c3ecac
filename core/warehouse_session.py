"""One connection to the PostgreSQL warehouse: opened, encrypted where it must be, and set up."""

from __future__ import annotations

import contextlib
import re
import selectors
import ssl
import time
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

import psycopg2
import psycopg2.extensions
from psycopg2.extensions import POLL_OK, POLL_READ

from etlkit import server_access as access
from etlkit.server_access import ServerAccess, keepalives
from etlkit.warehouse_waits import Sign, Waits, WarehouseConnection, WarehouseCursor

SESSION = {
    "TimeZone": "UTC",
    "DateStyle": "ISO, YMD",
    "IntervalStyle": "postgres",
    "standard_conforming_strings": "on",
    "bytea_output": "hex",
    "extra_float_digits": "1",  # the shortest text that gives the same number back
    "lock_timeout": "60s",
    # A network that breaks must not leave a backend with our locks behind.
    "idle_in_transaction_session_timeout": "10min",
}
"""What every session is set to, where the server knows the name."""

QUIET = {
    "log_min_messages": "log",
    "log_min_error_statement": "panic",
    "log_error_verbosity": "terse",
}
"""What only a superuser may set, and is set where we are one: else the server's own log would repeat refused rows, in
its messages, DETAIL, CONTEXT and STATEMENT."""

_BUNDLES = (
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
)
# Poolers refuse such settings at start-up, so they are set afterwards, in one round trip.
_SET = """
SELECT pg_catalog.set_config(wanted.name, wanted.value, false)
FROM unnest(%s::text[], %s::text[]) AS wanted (name, value)
JOIN pg_catalog.pg_settings AS known ON known.name = wanted.name
WHERE known.context <> 'superuser' OR pg_catalog.current_setting('is_superuser') = 'on'
"""
_TELLS_COPIES = 140_000
# A pooler gives numbers of its own, which are found nowhere here; of those behind it, nothing is said.
_SIGNS = """
SELECT active.pid,
    active.state LIKE 'idle%%'
        AND active.state_change < pg_catalog.now() - pg_catalog.make_interval(secs => %(rest)s),
    CASE WHEN active.wait_event = 'ClientRead' THEN copying.bytes_processed END
FROM pg_catalog.pg_stat_activity AS active
LEFT JOIN pg_catalog.pg_stat_progress_copy AS copying ON copying.pid = active.pid
WHERE active.pid = ANY (%(pids)s) AND active.application_name = %(name)s
"""
# It does not tell what arrived.
_SIGNS_BEFORE_14 = """
SELECT pid,
    state LIKE 'idle%%' AND state_change < pg_catalog.now() - pg_catalog.make_interval(secs => %(rest)s),
    NULL::bigint
FROM pg_catalog.pg_stat_activity
WHERE pid = ANY (%(pids)s) AND application_name = %(name)s
"""
_APPLICATION = "etlkit"
_SENTENCES = (
    (r"could not translate host name", access.UNKNOWN_HOST, ""),
    (r"root certificate file|could not load system root", access.NO_CA_FILE, ""),
    (r"host name", access.BAD_CERTIFICATE, "it is for another host"),
    (r"certificate", access.BAD_CERTIFICATE, "its signer is not trusted"),
    (r"does not support SSL", access.UNENCRYPTED, ""),
    (r"response to SSL negotiation|expected authentication request", access.ANOTHER_SERVER, ""),
    (r"authentication failed|role \".*\" does not exist|no password supplied", access.WRONG_USER, ""),
    (r"pg_hba\.conf", access.WRONG_MACHINE, ""),
    (r"database \".*\" does not exist", access.NO_DATABASE, ""),
    (r"permission denied for database", access.CLOSED_DATABASE, ""),
    (r"too many clients|remaining connection slots|too many connections", access.FULL, ""),
    (r"starting up|shutting down|recovery mode|not (yet )?accepting connections", access.BUSY, ""),
    # The last ones, because `localhost` is tried at two addresses and one of them may have answered.
    (r"server closed the connection|EOF detected", access.BROKEN_OFF, ""),
    (r"timeout expired|timed out", access.NO_ANSWER, "no answer in time"),
    (r"Connection refused|No such file or directory", access.NO_ANSWER, "connection refused"),
)
_NOBODY_THERE = frozenset({access.NO_ANSWER, access.BROKEN_OFF, access.UNKNOWN_HOST})


def connect_postgres(server: ServerAccess, waits: Waits | None = None) -> psycopg2.extensions.connection:
    """Open a connection and set its session up.

    Args:
        server: where, and on what terms.
        waits: looks after what waits for the warehouse.

    Returns:
        The connection, not in a transaction.

    Raises:
        ConnectionFailed: the server cannot be reached, refuses us, or does not encrypt as it must.
    """
    failure: tuple[str, str]
    connection: WarehouseConnection | None = None
    try:
        connection = psycopg2.connect(
            **_arguments(server), connection_factory=WarehouseConnection, cursor_factory=WarehouseCursor
        )
        connection.waits, connection.pid = waits, connection.info.backend_pid
        if connection.info.ssl_in_use or not server.tls_required:
            _set_up(connection, server.silence_seconds)
            return connection
        failure = (access.UNENCRYPTED, "")
    except (psycopg2.Error, UnicodeDecodeError) as error:
        failure = _sentence(error)
    if connection is not None:
        connection.close()
    raise server.refused(*failure)


def _arguments(server: ServerAccess) -> dict[str, Any]:
    url = server.url
    arguments = {
        "host": url.socket or url.host,
        "port": url.port or url.default_port,
        "dbname": url.database,
        "user": url.user,
        "password": server.password.reveal() if server.password else None,
        "application_name": _APPLICATION,
        "client_encoding": "utf8",
        "connect_timeout": server.connect_seconds,
        **{f"keepalives_{name}": value for name, value in keepalives(server.silence_seconds).items()},
        "tcp_user_timeout": server.silence_seconds * 1000,
        "gssencmode": "disable",
        "sslmode": "prefer",
    }
    if server.tls_required:
        arguments |= {"sslmode": "verify-full", "sslrootcert": str(server.ca_file or trusted_bundle())}
    return {name: value for name, value in arguments.items() if value is not None}


def trusted_bundle() -> str:
    """Find the certificate authorities that this machine trusts.

    Returns:
        A file; or `system`, which libpq looks up itself (in places that a wheel's own OpenSSL may not know).
    """
    known = ssl.get_default_verify_paths().cafile
    return next((each for each in (known, *_BUNDLES) if each and Path(each).is_file()), "system")


def session_settings(silence_seconds: int) -> dict[str, str]:
    """Give what a session is set to, where the server knows the name.

    Args:
        silence_seconds: after how many seconds without a sign of life of ours the server ends the session.

    Returns:
        Values by name.
    """
    ours = {f"tcp_keepalives_{name}": str(value) for name, value in keepalives(silence_seconds).items()}
    return {**SESSION, **ours, "tcp_user_timeout": f"{silence_seconds}s"}


def _set_up(connection: psycopg2.extensions.connection, silence_seconds: int) -> None:
    wanted = session_settings(silence_seconds) | QUIET
    connection.autocommit = True
    with connection.cursor() as cursor:
        cursor.execute(_SET, (list(wanted), list(wanted.values())))
    connection.autocommit = False


def signs_of_life(server: ServerAccess, pids: Collection[int]) -> Mapping[int, Sign] | None:
    """Ask the warehouse, over a connection of its own, what it is at while answers are waited for.

    Args:
        server: where, and on what terms.
        pids: the process numbers of backends.

    Returns:
        What is known, by process number; None when the warehouse does not answer in time.
    """
    until = time.monotonic() + server.silence_seconds
    try:
        with contextlib.closing(psycopg2.connect(**_arguments(server), async_=1)) as connection:
            _ready(connection, until)
            with connection.cursor() as cursor:
                asked = {"pids": list(pids), "name": _APPLICATION, "rest": server.silence_seconds / 2}
                cursor.execute(
                    _SIGNS if connection.server_version >= _TELLS_COPIES else _SIGNS_BEFORE_14, asked
                )
                _ready(connection, until)
                return {pid: Sign(at_rest=bool(rest), arrived=bytes_) for pid, rest, bytes_ in cursor}
    except TimeoutError:
        return None
    except (psycopg2.Error, UnicodeDecodeError) as error:
        # One that refuses us, since it has no connection left or is starting, is there.
        return None if _sentence(error)[0] in _NOBODY_THERE else {}


def _ready(connection: psycopg2.extensions.connection, until: float) -> None:
    """Wait for the answer to what was asked on an asynchronous connection."""
    while (state := connection.poll()) != POLL_OK:
        with selectors.DefaultSelector() as selector:
            selector.register(
                connection, selectors.EVENT_READ if state == POLL_READ else selectors.EVENT_WRITE
            )
            if not selector.select(max(0, until - time.monotonic())):
                raise TimeoutError


def _sentence(error: psycopg2.Error | UnicodeDecodeError) -> tuple[str, str]:
    """Choose the sentence for a driver's error, and what of it may be repeated."""
    # While connecting, psycopg2 gives no SQLSTATE, only the text, which may be in the server's language and encoding.
    said_there = (
        error.object.decode(errors="replace") if isinstance(error, UnicodeDecodeError) else str(error)
    )
    text = said_there.strip()
    for pattern, sentence, said in _SENTENCES:
        if re.search(pattern, text):
            return sentence, said
    # A PostgreSQL that refuses somebody says why; of what else answers, libpq may find no words at all.
    return (access.OTHER, text.splitlines()[0]) if text else (access.BROKEN_OFF, "")
