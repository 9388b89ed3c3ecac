"""One connection to a MySQL or MariaDB server: opened, encrypted where it must be, set up as a good guest."""

from __future__ import annotations

import re
import socket
import ssl
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Literal, cast

import attrs
import pymysql
from pymysql.constants import CLIENT
from sqlalchemy import Connection, Engine, create_engine

from etlkit import server_access as access
from etlkit.connecting_trouble import sentence_for
from etlkit.keyed_hash import key_statement
from etlkit.preferred_tls import PreferringConnection
from etlkit.sending_session import LOCAL_FILES, SendingConnection
from etlkit.server_access import ServerAccess, keepalives

if TYPE_CHECKING:
    MySQLConnection = pymysql.connections.Connection[Any]
else:  # only the type information calls it generic
    MySQLConnection = pymysql.connections.Connection

LONGEST_VALUE = 8 * 1024 * 1024
"""Bytes that many rows rendered into one value may have: what a read asks for at once, it must hold in memory."""
APPLY_SECONDS = 6 * 3600
"""After how many seconds a statement that writes counts as hanging; what is dead, the network finds out."""
_IDLE_SECONDS = 3600
_LOCK_SECONDS = 30  # others wait behind us meanwhile, so no longer than a person would
_SILENCE_SECONDS = 60

_OLDEST = {"mysql": (5, 6, 5), "mariadb": (10, 0)}  # what knows SET TRANSACTION READ ONLY


@attrs.frozen(kw_only=True)
class ServerVersion:
    """What answers at the other end."""

    kind: Literal["mariadb", "mysql"]
    """Which family; Percona, Aurora and the like are `mysql`."""
    version: tuple[int, ...]
    """Such as `(10, 11, 6)`."""
    text: str
    """As the server gives it."""

    @classmethod
    def parse(cls, text: str) -> ServerVersion:
        """Read a server's version.

        Args:
            text: what `SELECT VERSION()` gives, such as `10.11.6-MariaDB-log`.

        Returns:
            The version.
        """
        # A MariaDB behind a replication handshake puts `5.5.5-` in front of its own version.
        numbers = re.match(r"(?:5\.5\.5-(?=1\d\.))?(\d+)\.(\d+)(?:\.(\d+))?", text)
        version = tuple(int(each) for each in numbers.groups() if each) if numbers else (0,)
        return cls(kind="mariadb" if "mariadb" in text.lower() else "mysql", version=version, text=text)


def server_kind(connection: Connection | MySQLConnection) -> ServerVersion:
    """Ask a server what it is.

    Args:
        connection: SQLAlchemy's or PyMySQL's.

    Returns:
        Kind and version.
    """
    if isinstance(connection, Connection):
        return ServerVersion.parse(str(connection.exec_driver_sql("SELECT VERSION()").scalar_one()))
    with connection.cursor() as cursor:
        cursor.execute("SELECT VERSION()")
        return ServerVersion.parse(_text(cursor.fetchone()[0]))


def session_statements(
    version: ServerVersion,
    max_allowed_packet: int,
    *,
    statement_seconds: int,
    silence_seconds: int,
    read_only: bool,
) -> list[str]:
    """Give the statements that set a session up; none of them touches anything GLOBAL.

    Args:
        version: what the server is.
        max_allowed_packet: the server's limit of one result value, in bytes.
        statement_seconds: after how many seconds the server shall stop a statement of ours.
        silence_seconds: after how many seconds in which we take nothing the server shall give us up.
        read_only: whether the server shall refuse to write for us.

    Returns:
        The statements, in order.
    """
    settings = {
        "time_zone": "'+00:00'",  # TIMESTAMP values come in UTC, whatever the server's own zone
        # Zero dates must be readable, and comparable, however strict the server is with those who write.
        "sql_mode": "''" if read_only else "'NO_AUTO_VALUE_ON_ZERO,ALLOW_INVALID_DATES'",
        "group_concat_max_len": str(min(max_allowed_packet, LONGEST_VALUE)),
        "lock_wait_timeout": "2" if read_only else str(_LOCK_SECONDS),
        # Rows are fetched before anything else is done. Of a client that is gone, the table would stay locked.
        "net_write_timeout": str(silence_seconds),
        "wait_timeout": str(_IDLE_SECONDS),  # nor must a snapshot of his hold up an ALTER until tomorrow
    }
    if not read_only:
        settings |= _writing(version, silence_seconds)
    if version.kind == "mariadb":
        # On MySQL it is for SELECT alone; here it would end an apply as well, which takes as long as it takes.
        settings["max_statement_time"] = str(statement_seconds if read_only else APPLY_SECONDS)
    elif version.version >= (5, 7, 8):
        settings["max_execution_time"] = str(statement_seconds * 1000)
    assignments = ", ".join(f"{name} = {value}" for name, value in settings.items())
    access = ", READ ONLY" if read_only else ""
    return [
        f"SET SESSION {assignments}",
        f"SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ{access}",
    ]


