"""Judging a source: every sentence, for every level."""

from __future__ import annotations

import datetime as dt

import attrs
import pytest

from etlkit.config import AllowedHours, MySQLUrl, SourceSettings
from etlkit.discovery.catalog import Catalog, SourceServer, TableFacts
from etlkit.doctor import Finding, checks
from etlkit.doctor import source_server as server
from etlkit.doctor import source_tables as tables
from etlkit.doctor.encryption import judge_encryption
from etlkit.source_session import ServerVersion
from etlkit.tables import Column, Index
from etlkit.transfer.manners import Manners

MB = 1024 * 1024
NEW = ServerVersion.parse("10.11.6-MariaDB")
OLD = ServerVersion.parse("5.6.24-log")
SOURCE = SourceSettings(url=MySQLUrl.parse("mysql://reader@clinic/opendental"))


def said(finding: Finding) -> tuple[str, str, str, str]:
    """A finding without its section."""
    return finding.check, finding.level, finding.message, finding.remedy


def catalog(*facts: TableFacts) -> Catalog:
    """A catalog of some tables."""
    return Catalog(
        server=SourceServer(kind="MariaDB", version=(10, 11, 6), version_text="10.11.6-MariaDB"),
        database="clinic",
        tables={each.name: each for each in facts},
    )


def table(name: str, engine: str = "MyISAM", rows: int = 10, size: int = 1000, **facts: object) -> TableFacts:
    """A table of some size."""
    return TableFacts(name=name, engine=engine, row_count=rows, data_bytes=size, **facts)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("version", "name"),
    [(NEW, "MariaDB 10.11.6"), (OLD, "MySQL 5.6.24"), (ServerVersion.parse("8.4.0"), "MySQL 8.4.0")],
)
def test_version(version: ServerVersion, name: str) -> None:
    """Servers that can be connected to and are known are fine."""
    assert ("version", "ok", f"The server is {name}.", "") == said(
        server.judge_version(checks.SOURCE_VERSION, version)
    )


def test_old_mariadb() -> None:
    """A MariaDB before 10.3 can be reached, but nobody tries etlkit with it."""
    expected = (
        "version",
        "warning",
        "The server is MariaDB 10.1.48, and MariaDB 10.3 is the oldest that etlkit is made for.",
        "Update the server, or compare a few tables yourself after the first run.",
    )
    assert expected == said(
        server.judge_version(checks.SOURCE_VERSION, ServerVersion.parse("10.1.48-MariaDB"))
    )


def test_read_only() -> None:
    """A session that could write is a problem."""
    expected = ("read_only", "ok", "The session is read-only: the server refuses every change.", "")
    assert expected == said(server.judge_read_only(read_only=True))
    expected = (
        "read_only",
        "problem",
        "The session is not read-only, although etlkit asked for it.",
        "Connect to the server itself: a proxy between may drop the settings of a session.",
    )
    assert expected == said(server.judge_read_only(read_only=False))


@pytest.mark.parametrize(
    ("ahead", "apart"), [(3725.4, "1:02:05 (h:mm:ss) ahead of"), (-61.0, "0:01:01 (h:mm:ss) behind")]
)
def test_clocks_apart(ahead: float, apart: str) -> None:
    """Clocks more than a minute apart are a warning."""
    expected = (
        "clock",
        "warning",
        (
            f"The server's clock is {apart} this machine's. Its time zone is SYSTEM (CST); the sessions of etlkit are "
            "in UTC."
        ),
        (
            "Set the wrong one by a time server: allowed hours go by this machine's clock, the times in rows by the "
            "server's."
        ),
    )
    assert expected == said(server.judge_clock("SYSTEM (CST)", ahead))


def test_clocks_agree() -> None:
    """A minute is close enough."""
    expected = (
        "clock",
        "ok",
        "The server's clock and this machine's agree. Its time zone is +01:00; the sessions of etlkit are in UTC.",
        "",
    )
    assert expected == said(server.judge_clock("+01:00", -60.0))


def test_statement_limit() -> None:
    """A server without a limit is a warning that asks for nothing."""
    expected = ("statement_limit", "ok", "The server stops a statement of etlkit's after 300 seconds.", "")
    assert expected == said(server.judge_statement_limit(NEW, 300.0, 300))
    expected = (
        "statement_limit",
        "warning",
        (
            "MySQL 5.6.24 cannot limit the time of a statement; etlkit ends the connection after 360 seconds, and the "
            "server may work on for a while."
        ),
        "Nothing needs to be done: etlkit reads in small pieces. MySQL 5.7.8 and MariaDB 10.1 and later have a limit.",
    )
    assert expected == said(server.judge_statement_limit(OLD, None, 360))


