"""Masked values are computed by the source: no plain one is on the wire or in the warehouse, whatever the strategy."""

from __future__ import annotations

import datetime as dt
from typing import Any

import attrs
import pytest

from etlkit.config import ColumnOverride, Secret, TableChoice
from etlkit.config.masking import MaskingSettings
from etlkit.events import TableFinished
from etlkit.loading.staged import REPAIRED
from etlkit.verification.verify import Verify, VerifyRequest
from support.databases import SourceDatabase, WarehouseDatabase
from support.masked import (
    FIRST_PATIENT,
    KEY,
    MASKED,
    MASKING,
    PATIENTS,
    PLAIN,
    VISITS,
    choose,
    hashed,
    masked_practice,
    shift,
)
from support.running import Running, running_of

ONE_KIND = pytest.mark.parametrize("source", ["mariadb-innodb"], indirect=True)


def outcomes(running: Running) -> dict[str, TableFinished]:
    """What the last run said of each table."""
    return {each.table: each for each in running.events if isinstance(each, TableFinished)}


def expected_patients(last_name: str = "Kanarienvögel") -> list[tuple[Any, ...]]:
    """The rows of `patient` as they must be in the warehouse, in the order of SSN."""
    return [
        (
            hashed(f"patient:{FIRST_PATIENT + each}"),
            hashed(f"{last_name}{each}"),
            f"XXXX{each}9",
            dt.date(1950 + 3 * each, 1, 1) - dt.timedelta(days=shift(FIRST_PATIENT + each, 365)),
            each % 3,
            None,
        )
        for each in range(PATIENTS)
    ]


def patients(warehouse: WarehouseDatabase) -> list[tuple[Any, ...]]:
    """The rows of `patient` in the warehouse, without their stamps."""
    return warehouse.rows(
        'select "PatNum", "LName", "SSN", "Birthdate", "Gender", "Zip" from raw.patient order by "SSN"'
    )


def visits(warehouse: WarehouseDatabase) -> list[tuple[Any, ...]]:
    """The rows of `visit` in the warehouse, without their stamps."""
    return warehouse.rows('select "VisitNum", "PatNum", "VisitTime", "Fee" from raw.visit order by 1')


def whole_warehouse(warehouse: WarehouseDatabase) -> bytes:
    """Every value of every table, the ledger included, as text."""
    names = warehouse.rows(
        "select quote_ident(schemaname) || '.' || quote_ident(tablename) from pg_tables "
        "where schemaname not in ('pg_catalog', 'information_schema')"
    )
    return "\n".join(
        str(row) for (name,) in names for row in warehouse.rows(f"select t::text from {name} t")
    ).encode()


def nothing_plain(*texts: bytes) -> None:
    """Make sure that no plain value is in what was heard or kept."""
    assert [] == [plain for text in texts for plain in PLAIN if plain in text]


@pytest.mark.parametrize(
    ("source", "strategy"),
    [
        ("mariadb-innodb", "full_table"),
        ("mariadb-innodb", "chunked_incremental"),
        ("mariadb-myisam", "streaming_incremental"),
        ("mysql56", "incremental"),
    ],
    indirect=["source"],
)
def test_no_plain_value_leaves_the_source(
    source: SourceDatabase, warehouse: WarehouseDatabase, strategy: str
) -> None:
    """First load, changes, deletes and a comparison: hashes, masks and shifted dates, and nothing else."""
    with masked_practice(source, warehouse, strategy) as (running, wire):
        assert 0 == running.run()
        assert expected_patients() == patients(warehouse)
        assert VISITS == len(visits(warehouse))
        source.execute(
            "update patient set LName = replace(LName, 'vögel', 'vogel')",
            "delete from visit where VisitNum = 5",
            f"insert into visit (VisitNum, PatNum, VisitTime, Note, Fee) values "
            f"(99, {FIRST_PATIENT}, '2031-01-01 10:00:00', 'canary', 1)",
        )
        assert 0 == running.run()
        assert 0 == running.run(reconcile=True)
        assert expected_patients("Kanarienvogel") == patients(warehouse)
        assert 0 == running.run(reconcile=True)
        changed = [each.inserted + each.updated + each.deleted for each in outcomes(running).values()]
        assert ([0, 0], {"equal"}) == (changed, {each.verified for each in outcomes(running).values()})
        joined = 'select count(*) from raw.visit join raw.patient using ("PatNum")'
        assert VISITS == len(visits(warehouse)) == warehouse.value(joined)
        nothing_plain(wire.heard, whole_warehouse(warehouse))


@ONE_KIND
def test_plain_values_are_heard_otherwise(source: SourceDatabase, warehouse: WarehouseDatabase) -> None:
    """The wire is not encrypted: without conversions, what must not be heard is heard."""
    with masked_practice(source, warehouse) as (running, wire):
        running.change(tables={})
        assert 0 == running.run()
        heard = wire.heard
        assert set() == {b"Kanarien", b"canary", b"078-05", b"704300", b"2031-01-01"} - {
            plain for plain in PLAIN if plain in heard
        }


