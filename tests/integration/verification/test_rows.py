"""Missing rows, keys of every kind, tables without a key, changed shapes: what a deep verification says of them."""

from __future__ import annotations

import datetime as dt

import attrs
import pytest

from etlkit.config import AllowedHours, ColumnOverride, TableChoice
from etlkit.errors import NotChecked, OutsideAllowedHours
from etlkit.loading.shapes import shape_of
from etlkit.verification.deep import DeepCheck
from etlkit.verification.results import DIFFERENT, MISSING_IN_SOURCE, MISSING_IN_WAREHOUSE, TableVerification
from support.loading import Loading
from support.verifying import found_in, loaded_and_verified, verified, verified_one

ONE_KIND = pytest.mark.parametrize("source", ["mariadb-innodb"], indirect=True)

PATIENTS = (
    "CREATE TABLE t (id INT PRIMARY KEY, `L Name` VARCHAR(20), `a%b` INT)",
    "INSERT INTO t VALUES (1, 'one', 10), (2, 'two', NULL), (3, '', 30), (-4, NULL, NULL)",
)
STATE = (
    "SELECT 'state', s::text FROM etlkit.table_state s UNION ALL SELECT 'load', l::text FROM etlkit.table_loads l "
    "UNION ALL SELECT 'row', t.ctid::text || t.xmin::text || t::text FROM raw.t t ORDER BY 1, 2"
)


def counts(found: TableVerification) -> tuple[int, int, int]:
    """Rows missing in the warehouse, missing in the source, and different."""
    return found.missing_in_warehouse, found.missing_in_source, found.different


def test_equal(loading: Loading) -> None:
    """After a load a table is equal; comparing it writes nothing and leaves no table behind."""
    loading.source.execute(*PATIENTS)
    loading.load("t")
    before = loading.warehouse.rows(STATE)
    found = verified_one(loading)
    assert ("equal", {}, []) == found_in(found)
    assert (4, 4, None) == (found.rows, found.checked, found.newer)
    assert before == loading.warehouse.rows(STATE)
    assert [] == loading.warehouse.rows("SELECT 1 FROM pg_class WHERE relname = 'etlkit_verify'")


def test_empty(loading: Loading) -> None:
    """An empty table is equal to an empty one; a row too many in the warehouse is found there."""
    loading.source.execute("CREATE TABLE t (id INT PRIMARY KEY, v INT)")
    assert "equal" == loaded_and_verified(loading).verified
    loading.warehouse.execute("INSERT INTO raw.t VALUES (1, 1)")
    assert ("1 row differs", {}, [(MISSING_IN_SOURCE, {"id": "1"}, ())]) == found_in(verified_one(loading))


def test_missing_and_different_rows(loading: Loading) -> None:
    """Each kind of difference is counted, per column too, and listed by key."""
    loading.source.execute(*PATIENTS)
    loading.load("t")
    loading.warehouse.execute(
        "DELETE FROM raw.t WHERE id = -4",
        "INSERT INTO raw.t VALUES (9, 'nine', 9)",
        "UPDATE raw.t SET \"L Name\" = 'x'",
        'UPDATE raw.t SET "a%b" = 31 WHERE id = 3',
    )
    found = verified_one(loading)
    assert (1, 1, 3) == counts(found)
    assert (
        "5 rows differ",
        {"L Name": 3, "a%b": 1},
        [
            (MISSING_IN_WAREHOUSE, {"id": "-4"}, ()),
            (DIFFERENT, {"id": "1"}, ("L Name",)),
            (DIFFERENT, {"id": "2"}, ("L Name",)),
            (DIFFERENT, {"id": "3"}, ("L Name", "a%b")),
            (MISSING_IN_SOURCE, {"id": "9"}, ()),
        ],
    ) == found_in(found)
    assert all(each.values is None for each in found.differences)


@ONE_KIND
def test_values_when_asked_for(loading: Loading) -> None:
    """Values of both sides, their first 200 characters, are only given to who asks for them."""
    loading.source.execute(
        "CREATE TABLE t (id VARCHAR(9) PRIMARY KEY, v TEXT, w BLOB, x INT)",
        f"INSERT INTO t VALUES ('key', '{'a' * 300}', 0x00FF, 1)",
    )
    loading.load("t")
    loading.warehouse.execute(f"UPDATE raw.t SET v = '{'a' * 250}', w = NULL")
    assert ("1 row differs", {"v": 1, "w": 1}, []) == found_in(verified_one(loading))
    [found] = verified_one(loading, values=True).differences
    assert ({"id": "key"}, {"v": ("a" * 200, "a" * 200), "w": ("\\x00ff", None)}) == (found.key, found.values)


