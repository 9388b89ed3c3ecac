"""The doctor on real servers: what is fine is not complained of, what is wrong is told, and nothing stops it."""

from __future__ import annotations

import itertools
import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg2.sql
import pytest
from click.testing import CliRunner
from sqlalchemy import make_url

from etlkit.cli import main
from etlkit.doctor import Examination, Finding
from support.databases import SourceDatabase, WarehouseDatabase
from support.dental_schema import create_dental_schema

Examine = Callable[..., Examination]

ONE_KIND = pytest.mark.parametrize("source", ["mariadb-innodb"], indirect=True)
PASSWORD = "hunter2'\"@/"  # noqa: S105 - of users that live as long as a test

_numbers = itertools.count(1)


def levels(found: Examination, section: str) -> dict[str, str]:
    """The levels of a section's checks that are not fine, by check."""
    return {
        each.check: each.level for each in found.findings if each.section == section and each.level != "ok"
    }


def finding(found: Examination, section: str, check: str) -> Finding:
    """The finding of one check."""
    [one] = [each for each in found.findings if (each.section, each.check) == (section, check)]
    return one


def with_parts(url: str, **parts: object) -> str:
    """An address with other parts."""
    return make_url(url).set(**parts).render_as_string(hide_password=False)  # type: ignore[arg-type]


@pytest.fixture
def stranger(source: SourceDatabase) -> Iterator[str]:
    """The address of a user of the source who may do nothing, `stranger<n>` at 127.0.0.1."""
    name = f"stranger{next(_numbers)}"
    with source.server.connect() as connection, connection.cursor() as cursor:
        cursor.execute("create user %s@'127.0.0.1' identified by %s", (name, PASSWORD))
        yield with_parts(source.url, username=name, password=PASSWORD)
        cursor.execute("drop user %s@'127.0.0.1'", (name,))


@pytest.fixture
def guest(warehouse: WarehouseDatabase) -> Iterator[str]:
    """The address of a user of the warehouse who may connect and do nothing else."""
    name = psycopg2.sql.Identifier(f"guest {next(_numbers)}")
    database = psycopg2.sql.Identifier(warehouse.name)
    connection = warehouse.server.connect(warehouse.name)
    with connection.cursor() as cursor:
        sql = psycopg2.sql.SQL("revoke temporary on database {} from public").format(database)
        cursor.execute(sql)
        cursor.execute(psycopg2.sql.SQL("create role {} login password %s").format(name), (PASSWORD,))
        yield with_parts(warehouse.url, username=name.string, password=PASSWORD)
        cursor.execute(psycopg2.sql.SQL("drop owned by {} cascade").format(name))
        cursor.execute(psycopg2.sql.SQL("drop role {}").format(name))
    connection.close()


def test_all_is_well(source: SourceDatabase, warehouse: WarehouseDatabase, examined: Examine) -> None:
    """A user who may only read gives no warning; a missing analysis does, and the lack of a limit in MySQL 5.6."""
    create_dental_schema(source)
    found = examined(source.reader_url, warehouse.url)
    limit = {"statement_limit": "warning"} if source.kind == "mysql56" else {}
    assert limit == levels(found, "source")
    assert {} == levels(found, "warehouse")
    assert {} == levels(found, "plugins")
    assert {"tables_file": "warning"} == levels(found, "configuration")
    assert 0 == found.exit_code
    expected = (
        f"The user `reader`@`127.0.0.1` may SELECT from the database `{source.name}`, and change nothing."
    )
    assert expected == finding(found, "source", "grants").message