def _writing(version: ServerVersion, silence_seconds: int) -> dict[str, str]:
    """Give the settings by which a copy takes every row as it is: what the source accepted is not judged again."""
    settings = {
        "foreign_key_checks": "0",  # tables are copied in any order, and nothing cascades that was not copied
        "innodb_lock_wait_timeout": str(_LOCK_SECONDS),
        "net_read_timeout": str(silence_seconds),
    }
    if version.kind == "mariadb" and version.version >= (10, 2, 1):
        settings["check_constraint_checks"] = "0"
    return settings


def connect_mysql(server: ServerAccess) -> MySQLConnection:
    """Open a connection and set its session up.

    One that is read-only commits by itself after each statement, so that no read keeps a metadata lock which
    would block an upgrade of Open Dental; `START TRANSACTION WITH CONSISTENT SNAPSHOT` opens a transaction
    where one is wanted.

    Args:
        server: where, and on what terms.

    Returns:
        The connection.

    Raises:
        ConnectionFailed: the server cannot be reached, refuses us, or does not encrypt as it must.
    """
    failure: tuple[str, str]
    connection: MySQLConnection | None = None
    try:
        tls = _tls(server)
        connection = _opened(server, tls)
        _watch_over(connection, server)
        refusal = _set_up(connection, server)
        if refusal is None:
            # PyMySQL's own, which it offers before a connection is there only; it looks at it for each answer.
            seconds = server.statement_seconds if server.read_only else APPLY_SECONDS
            connection._read_timeout = seconds + server.silence_seconds  # type: ignore[attr-defined]  # noqa: SLF001
            return connection
        failure = refusal
    except (pymysql.MySQLError, RuntimeError) as error:
        failure = sentence_for(error)
    except (LookupError, ValueError, struct.error):  # PyMySQL takes whatever comes for a greeting
        failure = (access.ANOTHER_SERVER, "")
    except (ssl.SSLError, OSError):
        failure = (access.NO_CA_FILE, "")
    if connection is not None and connection.open:
        connection.close()
    raise server.refused(*failure)


@contextmanager
def lent_raw(engine: Engine) -> Iterator[MySQLConnection]:
    """Lend one of an engine's connections as PyMySQL's own, whose values come as the server sent them.

    Nothing is converted: numbers and times are text, binary fields are bytes. When the block ends by an error, the
    socket is dropped at once instead of reading the rest of a result.

    Args:
        engine: of a MySQL or MariaDB server.

    Yields:
        The connection; do not keep it, and do not `ping(reconnect=True)` it.

    Raises:
        ConnectionFailed: the server cannot be reached.
    """
    lent = engine.raw_connection()
    connection = cast("MySQLConnection", lent.driver_connection)
    decoders, connection.decoders = connection.decoders, {}
    try:
        yield connection
    except BaseException:
        lent.invalidate()
        raise
    else:
        connection.decoders = decoders
    finally:
        lent.close()


def own_sessions(engine: Engine, *, statement_seconds: int, read_only: bool) -> Engine:
    """Make an engine whose connections are opened as those of another one, and set up as etlkit's own.

    Settings of a session stay with its connection, so those of an engine that somebody else uses are not touched.

    Args:
        engine: a `mysql+pymysql` engine.
        statement_seconds: after how many seconds the server shall stop a statement of ours (MySQL 5.6 cannot).
        read_only: whether the server shall refuse to write for us.

    Returns:
        The engine; nothing is connected before it is used.
    """

    def opened() -> Any:
        lent = engine.raw_connection()
        connection = cast("MySQLConnection", lent.driver_connection)
        lent.detach()
        if not read_only:
            connection = SendingConnection.in_place_of(connection)
        with connection.cursor() as cursor:
            cursor.execute("SELECT VERSION(), @@max_allowed_packet")
            text, max_allowed_packet = cursor.fetchone()
            for statement in session_statements(
                ServerVersion.parse(_text(text)),
                int(max_allowed_packet),
                statement_seconds=statement_seconds,
                silence_seconds=_SILENCE_SECONDS,
                read_only=read_only,
            ):
                cursor.execute(statement)
        connection.autocommit(read_only)
        return connection

    return create_engine(
        engine.url,
        creator=opened,
        hide_parameters=True,
        pool_pre_ping=True,
        **({"isolation_level": "AUTOCOMMIT"} if read_only else {}),
    )