def test_allowed_hours() -> None:
    """Outside the hours is a warning."""
    hours = AllowedHours.parse("20:00-06:00")
    expected = ("allowed_hours", "ok", "The source may be read at any time.", "")
    assert expected == said(server.judge_allowed_hours(None, dt.time(12)))
    expected = ("allowed_hours", "ok", "The source may be read from 20:00-06:00, and it is 05:59.", "")
    assert expected == said(server.judge_allowed_hours(hours, dt.time(5, 59)))
    expected = (
        "allowed_hours",
        "warning",
        "The source may be read from 20:00-06:00 only, and it is 06:00: a run would be refused now.",
        "Run within these hours, or change `source.allowed_hours` in etlkit.yml.",
    )
    assert expected == said(server.judge_allowed_hours(hours, dt.time(6)))


REMEDY = (
    "Set up TLS on the server and remove `insecure` below `source` in etlkit.yml (`ca_file` names who signed the "
    "server's certificate); leave it only if the network between is yours."
)


@pytest.mark.parametrize(
    ("url", "cipher", "insecure", "level", "message", "remedy"),
    [
        (
            "mysql://u@/d?unix_socket=/run/m.sock",
            "",
            False,
            "ok",
            "The connection is a unix socket, which nobody can overhear.",
            "",
        ),
        (
            "mysql://u@127.0.0.1/d",
            "",
            False,
            "ok",
            "The connection does not leave this machine; it is not encrypted.",
            "",
        ),
        (
            "mysql://u@localhost/d",
            "AES",
            True,
            "ok",
            "The connection does not leave this machine; it is encrypted (AES).",
            "",
        ),
        (
            "mysql://u@clinic/d",
            "AES",
            False,
            "ok",
            "The connection is encrypted (AES), and the server's certificate is valid.",
            "",
        ),
        (
            "mysql://u@clinic/d",
            "AES",
            True,
            "warning",
            "The connection to clinic:3306 is encrypted (AES), but nobody checks whether it is that server.",
            REMEDY,
        ),
        (
            "mysql://u@clinic/d",
            "",
            True,
            "warning",
            "The connection to clinic:3306 is not encrypted.",
            REMEDY,
        ),
    ],
)
def test_encryption(  # noqa: PLR0917 - the parameters of a table
    url: str, cipher: str, insecure: bool, level: str, message: str, remedy: str
) -> None:
    """What leaves this machine must be encrypted and the server proven, else it is a warning."""
    found = judge_encryption(checks.SOURCE_ENCRYPTION, MySQLUrl.parse(url), cipher, insecure=insecure)
    assert ("encryption", level, message, remedy) == said(found)


def test_database() -> None:
    """Tables that cannot be read, and none at all, are warnings."""
    expected = ("database", "ok", "The database `clinic` shows 2 tables of 2.0 kB together.", "")
    assert expected == said(tables.judge_database(catalog(table("a"), table("b", index_bytes=48))))
    expected = (
        "database",
        "warning",
        "The database `clinic` shows no tables to this user.",
        "Check the database's name in `source.url`, and the finding about grants.",
    )
    assert expected == said(tables.judge_database(catalog()))
    closed = [table(each, unreadable=("x",)) for each in "abcdef"]
    expected = (
        "database",
        "warning",
        (
            "The database `clinic` shows 7 tables, and this user may not read all columns of `a`, `b`, `c`, `d`, `e` "
            "and 2 more."
        ),
        "Let an administrator GRANT SELECT on them, or exclude them in etlkit.yml (`tables:`, `exclude: true`).",
    )
    assert expected == said(tables.judge_database(catalog(*closed, table("g", partly_hidden=True))))


def test_engines() -> None:
    """Each storage engine is told with what it can promise."""
    facts = [table("a"), table("b"), table("c", "InnoDB"), table("d", "MEMORY"), table("e", "")]
    expected = (
        "engines",
        "ok",
        (
            "MyISAM (2 tables): each table is read as of one instant per chunk, and a chunk makes writers wait for a "
            "moment; InnoDB (1 table): each table is read as of one instant; MEMORY (1 table): each table is read as "
            "of one instant per chunk at most."
        ),
        "",
    )
    assert expected == said(tables.judge_engines(catalog(*facts)))
    assert ("engines", "ok", "There are no tables.", "") == said(tables.judge_engines(catalog()))


def test_damaged_tables() -> None:
    """A table that the server cannot open is told with the server's reason."""
    expected = ("damaged_tables", "ok", "The server can open every table.", "")
    assert expected == said(tables.judge_damaged_tables(catalog(table("a"))))
    facts = catalog(table("a"), table("b", "", comment="Table is marked as crashed"), table("c", ""))
    expected = (
        "damaged_tables",
        "warning",
        "The server cannot open 2 tables: `b` (Table is marked as crashed); `c` (no reason given).",
        (
            "Let an administrator look at them: REPAIR TABLE mends a crashed MyISAM table, a backup the others. Make a "
            "copy of the files first."
        ),
    )
    assert expected == said(tables.judge_damaged_tables(facts))