def test_administrator(source: SourceDatabase, warehouse: WarehouseDatabase, examined: Examine) -> None:
    """Somebody who may do everything is warned, and told how to make a user for etlkit; the statements work."""
    found = examined(source.url, warehouse.url)
    grants = finding(found, "source", "grants")
    pattern = source.name.replace("_", "\\_")
    statements = (
        "CREATE USER 'etlkit_reader'@'127.0.0.1' IDENTIFIED BY 'a long password'; "
        f"GRANT SELECT ON `{pattern}`.* TO 'etlkit_reader'@'127.0.0.1';"
    )
    expected = Finding(
        section="source",
        check="grants",
        level="warning",
        message="The user `etlkit`@`127.0.0.1` may do more than SELECT: ALL PRIVILEGES on *.* with GRANT OPTION.",
        remedy=f"Give etlkit a user of its own, and name it with its password in `source.url`: {statements}",
    )
    assert expected == grants
    assert 0 == found.exit_code
    source.execute("create table t (a int)", *statements.rstrip(";").split("; "))
    own = with_parts(source.url, username="etlkit_reader", password="a long password")  # noqa: S106 - as printed
    again = examined(own, warehouse.url)
    source.execute("drop user 'etlkit_reader'@'127.0.0.1'")
    assert "ok" == finding(again, "source", "grants").level


def test_user_without_rights(
    source: SourceDatabase, warehouse: WarehouseDatabase, stranger: str, examined: Examine
) -> None:
    """Without SELECT there is a problem and the statement that ends it; everything else is still checked."""
    source.execute("create table t (a int)")
    found = examined(stranger, warehouse.url)
    user = make_url(stranger).username
    grants = finding(found, "source", "grants")
    statement = f"GRANT SELECT ON `{source.name}`.* TO '{user}'@'127.0.0.1';".replace("_", "\\_")
    assert "problem" == grants.level
    assert (
        f"The user `{user}`@`127.0.0.1` may not SELECT from the database `{source.name}`." == grants.message
    )
    assert f"Let an administrator run: {statement}" == grants.remedy
    assert "problem" == finding(found, "source", "database").level
    assert "ok" == finding(found, "source", "connection").level
    assert {"target_tables": "skipped", "disk": "skipped"} == levels(found, "warehouse")
    assert 1 == found.exit_code
    source.execute(statement.rstrip(";"))
    again = examined(stranger, warehouse.url)
    assert "ok" == finding(again, "source", "grants").level
    assert "ok" == finding(again, "source", "database").level


def test_revoking_too_much(
    source: SourceDatabase, warehouse: WarehouseDatabase, stranger: str, examined: Examine
) -> None:
    """The statements that take too many rights away work as they are printed."""
    user = make_url(stranger).username
    source.execute(
        "create table t (a int)",
        f"grant all on `{source.name}`.* to '{user}'@'127.0.0.1' with grant option",
        f"grant insert on `{source.name}`.t to '{user}'@'127.0.0.1'",
    )
    grants = finding(examined(stranger, warehouse.url), "source", "grants")
    assert "warning" == grants.level
    head, _, statements = grants.remedy.partition(": ")
    assert "Let an administrator run" == head
    source.execute(*statements.rstrip(";").split("; "))
    assert "ok" == finding(examined(stranger, warehouse.url), "source", "grants").level


@ONE_KIND
def test_single_table_granted(
    source: SourceDatabase, warehouse: WarehouseDatabase, stranger: str, examined: Examine
) -> None:
    """A right to read single tables is a warning, for the others are not even seen."""
    user = make_url(stranger).username
    source.execute(
        "create table t (a int, b int)",
        "create table u (a int)",
        f"grant select (a) on `{source.name}`.t to '{user}'@'127.0.0.1'",
    )
    found = examined(stranger, warehouse.url)
    assert "warning" == finding(found, "source", "grants").level
    expected = f"The database `{source.name}` shows 1 table, and this user may not read all columns of `t`."
    assert expected == finding(found, "source", "database").message


