"""What the server of the source or the replica says of itself and of our session, asked over one connection."""

from __future__ import annotations

import datetime as dt

import attrs
import sqlalchemy as sa

from etlkit.discovery.trouble import told_plainly
from etlkit.doctor.accounts import Account
from etlkit.doctor.grants import Grants, parse_grants
from etlkit.source_session import ServerVersion, server_kind
from etlkit.transfer.governor import LOOK

_VARIABLES = sa.text(
    "SHOW SESSION VARIABLES WHERE Variable_name IN ('tx_read_only', 'transaction_read_only',"
    " 'max_allowed_packet', 'max_statement_time', 'max_execution_time', 'read_only', 'super_read_only',"
    " 'innodb_page_size', 'innodb_read_only', 'local_infile')"
)
_CIPHER = sa.text("SHOW SESSION STATUS LIKE 'Ssl_cipher'")
_IDENTITY = sa.text("SELECT CURRENT_USER(), @@global.time_zone, @@global.system_time_zone")
_CLOCK = sa.text("SELECT UTC_TIMESTAMP(6)")
_GRANTS = sa.text("SHOW GRANTS")
_REFUSALS = ("super_read_only", "read_only", "innodb_read_only")
_OFF = ("OFF", "0")


@attrs.frozen(kw_only=True)
class MySQLFacts:
    """A MySQL or MariaDB server and our session on it."""

    version: ServerVersion
    """What answers."""
    cipher: str
    """How the connection is encrypted; empty when it is not."""
    read_only: bool
    """Whether our sessions are read-only, by themselves or by the server's default."""
    account: Account
    """Which of the server's users we are."""
    grants: Grants
    """What that user was granted."""
    max_allowed_packet: int
    """The largest value that the server sends, in bytes."""
    time_zone: str
    """The server's own time zone; for `SYSTEM`, that of its machine is added."""
    clock_ahead: float
    """By how many seconds the server's clock is ahead of this machine's; negative when it is behind."""
    statement_seconds: float | None
    """After how many seconds the server stops a statement of ours; None when it cannot, or does not."""
    threads_running: int | None = None
    """Statements at work on the server, the question included; None when it does not tell."""
    refuses_changes: str = ""
    """The server's variable by which nobody, or only an administrator, may change anything; empty for none."""
    has_innodb: bool = True
    """Whether the server has the storage engine InnoDB."""
    local_infile: bool = True
    """Whether the server takes rows by LOAD DATA LOCAL."""


def read_mysql_facts(engine: sa.Engine, database: str) -> MySQLFacts:
    """Ask a server about itself.

    Args:
        engine: the source, or the replica.
        database: what the connection is to.

    Returns:
        The facts.

    Raises:
        ConnectionFailed: the server cannot be reached, refuses us, or ends the connection.
        SchemaDiscoveryError: it refuses an answer.
    """
    with told_plainly(engine, database, "asking the server about itself"), engine.connect() as connection:
        variables = {str(name): str(value) for name, value in connection.execute(_VARIABLES)}
        cipher = connection.execute(_CIPHER).first()
        current_user, zone, machine_zone = connection.execute(_IDENTITY).one()
        grants = parse_grants(str(line) for (line,) in connection.execute(_GRANTS))
        return MySQLFacts(
            version=server_kind(connection),
            cipher=str(cipher[1]) if cipher is not None else "",
            read_only=variables.get("transaction_read_only", variables.get("tx_read_only")) in ("ON", "1"),
            account=Account.parse(str(current_user)),
            grants=grants,
            max_allowed_packet=int(variables["max_allowed_packet"]),
            time_zone=f"{zone} ({machine_zone})" if zone == "SYSTEM" else str(zone),
            clock_ahead=_clock_ahead(connection),
            statement_seconds=_statement_seconds(variables),
            threads_running=_threads_running(connection),
            refuses_changes=next((each for each in _REFUSALS if variables.get(each, "OFF") not in _OFF), ""),
            has_innodb="innodb_page_size" in variables,
            local_infile=variables.get("local_infile", "OFF") not in _OFF,
        )


def _clock_ahead(connection: sa.Connection) -> float:
    before = dt.datetime.now(dt.UTC)
    server: dt.datetime = connection.execute(_CLOCK).scalar_one()
    after = dt.datetime.now(dt.UTC)
    # The server looked at its clock somewhere between the two moments.
    return (server.replace(tzinfo=dt.UTC) - (before + (after - before) / 2)).total_seconds()


def _threads_running(connection: sa.Connection) -> int | None:
    try:
        said = {str(name): str(value) for name, value in connection.exec_driver_sql(LOOK)}
    except sa.exc.DBAPIError as error:
        if error.connection_invalidated:
            raise
        return None  # refused; reads go on without knowing it
    return int(said["Threads_running"]) if "Threads_running" in said else None


def _statement_seconds(variables: dict[str, str]) -> float | None:
    seconds = float(variables.get("max_statement_time", 0))
    milliseconds = float(variables.get("max_execution_time", 0))
    return seconds or milliseconds / 1000 or None