@pytest.mark.parametrize("source", ["mariadb-myisam", "mysql56"], indirect=True)
def test_reconcile_and_proofs(source: SourceDatabase, warehouse: WarehouseDatabase) -> None:
    """The strategy `reconcile` compares masked digests by an unmasked key, and finds what nobody stamped."""
    with masked_practice(source, warehouse, "incremental", reconcile="every_run") as (running, wire):
        visit, patient = (
            running.deployment.settings.tables["visit"],
            running.deployment.settings.tables["patient"],
        )
        running.change(
            tables={"patient": patient, "visit": attrs.evolve(visit, extraction_strategy="reconcile")}
        )
        assert 0 == running.run()
        source.execute(
            f"update visit set PatNum = {FIRST_PATIENT + 1}, DateTStamp = '2020-01-01' where VisitNum = 0",
            "delete from visit where VisitNum = 1",
            "update patient set LName = 'Kanarienstar', DateTStamp = DateTStamp where SSN = '078-05-1109'",
            "delete from patient where SSN = '078-05-1119'",
        )
        assert 0 == running.run()
        assert {REPAIRED} == {each.verified for each in outcomes(running).values()}
        said = {name: (each.updated, each.deleted) for name, each in outcomes(running).items()}
        assert {"patient": (1, 1), "visit": (1, 1)} == said
        assert hashed("Kanarienstar") == patients(warehouse)[0][1]
        assert hashed(f"patient:{FIRST_PATIENT + 1}") == visits(warehouse)[0][1]
        nothing_plain(wire.heard, whole_warehouse(warehouse))


@pytest.mark.parametrize("deep", [True, False])
@ONE_KIND
def test_verify(source: SourceDatabase, warehouse: WarehouseDatabase, deep: bool) -> None:
    """Masked is compared with masked, digests as well as columns; a difference is told by the column's name only."""
    with masked_practice(source, warehouse, "incremental", reconcile="daily") as (running, wire):
        assert 0 == running.run()
        request = VerifyRequest(deep=deep)
        verified = Verify(deployment=running.deployment, request=request).carry_out().tables
        assert [("patient", "equal"), ("visit", "equal")] == [
            (each.table, each.verified) for each in verified
        ]
        left_out = "not loaded, as a conversion in etlkit.yml says"
        assert [{"Photo": left_out}, {"Note": left_out}] == [dict(each.not_compared) for each in verified]
        source.execute(
            "update patient set SSN = '078-05-1188', DateTStamp = DateTStamp where SSN = '078-05-1109'",
            "update visit set PatNum = PatNum + 1, VisitTime = null, DateTStamp = DateTStamp where VisitNum = 0",
        )
        patient, visit = Verify(deployment=running.deployment, request=request).carry_out().tables
        assert ({"SSN": 1}, {"PatNum": 1, "VisitTime": 1}) == (dict(patient.columns), dict(visit.columns))
        # A masked key is not shown, since it is a row's value; the whole table was compared, not its digests.
        assert ([], [{"VisitNum": "0"}]) == (
            [dict(each.key) for each in patient.differences],
            [dict(each.key) for each in visit.differences],
        )
        nothing_plain(wire.heard, str((patient, visit)).encode())


@ONE_KIND
def test_masking_what_was_loaded(source: SourceDatabase, warehouse: WarehouseDatabase) -> None:
    """A conversion that is chosen later reaches every row; a dropped column that is there already becomes NULL."""
    with masked_practice(source, warehouse) as (running, _):
        masked = running.deployment.settings.tables["visit"].column_overrides
        plain = TableChoice(extraction_strategy="incremental", reconcile="never")
        running.change(tables={"visit": plain})
        assert 0 == running.run(select=("visit",))
        assert VISITS == warehouse.value('select count("Note") from raw.visit')
        later = {name: masked[name] for name in ("VisitTime", "Note")}
        running.change(tables={"visit": attrs.evolve(plain, column_overrides=later)})
        for _ in range(2):
            assert 0 == running.run(select=("visit",))
            assert 0 == warehouse.value('select count("Note") from raw.visit')
            assert [2030] == [
                row[0]
                for row in warehouse.rows(
                    'select distinct extract(year from "VisitTime")::int from raw.visit'
                )
            ]
        assert "not checked: by cursor" == outcomes(running)["visit"].verified


@ONE_KIND
def test_another_key_or_option_reads_every_row_again(
    source: SourceDatabase, warehouse: WarehouseDatabase
) -> None:
    """What was made under another key or with other options is made anew, and the ledger does not tell the key."""
    with masked_practice(source, warehouse, "incremental") as (running, _):
        assert 0 == running.run()
        tables = running.deployment.settings.tables
        overrides = {**tables["patient"].column_overrides, "SSN": ColumnOverride(conversion="mask")}
        running.change(
            tables={**tables, "patient": attrs.evolve(tables["patient"], column_overrides=overrides)}
        )
        assert 0 == running.run()
        assert {"XXXX"} == {row[2] for row in patients(warehouse)}
        assert KEY.encode() not in whole_warehouse(warehouse)
    key = "another key, which is also long enough"
    with running_of(source, warehouse, masking=MaskingSettings(key=Secret(key))) as other:
        choose(other, patient=MASKED["patient"], visit=MASKED["visit"])
        assert 0 == other.run(allow_deletes=True)
        assert {hashed(f"patient:{FIRST_PATIENT + each}", key) for each in range(PATIENTS)} == {
            row[0] for row in patients(warehouse)
        }