def test_wrong_password(source: SourceDatabase, warehouse: WarehouseDatabase, examined: Examine) -> None:
    """When the source refuses us, the warehouse is checked all the same."""
    found = examined(with_parts(source.reader_url, password=PASSWORD), warehouse.url)
    connection = finding(found, "source", "connection")
    place = f"127.0.0.1:{make_url(source.url).port}"
    assert f"{place} refuses the user `reader` with this password." == connection.message
    assert "Correct `source.url`." == connection.remedy
    skipped = {each for each, level in levels(found, "source").items() if level == "skipped"}
    assert 12 == len(skipped)
    assert {"target_tables": "skipped", "disk": "skipped"} == levels(found, "warehouse")
    assert 1 == found.exit_code


@ONE_KIND
def test_unreachable(source: SourceDatabase, warehouse: WarehouseDatabase, examined: Examine) -> None:
    """A port where nobody answers is told with its place, on either side."""
    create_dental_schema(source)
    found = examined(with_parts(source.reader_url, port=1), with_parts(warehouse.url, port=1))
    expected = Finding(
        section="source",
        check="connection",
        level="problem",
        message="no server answers at 127.0.0.1:1 (connection refused).",
        remedy="Start it, or correct `source.url`.",
    )
    assert expected == finding(found, "source", "connection")
    expected = Finding(
        section="warehouse",
        check="connection",
        level="problem",
        message="no server answers at 127.0.0.1:1 (connection refused).",
        remedy="Start it, or correct `warehouse.url`.",
    )
    assert expected == finding(found, "warehouse", "connection")
    assert {"tables_file": "warning"} == levels(found, "configuration")


def test_no_database(source: SourceDatabase, warehouse: WarehouseDatabase, examined: Examine) -> None:
    """A database that is not there is told; the server is asked for everything else."""
    found = examined(
        with_parts(source.url, database="no_such"), with_parts(warehouse.url, database="no_such")
    )
    database = finding(found, "source", "database")
    assert f"127.0.0.1:{make_url(source.url).port} has no database `no_such`." == database.message
    assert "Correct `source.url`." == database.remedy
    assert "ok" == finding(found, "source", "version").level
    assert "ok" == finding(found, "source", "read_only").level
    connection = finding(found, "warehouse", "connection")
    assert f"127.0.0.1:{make_url(warehouse.url).port} has no database `no_such`." == connection.message


def test_database_that_the_user_must_not_see(
    source: SourceDatabase, warehouse: WarehouseDatabase, examined: Examine
) -> None:
    """Whether a closed database exists is not told by the server, so both remedies are."""
    found = examined(with_parts(source.reader_url, database="no_such"), warehouse.url)
    database = finding(found, "source", "database")
    expected = (
        f"127.0.0.1:{make_url(source.url).port} does not let the user `reader`@`127.0.0.1` use a database `no_such`, "
        "and does not tell whether there is one."
    )
    assert expected == database.message
    expected = (
        "Check the name in `source.url`, and let an administrator run: "
        "GRANT SELECT ON `no\\_such`.* TO 'reader'@'127.0.0.1';"
    )
    assert expected == database.remedy


def test_damaged_table(source: SourceDatabase, warehouse: WarehouseDatabase, examined: Examine) -> None:
    """A table whose files are gone is told by its name, and the others are still judged."""
    source.execute(
        "create table fine (a int)", "create table broken (a int primary key) engine=MyISAM", "flush tables"
    )
    index = source.server.data_folder / source.name / "broken.MYI"
    index.rename(index.with_suffix(".away"))
    found = examined(source.reader_url, warehouse.url)
    index.with_suffix(".away").rename(index)  # else MySQL 5.6 cannot drop the database
    damaged = finding(found, "source", "damaged_tables")
    assert "warning" == damaged.level
    assert damaged.message.startswith("The server cannot open 1 table: `broken` (Can't find file: ")
    assert f"{source.storage_engine} (1 table)" in finding(found, "source", "engines").message


