"""A deployment full of canaries, driven through every verb and into every refusal: none is shown in any form."""

from __future__ import annotations

import base64
import logging
from collections.abc import Iterator
from pathlib import Path

import psycopg2.sql
import pytest
from sqlalchemy import make_url

from etlkit.cli import main
from etlkit.warehouse_session import QUIET
from support.canaries import Canaries
from support.clinic import Clinic
from support.databases import SourceDatabase, WarehouseDatabase

ODD = "hun'ter\"2 Zq/@:%#\\ü"
"""The password of both accounts."""
TEXT = "Zq4canaryW"
NUMBER = "3141592653589793"
ODD_TEXT = f"{TEXT}\\t\\'\\\\ü"
"""As the source's literal: a tab, a quote, a backslash and an umlaut are behind the word."""

COLUMNS = {
    "n_bigint": ("bigint", NUMBER),
    "n_decimal": ("decimal(30,4)", "3141592653.5897"),
    "n_double": ("double", "31415926.53589793e-3"),
    "d_date": ("date", "'1893-07-21'"),
    "d_datetime": ("datetime(6)", "'1893-07-21 13:37:59.424242'"),
    "d_timestamp": ("timestamp null", "'2003-07-21 13:37:59'"),
    "d_time": ("time", "'613:37:59'"),
    "t_varchar": ("varchar(60)", f"'{ODD_TEXT}'"),
    "t_text": ("text", f"'{ODD_TEXT}'"),
    "t_latin1": ("varchar(60) character set latin1", f"'{ODD_TEXT}'"),
    "t_json": ("json", f"""'{{"a": "{TEXT}"}}'"""),
    "b_blob": ("blob", f"0x{TEXT.encode().hex()}"),
    "b_varbinary": ("varbinary(60)", f"0x00ff{TEXT.encode().hex()}"),
    "b_bit": ("bit(64)", f"0x{b'Zq4canar'.hex()}"),
}
"""By name, type and value of each column of every row."""
VALUES = (
    *(TEXT, NUMBER, "3141592653.5897", "31415.92653589793", "1893-07-21", "2003-07-21 13:37:59", "613:37:59"),
    *("Zq4canar", ODD, "hun'ter"),
)
"""Texts that must not be shown. What an ENUM may hold is part of its type, so that no value of one is a secret."""


def forms(value: str) -> set[str]:
    """A text as it is, in hexadecimal digits, in base64 at any offset, as COPY and as Python write it."""
    raw = value.encode()
    coded = {base64.b64encode(b"x" * shift + raw)[shift + 3 : -4].decode() for shift in range(3)}
    escaped = value.replace("\\", "\\\\").replace("\t", "\\t")
    shown = {value, escaped, repr(value)[1:-1], raw.hex(), raw.hex().upper(), repr(raw)[2:-1]}
    return {each for each in shown | coded if len(each) >= 5}


KEPT = "id varchar(40) primary key"
REFUSED: dict[str, tuple[str, str, str]] = {
    # By table: its definition, its rows, and what is chosen for it in etlkit.yml.
    "no_range": (
        "id bigint primary key, x bigint",
        f"(1, {NUMBER})",
        "column_overrides: {x: {pg_type: smallint}}",
    ),
    "no_cast": (
        f"{KEPT}, x varchar(60)",
        f"('{TEXT}', '{ODD_TEXT}')",
        "column_overrides: {x: {pg_type: integer}}",
    ),
    "no_date_cast": (
        f"{KEPT}, x varchar(60)",
        f"('{TEXT}', '{TEXT}')",
        "column_overrides: {x: {pg_type: date}}",
    ),
    "no_json": (f"{KEPT}, x text", f"('{TEXT}', '[\"{TEXT}\", ')", "column_overrides: {x: {pg_type: jsonb}}"),
    "no_unique": (
        "id varchar(40) primary key",
        f"('{NUMBER}'), ('0{NUMBER}')",
        "column_overrides: {id: {pg_type: bigint}}",
    ),
    "no_boolean": (
        f"{KEPT}, x tinyint, y text",
        f"('{TEXT}', 97, '{TEXT}')",
        "column_overrides: {x: {conversion: tinyint_to_boolean}}",
    ),
    "no_nul": (
        f"{KEPT}, x text",
        f"('{TEXT}', concat('{TEXT}', char(0)))",
        "column_overrides: {x: {policy: fail}}",
    ),
    "no_day": (f"{KEPT}, x date", f"('{TEXT}', '1893-02-31')", "column_overrides: {x: {policy: fail}}"),
    "no_key": (
        "id varchar(40), x date not null, primary key (id, x)",
        f"('{TEXT}', '1893-07-21')",
        "extraction_strategy: full_table",
    ),
}
WAREHOUSE_REFUSES = {
    "by_check": "alter table raw.by_check add constraint own check (x not like 'Zq%')",
    "by_trigger": (
        "create function raise_it() returns trigger language plpgsql as $$ begin raise exception 'no %', new; end $$; "
        "create trigger own before insert on raw.by_trigger for each row execute function raise_it()"
    ),
    "by_death": (
        "create function end_it() returns trigger language plpgsql security definer as "
        "$$ begin perform pg_terminate_backend(pg_backend_pid()); perform pg_sleep(9); return new; end $$; "
        "create trigger own before insert on raw.by_death for each row execute function end_it()"
    ),
}
"""By table, what somebody adds in the warehouse between two loads."""


