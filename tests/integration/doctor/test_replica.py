"""The doctor on a replica: what is fine is not complained of, and what is wrong is told with what to do about it."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner
from sqlalchemy import make_url

from etlkit.cli import main
from etlkit.doctor import Examination, Finding
from etlkit.doctor.findings import Level
from etlkit.loading.source_identity import SourceIdentity
from etlkit.replication.ledger import ReplicaLedger
from etlkit.wording import size
from support.databases import SourceDatabase, WarehouseDatabase
from support.dental_schema import create_dental_schema

Examine = Callable[..., Examination]
MakeSource = Callable[[str], SourceDatabase]
MakeUser = Callable[..., str]

PASSWORD = "hunter2'\"@/"  # noqa: S105 - of users that live as long as a test
NEEDED = "SELECT, INSERT, UPDATE, DELETE, CREATE, DROP, ALTER, INDEX, CREATE TEMPORARY TABLES"

_numbers = itertools.count(1)


def said(check: str, level: Level, message: str, remedy: str) -> Finding:
    """A finding about the replica."""
    return Finding(section="replica", check=check, level=level, message=message, remedy=remedy)


def findings(found: Examination, *levels: str) -> list[Finding]:
    """What was found about the replica, of some levels."""
    return [each for each in found.findings if each.section == "replica" and each.level in levels]


def names(found: Examination, *levels: str) -> list[str]:
    """The checks of what was found about the replica, of some levels."""
    return [each.check for each in findings(found, *levels)]


def finding(found: Examination, check: str) -> Finding:
    """The finding of one check about the replica."""
    [one] = [each for each in found.findings if (each.section, each.check) == ("replica", check)]
    return one


def with_parts(url: str, **parts: object) -> str:
    """An address with other parts."""
    return make_url(url).set(**parts).render_as_string(hide_password=False)  # type: ignore[arg-type]


def pattern(database: str) -> str:
    """A database's name in a GRANT."""
    return f"`{database}`".replace("_", "\\_")


@pytest.fixture
def make_user() -> Iterator[MakeUser]:
    """A function that makes a user who may do some things in a replica, `copier<n>` at 127.0.0.1, and gives the URL."""
    made: list[tuple[SourceDatabase, str]] = []

    def make(replica: SourceDatabase, privileges: str = NEEDED) -> str:
        name = f"copier{next(_numbers)}"
        made.append((replica, name))
        with replica.server.connect() as connection, connection.cursor() as cursor:
            cursor.execute("create user %s@'127.0.0.1' identified by %s", (name, PASSWORD))
            cursor.execute(f"grant {privileges} on {pattern(replica.name)}.* to '{name}'@'127.0.0.1'")
        return with_parts(replica.url, username=name, password=PASSWORD)

    yield make
    for replica, name in made:
        with replica.server.connect() as connection, connection.cursor() as cursor:
            cursor.execute("drop user %s@'127.0.0.1'", (name,))


def test_all_is_well(
    make_source: MakeSource,
    warehouse: WarehouseDatabase,
    make_user: MakeUser,
    examined: Examine,
    folder: Path,
) -> None:
    """A server of its own with a user of its own gives no warning, and is shown between source and warehouse."""
    source, replica = make_source("mysql56"), make_source("mariadb-innodb")
    create_dental_schema(source)
    url = make_user(replica)
    found = examined(source.reader_url, warehouse.url, url)
    assert [] == findings(found, "warning", "problem")
    assert ["disk"] == names(found, "skipped")
    assert 0 == found.exit_code
    env = {
        "ETLKIT_SOURCE_URL": source.reader_url,
        "ETLKIT_WAREHOUSE_URL": warehouse.url,
        "ETLKIT_REPLICA_URL": url,
    }
    result = CliRunner().invoke(main, ["doctor", "-C", str(folder)], env=env)
    assert (0, "") == (result.exit_code, result.stderr)
    assert PASSWORD not in result.stdout
    parts = [part.splitlines() for part in result.stdout.split("\n\n")]
    assert ["Source", "Replica", "Warehouse", "Plugins", "Configuration"] == [each[0] for each in parts[:5]]
    assert "engine MyISAM -> InnoDB (13 tables: " in finding(found, "definitions").message
    shown = {line[11:].partition(":")[0]: line for line in parts[1][1:]}
    rights = f"may write the database `{replica.name}`, and change nothing elsewhere."
    for check, expected in {
        "connection": f"127.0.0.1:{make_url(url).port} answers.",
        "grants": f"The user `{make_url(url).username}`@`127.0.0.1` {rights}",
        "database": f"The database `{replica.name}` is there, and holds 0 tables.",
        "server": "The replica is on a server of its own.",
        "engine": "Copies are kept in InnoDB: a table's rows and its state are committed together.",
        "target_tables": f"Nothing in the database `{replica.name}` is in the way of a table to copy.",
        "local_infile": "The server takes rows by LOAD DATA LOCAL.",
        "ledger": "There is no copy yet; the first `etlkit run` makes it.",
    }.items():
        assert f"  OK       {check}: {expected}" == shown[check]