@ONE_KIND
def test_foreign_table_in_the_way(
    source: SourceDatabase, warehouse: WarehouseDatabase, examined: Examine
) -> None:
    """Tables and views of a table's name that etlkit did not make are told before a run stumbles over them."""
    create_dental_schema(source)
    warehouse.execute(
        "create schema raw", "create table raw.patient (a int)", "create view raw.appointment as select 1"
    )
    found = examined(source.reader_url, warehouse.url)
    assert {"target_tables": "problem"} == levels(found, "warehouse")
    expected = "The schema `raw` holds `appointment`, `patient`, which etlkit did not make; it does not write to them."
    assert expected == finding(found, "warehouse", "target_tables").message


@ONE_KIND
def test_warehouse_without_rights(
    source: SourceDatabase, warehouse: WarehouseDatabase, guest: str, examined: Examine
) -> None:
    """All that a user of the warehouse lacks is told at once; the statements, run by an administrator, are enough."""
    warehouse.execute("create schema raw")
    found = examined(source.reader_url, guest)
    rights = finding(found, "warehouse", "rights")
    user = make_url(guest).username
    expected = (
        f"The user `{user}` may not create temporary tables; not create tables in the schema `raw`; not create the "
        "schema `etlkit`."
    )
    assert expected == rights.message
    head, _, statements = rights.remedy.partition(": ")
    assert f"Let an administrator run in the database `{warehouse.name}`" == head
    warehouse.execute(*statements.rstrip(";").split("; "))
    assert "ok" == finding(examined(source.reader_url, guest), "warehouse", "rights").level


@ONE_KIND
def test_disk_of_another_machine(source: SourceDatabase, guest: str, examined: Examine) -> None:
    """Who must not read the server's settings does not see its disk, and is told how much room is needed."""
    disk = finding(examined(source.reader_url, guest), "warehouse", "disk")
    assert "skipped" == disk.level
    expected = (
        "The source has 0 B, the warehouse holds 0 B of it; the free space of its server cannot be seen from "
        "here."
    )
    assert expected == disk.message


@ONE_KIND
def test_ledger_that_cannot_be_read(
    source: SourceDatabase, warehouse: WarehouseDatabase, guest: str, examined: Examine
) -> None:
    """A ledger of somebody else is a problem, and its tables cannot be told from foreign ones."""
    warehouse.execute("create schema etlkit", "create table etlkit.table_state (a int)", "create schema raw")
    create_dental_schema(source)
    found = examined(source.reader_url, guest)
    assert "problem" == finding(found, "warehouse", "ledger").level
    assert "skipped" == finding(found, "warehouse", "target_tables").level
    assert "problem" == finding(found, "warehouse", "rights").level


@ONE_KIND
def test_after_a_run(
    source: SourceDatabase, warehouse: WarehouseDatabase, examined: Examine, folder: Path
) -> None:
    """After a run, the tables that are there are etlkit's own, and the last run is told."""
    create_dental_schema(source)
    env = {"ETLKIT_SOURCE_URL": source.reader_url, "ETLKIT_WAREHOUSE_URL": warehouse.url}
    for command in ("analyze", "run"):
        result = CliRunner().invoke(main, [command, "-C", str(folder)], env=env)
        assert (0, command) == (result.exit_code, command), result.stderr
    found = examined(source.reader_url, warehouse.url)
    assert {} == {**levels(found, "warehouse"), **levels(found, "source"), **levels(found, "configuration")}
    ledger = finding(found, "warehouse", "ledger").message
    assert ledger.startswith("The last run began at ")
    assert ledger.endswith(" and loaded every table.")


@ONE_KIND
def test_json(source: SourceDatabase, warehouse: WarehouseDatabase, folder: Path) -> None:
    """`--json` prints one document with these keys, and nothing else."""
    env = {"ETLKIT_SOURCE_URL": source.reader_url, "ETLKIT_WAREHOUSE_URL": warehouse.url}
    result = CliRunner().invoke(main, ["doctor", "-C", str(folder), "--json"], env=env)
    document = json.loads(result.stdout)
    assert ["findings", "exit_code"] == list(document)
    keys = {tuple(each) for each in document["findings"]}
    assert {("section", "check", "level", "message", "remedy")} == keys
    assert (0, 0, "") == (result.exit_code, document["exit_code"], result.stderr)