@pytest.fixture
def accounts(source: SourceDatabase, warehouse: WarehouseDatabase) -> Iterator[tuple[str, str]]:
    """Addresses of two accounts with the odd password: they may read the source, and own the warehouse."""
    role = psycopg2.sql.Identifier(f"canary_{warehouse.name}")
    name = psycopg2.sql.Identifier(warehouse.name)
    sql = psycopg2.sql.SQL
    user = "canary"
    with source.server.connect() as connection, connection.cursor() as cursor:
        cursor.execute("create user %s@'127.0.0.1' identified by %s", (user, ODD))
        cursor.execute(f"grant select on `{source.name}`.* to %s@'127.0.0.1'", (user,))
    admin = warehouse.server.connect(warehouse.name)
    with admin.cursor() as cursor:
        cursor.execute(sql("create role {} login password %s").format(role), (ODD,))
        cursor.execute(sql("alter database {} owner to {}").format(name, role))
        for setting, value in QUIET.items():  # as `etlkit doctor` tells the administrator
            alter = sql("alter role {} set {} = {}")
            cursor.execute(
                alter.format(role, psycopg2.sql.Identifier(setting), psycopg2.sql.Identifier(value))
            )
    yield (
        f"mysql://{user}@127.0.0.1:{make_url(source.url).port}/{source.name}",
        f"postgresql://{role.string}@127.0.0.1:{make_url(warehouse.url).port}/{warehouse.name}",
    )
    with admin.cursor() as cursor:
        cursor.execute(sql("alter database {} owner to current_user").format(name))
        cursor.execute(sql("drop owned by {} cascade").format(role))
        cursor.execute(sql("drop role {}").format(role))
    admin.close()
    with source.server.connect() as connection, connection.cursor() as cursor:
        cursor.execute("drop user %s@'127.0.0.1'", (user,))


class Deployment:
    """A clinic whose every output is looked through."""

    def __init__(self, clinic: Clinic) -> None:
        self.clinic = clinic
        self.watch = Canaries(values={"all": set().union(*(forms(each) for each in VALUES))})

    def run(self, *words: str, **env: str) -> int:
        """Carry out a command, and look through what it says."""
        result = self.clinic.etlkit(*words, **env)
        said = " ".join(words)
        self.watch.look(result.output, said)
        if result.exception is not None:
            self.watch.look_at_error(result.exception, said)
        assert isinstance(result.exception, SystemExit | None), said
        return result.exit_code

    def found(self) -> list[str]:
        """Look through the deployment's folder and the ledger as well, and give what was found."""
        for path in sorted(self.clinic.folder.rglob("*")):
            if path.is_file() and path.suffix != ".secret":
                self.watch.look(path.read_bytes(), path.name)
        names = "select relname from pg_class where relnamespace = 'etlkit'::regnamespace and relkind = 'r'"
        for (name,) in self.clinic.warehouse.rows(f"{names} and relname not like 'stage%'"):
            for (row,) in self.clinic.warehouse.rows(
                f"select (to_jsonb(t) - 'key')::text from etlkit.{name} as t"
            ):
                self.watch.look(row, name)
        return self.watch.found


def opened(
    folder: Path, addresses: tuple[str, str], source: SourceDatabase, warehouse: WarehouseDatabase
) -> Deployment:
    """Write the deployment's files: the password comes from a file for one server, from a command for the other."""
    folder.mkdir()
    secret = folder / "pw.secret"
    secret.write_text(ODD + "\n")
    secret.chmod(0o600)
    tables = "".join(f"  {name}: {{{choice}}}\n" for name, (_, _, choice) in REFUSED.items() if choice)
    (folder / "etlkit.yml").write_text(
        "deployment: north\n"
        f"source:\n  url: {addresses[0]}\n  password_file: pw.secret\n"
        f"warehouse:\n  url: {addresses[1]}\n  password_command: cat {secret}\n"
        f"run: {{retries: 0}}\ntables:\n{tables}"
        "  in_quarantine: {column_overrides: {x: {policy: quarantine}, y: {policy: quarantine}}}\n"
    )
    return Deployment(Clinic(folder=folder, source=source, warehouse=warehouse))


