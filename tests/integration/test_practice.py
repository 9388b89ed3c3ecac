"""The generated practice: seeded, with Open Dental's habits, and with days that pass in it."""

from __future__ import annotations

import datetime as dt

import pytest

from etlkit.demo.practice import TABLES, Practice, create_practice, let_day_pass, planned_rows, read_practice
from etlkit.demo.practice.words import HARD_PARTS
from etlkit.errors import PrivateServerError
from support.databases import SourceDatabase

SCALE = 0.01
NOON = dt.datetime(2024, 7, 1, 12, tzinfo=dt.UTC)

one_kind = pytest.mark.parametrize("source", ["mariadb-innodb"], indirect=True)


@pytest.fixture
def practice(source: SourceDatabase) -> SourceDatabase:
    """A source database with a small practice in it."""
    create_practice(source.url, scale=SCALE, storage_engine=source.storage_engine)
    return source


def checksums(source: SourceDatabase) -> dict[str, int]:
    """Give the checksum of each table of the practice."""
    names = ", ".join(f"`{name}`" for name in TABLES)
    return {name.partition(".")[2]: value for name, value in source.rows(f"checksum table {names}")}


def column_types(source: SourceDatabase) -> dict[tuple[str, str], str]:
    """Give the full type of each column by table and column."""
    rows = source.rows(
        "select table_name, column_name, column_type from information_schema.columns"
        " where table_schema = database()"
    )
    return {(table, column): kind for table, column, kind in rows}


def test_size() -> None:
    """At scale 1 the practice has at least 40 tables and 300,000 rows."""
    assert len(TABLES) >= 40
    assert sum(planned_rows().values()) >= 300_000


def test_rows_are_those_planned(practice: SourceDatabase) -> None:
    """Every table holds the planned number of rows, of the asked storage engine."""
    found = {name: practice.value(f"select count(*) from `{name}`") for name in TABLES}
    # How the practice was made is one more setting.
    assert {**planned_rows(SCALE), "preference": planned_rows(SCALE)["preference"] + 1} == found
    engines = practice.rows(
        "select distinct engine from information_schema.tables where table_schema = database()"
    )
    assert [(practice.storage_engine,)] == engines


def test_equal_seeds_make_equal_practices(practice: SourceDatabase) -> None:
    """The same seed gives the same rows again, also after equal days; another seed gives others."""
    day = let_day_pass(practice.url, clock=NOON)
    before = checksums(practice)
    create_practice(practice.url, scale=SCALE, storage_engine=practice.storage_engine)
    assert day == let_day_pass(practice.url, clock=NOON)
    assert before == checksums(practice)
    create_practice(practice.url, scale=SCALE, seed=2, storage_engine=practice.storage_engine)
    after = checksums(practice)
    assert [] == [name for name in ("patient", "procedurelog", "commlog") if before[name] == after[name]]


def test_habits_of_the_schema(practice: SourceDatabase) -> None:
    """The schema has what pipelines stumble over in Open Dental."""
    types = column_types(practice)
    assert types["patient", "TxtMsgOk"].startswith("tinyint(4)")
    assert types["patient", "HasSuperBilling"] == "tinyint(1)"
    assert types["documentmisc", "RawData"] == "longblob"
    assert ("dashboardcell", "row") in types
    assert all(name == name.lower() for name, _ in types)
    assert (
        practice.value(
            "select count(*) from information_schema.columns where table_schema = database()"
            " and extra like '%on update current_timestamp%'"
        )
        >= 30
    )
    keys = practice.rows(
        "select table_name, group_concat(column_name order by ordinal_position)"
        " from information_schema.columns where table_schema = database() and column_key = 'PRI'"
        " group by table_name"
    )
    assert 4 == sum(columns == "PatNum" for _, columns in keys)
    assert {"periomeasure", "usergroupattach"} == {name for name, columns in keys if "," in columns}
    assert {"feeimport", "kioskping", "walkinlist"} == set(TABLES) - {name for name, _ in keys}
    assert 0 == practice.value(
        "select count(*) from information_schema.table_constraints"
        " where table_schema = database() and constraint_type = 'FOREIGN KEY'"
    )


