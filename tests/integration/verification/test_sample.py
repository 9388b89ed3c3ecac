"""A sample reads about as many rows as it is asked for, chosen by keys of every kind, and counts the others."""

from __future__ import annotations

from collections import Counter

import pytest

from etlkit.config import ColumnOverride, TableChoice
from support.databases import SourceDatabase
from support.loading import Loading
from support.server_log import statements_seen
from support.verifying import verified_one

ROWS = 3000
DIGITS = "(SELECT 0 d UNION SELECT 1 UNION SELECT 2 UNION SELECT 3 UNION SELECT 4 UNION SELECT 5 UNION SELECT 6 UNION "
DIGITS += "SELECT 7 UNION SELECT 8 UNION SELECT 9)"
NUMBERS = f"(SELECT a.d + 10 * b.d + 100 * c.d + 1000 * e.d AS n FROM {DIGITS} a, {DIGITS} b, {DIGITS} c, {DIGITS} e) n"

KEYS = {
    "dense": ("k BIGINT PRIMARY KEY", "n"),
    "negative": ("k INT PRIMARY KEY", "n - 1500"),
    "random": ("k BIGINT UNSIGNED PRIMARY KEY", "conv(substr(md5(n), 1, 15), 16, 10)"),
    "gap": ("k BIGINT PRIMARY KEY", "IF(n < 1500, n, 4611686018427387904 + n)"),
    "text": ("k VARCHAR(40) COLLATE utf8mb4_general_ci PRIMARY KEY", "concat(IF(n % 2, 'Ä', 'b'), md5(n))"),
    "binary": ("k VARBINARY(40) PRIMARY KEY", "unhex(md5(n))"),
    "composite": (
        "k VARCHAR(9) COLLATE utf8mb4_general_ci, j INT, PRIMARY KEY (k, j)",
        "concat('g', n % 7), n",
    ),
}


def filled(source: SourceDatabase, key: str, *, rows: int = ROWS) -> None:
    """Make a table with a key of some kind."""
    declared, expression = KEYS[key]
    source.execute(
        f"CREATE TABLE t (v INT, {declared})",
        f"INSERT INTO t SELECT n, {expression} FROM {NUMBERS} WHERE n < {rows}",
    )


def rows_looked_at(source: SourceDatabase) -> int:
    """Rows and index entries that the server's engines have given so far."""
    return sum(
        int(value)
        for name, value in source.rows("SHOW GLOBAL STATUS LIKE 'Handler_read%'")
        if name.lower() != "handler_read_rnd_deleted"
    )


@pytest.mark.parametrize("key", KEYS)
def test_keys_of_every_kind(loading: Loading, key: str) -> None:
    """As many rows as asked for are compared, each once; when all differ, all that were read do."""
    filled(loading.source, key)
    loading.load("t")
    found = verified_one(loading, sample=40)
    assert ("equal", 40, ROWS) == (found.verified, found.checked, found.rows)
    loading.warehouse.execute("UPDATE raw.t SET v = -1")
    found = verified_one(loading, sample=40)
    assert (40, {"v": 40}) == (found.different, found.columns)


@pytest.mark.parametrize("key", ["dense", "text", "composite"])
def test_a_sample_of_every_row(loading: Loading, key: str) -> None:
    """One wrong row is found when the sample is as large as the table, or larger."""
    filled(loading.source, key, rows=300)
    loading.load("t")
    loading.warehouse.execute("UPDATE raw.t SET v = -1 WHERE v = 123")
    for sample in (300, 301):
        found = verified_one(loading, sample=sample)
        assert (1, 300, {"v": 1}) == (found.different, found.checked, found.columns)


@pytest.mark.parametrize("key", ["dense", "gap", "text", "composite"])
@pytest.mark.parametrize("source", ["mariadb-innodb"], indirect=True)
def test_a_sample_is_random(loading: Loading, key: str) -> None:
    """The rows lie anywhere in the key's order, and are others each time."""
    filled(loading.source, key, rows=1000)
    loading.load("t")
    loading.warehouse.execute("UPDATE raw.t SET v = -1")
    seen: Counter[str | None] = Counter()
    for _ in range(4):
        found = verified_one(loading, sample=20, values=True)
        seen.update(ours for each in found.differences for ours, _ in (each.values or {}).values())
    assert 80 == seen.total()
    # Of 80 rows that were chosen among 1000, all but a few are different ones.
    assert len(seen) > 60
    assert {True, False} == {int(each or 0) < 500 for each in seen}


@pytest.mark.parametrize("source", ["mariadb-myisam", "mysql56"], indirect=True)
def test_a_sample_reads_only_its_rows(loading: Loading) -> None:
    """A key that is a number costs two statements and a few looks into the index for each row."""
    filled(loading.source, "dense")
    loading.load("t")
    before = rows_looked_at(loading.source)
    with statements_seen(loading.source.server) as statements:
        assert "equal" == verified_one(loading, sample=20).verified
    looks = rows_looked_at(loading.source) - before
    of_table = [each for each in statements if "`t`" in each and "information_schema" not in each.lower()]
    packed = [each for each in of_table if "group_concat" in each]
    assert 20 == len(packed)
    assert len(of_table) <= 20 + 2 * 20 + 2
    assert looks < ROWS // 2


@pytest.mark.parametrize("source", ["mariadb-innodb"], indirect=True)
def test_other_keys_are_counted_off(loading: Loading) -> None:
    """A key that is no number is found along its index, by two statements a row; nothing is sorted at random."""
    filled(loading.source, "text")
    loading.load("t")
    with statements_seen(loading.source.server) as statements:
        assert "equal" == verified_one(loading, sample=20).verified
    of_table = [each for each in statements if "`t`" in each and "information_schema" not in each.lower()]
    assert 20 == len([each for each in of_table if "group_concat" in each])
    assert len(of_table) <= 1 + 3 * 20
    assert [] == [each for each in statements if "rand(" in each.lower()]


def test_rows_that_were_not_chosen_are_counted(loading: Loading) -> None:
    """Rows missing on one side show by the numbers of rows, whichever were chosen."""
    filled(loading.source, "dense")
    loading.load("t")
    loading.warehouse.execute("DELETE FROM raw.t WHERE k % 300 = 0")
    found = verified_one(loading, sample=5)
    assert (10, 0, 0) == (found.missing_in_warehouse, found.missing_in_source, found.different)
    loading.warehouse.execute("INSERT INTO raw.t SELECT n, n FROM generate_series(10001, 10020) n")
    found = verified_one(loading, sample=5)
    assert 10 == found.missing_in_source


@pytest.mark.parametrize("source", ["mariadb-innodb"], indirect=True)
def test_a_converted_key(loading: Loading) -> None:
    """Rows are chosen by the source's own keys, so a key may be converted on its way."""
    filled(loading.source, "dense", rows=100)
    loading.choose(t=TableChoice(column_overrides={"k": ColumnOverride(pg_type="text")}))
    loading.load("t")
    found = verified_one(loading, sample=10)
    assert ("equal", 10) == (found.verified, found.checked)