@ONE_KIND
def test_at_most_twenty_are_listed(loading: Loading) -> None:
    """Of many differing rows the first twenty by key are listed, and all are counted."""
    loading.source.execute("CREATE TABLE t (id INT PRIMARY KEY, v INT)")
    loading.source.execute(f"INSERT INTO t VALUES {', '.join(f'({n}, {n})' for n in range(100))}")
    loading.load("t")
    loading.warehouse.execute("UPDATE raw.t SET v = -1")
    found = verified_one(loading)
    assert ("100 rows differ", {"v": 100}) == (found.verified, found.columns)
    assert [str(n) for n in range(20)] == [each.key["id"] for each in found.differences]


def test_a_text_key_without_regard_to_case(loading: Loading) -> None:
    """A key that the source's collation calls equal is another row when its text differs; it is not shown."""
    loading.source.execute(
        "CREATE TABLE t (k VARCHAR(20) COLLATE utf8mb4_general_ci PRIMARY KEY, v INT)",
        "INSERT INTO t VALUES ('a', 1), ('B', 2), ('ç', 3), ('d ', 4)",
    )
    assert "equal" == loaded_and_verified(loading).verified
    loading.warehouse.execute(
        "UPDATE raw.t SET k = 'b' WHERE k = 'B'", "UPDATE raw.t SET v = 0 WHERE k = 'ç'"
    )
    found = verified_one(loading)
    assert ((1, 1, 1), ("3 rows differ", {"v": 1}, [])) == (counts(found), found_in(found))


def test_a_composite_key(loading: Loading) -> None:
    """Of a key of several columns, those that are integers are shown."""
    loading.source.execute(
        "CREATE TABLE t (a INT, `b c` VARCHAR(9) COLLATE utf8mb4_general_ci, v INT, PRIMARY KEY (`b c`, a))",
        "INSERT INTO t VALUES (1, 'x', 1), (1, 'y', 2), (2, 'x', 3)",
    )
    assert "equal" == loaded_and_verified(loading).verified
    loading.warehouse.execute("UPDATE raw.t SET v = 0 WHERE a = 2")
    assert ("1 row differs", {"v": 1}, [(DIFFERENT, {"b c": None, "a": "2"}, ("v",))]) == found_in(
        verified_one(loading)
    )
    [shown] = verified_one(loading, values=True).differences
    assert ({"b c": "x", "a": "2"}, {"v": ("3", "0")}) == (shown.key, shown.values)


@pytest.mark.parametrize(
    ("declared", "literals", "shown"),
    [
        ("BIGINT UNSIGNED", ["18446744073709551615", "9223372036854775808"], "18446744073709551615"),
        ("DATE", ["'2024-01-31'", "'0001-01-01'"], None),
        ("VARBINARY(9)", ["0x00FF", "0x00"], None),
        ("DECIMAL(30,10)", ["1.5", "-12345678901234567890.0000000001"], None),
        ("ENUM('b', 'a')", ["'a'", "'b'"], None),
    ],
)
def test_other_keys(loading: Loading, declared: str, literals: list[str], shown: str | None) -> None:
    """Keys of other types find their rows as well."""
    loading.source.execute(f"CREATE TABLE t (k {declared} PRIMARY KEY, v INT)")
    loading.source.execute(*(f"INSERT INTO t VALUES ({each}, {n})" for n, each in enumerate(literals)))
    assert "equal" == loaded_and_verified(loading).verified
    loading.warehouse.execute("UPDATE raw.t SET v = 9 WHERE v = 0")
    listed = [(DIFFERENT, {"k": shown}, ("v",))] if shown else []
    assert ("1 row differs", {"v": 1}, listed) == found_in(verified_one(loading))
    assert ("1 row differs", {"v": 1}, listed) == found_in(verified_one(loading, sample=2))