@pytest.mark.parametrize("kind", ["mariadb-innodb", "mysql56"])
def test_rights(
    make_source: MakeSource,
    warehouse: WarehouseDatabase,
    make_user: MakeUser,
    examined: Examine,
    kind: str,
) -> None:
    """Rights that are missing are told with the statement that gives them, which works as it is printed."""
    source, replica = make_source("mariadb-myisam"), make_source(kind)
    source.execute("create table t (a int)")
    url = make_user(replica, "SELECT, INSERT, DROP")
    user = make_url(url).username
    missing = "UPDATE, DELETE, CREATE, ALTER, INDEX, CREATE TEMPORARY TABLES"
    statement = f"GRANT {missing} ON {pattern(replica.name)}.* TO '{user}'@'127.0.0.1';"
    found = examined(source.reader_url, warehouse.url, url)
    expected = said(
        "grants",
        "problem",
        f"The user `{user}`@`127.0.0.1` may not {missing} in the database `{replica.name}`.",
        f"Let an administrator run: {statement}",
    )
    assert (expected, 1) == (finding(found, "grants"), found.exit_code)
    replica.execute(statement.rstrip(";"))
    assert "ok" == finding(examined(source.reader_url, warehouse.url, url), "grants").level


def test_the_sources_server(
    make_source: MakeSource,
    warehouse: WarehouseDatabase,
    make_user: MakeUser,
    examined: Examine,
    folder: Path,
) -> None:
    """An administrator of the source's own server is warned of both; the source itself is refused, also by a run."""
    source, replica = make_source("mariadb-innodb"), make_source("mariadb-innodb")
    source.execute("create table t (a int primary key)")
    statements = (
        "CREATE USER 'etlkit_replica'@'127.0.0.1' IDENTIFIED BY 'a long password'; "
        f"GRANT {NEEDED} ON {pattern(replica.name)}.* TO 'etlkit_replica'@'127.0.0.1';"
    )
    found = examined(source.reader_url, warehouse.url, replica.url)
    assert [
        said(
            "grants",
            "warning",
            f"The user `etlkit`@`127.0.0.1` may do more than write the database `{replica.name}`: ALL PRIVILEGES on "
            "*.* with GRANT OPTION.",
            f"Give etlkit a user of its own, and name it with its password in `replica.url`: {statements}",
        ),
        said(
            "server",
            "warning",
            "The replica is on the source's own server: whoever reads it, still burdens the clinic's machine.",
            "Set the replica up on another machine; leave it only if this one has the strength for both.",
        ),
    ] == findings(found, "warning", "problem")
    replica.execute(*statements.rstrip(";").split("; "))
    own = with_parts(replica.url, username="etlkit_replica", password="a long password")  # noqa: S106 - as printed
    again = examined(source.reader_url, warehouse.url, own)
    replica.execute("drop user 'etlkit_replica'@'127.0.0.1'")
    assert ["server"] == names(again, "warning", "problem")
    beside = with_parts(make_user(source), host="localhost")
    itself = finding(examined(source.reader_url, warehouse.url, beside), "server")
    expected = said(
        "server",
        "problem",
        "The replica is the source's own database, reached in another way; it must not be written.",
        "Name another database in `replica.url`, or leave the section `replica` out.",
    )
    assert expected == itself
    env = {
        "ETLKIT_SOURCE_URL": source.reader_url,
        "ETLKIT_WAREHOUSE_URL": warehouse.url,
        "ETLKIT_REPLICA_URL": beside,
    }
    assert 0 == CliRunner().invoke(main, ["analyze", "-C", str(folder)], env=env).exit_code
    refused = CliRunner().invoke(main, ["run", "-C", str(folder)], env=env)
    assert (
        "Error: `replica.url` in etlkit.yml is the source itself, reached in another way, which must not be written; "
        "name another database, or leave the section `replica` out"
    ) == refused.stderr.splitlines()[-1]
    assert (2, [("t",)]) == (refused.exit_code, source.rows("show tables"))


