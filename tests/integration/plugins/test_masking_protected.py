"""A protected table waits, unread, for a decision about each of its columns; a preset decides about Open Dental's."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

import pytest
from sqlalchemy.engine import make_url

from etlkit.config import ColumnOverride, TableChoice
from etlkit.config.masking import MaskingSettings
from etlkit.config.presets import read_preset
from etlkit.config.secrets import Secret
from etlkit.demo.practice import TABLES as PRACTICE
from etlkit.demo.practice import create_practice
from etlkit.events import TableFinished
from support.clinic import Clinic
from support.databases import SourceDatabase, WarehouseDatabase
from support.masked import KEY, hashed
from support.overheard import OverheardWire
from support.running import running_of

ONE_KIND = pytest.mark.parametrize("source", ["mariadb-innodb"], indirect=True)
KEEP = ColumnOverride(conversion="keep")
PATIENTS_TABLES = ("patient", "patientnote", "procedurelog", "inssub", "commlog", "document", "securitylog")
PLANTED = {
    "varchar": "'CANARY'",
    "char": "'C'",
    "text": "'CANARY text'",
    "mediumtext": "'CANARY text'",
    "longblob": "'CANARY bytes'",
    "date": "'2019-07-13'",
    "timestamp": "'2019-07-13'",
}
"""What is put into each column of a type: `date` stands for `datetime` as well."""
DECIDED = {"id": KEEP, "Name": ColumnOverride(conversion="mask")}
WAITS = (
    "table `t` is protected, and nobody decided about its column `New`: nothing of it is read; decide in etlkit.yml by "
    "`tables: {t: {column_overrides: {New: {conversion: keep}}}}`, or `drop`, `null`, `mask`, `hmac` or another "
    "conversion instead of `keep`"
)


@ONE_KIND
def test_a_new_column_waits(source: SourceDatabase, warehouse: WarehouseDatabase) -> None:
    """Nothing of the table is read or written, and the run ends with 5, until somebody decides; others are loaded."""
    source.execute(
        "create table t (id int primary key, Name varchar(20))",
        "insert into t values (1, 'canary')",
        "create table other (id int primary key)",
    )
    with (
        OverheardWire(make_url(source.reader_url).port or 3306) as wire,
        running_of(source, warehouse, source_url=wire.through(source.reader_url)) as running,
    ):
        running.analyse()
        choice = TableChoice(protected=True, column_overrides=DECIDED)
        running.change(tables={"t": choice})
        assert 0 == running.run()
        source.execute("alter table t add New varchar(20) default 'secret'", "insert into t (id) values (2)")
        for conversion in (ColumnOverride(), ColumnOverride(pg_type="text")):
            running.change(
                tables={"t": TableChoice(protected=True, column_overrides={**DECIDED, "New": conversion})}
            )
            before = len(wire.heard)
            assert 5 == running.run()
            assert {"t": WAITS, "other": None} == {
                each.table: each.error for each in running.events if isinstance(each, TableFinished)
            }
            heard = wire.heard[before:]
            assert (False, False) == (
                b"secret" in heard.replace(b"'secret'", b""),
                b"FROM `" + source.name.encode() + b"`.`t`" in heard,
            )
            assert [(1, "XXXX")] == warehouse.rows("select * from raw.t")
        for conversion, expected in (("drop", ()), ("keep", ("secret",)), ("mask", ("XXXX",))):
            decided = {**DECIDED, "New": ColumnOverride(conversion=conversion)}
            running.change(tables={"t": TableChoice(protected=True, column_overrides=decided)})
            assert 0 == running.run()
            assert [(1, "XXXX", *expected), (2, None, *expected)] == warehouse.rows(
                "select * from raw.t order by 1"
            )


@ONE_KIND
def test_a_masked_column_that_is_renamed(source: SourceDatabase, warehouse: WarehouseDatabase) -> None:
    """Under its new name nobody decided about it, so nothing of the table is read until somebody does."""
    source.execute(
        "create table t (id int primary key, SSN varchar(20))", "insert into t values (1, '078-05-1120')"
    )
    with running_of(source, warehouse) as running:
        running.analyse()
        running.change(tables={"t": TableChoice(column_overrides={"SSN": ColumnOverride(conversion="mask")})})
        assert 0 == running.run()
        source.execute("alter table t change SSN SSNum varchar(20)")
        for _ in range(2):
            assert 0 != running.run()
            running.analyse()
        [outcome] = (each for each in running.events if isinstance(each, TableFinished))
        assert outcome.error == (
            "`tables.t.column_overrides` names the column `SSN`, which the table does not have; did you mean `SSNum`?"
        )
        assert [(1, "XXXX")] == warehouse.rows("select * from raw.t")


def told(**settings: Any) -> str:
    """Settings as lines of etlkit.yml."""
    return "".join(f"{name}: {json.dumps(value)}\n" for name, value in settings.items())


@ONE_KIND
def test_by_the_command_line(clinic: Clinic) -> None:
    """`analyze`, `plan`, `doctor`, `run` and `verify` show what nobody decided about; nothing is loaded."""
    clinic.source.execute(
        "create table t (id int primary key, New varchar(20))", "insert into t values (1, 'canary')"
    )
    clinic.done("init")
    with (clinic.folder / "etlkit.yml").open("a") as file:
        file.write(
            told(tables={"t": {"protected": True, "column_overrides": {"id": {"conversion": "keep"}}}})
        )
    analysed = clinic.etlkit("analyze")
    assert f"\n  ! {WAITS}\n" in analysed.stdout
    planned = clinic.etlkit("plan", "--select", "t")
    assert (5, f"\n{WAITS}\n") == (planned.exit_code, planned.stdout[-len(WAITS) - 2 :])
    doctor = clinic.etlkit("doctor")
    assert 1 == doctor.exit_code
    problem = "PROBLEM  masking: Nobody decided about these columns of protected tables: `t` (`New`)."
    assert problem in doctor.stdout
    ran = clinic.etlkit("run", "--select", "t")
    assert (5, True) == (ran.exit_code, ran.stdout.endswith(f"\n\nNot loaded:\n  {WAITS}\n"))
    assert "canary" not in analysed.output + planned.output + doctor.output + ran.output
    assert [(None,)] == clinic.warehouse.rows("select to_regclass('raw.t')::text")


@ONE_KIND
def test_a_key_file(clinic: Clinic) -> None:
    """The key comes from a file of its owner's; one that is open to others, or short, ends each command with 2."""
    clinic.source.execute("create table t (id int primary key, v int)", "insert into t values (1, 5)")
    file = clinic.folder / "masking.key"
    clinic.done("init")
    with (clinic.folder / "etlkit.yml").open("a") as written:
        overrides = {"v": {"conversion": "hmac"}}
        written.write(
            told(masking={"key_file": "masking.key"}, tables={"t": {"column_overrides": overrides}})
        )
    for text, mode, words in (
        (KEY, 0o644, f"{file} is open to other users of this machine; run `chmod 600 {file}`"),
        (
            KEY[:31],
            0o600,
            "gives a key of fewer than 32 characters, which could be guessed; make one with `openssl rand -hex 32`",
        ),
    ):
        file.write_text(text)
        file.chmod(mode)
        refused = clinic.etlkit("analyze")
        assert (2, True) == (refused.exit_code, words in " ".join(refused.output.split()))
        assert KEY[:31] not in refused.output
    file.write_text(KEY + "\n")
    outputs = [
        clinic.done(*command.split()) for command in ("analyze", "plan --json", "run --json", "doctor --json")
    ]
    assert hashed(5) == clinic.warehouse.value("select v from raw.t")
    written_by_us = "".join(each.read_text() for each in clinic.folder.iterdir() if each != file)
    assert KEY not in "".join(outputs) + written_by_us + clinic.done("plan", "-v")