@pytest.mark.parametrize("source", ["mariadb-innodb"], indirect=True)
def test_a_uuid_as_key(loading: Loading) -> None:
    """A uuid tells nothing of a person, so it is shown."""
    loading.source.execute("CREATE TABLE t (k UUID PRIMARY KEY, v INT)")
    loading.source.execute("INSERT INTO t VALUES ('f81d4fae-7dec-11d0-a765-00a0c91e6bf6', 1)")
    assert "equal" == loaded_and_verified(loading).verified
    loading.warehouse.execute("UPDATE raw.t SET v = 0")
    assert [(DIFFERENT, {"k": "f81d4fae-7dec-11d0-a765-00a0c91e6bf6"}, ("v",))] == found_in(
        verified_one(loading)
    )[2]


@ONE_KIND
def test_a_key_that_differs_and_is_equal(loading: Loading) -> None:
    """A key that PostgreSQL calls equal, such as -0, is compared byte by byte like every column."""
    loading.source.execute("CREATE TABLE t (k DOUBLE PRIMARY KEY)", "INSERT INTO t VALUES (0), (1)")
    loading.load("t")
    loading.warehouse.execute("UPDATE raw.t SET k = '-0' WHERE k = 0")
    assert ("1 row differs", {"k": 1}, []) == found_in(verified_one(loading))


def test_duplicates_of_a_table_without_a_key(loading: Loading) -> None:
    """Rows without a key are compared whole, and duplicates are counted."""
    loading.source.execute(
        "CREATE TABLE t (v INT, w VARCHAR(9))",
        "INSERT INTO t VALUES (1, 'a'), (1, 'a'), (NULL, ''), (2, NULL)",
    )
    assert ((0, 0, 0), "equal") == (
        counts(loaded_and_verified(loading)),
        verified_one(loading, sample=1).verified,
    )
    loading.warehouse.execute(
        "DELETE FROM raw.t WHERE ctid = (SELECT min(ctid) FROM raw.t WHERE v = 1)",
        "INSERT INTO raw.t VALUES (NULL, ''), (NULL, ''), (NULL, NULL)",
        "UPDATE raw.t SET w = '' WHERE v = 2",
    )
    found = verified_one(loading)
    assert (2, 4, 0, 4, "6 rows differ") == (*counts(found), found.checked, found.verified)
    assert ((), {}) == (found.differences, found.columns)


@ONE_KIND
def test_rows_too_wide_for_one_value(loading: Loading) -> None:
    """Rows beyond what the source sends as one value are read in the same way as by a load."""
    loading.source.execute(
        "CREATE TABLE t (id INT PRIMARY KEY, a LONGBLOB, b LONGBLOB)",
        "INSERT INTO t VALUES (1, 'x', 'y'), (2, repeat('a', 7000000), repeat('b', 7000000)), (3, NULL, '')",
    )
    assert "equal" == loaded_and_verified(loading).verified
    loading.warehouse.execute("UPDATE raw.t SET b = set_byte(b, 6999999, 0) WHERE id = 2")
    for sample in (None, 2, 3):
        found = verified_one(loading, sample=sample)
        assert found.checked == (sample or 3)
    assert ("1 row differs", {"b": 1}, [(DIFFERENT, {"id": "2"}, ("b",))]) == found_in(verified_one(loading))


CLOCKED = (
    "CREATE TABLE t (id INT PRIMARY KEY, v INT, s TIMESTAMP NULL, KEY (s))",
    "INSERT INTO t VALUES (1, 1, '2024-01-01 10:00:00'), (2, 2, '2024-01-02 10:00:00'), (3, 3, NULL)",
)
INCREMENTAL = TableChoice(extraction_strategy="incremental", incremental_column="s")


def test_the_source_moved_on(loading: Loading) -> None:
    """Differing rows that the source stamped after the last load are told apart from those that it did not."""
    loading.source.execute(*CLOCKED)
    loading.choose(t=INCREMENTAL)
    assert ("equal", 0) == (loaded_and_verified(loading).verified, verified_one(loading).newer)
    loading.source.execute(
        "UPDATE t SET v = 9, s = '2024-02-01 10:00:00' WHERE id = 1",
        "INSERT INTO t VALUES (4, 4, '2024-02-02 10:00:00')",
        "UPDATE t SET v = 9, s = s WHERE id = 2",
        "UPDATE t SET v = 9, s = NULL WHERE id = 3",
    )
    found = verified_one(loading)
    assert ("4 rows differ", 2) == (found.verified, found.newer)
    assert {"v": 3, "s": 1} == found.columns