def _opened(server: ServerAccess, tls: dict[str, Any]) -> MySQLConnection:
    try:
        return _connect(server, tls)
    except pymysql.OperationalError as error:
        # Where encryption is no condition, a server whose encryption is too old for us may still be used.
        if server.tls_required or not isinstance(getattr(error, "original_exception", None), ssl.SSLError):
            raise
    return _connect(server, {"ssl_disabled": True})


def _connect(server: ServerAccess, tls: dict[str, Any]) -> MySQLConnection:
    url = server.url
    place: dict[str, Any] = {"host": url.host, "port": url.port or url.default_port}
    if url.socket:
        place = {"unix_socket": url.socket}
    flags: int = CLIENT.FOUND_ROWS  # SQLAlchemy counts the rows that matched
    return (PreferringConnection if server.read_only else SendingConnection)(
        **place,
        **tls,
        user=url.user,
        # PyMySQL encodes a str as latin1; servers keep the digest of UTF-8.
        password=server.password.reveal().encode() if server.password else "",
        database=url.database,
        charset="utf8mb4",
        connect_timeout=server.connect_seconds,
        read_timeout=server.connect_seconds,
        write_timeout=server.silence_seconds,
        autocommit=server.read_only,
        client_flag=flags if server.read_only else flags | LOCAL_FILES,
        program_name="etlkit",
    )


def _watch_over(connection: MySQLConnection, server: ServerAccess) -> None:
    """Have the system notice when packets get lost, also while the server works on a statement and says nothing."""
    its = cast("socket.socket", connection._sock)  # type: ignore[attr-defined]  # noqa: SLF001 - it has no other way
    if its.family == getattr(socket, "AF_UNIX", None):
        return
    times = keepalives(server.silence_seconds)
    options = {
        "TCP_KEEPIDLE": times["idle"],
        "TCP_KEEPINTVL": times["interval"],
        "TCP_KEEPCNT": times["count"],
        "TCP_USER_TIMEOUT": server.silence_seconds * 1000,
    }
    for name, value in options.items():
        if hasattr(socket, name):  # not on every system
            its.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)


def _tls(server: ServerAccess) -> dict[str, Any]:
    if not server.tls_required:
        # Through a socket nothing can be overheard; elsewhere PyMySQL encrypts if the server offers it.
        return {"ssl_disabled": True} if server.url.socket else {}
    # PyMySQL's own `ssl_verify_identity` leaves the host name unchecked when no CA file is named.
    context = ssl.create_default_context(cafile=server.ca_file)
    # Certificates that the servers make for themselves lack what this flag (set since Python 3.13) asks for.
    context.verify_flags &= ~ssl.VERIFY_X509_STRICT
    return {"ssl": context}


def _set_up(connection: MySQLConnection, server: ServerAccess) -> tuple[str, str] | None:
    with connection.cursor() as cursor:
        if server.tls_required:
            cursor.execute("SHOW SESSION STATUS LIKE 'Ssl_cipher'")
            row = cursor.fetchone()
            if row is None or not row[1]:
                return access.UNENCRYPTED, ""
        cursor.execute("SELECT VERSION(), @@max_allowed_packet")
        text, max_allowed_packet = cursor.fetchone()
        version = ServerVersion.parse(_text(text))
        if version.version < _OLDEST[version.kind]:
            return access.TOO_OLD, version.text
        for statement in session_statements(
            version,
            int(max_allowed_packet),
            statement_seconds=server.statement_seconds,
            silence_seconds=server.silence_seconds,
            read_only=server.read_only,
        ):
            cursor.execute(statement)
        if server.masking_key is not None:
            cursor.execute(key_statement(server.masking_key))
    return None


def _text(value: Any) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)