@ONE_KIND
def test_without_a_key(source: SourceDatabase, warehouse: WarehouseDatabase) -> None:
    """A conversion that needs the key is refused without one."""
    source.execute("create table t (id int primary key, v int)")
    with running_of(source, warehouse) as running:
        running.analyse()
        running.change(tables={"t": TableChoice(column_overrides={"v": ColumnOverride(conversion="hmac")})})
        assert 2 == running.run()
        [outcome] = (each for each in running.events if isinstance(each, TableFinished))
        assert outcome.error == (
            "conversion hmac of `t.v` needs a key; give it by `key`, `key_file` or `key_command` of the section "
            "`masking` in etlkit.yml"
        )


@pytest.mark.parametrize("source", ["mariadb-myisam"], indirect=True)
def test_the_preset_on_a_practice(source: SourceDatabase, warehouse: WarehouseDatabase) -> None:
    """Of what Safe Harbor names nothing leaves a practice: canaries in each column of text, of dates and of numbers."""
    create_practice(source.url, scale=0.001, storage_engine=source.storage_engine)
    source.execute(f"drop table {', '.join(f'`{name}`' for name in PRACTICE if name not in PATIENTS_TABLES)}")
    preset = read_preset("hipaa_safe_harbor")
    for name in PATIENTS_TABLES:
        kept = preset.keep.get(name, ())
        changes = [
            f"`{each.name}` = {value}"
            for each in PRACTICE[name].columns
            for kind, value in PLANTED.items()
            if each.type.startswith(kind) and each.name not in (*kept, "Zip")
        ]
        source.execute(f"update `{name}` set {', '.join(changes)}")
    source.execute("update patient set Zip = '97213', PatNum = PatNum + 7043000000, SSN = '078-05-1120'")
    masking = MaskingSettings(preset="hipaa_safe_harbor", key=Secret(KEY))
    with (
        OverheardWire(make_url(source.reader_url).port or 3306) as wire,
        running_of(source, warehouse, source_url=wire.through(source.reader_url), masking=masking) as running,
    ):
        running.analyse()
        for _ in range(2):
            assert 0 == running.run()
        assert {(0, "equal")} == {
            (each.inserted + each.updated + each.deleted, each.verified)
            for each in running.events
            if isinstance(each, TableFinished)
        }
        kept_here = "\n".join(
            str(row)
            for name in PATIENTS_TABLES
            for row in warehouse.rows(f"select t::text from raw.{name} t")
        )
        numbers = [str(row[0]).encode() for row in source.rows("select PatNum from patient")]
        for text in (wire.heard, kept_here.encode()):
            assert [] == [
                plain for plain in (b"CANARY", b"07-13", b"97213", b"078-05", *numbers) if plain in text
            ]
    number = source.value("select min(PatNum) from patient")
    found = warehouse.rows(
        f"""select "Birthdate", "Zip" from raw.patient where "PatNum" = '{hashed(f"patient:{number}")}'"""
    )
    assert [(dt.date(2019, 1, 1), "972")] == found
    assert 0 == warehouse.value('select count(*) from raw.patient join raw.procedurelog using ("PatNum")')
    assert 0 < warehouse.value('select count(*) from raw.patientnote join raw.procedurelog using ("PatNum")')