def test_a_cursor_that_points_nowhere(loading: Loading) -> None:
    """Where all stamps are `0000-00-00`, nothing can be told by them."""
    loading.source.execute(
        "SET sql_mode = ''",
        "CREATE TABLE t (id INT PRIMARY KEY, v INT, s DATETIME NOT NULL, KEY (s))",
        "INSERT INTO t VALUES (1, 1, '0000-00-00')",
    )
    loading.choose(t=INCREMENTAL)
    assert "equal" == loaded_and_verified(loading).verified
    loading.warehouse.execute("UPDATE raw.t SET v = 2")
    assert ("1 row differs", None) == (verified_one(loading).verified, verified_one(loading).newer)


@ONE_KIND
def test_a_number_as_cursor(loading: Loading) -> None:
    """Rows behind a numbered watermark are newer, too."""
    loading.source.execute("CREATE TABLE t (id BIGINT AUTO_INCREMENT PRIMARY KEY, v INT)")
    loading.source.execute("INSERT INTO t (v) VALUES (1), (2)")
    loading.choose(t=attrs.evolve(INCREMENTAL, incremental_column="id"))
    loading.load("t")
    loading.source.execute("INSERT INTO t (v) VALUES (3)", "UPDATE t SET v = 9 WHERE id = 1")
    found = verified_one(loading)
    assert ((1, 0, 1), 1) == (counts(found), found.newer)


def test_never_loaded(loading: Loading) -> None:
    """A table that no load committed cannot be compared."""
    loading.source.execute(*PATIENTS)
    found = verified(loading, "t")
    assert (["not checked: never loaded"], 3) == ([each.verified for each in found.tables], found.exit_code)


@ONE_KIND
def test_tables_that_are_gone(loading: Loading) -> None:
    """A table that one side lost is not checked, and the others are."""
    loading.source.execute(
        *PATIENTS, "CREATE TABLE u AS SELECT * FROM t", "CREATE TABLE w AS SELECT * FROM t"
    )
    for name in ("t", "u", "w"):
        loading.load(name)
    loading.source.execute("DROP TABLE u")
    loading.warehouse.execute("DROP TABLE raw.w")
    found = verified(loading, "t", "u", "w")
    assert 3 == found.exit_code
    assert {
        "t": "equal",
        "u": "not checked: it is gone in the source; `etlkit analyze` takes it off the list",
        "w": "not checked: its table is gone in the warehouse; run `etlkit run` first",
    } == {each.table: each.verified for each in found.tables}


@ONE_KIND
def test_new_and_wider_columns(loading: Loading) -> None:
    """A table whose shape is not the loaded one is not compared before a run carries that over."""
    loading.source.execute(*PATIENTS)
    loading.load("t")
    loading.source.execute("ALTER TABLE t ADD n INT, MODIFY `L Name` VARCHAR(30)")
    assert (
        "not checked: its shape changed since the last load (column `n` is new; column `L Name` became wider); "
        "run `etlkit run` first"
    ) == verified_one(loading).verified
    assert "equal" == loaded_and_verified(loading).verified


@ONE_KIND
def test_columns_that_are_left_out(loading: Loading) -> None:
    """Columns that the policy ignores, and those that the source dropped, are not compared, which is said."""
    loading.source.execute(*PATIENTS)
    loading.load("t")
    loading.source.execute("ALTER TABLE t ADD n INT, DROP `a%b`")
    loading.choose(drift={"add_column": "ignore"})
    expected = {
        "n": "new in the source, and left out by `drift.add_column: ignore`",
        "a%b": "gone in the source; the warehouse keeps its last values",
    }
    found = verified_one(loading)
    assert ("equal", expected) == (found.verified, found.not_compared)
    loading.warehouse.execute("UPDATE raw.t SET \"L Name\" = 'x' WHERE id = 1")
    assert ("1 row differs", {"L Name": 1}) == found_in(verified_one(loading))[:2]


