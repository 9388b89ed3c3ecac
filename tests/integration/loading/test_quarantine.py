"""Quarantine: the keys of rows whose values cannot be held are listed, exactly as long as that is so."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

import pytest
from sqlalchemy import ColumnElement

from etlkit.config import ColumnOverride, TableChoice
from etlkit.contracts import Chunks, Commit, Since, Where, Write
from etlkit.errors import ConfigurationError
from etlkit.loading import quarantine
from etlkit.loading.quarantine import TooManyQuarantined
from support.loading import Loading, counts
from support.reading import chunks_of

ONE_KIND = pytest.mark.parametrize("source", ["mariadb-innodb"], indirect=True)
ANY_MODE = "SET sql_mode = 'ALLOW_INVALID_DATES'"
CANARY = "Ottilie"
PER_CHUNK: dict[str, Any] = {
    "commit": Commit.PER_CHUNK,
    "chunks": Chunks(rows=1, max_bytes=100, kept_seconds=0),
}
ALL = {"d": "quarantine", "a": "quarantine", "b": "quarantine"}


def choose(loading: Loading, policies: Mapping[str, str], **choices: str) -> None:
    """Choose policies for the columns of table `t`."""
    overrides = {name: ColumnOverride(policy=each) for name, each in policies.items()}  # type: ignore[arg-type]
    loading.choose(t=TableChoice(column_overrides=overrides, **choices))  # type: ignore[arg-type]


def entries(loading: Loading) -> set[tuple[Any, ...]]:
    """What is in quarantine: column and rule, and the parts of the key."""
    rows = loading.warehouse.rows("SELECT column_name, rule, key FROM etlkit.quarantine")
    found = {(column, rule, *json.loads(key)) for column, rule, key in rows}
    assert len(rows) == len(found)
    return found


FIRST = {("d", "invalid_date", "1"), ("a", "nul_character", "2"), ("b", "broken_text", "3")}


@pytest.fixture
def visits(loading: Loading) -> Loading:
    """A table with a value for each rule, and a row with none."""
    loading.source.execute(
        ANY_MODE,
        "CREATE TABLE t (id INT PRIMARY KEY, d DATE, a TEXT, b VARCHAR(9) CHARACTER SET cp1251, n INT)",
        f"INSERT INTO t VALUES (1, '2024-02-31', '{CANARY}', 'x', 1), "
        f"(2, '2024-02-01', CONCAT('{CANARY}', CHAR(0)), 'x', 1), "
        f"(3, NULL, '', CONCAT(_cp1251 0x98, '{CANARY}'), 1), (4, '0001-01-01', '', '', 1)",
    )
    choose(loading, ALL)
    return loading


def mend(loading: Loading) -> None:
    """Give each value of the source a form that can be held, but for the text with a NUL character."""
    loading.source.execute(
        "UPDATE t SET d = '2024-02-28', n = 2 WHERE id = 1", "UPDATE t SET b = 'y', n = 2 WHERE id = 3"
    )


def assert_no_value(loading: Loading) -> None:
    """No table of the ledger holds a value of a row."""
    for (name,) in loading.warehouse.rows(
        "SELECT tablename FROM pg_tables WHERE schemaname = 'etlkit' AND tablename NOT LIKE 'stage%'"
    ):
        assert [] == loading.warehouse.rows(
            f"SELECT 1 FROM etlkit.{name} AS each WHERE each::text LIKE '%{CANARY}%'"
        )


def test_every_rule_until_it_is_mended(visits: Loading) -> None:
    """NULL in the warehouse, counted and listed; mended values leave the list, and the others keep their time."""
    first = visits.outcome("t")
    assert (
        ("d", "invalid_date", 1, "quarantine"),
        ("a", "nul_character", 1, "quarantine"),
        ("b", "broken_text", 1, "quarantine"),
    ) == first.losses
    assert FIRST == entries(visits)
    assert [(1, None, CANARY), (2, "2024-02-01", None), (3, None, ""), (4, "0001-01-01", "")] == visits.there(
        "id, d::text, a"
    )
    assert_no_value(visits)
    since = visits.warehouse.rows("SELECT run_id, seen_at FROM etlkit.quarantine WHERE key = '[\"2\"]'")
    mend(visits)
    assert (4, 0, 2, 0, 2) == visits.load("t")
    assert {("a", "nul_character", "2")} == entries(visits)
    assert since == visits.warehouse.rows("SELECT run_id, seen_at FROM etlkit.quarantine")
    visits.source.execute("DELETE FROM t WHERE id = 2")
    visits.load("t")
    assert set() == entries(visits)


@ONE_KIND
@pytest.mark.parametrize("changes", [{}, PER_CHUNK], ids=["at once", "per chunk"])
def test_a_part_of_the_table(visits: Loading, changes: Mapping[str, Any]) -> None:
    """A load that reads some rows changes the entries of these rows only, and one that appends none that are there."""
    visits.load("t", **changes)
    mend(visits)
    visits.source.execute(
        ANY_MODE,
        "DELETE FROM t WHERE id = 2",
        "INSERT INTO t VALUES (5, '0000-00-00', NULL, NULL, 2), (6, NULL, 0x00, NULL, 2)",
    )
    edited = {"read": Since(column="n", watermark="2"), "cursor": "n", **changes}
    assert (4, 2, 2, 0, 0) == visits.load("t", write=Write.MERGE, **edited)
    new = {("d", "invalid_date", "5"), ("a", "nul_character", "6")}
    assert {("a", "nul_character", "2")} | new == entries(visits)
    visits.source.execute("UPDATE t SET d = NULL WHERE id = 5")
    visits.load("t", write=Write.APPEND, **edited)
    assert {("a", "nul_character", "2")} | new == entries(visits)
    visits.load("t", **changes)
    assert {("a", "nul_character", "6")} == entries(visits)


@ONE_KIND
def test_a_load_per_chunk_that_breaks(visits: Loading) -> None:
    """What a broken load found is kept with its place, and listed by the load that goes on with it; not before."""
    more = ", ".join(f"({number}, NULL, NULL, NULL, 1)" for number in range(5, 60))
    visits.source.execute("UPDATE t SET d = NULL WHERE id = 1", f"INSERT INTO t VALUES {more}")
    plan = visits.plan("t", **PER_CHUNK)

    def stop(rows: int) -> None:
        if rows >= 10:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        visits.carry_out(plan, rows_read=stop)
    assert set() == entries(visits)
    read, found = visits.warehouse.rows("SELECT read, quarantined FROM etlkit.table_resume")[0]
    assert 10 <= read < 59
    assert [[2, "nul_character", '["2"]'], [3, "broken_text", '["3"]']] == json.loads(found)
    assert_no_value(visits)
    # A row that was staged is read by the next load only.
    visits.source.execute("UPDATE t SET a = '' WHERE id = 2")
    visits.carry_out(plan)
    assert {("a", "nul_character", "2"), ("b", "broken_text", "3")} == entries(visits)
    visits.load("t")
    assert {("b", "broken_text", "3")} == entries(visits)


@ONE_KIND
def test_dates_that_are_trusted(loading: Loading) -> None:
    """A date that only PostgreSQL notices is quarantined as well, in a load per chunk too."""
    values = ", ".join(f"({number}, '2024-01-01')" for number in range(1, 40))
    loading.source.execute(
        ANY_MODE,
        "CREATE TABLE t (id INT PRIMARY KEY, d DATETIME NOT NULL)",
        f"INSERT INTO t VALUES {values}",
        "UPDATE t SET d = '2024-02-31' WHERE id IN (7, 30)",
    )
    choose(loading, {"d": "quarantine"})
    loading.load("t", commit=Commit.PER_CHUNK, chunks=Chunks(rows=5, max_bytes=200, kept_seconds=0))
    expected = {("d", "invalid_date", "7"), ("d", "invalid_date", "30")}
    assert expected == entries(loading)
    loading.load("t")
    assert expected == entries(loading)
    loading.source.execute("UPDATE t SET d = '2024-02-28' WHERE id = 7")
    loading.load("t")
    assert {("d", "invalid_date", "30")} == entries(loading)


def test_reconciling(visits: Loading) -> None:
    """A reconcile lists what it reads anew, and forgets what is mended or gone; equal rows keep their entries."""
    choose(visits, ALL, extraction_strategy="reconcile")
    loader = visits.loader()
    loader.load_table("t")
    assert FIRST == entries(visits)
    assert "equal" == visits.loader().load_table("t").verified
    assert FIRST == entries(visits)
    visits.source.execute(
        ANY_MODE,
        "UPDATE t SET d = '2024-02-28' WHERE id = 1",
        "DELETE FROM t WHERE id = 2",
        "UPDATE t SET d = '0000-00-00' WHERE id = 4",
    )
    mended = visits.loader().load_table("t")
    assert (0, 2, 1) == counts(mended)[1:4]
    assert {("b", "broken_text", "3"), ("d", "invalid_date", "4")} == entries(visits)


KEYS = {
    "several columns": (
        "c VARCHAR(20) COLLATE utf8mb4_bin, k BIGINT UNSIGNED, PRIMARY KEY (k, c)",
        "'a', 18446744073709551615",
        ["18446744073709551615", "a"],
    ),
    "text": (
        "c VARCHAR(40) PRIMARY KEY",
        "CONCAT('😀\"\\\\', CHAR(9), CHAR(10), 0xE280AE, '%s :x', CHAR(1), CHAR(2))",
        ['😀"\\\t\n\u202e%s :x\x01\x02'],
    ),
    "latin1": ("c VARCHAR(9) CHARACTER SET latin1 PRIMARY KEY", "'Ä'", ["Ä"]),
    "binary": ("c VARBINARY(9) PRIMARY KEY", "0x005CFF", ["\\x005CFF"]),
    "decimal": ("c DECIMAL(20,4) PRIMARY KEY", "-1.5", ["-1.5000"]),
    "date": ("c DATE, e ENUM('x', '') , PRIMARY KEY (c, e)", "'0001-01-01', ''", ["0001-01-01", ""]),
    "timestamp": (
        "c TIMESTAMP(3) DEFAULT '2000-01-01 00:00:00' PRIMARY KEY",
        "'2024-03-31 01:02:03.4'",
        ["2024-03-31 01:02:03.400"],
    ),
}


@pytest.mark.parametrize(("columns", "values", "key"), KEYS.values(), ids=KEYS)
def test_keys(loading: Loading, columns: str, values: str, key: list[str]) -> None:
    """Keys of every kind are kept as the source prints them, and found again in the rows that are read."""
    definition, _, primary = columns.partition(", PRIMARY KEY")
    loading.source.execute(
        ANY_MODE,
        f"CREATE TABLE t ({definition}, d DATE, v TEXT{', PRIMARY KEY' + primary if primary else ''}) "
        "CHARACTER SET utf8mb4",
        f"INSERT INTO t VALUES ({values}, '2024-02-31', CHAR(0))",
    )
    choose(loading, {"d": "quarantine", "v": "quarantine"})
    expected = {("d", "invalid_date", *key), ("v", "nul_character", *key)}
    plan = loading.plan("t")
    (wide,) = chunks_of(loading, plan, group_concat_max_len=8)
    assert expected == {
        (plan.rendered.columns[each.number].column.name, each.rule, *json.loads(each.key))
        for each in wide.quarantined
    }
    loading.load("t")
    assert expected == entries(loading)
    # A merge compares keys in PostgreSQL.
    loading.source.execute("UPDATE t SET d = NULL")
    loading.load("t", write=Write.MERGE, read=Where(condition=everywhere, text="all"))
    assert {("v", "nul_character", *key)} == entries(loading)


def everywhere(column: Callable[[str], ColumnElement[Any]]) -> ColumnElement[bool]:
    """A condition that every row meets."""
    return column("d").is_(None)


TOO_MANY = (
    "table `t`: PostgreSQL cannot hold more than 2 of its values in the quarantined columns (`d`, `a`, `b`), which is "
    "no exception any more; nothing of this load was kept; mend the source, or choose another `policy` for the column "
    "in `column_overrides`"
)


@ONE_KIND
@pytest.mark.parametrize("changes", [{}, PER_CHUNK], ids=["at once", "per chunk"])
def test_too_many(visits: Loading, changes: Mapping[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    """More than a table may have fail its load with what to do, and leave nothing that a mended source would meet."""
    monkeypatch.setattr(quarantine, "MOST", 2)
    with pytest.raises(TooManyQuarantined) as caught:
        visits.load("t", **changes)
    assert TOO_MANY == str(caught.value)
    for table in ("quarantine", "table_resume", "table_state"):
        assert [] == visits.warehouse.rows(f"SELECT 1 FROM etlkit.{table}")
    visits.source.execute("UPDATE t SET a = '' WHERE id = 2")
    visits.load("t", **changes)
    assert 2 == len(entries(visits))
    # Those that are there count, although this load meets one only.
    visits.source.execute("INSERT INTO t VALUES (9, NULL, 0x00, NULL, 2)")
    with pytest.raises(TooManyQuarantined) as caught:
        visits.load("t", write=Write.MERGE, read=Since(column="n", watermark="2"), cursor="n", **changes)
    assert TOO_MANY == str(caught.value)
    assert [] == visits.warehouse.rows("SELECT 1 FROM etlkit.table_resume")
    assert 2 == len(entries(visits))


@ONE_KIND
def test_another_policy(visits: Loading) -> None:
    """When a column is not quarantined any more, the next load takes its entries away."""
    visits.load("t")
    choose(visits, {"d": "null", "a": "replace", "b": "quarantine"})
    visits.load("t")
    assert {("b", "broken_text", "3")} == entries(visits)
    choose(visits, {"a": "replace", "b": "null"})
    visits.load("t")
    assert set() == entries(visits)


@ONE_KIND
def test_a_limited_load(visits: Loading) -> None:
    """A load of some rows, for trying out, changes the entries of these rows only."""
    visits.load("t")
    mend(visits)
    visits.load("t", limit=1)
    assert FIRST - {("d", "invalid_date", "1")} == entries(visits)


@ONE_KIND
def test_tables_without_a_primary_key(loading: Loading) -> None:
    """Nobody could find their rows again: the configuration is refused, and says why."""
    loading.source.execute("CREATE TABLE t (d DATE NULL)")
    choose(loading, {"d": "quarantine"})
    with pytest.raises(ConfigurationError) as caught:
        loading.load("t")
    assert (
        "`tables.t.column_overrides.d.policy` is `quarantine`, but the table has no primary key by which its rows "
        "could be found again; use `fail` or `null`"
    ) == str(caught.value)
