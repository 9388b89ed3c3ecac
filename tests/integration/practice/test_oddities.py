"""Tables without keys or rows, tables and columns that come and go, values that break formats."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from support.clinic import Clinic
from support.comparison import all_differences, differences
from support.practice import MakePractice

NASTY = "tab\there\nline\\feed \\N \\. \\\\ \"quoted\" 'too' \x01\x02\x1f\x7f 😷🦷 Ω \r\n"
STAMP = "timestamp not null default current_timestamp on update current_timestamp"
EMPTY = ("mount", "anesthrecord", "eservicesignal")
WITHOUT_KEY = ("feeimport", "kioskping", "walkinlist")
OWN = {*EMPTY, *WITHOUT_KEY, "dashboardcell", "clockevent", "commlog", "patientnote"}


def literal(text: str) -> str:
    """Write a text for MySQL."""
    return f"convert(unhex('{text.encode().hex()}') using utf8mb4)"


def add_odd_tables(clinic: Clinic) -> None:
    """Add tables to a practice that hold what its own do not."""
    dates = "'0001-01-01', '0001-01-01 00:00:00'"
    clinic.source.execute(
        "create table oddity (Id bigint primary key, `row` int, `order` text character set utf8mb4, Lasts time(6), "
        f"`Day` date, `Moment` datetime(6), `select` varchar(50) character set utf8mb4, DateTStamp {STAMP})",
        *(
            f"insert into oddity values ({number}, {number}, {literal(text)}, '{lasts}', {dates}, "
            f"{literal(text[:50])}, '2024-01-01')"
            for number, (text, lasts) in enumerate(
                [
                    (NASTY, "-838:59:59"),
                    ("", "838:59:59"),
                    ("\\N", "-00:00:00.000001"),
                    ("\\.", "25:00:00.5"),
                    (" trailing ", "00:00:00"),
                    ("\t", "-24:00:00"),
                ]
            )
        ),
        "insert into oddity (Id) values (100)",
        "create table oddity_too like oddity",
        "insert into oddity_too select * from oddity",
        "create table `Odd Name%s` (`a b` int primary key, `c%d:x` text)",
        "insert into `Odd Name%s` values (1, 'x%'), (2, NULL), (3, '')",
        "create table twins (A int, B text)",
        "insert into twins values (1, NULL), (1, NULL), (1, ''), (NULL, NULL), (NULL, NULL)",
    )


def counts(load: dict[str, Any]) -> tuple[int, int, int]:
    """Rows that a load inserted, updated and deleted."""
    return load["inserted"], load["updated"], load["deleted"]


def test_values_and_names(make_practice: MakePractice) -> None:
    """Texts that break formats, durations, the day 0001-01-01, reserved and odd names arrive as they are."""
    clinic = make_practice(0.005, only=OWN)
    add_odd_tables(clinic)
    clinic.prepared()
    clinic.choose({"oddity_too": {"extraction_strategy": "incremental"}})
    first = clinic.loaded()
    assert [] == all_differences(clinic.source, clinic.warehouse)
    assert {*OWN, "oddity", "oddity_too", "Odd Name%s", "twins"} == set(first)
    [(text, lasts, day)] = clinic.warehouse.rows(
        'select "order", "Lasts"::text, "Day" from raw.oddity where "Id" = 0'
    )
    assert (NASTY, "-838:59:59", dt.date(1, 1, 1)) == (text, lasts, day)
    assert [0] * len(EMPTY) == [clinic.warehouse.value(f"select count(*) from raw.{name}") for name in EMPTY]
    assert clinic.warehouse.value('select count("row") from raw.dashboardcell') > 0

    second = clinic.loaded()
    assert {(0, 0, 0)} == {counts(each) for each in second.values()}
    clinic.source.execute(
        *(
            f"update {name} set `order` = concat(`order`, {literal(NASTY)}), Lasts = '-00:00:01' where Id < 3"
            for name in ("oddity", "oddity_too")
        ),
        "delete from twins where B = ''",
        "insert into mount (MountNum) values (7)",
    )
    third = clinic.loaded()
    assert {"oddity": (0, 3, 0), "oddity_too": (0, 3, 0), "twins": (4, 0, 5), "mount": (1, 0, 0)} == {
        name: counts(each) for name, each in third.items() if any(counts(each))
    }
    assert [] == all_differences(clinic.source, clinic.warehouse)


@pytest.mark.parametrize("source", ["mariadb-myisam"], indirect=True)
def test_tables_come_and_go(make_practice: MakePractice) -> None:
    """A table that appears is told and loaded after the next analysis; of one that is gone the last rows are kept."""
    clinic = make_practice(0.005, only={"refattach", "zipcode", "patient"})
    clinic.prepared()
    clinic.loaded()
    clinic.source.execute(
        "create table latecomer (Id int primary key)",
        "insert into latecomer values (1)",
        "drop table refattach",
    )
    kept = clinic.warehouse.value("select count(*) from raw.refattach")
    assert kept > 0
    result = clinic.etlkit("run")
    assert 0 == result.exit_code
    told = [line.partition(" WARNING ")[2] for line in result.stderr.splitlines() if " WARNING " in line]
    assert [
        "1 table of the source is not in tables.yml and not loaded: `latecomer`; run `etlkit analyze`",
        "table `refattach` is gone in the source; the warehouse keeps its last rows",
    ] == told
    assert [] == clinic.warehouse.rows("select 1 from pg_tables where tablename = 'latecomer'")
    assert kept == clinic.warehouse.value("select count(*) from raw.refattach")

    clinic.done("analyze")
    result = clinic.etlkit("run")
    assert (0, 0) == (result.exit_code, result.stderr.count("WARNING"))
    assert [] == differences(clinic.source, clinic.warehouse, "latecomer")
    assert kept == clinic.warehouse.value("select count(*) from raw.refattach")


def test_columns_come(make_practice: MakePractice) -> None:
    """A column that a table gains arrives for old rows too, whatever the strategy, and without a new analysis."""
    names = ("patient", "appointment", "procedurelog", "definition")
    clinic = make_practice(0.005, only={*names, "zipcode"})
    clinic.prepared()
    by = ("incremental", "chunked_incremental", "streaming_incremental", "full_table")
    clinic.choose({name: {"extraction_strategy": each} for name, each in zip(names, by, strict=True)})
    clinic.loaded()
    clinic.source.execute(
        *(
            f"alter table {name} add column Gained varchar(20) not null default 'old' after {key}, "
            "add column `Gained Too` int"
            for name, key in zip(names, ("PatNum", "AptNum", "ProcNum", "DefNum"), strict=True)
        ),
        # Values that no stamp shows.
        *(f"update {name} set `Gained Too` = 1, DateTStamp = DateTStamp limit 20" for name in names[:3]),
        "update definition set `Gained Too` = 1 limit 20",
    )
    loads = clinic.loaded()
    for name in names:
        rows = clinic.source.value(f"select count(*) from {name}")
        assert (name, (0, rows, 0)) == (name, counts(loads[name]))
        assert [] == differences(clinic.source, clinic.warehouse, name)
    assert {(0, 0, 0)} == {counts(each) for each in clinic.loaded().values()}