def test_no_password_in_any_output(
    source: SourceDatabase, warehouse: WarehouseDatabase, folder: Path
) -> None:
    """Neither right nor wrong passwords are printed, nor the digest that old servers print among the grants."""
    broken = {"ETLKIT_SOURCE_URL": with_parts(source.reader_url, password=PASSWORD)}
    for urls in ({}, broken, {"ETLKIT_SOURCE_URL": source.url}):
        env = {"ETLKIT_SOURCE_URL": source.reader_url, "ETLKIT_WAREHOUSE_URL": warehouse.url, **urls}
        secrets = [make_url(each).password for each in env.values()]
        for more in ([], ["--json"], ["--verbose"]):
            result = CliRunner().invoke(main, ["doctor", "-C", str(folder), *more], env=env)
            said = result.stdout + result.stderr
            assert "connection" in said
            assert [] == [each for each in (*secrets, "PASSWORD '") if str(each) in said]


@ONE_KIND
def test_output_for_people(source: SourceDatabase, warehouse: WarehouseDatabase, folder: Path) -> None:
    """Findings are grouped, each begins with a word, and the remedy stands beneath."""
    env = {
        "ETLKIT_SOURCE_URL": with_parts(source.reader_url, port=1),
        "ETLKIT_WAREHOUSE_URL": warehouse.url,
    }
    result = CliRunner().invoke(main, ["doctor", "-C", str(folder)], env=env)
    lines = result.stdout.splitlines()
    skipped = (
        "version, encryption, read_only, grants, database, engines, damaged_tables, packet_size, clock, "
        "statement_limit, long_reads, pauses"
    )
    expected = [
        "Source",
        "  PROBLEM  connection: no server answers at 127.0.0.1:1 (connection refused).",
        "           -> Start it, or correct `source.url`.",
        f"  SKIPPED  {skipped}: Not checked, because the source cannot be reached.",
        "  OK       allowed_hours: The source may be read at any time.",
        "",
        "Warehouse",
    ]
    assert expected == lines[:7]
    assert "Problems: 1, warnings: 1, not checked: 14." == lines[-1]
    assert 1 == result.exit_code


@pytest.mark.parametrize("text", [None, "source: {url: 1\n"])
def test_broken_configuration(folder: Path, text: str | None) -> None:
    """Without a configuration that can be read, the sentence is told, plugins and files are checked, exit code 2."""
    path = folder / "etlkit.yml"
    path.unlink()
    shutil.rmtree(folder) if text is None else path.write_text(text)
    result = CliRunner().invoke(main, ["doctor", "-C", str(folder), "--json"], env={"ETLKIT_SOURCE_URL": ""})
    document = json.loads(result.stdout)
    wrong = [each for each in document["findings"] if each["level"] not in ("ok", "skipped")]
    assert (2, 2) == (result.exit_code, document["exit_code"])
    assert ["settings"] == [each["check"] for each in wrong]
    beginning = f"{path}: is not there; `etlkit init -C {folder}` writes one." if text is None else f"{path}:"
    assert wrong[0]["message"].startswith(beginning)
    assert "Mend this first; the servers can only be checked then." == wrong[0]["remedy"]
    assert ["plugins", "lock"] == [
        each["check"] for each in document["findings"] if each["section"] == "plugins"
    ]


@ONE_KIND
def test_open_env_file(
    source: SourceDatabase, warehouse: WarehouseDatabase, examined: Examine, folder: Path
) -> None:
    """Passwords that everybody on the machine can read are a problem."""
    (folder / ".env").write_text("A=b\n")
    (folder / ".env").chmod(0o644)
    found = examined(source.reader_url, warehouse.url)
    assert "problem" == finding(found, "configuration", "env_file").level
    assert 1 == found.exit_code