@ONE_KIND
def test_columns_kept_wider(loading: Loading) -> None:
    """Where the policy keeps a wider column, values are compared as that type."""
    loading.source.execute("CREATE TABLE t (id INT PRIMARY KEY, d DECIMAL(12,4), s VARCHAR(30))")
    loading.source.execute("INSERT INTO t VALUES (1, 1.5, 'a')")
    loading.load("t")
    loading.source.execute("ALTER TABLE t MODIFY d DECIMAL(10,2), MODIFY s VARCHAR(20)")
    loading.choose(drift={"narrow": "keep"})
    assert "equal" == loaded_and_verified(loading).verified
    loading.warehouse.execute("UPDATE raw.t SET d = 1.5001")
    assert ("1 row differs", {"d": 1}) == found_in(verified_one(loading))[:2]


@ONE_KIND
def test_conversions_are_proven(loading: Loading) -> None:
    """What a conversion makes is compared with what it made; one that refuses a value leaves the table unchecked."""
    loading.source.execute(
        "CREATE TABLE t (id INT PRIMARY KEY, b TINYINT)", "INSERT INTO t VALUES (1, 1), (2, 0)"
    )
    loading.choose(t=TableChoice(column_overrides={"b": ColumnOverride(conversion="tinyint_to_boolean")}))
    assert "equal" == loaded_and_verified(loading).verified
    loading.source.execute("UPDATE t SET b = 2 WHERE id = 1")
    assert (
        "not checked: t.b: conversion `tinyint_to_boolean` does not accept 1 of the values read; nothing was written; "
        "mend the source, or take the conversion out of `column_overrides`; `etlkit analyze` counts such values in the "
        "whole table"
    ) == verified_one(loading).verified


def test_rows_with_digests(loading: Loading) -> None:
    """Digests that are kept beside rows are not the source's: having them, or having old ones, is no difference."""
    loading.source.execute(*PATIENTS)
    loading.load("t")
    loading.choose(t=TableChoice(extraction_strategy="reconcile"))
    assert "equal" == verified_one(loading).verified
    found = loaded_and_verified(loading)
    assert ("equal", {}) == (found.verified, found.not_compared)
    loading.warehouse.execute(
        "UPDATE raw.t SET _etlkit_digest = 0", 'UPDATE raw.t SET "a%b" = 11 WHERE id = 1'
    )
    assert ("1 row differs", {"a%b": 1}, [(DIFFERENT, {"id": "1"}, ("a%b",))]) == found_in(
        verified_one(loading)
    )
    assert ("1 row differs", {"a%b": 1}) == found_in(verified_one(loading, sample=4))[:2]
    loading.choose(t=TableChoice())
    assert ("1 row differs", {}) == (verified_one(loading).verified, verified_one(loading).not_compared)


def test_a_load_meanwhile(loading: Loading) -> None:
    """When a run commits the table between reading and comparing, the differences are not the warehouse's."""
    loading.source.execute(*PATIENTS)
    loading.load("t")
    plan = loading.plan("t")

    def load(_: int) -> None:
        loading.source.execute("UPDATE t SET `a%b` = 99")
        loading.load("t")

    with loading.engine.connect() as connection:
        now = shape_of(connection, plan.target.itself())
    assert now is not None
    check = DeepCheck(
        what=plan,
        now=now,
        connections=loading.deployment.connections,
        ledger=loading.deployment.ledger,
        rows_read=load,
    )
    with pytest.raises(NotChecked) as caught:
        check.carry_out()
    assert "a run loaded it while it was compared; verify again" == str(caught.value)
    assert "equal" == verified_one(loading).verified


@ONE_KIND
def test_outside_the_allowed_hours(loading: Loading) -> None:
    """The source is not read when it may not be."""
    loading.source.execute(*PATIENTS)
    loading.load("t")
    settings = loading.deployment.settings
    now = dt.datetime.now().astimezone()
    hours = AllowedHours(start=(now + dt.timedelta(hours=2)).time(), end=(now + dt.timedelta(hours=3)).time())
    loading.deployment = attrs.evolve(
        loading.deployment,
        settings=attrs.evolve(settings, source=attrs.evolve(settings.source, allowed_hours=hours)),
    )
    with pytest.raises(OutsideAllowedHours):
        verified_one(loading)
