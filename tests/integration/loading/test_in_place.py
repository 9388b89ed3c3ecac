"""Tables are made once and changed in place: only what differs is written."""

from __future__ import annotations

import pytest

from etlkit.config import TableChoice
from etlkit.contracts import Write
from support.loading import Loading

ONE_KIND = pytest.mark.parametrize("source", ["mariadb-innodb"], indirect=True)


PATIENTS = (
    'CREATE TABLE `Patient` (`PatNum` INT PRIMARY KEY, `row` VARCHAR(20) NOT NULL, `a%b` INT, `Q"x` DATE)',
    "INSERT INTO `Patient` VALUES (1, 'one', 10, '2024-01-31'), (2, 'two', NULL, NULL), (3, '', 30, '0001-01-01')",
)


def test_first_load_makes_the_table(loading: Loading) -> None:
    """Schema, table and key are made by the first load, with the source's names, quoted, in their case."""
    loading.source.execute(*PATIENTS)
    assert (3, 3, 0, 0, 0) == loading.load("Patient")
    assert [
        ("PatNum", "integer", "NO"),
        ("row", "character varying", "YES"),
        ("a%b", "integer", "YES"),
        ('Q"x', "date", "YES"),
    ] == loading.warehouse.rows(
        "SELECT column_name, data_type, is_nullable FROM information_schema.columns "
        "WHERE table_schema = 'raw' AND table_name = 'Patient' ORDER BY ordinal_position"
    )
    assert [("PatNum",)] == loading.warehouse.rows(
        "SELECT a.attname FROM pg_index i JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = ANY(i.indkey) "
        "WHERE i.indisprimary AND i.indrelid = 'raw.\"Patient\"'::regclass"
    )
    assert [(1, "one", 10), (2, "two", None), (3, "", 30)] == loading.there(
        '"PatNum", "row", "a%b"', "Patient"
    )


def test_no_change_writes_nothing(loading: Loading) -> None:
    """A second load of an unchanged table leaves each row's physical version where it is."""
    loading.source.execute(*PATIENTS)
    loading.load("Patient")
    before = loading.versions("Patient", "PatNum")
    assert (3, 0, 0, 0, 3) == loading.load("Patient")
    assert before == loading.versions("Patient", "PatNum")


def test_replace_touches_the_affected_rows_only(loading: Loading) -> None:
    """Inserts, edits and deletes are carried over and counted; every other row keeps its physical version."""
    loading.source.execute(*PATIENTS)
    loading.load("Patient")
    before = loading.versions("Patient", "PatNum")
    loading.source.execute(
        "UPDATE `Patient` SET `a%b` = NULL WHERE `PatNum` = 1",
        "DELETE FROM `Patient` WHERE `PatNum` = 2",
        "INSERT INTO `Patient` VALUES (4, 'four', 40, NULL)",
    )
    assert (3, 1, 1, 1, 1) == loading.load("Patient")
    after = loading.versions("Patient", "PatNum")
    assert [(1, "one", None), (3, "", 30), (4, "four", 40)] == loading.there(
        '"PatNum", "row", "a%b"', "Patient"
    )
    assert (before[3], True) == (after[3], before[1] != after[1])


@ONE_KIND
@pytest.mark.parametrize(
    ("write", "expected", "rows"),
    [
        (Write.MERGE, (3, 1, 1, 0, 1), [(1, 11), (2, 20), (3, 30), (4, 40)]),
        (Write.APPEND, (3, 1, 0, 0, 2), [(1, 10), (2, 20), (3, 30), (4, 40)]),
    ],
)
def test_merge_and_append(
    loading: Loading, write: Write, expected: tuple[int, ...], rows: list[tuple[int, int]]
) -> None:
    """Merge changes what differs, append changes nothing, and neither removes a row."""
    loading.source.execute(
        "CREATE TABLE t (id INT PRIMARY KEY, v INT)", "INSERT INTO t VALUES (1, 10), (2, 20), (3, 30)"
    )
    loading.load("t")
    before = loading.versions()
    loading.source.execute(
        "UPDATE t SET v = 11 WHERE id = 1", "DELETE FROM t WHERE id = 2", "INSERT INTO t VALUES (4, 40)"
    )
    assert expected == loading.load("t", write=write)
    assert rows == loading.there()
    after = loading.versions()
    assert [before[2], before[3]] == [after[2], after[3]]


def test_a_table_without_key_is_replaced_whole_when_it_differs(loading: Loading) -> None:
    """Rows of a table without key are compared as a multiset; equal ones are not touched."""
    loading.source.execute(
        "CREATE TABLE t (v INT, w DOUBLE)", "INSERT INTO t VALUES (1, 0), (1, 0), (NULL, NULL)"
    )
    assert (3, 3, 0, 0, 0) == loading.load("t")
    before = loading.versions(key="v")
    assert (3, 0, 0, 0, 3) == loading.load("t")
    assert before == loading.versions(key="v")
    loading.source.execute("DELETE FROM t WHERE v = 1", "INSERT INTO t VALUES (1, 0), (NULL, NULL)")
    assert (3, 3, 0, 3, 0) == loading.load("t")
    assert [(1, 0.0), (None, None), (None, None)] == loading.there()
    loading.source.execute("DELETE FROM t")
    assert (0, 0, 0, 3, 0) == loading.load("t")
    assert (0, 0, 0, 0, 0) == loading.load("t")


