"""What each masking conversion makes of values, on every kind of source, compared with Python's own arithmetic."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from etlkit.config import ColumnOverride
from etlkit.config.masking import MaskingSettings
from etlkit.config.secrets import Secret
from support.databases import SourceDatabase, WarehouseDatabase
from support.masked import KEY, MASKING, choose, hashed, shift
from support.running import Running, running_of

THIS_YEAR = dt.datetime.now(dt.UTC).year
LONG = "é😀" * 3000


@pytest.fixture
def running(source: SourceDatabase, warehouse: WarehouseDatabase) -> Iterator[Running]:
    """A deployment with a masking key."""
    with running_of(source, warehouse, masking=MASKING) as made:
        yield made


def loaded(
    running: Running, overrides: Mapping[str, ColumnOverride], *, expected: int = 0
) -> list[tuple[Any, ...]]:
    """Load table `t` and give its rows in the order of `id`."""
    choose(running, t=overrides)
    assert expected == running.run()
    return running.warehouse.rows("select * from raw.t order by id")


def hmacs(*columns: str, **options: str) -> dict[str, ColumnOverride]:
    """Choose `hmac` for columns."""
    return dict.fromkeys(columns, ColumnOverride(conversion="hmac", options=options))


def test_hmac_is_pythons(running: Running) -> None:
    """Text of any character set, bytes, numbers, dates, empty, long and 4-byte values hash as in Python; NULL stays."""
    running.source.execute(
        "create table t (id int primary key, u varchar(9000) character set utf8mb4, l varchar(100) character set "
        "latin1, w varchar(50) character set ucs2, b varbinary(300), n bigint unsigned, d decimal(12,3), f float, "
        "x double, o date, s datetime(3), e enum('a','ß'), m longtext character set utf8mb4, i bit(10))",
        f"insert into t values (1, '{LONG}', 'Zoë', 'Zoë', x'00FF7F80', 18446744073709551615, 12.5, 0.1, 0.1, "
        f"'1961-07-13', '2024-02-29 01:02:03.45', 'ß', '{LONG}', b'101'), "
        "(2, '', '', '', '', 0, 0, -1, 0, '0001-01-01', '0001-01-01', 'a', '', b'0'), "
        f"(3, {', '.join(['null'] * 13)}), "
        f"(4, '{'a' * 64}', '{'a' * 63}', '\\\\', x'{'61' * 300}', 5, -1.001, 16777217, 1e300, '9999-12-31', "
        f"'2024-02-29', 'a', '{'a' * 65}', b'1111111111')",
    )
    rows = loaded(running, hmacs(*"ulwbndfxosemi"))
    said: list[list[Any]] = [
        [LONG, "Zoë", "Zoë", b"\x00\xff\x7f\x80", 18446744073709551615, "12.500", None, 0.1],
        ["", "", "", "", 0, "0.000", -1, 0],
        [None] * 8,
        ["a" * 64, "a" * 63, "\\", "a" * 300, 5, "-1.001", 16777216, None],
    ]
    said[0] += ["1961-07-13", "2024-02-29 01:02:03.450", "ß", LONG, 5]
    said[1] += ["0001-01-01", "0001-01-01 00:00:00.000", "a", "", 0]
    said[2] += [None] * 5
    said[3] += ["9999-12-31", "2024-02-29 00:00:00.000", "a", "a" * 65, 1023]
    single = running.source.value("select concat(f * 1e0) from t where id = 1")
    large = running.source.value("select concat(x) from t where id = 4")
    said[0][6], said[3][7] = single, large
    expected = [
        (number, *(None if each is None else hashed(each) for each in row))
        for number, row in enumerate(said, start=1)
    ]
    assert expected == rows


def test_the_same_value_in_different_types(running: Running) -> None:
    """A key and what points to it hash alike, whatever their types; a domain keeps them from other columns."""
    running.source.execute(
        "create table t (id int primary key, big bigint, small smallint unsigned, word varchar(9) character set "
        "latin1, raw varbinary(9), other int)",
        "insert into t values (1, 42, 42, '42', '42', 42)",
    )
    rows = loaded(running, {**hmacs("big", "small", "word", "raw"), **hmacs("other", domain="visit")})
    assert [(1, *[hashed(42)] * 4, hashed("visit:42"))] == rows


@pytest.mark.parametrize("length", [32, 64, 65, 200])
@pytest.mark.parametrize("source", ["mariadb-innodb"], indirect=True)
def test_keys_of_any_length(running: Running, length: int) -> None:
    """A key longer than a block of SHA-256 is hashed first, as RFC 2104 says."""
    key = ("schlüssel" * 30)[:length]
    running.source.execute(
        "create table t (id int primary key, v varchar(9))", "insert into t values (1, 'a')"
    )
    with running_of(running.source, running.warehouse, masking=MaskingSettings(key=Secret(key))) as made:
        assert [(1, hashed("a", key))] == loaded(made, hmacs("v"))


def test_mask(running: Running) -> None:
    """Text becomes XXXX; characters stay where asked for, of texts twice as long; empty and NULL stay."""
    running.source.execute(
        "create table t (id int primary key, a varchar(9), b varchar(99) character set latin1, c longtext character "
        "set utf8mb4)",
        "insert into t values (1, 'a', '078-05-1120', 'äöü😀'), (2, '', '', ''), (3, null, null, null), "
        "(4, 'abcd', '1234567', '123')",
    )
    mask = ColumnOverride(conversion="mask")
    four, two = (ColumnOverride(conversion="mask", options={"visible": each}) for each in "42")
    expected = [
        (1, "XXXX", "XXXX1120", "XXXXü😀"),
        (2, "", "", ""),
        (3, None, None, None),
        (4, "XXXX", "XXXX", "XXXX"),
    ]
    assert expected == loaded(running, {"a": mask, "b": four, "c": two})


def test_null_and_drop(running: Running) -> None:
    """A column of NULL keeps its type and its place; one that is dropped is not there, whatever its type."""
    running.source.execute(
        "create table t (id int primary key, a date not null, b point, c int not null)",
        "insert into t values (1, '2024-01-01', point(1, 2), 7)",
    )
    rows = loaded(running, {"a": ColumnOverride(conversion="null"), "b": ColumnOverride(conversion="drop")})
    assert [(1, None, 7)] == rows
    names = running.warehouse.rows(
        "select column_name::text, data_type::text from information_schema.columns where table_name = 't' "
        "order by ordinal_position"
    )
    assert [("id", "integer"), ("a", "date"), ("c", "integer")] == names


def test_date_shift(running: Running) -> None:
    """Dates of a patient move back by the same days in each column; no date and NULL stay; 0000-00-00 is a loss."""
    running.source.execute(
        "create table t (id int primary key, Pat varchar(9), a date, b datetime(2), c timestamp null)"
    )
    with running.source.engine.begin() as connection:
        connection.exec_driver_sql("set session sql_mode = 'ALLOW_INVALID_DATES', time_zone = '+00:00'")
        connection.exec_driver_sql(
            "insert into t values (1, '42', '2024-03-10', '2024-03-10 04:05:06.78', '2024-03-10 04:05:06'), "
            "(2, '42', '0001-01-01', null, null), (3, null, '2024-03-10', '0000-00-00', '2024-03-10'), "
            "(4, '43', '2024-03-10', '2024-02-31', '2024-03-10')"
        )
    options = {"patient": "Pat", "days": "1000"}
    override = ColumnOverride(conversion="date_shift", options=options)
    by = {who: dt.timedelta(days=shift(who, 1000)) for who in ("42", ":", "43")}
    day = dt.datetime(2024, 3, 10, tzinfo=dt.UTC)
    time = dt.timedelta(hours=4, minutes=5, seconds=6)
    expected = [
        (
            1,
            "42",
            (day - by["42"]).date(),
            (day - by["42"] + time).replace(tzinfo=None, microsecond=780000),
            day - by["42"] + time,
        ),
        (2, "42", dt.date(1, 1, 1), None, None),
        (3, None, (day - by[":"]).date(), None, day - by[":"]),
        (4, "43", (day - by["43"]).date(), None, day - by["43"]),
    ]
    assert 3 == len(set(by.values()))
    assert expected == loaded(running, dict.fromkeys("abc", override))
    assert [("b", "invalid_date", 2, "null")] == [
        each for event in running.events for each in getattr(event, "losses", ())
    ]


def test_year_and_zip3(running: Running) -> None:
    """Dates keep their year, up to 90 years ago; ZIP codes three digits, where more than 20,000 people live."""
    running.source.execute(
        "create table t (id int primary key, a date, b datetime, c varchar(20) character set latin1)",
        f"insert into t values (1, '1961-07-13', '2024-12-31 23:59:59', '97213'), "
        f"(2, '0001-01-01', '{THIS_YEAR - 90}-12-31', ' 97213-1234 '), (3, '1861-01-01', null, '03601'), "
        f"(4, null, '{THIS_YEAR - 91}-12-31', 'K1A 0B1'), (5, '{THIS_YEAR}-06-30', '0001-01-01', null)",
    )
    year, oldest = ColumnOverride(conversion="year"), dt.date(THIS_YEAR - 90, 1, 1)
    midnight = dt.time()
    expected = [
        (1, dt.date(1961, 1, 1), dt.datetime(2024, 1, 1), "972"),  # noqa: DTZ001 - a wall clock's
        (2, dt.date(1, 1, 1), dt.datetime.combine(oldest, midnight), "972"),
        (3, oldest, None, "000"),
        (4, None, dt.datetime.combine(oldest, midnight), ""),
        (5, dt.date(THIS_YEAR, 1, 1), dt.datetime(1, 1, 1), None),  # noqa: DTZ001 - a wall clock's
    ]
    assert expected == loaded(running, {"a": year, "b": year, "c": ColumnOverride(conversion="zip3")})


@pytest.mark.parametrize("source", ["mysql56"], indirect=True)
def test_a_value_that_cannot_be_hashed_refuses_the_load(running: Running) -> None:
    """What is too large for the source to hash must not pass for NULL: the load is refused, and nothing written."""
    packet = int(running.source.value("select @@max_allowed_packet"))
    running.source.execute(
        "create table t (id int primary key, v longblob)",
        f"insert into t values (1, repeat('a', {packet - 40}))",
    )
    choose(running, t=hmacs("v"))
    assert 3 == running.run()
    refused = (
        "t.v: conversion `hmac` does not accept 1 of the values read; nothing was written; mend the source, or take "
        "the conversion out of `column_overrides`; `etlkit analyze` counts such values in the whole table"
    )
    assert [refused] == [event.error for event in running.events if getattr(event, "table", "") == "t"]


@pytest.mark.parametrize("source", ["mariadb-innodb"], indirect=True)
def test_a_session_without_the_key_refuses_the_load(running: Running) -> None:
    """A session that was not told the key, whatever the reason, gives no NULL instead of a hash."""
    running.source.execute(
        "create table t (id int primary key, v int)", "insert into t values (1, 1), (2, null)"
    )
    choose(running, t=hmacs("v"))
    with running.deployment.connections.source_raw() as raw, raw.cursor() as cursor:
        cursor.execute("set @etlkit_key_inner = null")
    assert 3 == running.run()
    assert KEY not in str(running.events)