def test_habits_of_the_values(practice: SourceDatabase) -> None:
    """The rows hold what pipelines stumble over in Open Dental."""
    assert [(0,), (1,), (2,)] == practice.rows("select distinct TxtMsgOk from patient order by 1")
    assert practice.value("select count(*) from patient where DateTimeDeceased = '0001-01-01'") > 0
    shortest, longest = practice.rows("select min(Adjust), max(Adjust) from clockevent")[0]
    assert shortest < dt.timedelta(0) < dt.timedelta(hours=24) < longest
    assert practice.value("select count(*) from mount") == 0
    assert practice.value("select max(EmailMessageNum) from emailmessage") > 10**17
    assert practice.value("select count(*) from patientnote where Medical is null") > 0
    assert practice.value("select count(*) from patientnote where Medical = ''") >= 0
    written = {note for (note,) in practice.rows("select distinct LogText from securitylog")}
    assert set(HARD_PARTS) <= written | {note for (note,) in practice.rows("select Note from commlog")}


def test_log_is_only_appended(practice: SourceDatabase) -> None:
    """The security log's time rises with its key, over days too."""
    let_day_pass(practice.url)
    times = [
        moment for (moment,) in practice.rows("select LogDateTime from securitylog order by SecurityLogNum")
    ]
    assert sorted(times) == times
    assert dt.date(2024, 6, 29) == times[-1].date()


def test_day_changes_rows(practice: SourceDatabase) -> None:
    """A day inserts, edits and deletes; what it reports is what happened, and the server stamps it."""
    before = checksums(practice)
    counts = {name: practice.value(f"select count(*) from `{name}`") for name in TABLES}
    day = let_day_pass(practice.url, clock=NOON)
    assert (1, dt.date(2024, 6, 29)) == (day.number, day.date)
    after = checksums(practice)
    assert {change.table for change in day.changes} | {"preference"} == {
        name for name in TABLES if before[name] != after[name]
    }
    for change in day.changes:
        rows = practice.value(f"select count(*) from `{change.table}`")
        assert (change.table, counts[change.table] + change.inserted - change.deleted) == (change.table, rows)
    assert sum(change.deleted for change in day.changes) > 0
    stamped = practice.value(
        f"select count(*) from patient where DateTStamp = from_unixtime({NOON.timestamp():.0f})"
    )
    patient = next(change for change in day.changes if change.table == "patient")
    assert patient.inserted < stamped <= patient.inserted + patient.edited


def test_days_follow_each_other(practice: SourceDatabase) -> None:
    """Each day is another one, and the practice remembers how many have passed."""
    first, second = let_day_pass(practice.url), let_day_pass(practice.url, deletes=False)
    assert [1, 2] == [first.number, second.number]
    assert 0 == sum(change.deleted for change in second.changes)
    assert Practice(seed=1, scale=SCALE, day=2) == read_practice(practice.url)


@one_kind
def test_interrupted_creation(practice: SourceDatabase) -> None:
    """Half a practice is no practice, and creating it again completes it."""
    whole = checksums(practice)
    practice.execute("drop table securitylog", "delete from preference where PrefName = 'EtlkitPractice'")
    assert read_practice(practice.url) is None
    create_practice(practice.url, scale=SCALE, storage_engine=practice.storage_engine)
    assert whole == checksums(practice)


@one_kind
def test_no_practice(source: SourceDatabase) -> None:
    """In a database without a practice no day can pass; a missing database has none either."""
    assert read_practice(source.url) is None
    assert read_practice(source.server.database_url("nowhere")) is None
    with pytest.raises(PrivateServerError) as caught:
        let_day_pass(source.url)
    assert "There is no practice in this database yet; create one first." == str(caught.value)


@one_kind
def test_refused_arguments(source: SourceDatabase) -> None:
    """An unknown storage engine and a URL without database are refused before anything is made."""
    with pytest.raises(PrivateServerError) as caught:
        create_practice(source.url, storage_engine="Aria")
    assert "The practice's storage engine must be MyISAM or InnoDB (got 'Aria')." == str(caught.value)
    with pytest.raises(PrivateServerError) as caught:
        create_practice(source.server.url)
    assert "The practice's URL names no database; add one, such as /opendental." == str(caught.value)


@one_kind
def test_progress_is_told(source: SourceDatabase) -> None:
    """Who creates a practice hears of each table once it is filled."""
    told: dict[str, int] = {}
    create_practice(source.url, scale=SCALE, storage_engine="InnoDB", progress=told.__setitem__)
    assert planned_rows(SCALE) == told