@ONE_KIND
def test_digests_are_of_masked_values(source: SourceDatabase, warehouse: WarehouseDatabase) -> None:
    """Who guesses a plain value cannot prove the guess by a digest: rows that look alike masked have the same one."""
    source.execute(
        "create table t (id int primary key, a varchar(20), b varchar(20), c int)",
        "insert into t values (1, 'guess', 'first', 5)",
    )
    hides = {
        "a": ColumnOverride(conversion="mask"),
        "b": ColumnOverride(conversion="null"),
        "c": ColumnOverride(conversion="drop"),
    }
    with running_of(source, warehouse) as running:
        choose(running, t=hides)
        running.change(
            tables={
                "t": attrs.evolve(running.deployment.settings.tables["t"], extraction_strategy="reconcile")
            }
        )
        assert 0 == running.run()
        before = warehouse.value('select "_etlkit_digest" from raw.t')
        source.execute("update t set a = 'other', b = 'second', c = 6")
        assert 0 == running.run()
        assert "equal" == outcomes(running)["t"].verified
        assert before == warehouse.value('select "_etlkit_digest" from raw.t')
        assert [(None,)] == warehouse.rows("select checksum from etlkit.table_state")


@ONE_KIND
def test_checksums_are_sealed(source: SourceDatabase, warehouse: WarehouseDatabase) -> None:
    """A masked table that did not change is not read again; what the ledger keeps is not the source's checksum."""
    source.execute("create table t (id int primary key, v varchar(20))", "insert into t values (1, 'guess')")
    with running_of(source, warehouse, masking=MASKING) as running:
        choose(running, t={"v": ColumnOverride(conversion="mask")})
        running.change(
            tables={"t": attrs.evolve(running.deployment.settings.tables["t"], reconcile="every_run")}
        )
        for _ in range(3):
            assert 0 == running.run()
        assert (0, "equal") == (outcomes(running)["t"].read, outcomes(running)["t"].verified)
        kept = warehouse.value("select checksum from etlkit.table_state")
        assert kept not in {None, source.rows("checksum table t")[0][1]}
        source.execute("update t set v = 'other'")
        assert 0 == running.run()
        assert (1, "equal") == (outcomes(running)["t"].read, outcomes(running)["t"].verified)


@ONE_KIND
def test_quarantine_keeps_masked_keys(source: SourceDatabase, warehouse: WarehouseDatabase) -> None:
    """The ledger names rows in quarantine by their masked keys."""
    source.execute("create table t (id varchar(20) primary key, d date)")
    with source.engine.begin() as connection:
        connection.exec_driver_sql("set session sql_mode = ''")
        connection.exec_driver_sql("insert into t values ('canary', '0000-00-00'), ('other', '2024-01-01')")
    with running_of(source, warehouse, masking=MASKING) as running:
        hides = {"id": ColumnOverride(conversion="hmac"), "d": ColumnOverride(policy="quarantine")}
        choose(running, t=hides)
        assert 0 == running.run()
        assert [(f'["{hashed("canary")}"]',)] == warehouse.rows("select key from etlkit.quarantine")
        nothing_plain(whole_warehouse(warehouse))


@ONE_KIND
def test_a_masked_cursor_is_not_followed(source: SourceDatabase, warehouse: WarehouseDatabase) -> None:
    """Strategies bid again where the analysed cursor is masked; one that a person names is refused with a sentence."""
    with masked_practice(source, warehouse) as (running, wire):
        choice = TableChoice(
            column_overrides={**MASKED["visit"], "DateTStamp": ColumnOverride(conversion="year")}
        )
        analysed = running.deployment.settings.analyzed
        running.change(
            analyzed={
                **analysed,
                "visit": attrs.evolve(
                    analysed["visit"], extraction_strategy="incremental", incremental_column="DateTStamp"
                ),
            },
            tables={"visit": choice},
        )
        assert 0 == running.run(select=("visit",))
        assert "full_table" == outcomes(running)["visit"].strategy
        assert [(None, None)] == warehouse.rows("select cursor_column, watermark from etlkit.table_state")
        assert b"2024-03-01" not in wire.heard
        by_column = (
            "table `visit`: `incremental_column` is `DateTStamp`, which a conversion masks, and the ledger would keep "
            "a value of it; choose another column, or `keep` for this one"
        )
        by_strategy = (
            "table visit: strategy incremental cannot serve it. No column tells which rows changed since the last "
            "load. Choose another `extraction_strategy` in etlkit.yml, such as full_table"
        )
        named = attrs.evolve(choice, incremental_column="DateTStamp")
        followed = attrs.evolve(choice, extraction_strategy="incremental")
        for refused, words in ((named, by_column), (followed, by_strategy)):
            running.change(tables={"visit": refused})
            assert 3 == running.run(select=("visit",))
            assert words == outcomes(running)["visit"].error