def test_server_that_takes_less(
    make_source: MakeSource, warehouse: WarehouseDatabase, make_user: MakeUser, examined: Examine
) -> None:
    """A server that is read-only, has no LOAD DATA LOCAL or takes smaller values is told, with what to set."""
    source, replica = make_source("mariadb-innodb"), make_source("mysql56")
    source.execute("create table t (a int primary key)")
    url = make_user(replica)
    packet = source.value("select @@global.max_allowed_packet")
    before = replica.value("select @@global.max_allowed_packet")
    restrict = "set global read_only = {}, global local_infile = {}, global max_allowed_packet = {}"
    replica.execute(restrict.format(1, 0, packet // 4))
    try:
        found = examined(source.reader_url, warehouse.url, url)
    finally:
        replica.execute(restrict.format(0, 1, before))
    assert [
        said(
            "writable",
            "problem",
            "The server is read-only (`read_only`); it may only follow another server.",
            "Name a server that accepts changes in `replica.url`; if this one follows none, let an administrator run: "
            "SET GLOBAL read_only = OFF;",
        ),
        said(
            "local_infile",
            "warning",
            "The server does not allow LOAD DATA LOCAL (`local_infile` is off), so rows are written by INSERT, which "
            "is slower.",
            "Write `local_infile = 1` below [mysqld] in the server's configuration, and let an administrator run: SET "
            "GLOBAL local_infile = 1;",
        ),
        said(
            "packet_size",
            "warning",
            f"The server takes at most {size(packet // 4)} at once (`max_allowed_packet`), and the source sends up to "
            f"{size(packet)}: a larger value fails its table.",
            f"Write `max_allowed_packet = {packet}` below [mysqld] in the replica's configuration, and let an "
            f"administrator run: SET GLOBAL max_allowed_packet = {packet};",
        ),
    ] == findings(found, "warning", "problem")


def test_what_cannot_be_made(
    make_source: MakeSource, warehouse: WarehouseDatabase, make_user: MakeUser, examined: Examine
) -> None:
    """What the replica's server knows in another way is told as adapted, what it cannot hold as a problem."""
    source, replica = make_source("mariadb-innodb"), make_source("mysql56")
    source.execute(
        "create table t (a int primary key, b varchar(10) collate utf8mb4_uca1400_ai_ci)",
        "create table u (a int primary key)",
    )
    url = make_user(replica)
    collation = "collation utf8mb4_uca1400_ai_ci -> utf8mb4_unicode_520_ci (1 table: `t`)"
    assert collation in finding(examined(source.reader_url, warehouse.url, url), "definitions").message
    source.execute("create table v (a uuid primary key)")
    found = finding(examined(source.reader_url, warehouse.url, url), "definitions")
    version = replica.value("select substring_index(version(), '-', 1)")
    expected = said(
        "definitions",
        "problem",
        f"1 table cannot be made on the replica's server: MySQL {version} cannot hold the column `v`.`a`: it has no "
        "type uuid. Choose a MariaDB for the replica, or leave the table out.",
        "Exclude them in etlkit.yml (`tables:`, `exclude: true`), or name a server that can hold them in "
        "`replica.url`.",
    )
    assert expected == found


def test_no_database(
    make_source: MakeSource, warehouse: WarehouseDatabase, make_user: MakeUser, examined: Examine
) -> None:
    """A database that is not there is told with the statements that make it; the server is judged all the same."""
    source, replica = make_source("mysql56"), make_source("mariadb-innodb")
    source.execute("create table t (a int primary key)")
    place = f"127.0.0.1:{make_url(replica.url).port}"
    found = examined(source.reader_url, warehouse.url, with_parts(replica.url, database="no_such"))
    statements = f"CREATE DATABASE `no_such`; GRANT {NEEDED} ON `no\\_such`.* TO 'etlkit'@'127.0.0.1';"
    expected = said(
        "database",
        "problem",
        f"{place} has no database `no_such`.",
        f"Check the name in `replica.url`, or let an administrator run: {statements}",
    )
    assert [expected] == findings(found, "problem")
    assert "ok" == finding(found, "local_infile").level
    url = make_user(replica)
    found = examined(source.reader_url, warehouse.url, with_parts(url, database="no_such"))
    user = make_url(url).username
    expected = said(
        "database",
        "problem",
        f"{place} does not let the user `{user}`@`127.0.0.1` use a database `no_such`, and does not tell whether "
        "there is one.",
        "Check the name in `replica.url`, and let an administrator run, the first only if it is not there: "
        f"{statements.replace('etlkit', str(user))}",
    )
    assert expected == finding(found, "database")
    assert ["grants", "database"] == names(found, "problem")


def test_unreachable(make_source: MakeSource, warehouse: WarehouseDatabase, examined: Examine) -> None:
    """Where nobody answers, only that is told; without a source, what can be said of the replica is."""
    source, replica = make_source("mysql56"), make_source("mariadb-innodb")
    source.execute("create table t (a int primary key)")
    found = examined(source.reader_url, warehouse.url, with_parts(replica.url, port=1))
    assert [
        said(
            "connection",
            "problem",
            "no server answers at 127.0.0.1:1 (connection refused).",
            "Start it, or correct `replica.url`.",
        )
    ] == findings(found, "ok", "warning", "problem")
    assert {"Not checked, because the replica cannot be reached."} == {
        each.message for each in findings(found, "skipped")
    }
    alone = examined(with_parts(source.reader_url, port=1), warehouse.url, replica.url)
    assert ["server", "definitions", "target_tables", "packet_size", "disk"] == names(alone, "skipped")
    assert ["grants"] == names(alone, "warning", "problem")


def test_what_is_there(
    make_source: MakeSource, warehouse: WarehouseDatabase, make_user: MakeUser, examined: Examine
) -> None:
    """A replica of another source is refused, and a table in the way is told; etlkit's own tables are in no way."""
    source, replica = make_source("mysql56"), make_source("mariadb-innodb")
    source.execute(*(f"create table {name} (a int primary key)" for name in "tuv"))
    replica.execute(
        "create table u (a int)", "create view v as select 1 as a", "create view w as select 1 as a"
    )
    url = make_user(replica)
    uid = source.value("select @@server_uuid")
    ledger = ReplicaLedger(replica.engine, replica.name)
    ledger.ensure()
    ledger.require_source(
        SourceIdentity(kind="MySQL", server="another", machine="", place="", database="elsewhere")
    )
    found = examined(source.reader_url, warehouse.url, url)
    assert [
        said(
            "target_tables",
            "problem",
            f"The database `{replica.name}` holds `u`, `v`, which etlkit did not make; it does not write to them.",
            "Rename or drop them, or name a database for etlkit alone in `replica.url`.",
        ),
        said(
            "ledger",
            "problem",
            f"The database `{replica.name}` copies another source: the server was `another` and is `{uid}`; the "
            f"database was `elsewhere` and is `{source.name}`.",
            "When the clinic's database moved, `etlkit run --accept-source` goes on with it and compares every row "
            "once; another clinic needs another database in `replica.url`.",
        ),
    ] == findings(found, "warning", "problem")