def fill(source: SourceDatabase) -> None:
    """Make a table with every type, one with a cursor, and those that are going to be refused."""
    columns = ", ".join(f"{name} {kind}" for name, (kind, _) in COLUMNS.items())
    values = ", ".join(value for _, value in COLUMNS.values())
    source.execute(
        "set sql_mode = 'ALLOW_INVALID_DATES', time_zone = '+00:00'",
        f"create table every_type (id varchar(60) primary key, {columns}) character set utf8mb4",
        f"insert into every_type values ('{ODD_TEXT}', {values}), ('{TEXT} 2', {values})",
        f"create table no_primary_key ({columns}) character set utf8mb4",
        f"insert into no_primary_key values ({values})",
        "create table moving (id int primary key, x varchar(60), at timestamp not null default current_timestamp "
        "on update current_timestamp, key (at))",
        f"insert into moving (id, x) values (1, '{TEXT}'), (2, '{ODD_TEXT}')",
        *(f"create table {name} ({made}) character set utf8mb4" for name, (made, _, _) in REFUSED.items()),
        *(f"insert into {name} values {rows}" for name, (_, rows, _) in REFUSED.items()),
        "update no_key set x = '0000-00-00'",
        "create table in_quarantine (id varchar(40) primary key, x text, y date)",
        f"insert into in_quarantine values ('{TEXT}', concat('{TEXT}', char(0)), '1893-02-31')",
        *(f"create table {name} (id int primary key, x text)" for name in WAREHOUSE_REFUSES),
    )


@pytest.mark.parametrize("source", ["mariadb-innodb"], indirect=True)
def test_every_verb_and_every_refusal(
    tmp_path: Path,
    source: SourceDatabase,
    warehouse: WarehouseDatabase,
    accounts: tuple[str, str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    """No verb, option, log or error shows a value or the password, and neither do ledger and files."""
    fill(source)
    caplog.set_level(logging.DEBUG, "etlkit")
    at = opened(tmp_path / "north", accounts, source, warehouse)
    assert {0, 1} >= {at.run("doctor"), at.run("doctor", "--json")}
    assert 0 == at.run("analyze", "--verbose")
    assert 0 == at.run("plan", "--json")
    assert 3 == at.run("run", "--verbose", "--log-format", "json", "--json")
    warehouse.execute(*WAREHOUSE_REFUSES.values())
    source.execute(
        *(f"insert into {name} values (1, '{ODD_TEXT}')" for name in WAREHOUSE_REFUSES),
        f"update every_type set t_text = concat(t_text, '{TEXT}') where id = '{TEXT} 2'",
        f"update moving set x = '{TEXT} 3' where id = 1",
        "alter table no_cast drop x",
    )
    assert 3 == at.run("run")
    failed = {
        name
        for (name,) in warehouse.rows(
            "select distinct table_name from etlkit.table_loads where error is not null"
        )
    }
    assert {*REFUSED, *WAREHOUSE_REFUSES} == failed | {"no_cast"}
    warehouse.execute(f"update raw.every_type set t_varchar = '{TEXT} 9', n_bigint = 1, d_date = null")
    codes = {
        words: at.run(*words.split())
        for words in (
            *(
                "status",
                "status --json",
                "report",
                "report --json",
                "report --audit --json",
                "plugins list --json",
                "plan --verbose",
            ),
            *("verify", "verify --json", "verify --deep --verbose", "reconcile --json"),
        )
    }
    assert {0, 2, 3, 4} >= set(codes.values()), str(codes)
    assert 4 in codes.values()
    (tmp_path / "north" / "pw.secret").write_text(ODD + "x\n")
    assert 1 == at.run("run", "--verbose")
    assert {1} == {at.run("doctor"), at.run("status", "--json")}
    at.watch.look(caplog.text, "logs")
    assert [] == at.found()


def test_the_forms() -> None:
    """A canary is found in each form that it could be written in."""
    watch = Canaries(values={"all": forms(TEXT)})
    for said in (
        f"a {TEXT} b",
        TEXT.encode().hex(),
        f"\\x{TEXT.encode().hex().upper()}",
        base64.b64encode(f"patient {TEXT} and more".encode()).decode(),
        base64.b64encode(f"a patient {TEXT} and more".encode()).decode(),
        base64.b64encode(f"the patient {TEXT} and more".encode()).decode(),
    ):
        watch.look(said, "it")
        assert 1 == len(watch.taken()), said


def test_the_command_line_is_what_is_driven() -> None:
    """A verb that is new is driven above as well, or shows nothing of a source."""
    driven = {"doctor", "analyze", "plan", "run", "status", "verify", "reconcile", "report", "plugins"}
    assert driven | {"init", "demo", "state"} >= set(main.commands)  # type: ignore[attr-defined]