def test_packet_size() -> None:
    """Rows four times as wide as the average must fit into one answer."""
    facts = catalog(table("documentmisc", rows=56, size=56 * MB), table("patient"))
    expected = (
        "packet_size",
        "ok",
        "The server sends at most 4.0 MB at once (`max_allowed_packet`), which is enough for the rows of every table.",
        "",
    )
    assert expected == said(tables.judge_packet_size(facts, 4 * MB))
    expected = (
        "packet_size",
        "warning",
        (
            "The server sends at most 1.0 MB at once (`max_allowed_packet`), and the rows of `documentmisc` may be "
            "larger: those of `documentmisc` have 1.0 MB on average."
        ),
        (
            "Let an administrator raise `max_allowed_packet` on the source; larger rows are read field by field, and a "
            "single value that is larger fails its table."
        ),
    )
    assert expected == said(tables.judge_packet_size(facts, MB))


def test_long_reads() -> None:
    """A large table that can only be read by one statement is a warning where readers hold up writers."""
    id_ = Column(name="id", data_type="int", column_type="int(11)", nullable=False)
    large = {"size": 11 * MB, "columns": (id_,)}
    facts = [
        table("small"),
        table("keyed", indexes=(Index(name="PRIMARY", columns=("id",), unique=True),), **large),
        table("unique", indexes=(Index(name="u", columns=("id",), unique=True),), **large),
        table("free", "InnoDB", **large),
        table("broken", "", **large),
    ]
    expected = (
        "long_reads",
        "ok",
        "No large table has to be read by one statement that holds up writers.",
        "",
    )
    assert expected == said(tables.judge_long_reads(catalog(*facts)))
    expected = (
        "long_reads",
        "warning",
        (
            "`keyless`: without a primary key, such a table is read by one statement, and who writes it waits until "
            "that ends."
        ),
        "Load them when nobody works (`source.allowed_hours`), give them a key, or exclude them in etlkit.yml.",
    )
    assert expected == said(tables.judge_long_reads(catalog(*facts, table("keyless", **large))))


def test_pauses() -> None:
    """A server that is calm is no warning, and what is done to spare it is told."""
    expected = (
        "pauses",
        "ok",
        (
            "Reads over 1 connection in read-only sessions, at any time. Reads InnoDB in pieces of about 0.5 s, "
            "without a rest. Reads Aria, MyISAM in pieces of about 0.25 s, and rests so that it reads 50% of the time. "
            "Pauses while more than 10 statements are at work on the server (Threads_running), or while there are more "
            "than 20 waits for table locks a second (Table_locks_waited); gives up after 10 minutes. Threads_running "
            "is 10 now."
        ),
        "",
    )
    assert expected == said(server.judge_pauses(Manners(SOURCE), {"MyISAM", "InnoDB", "Aria", ""}, 10))
    changed = attrs.evolve(
        SOURCE,
        connections=2,
        duty_cycle=0.25,
        max_threads_running=5,
        max_table_lock_waits=1,
        busy_patience_minutes=0.5,
        allowed_hours=AllowedHours.parse("20:00-06:00"),
    )
    expected = (
        "pauses",
        "ok",
        (
            "Reads over 2 connections in read-only sessions, from 20:00-06:00 only. Reads InnoDB in pieces of about "
            "0.5 s, and rests so that it reads 25% of the time. Pauses while more than 5 statements are at work on the "
            "server (Threads_running), or while there are more than 1 waits for table locks a second "
            "(Table_locks_waited); gives up after 0.5 minutes. Threads_running is 1 now."
        ),
        "",
    )
    assert expected == said(server.judge_pauses(Manners(changed), {"InnoDB"}, 1))


def test_no_pauses() -> None:
    """A server that is busy now, or that does not tell, is a warning."""
    expected = (
        "pauses",
        "warning",
        "The server is busy: Threads_running is 11, and `source.max_threads_running` is 10, so a run would wait.",
        "Run at a quieter hour, or raise `source.max_threads_running` in etlkit.yml.",
    )
    assert expected == said(server.judge_pauses(Manners(SOURCE), (), 11))
    expected = (
        "pauses",
        "warning",
        (
            "The server does not tell how busy it is (SHOW GLOBAL STATUS): etlkit rests between pieces, but does not "
            "pause for others."
        ),
        "Name hours when nobody works in `source.allowed_hours`, or let it rest more by `source.duty_cycle`.",
    )
    assert expected == said(server.judge_pauses(Manners(SOURCE), (), None))