@ONE_KIND
def test_values_that_are_equal_but_not_identical_are_carried_over(loading: Loading) -> None:
    """A change that the type's own equality does not see is a change: -0 beside 0, or json with other blanks."""
    loading.source.execute(
        "CREATE TABLE t (id INT PRIMARY KEY, d DOUBLE, f FLOAT, j JSON)",
        "CREATE TABLE nokey (d DOUBLE, j JSON)",
        """INSERT INTO t VALUES (1, 0, 0, '{"a": 1}'), (2, 1, 1, '[1]'), (3, NULL, NULL, NULL)""",
        """INSERT INTO nokey VALUES (0, '{"a": 1}'), (NULL, NULL)""",
    )
    assert [(3, 3, 0, 0, 0), (2, 2, 0, 0, 0)] == [loading.load("t"), loading.load("nokey")]
    assert [(3, 0, 0, 0, 3), (2, 0, 0, 0, 2)] == [loading.load("t"), loading.load("nokey")]
    loading.source.execute(
        """UPDATE t SET j = '{"a":1}' WHERE id = 1""", "UPDATE nokey SET j = '[2]' WHERE d = 0"
    )
    loading.warehouse.execute("UPDATE raw.t SET f = '-0' WHERE id = 2")
    assert [(3, 0, 2, 0, 1), (2, 2, 0, 2, 0)] == [loading.load("t"), loading.load("nokey")]
    assert [("0", "0", '{"a":1}'), ("1", "1", "[1]")] == loading.warehouse.rows(
        "SELECT d::text, f::text, j::text FROM raw.t WHERE id < 3 ORDER BY id"
    )
    loading.warehouse.execute(
        "UPDATE raw.t SET d = '-0' WHERE id = 1", "UPDATE raw.nokey SET d = '-0' WHERE d = 0"
    )
    assert [(3, 0, 1, 0, 2), (2, 2, 0, 2, 0)] == [loading.load("t"), loading.load("nokey")]


def test_a_table_that_is_all_key(loading: Loading) -> None:
    """Without a column beside the key there is nothing to update; rows come and go."""
    loading.source.execute(
        "CREATE TABLE t (a INT, b VARCHAR(5), PRIMARY KEY (b, a))",
        "INSERT INTO t VALUES (1, 'x'), (1, 'y'), (2, 'x')",
    )
    assert (3, 3, 0, 0, 0) == loading.load("t")
    loading.source.execute("UPDATE t SET a = 3 WHERE a = 2")
    assert (3, 1, 0, 1, 2) == loading.load("t")
    assert [(1, "x"), (1, "y"), (3, "x")] == loading.there()


@ONE_KIND
def test_an_emptied_table(loading: Loading) -> None:
    """When the source's table is empty, replace removes every row and merge none."""
    loading.source.execute(
        "CREATE TABLE t (id INT PRIMARY KEY, v INT)", "INSERT INTO t VALUES (1, 10), (2, 20)"
    )
    loading.load("t")
    loading.source.execute("DELETE FROM t")
    assert (0, 0, 0, 0, 0) == loading.load("t", write=Write.MERGE)
    assert [(1, 10), (2, 20)] == loading.there()
    assert (0, 0, 0, 2, 0) == loading.load("t")
    assert (0, 0, 0, 0, 0) == loading.load("t")


@ONE_KIND
def test_a_limited_load_keeps_the_state(loading: Loading) -> None:
    """A load of at most so many rows removes nothing, and the next load reads as if it had not been."""
    loading.source.execute(
        "CREATE TABLE t (id INT PRIMARY KEY, s TIMESTAMP NOT NULL DEFAULT current_timestamp ON UPDATE "
        "current_timestamp)",
        "CREATE TABLE nokey (v INT)",
        "INSERT INTO t (id) VALUES (1), (2), (3)",
        "INSERT INTO nokey VALUES (1), (2)",
    )
    loading.choose(t=TableChoice(extraction_strategy="incremental", incremental_column="s"))
    assert (2, 2, 0, 0, 0) == loading.load("t", limit=2)
    assert (None, 1) == loading.warehouse.rows("SELECT watermark, generation FROM etlkit.table_state")[0]
    assert (3, 1, 0, 0, 2) == loading.load("t")
    state = loading.warehouse.rows("SELECT cursor_column, watermark, mapping_hash FROM etlkit.table_state")
    loading.source.execute("DELETE FROM t WHERE id > 1")
    assert (1, 0, 0, 0, 1) == loading.load("t", limit=1)
    assert state == loading.warehouse.rows(
        "SELECT cursor_column, watermark, mapping_hash FROM etlkit.table_state"
    )
    loading.load("nokey")
    assert (0, 0, 0, 0, 0) == loading.load("nokey", limit=1)
    assert [(1,), (2,)] == loading.there(table="nokey")
