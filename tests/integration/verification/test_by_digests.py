"""A verification by digests finds exactly the rows that differ, and of a table that is equal it reads none."""

from __future__ import annotations

from typing import Any, Literal

import attrs
import pytest

from etlkit.config import TableChoice
from etlkit.errors import NotChecked
from etlkit.loading.shapes import shape_of
from etlkit.verification.by_digests import DigestCheck
from etlkit.verification.reading import to_compare
from etlkit.verification.results import (
    BY_DIGESTS,
    DIFFERENT,
    EVERY_COLUMN,
    MISSING_IN_SOURCE,
    MISSING_IN_WAREHOUSE,
    TableVerification,
)
from support.loading import Loading, loading_of
from support.server_log import statements_seen
from support.verifying import found_in, verified_one

ONE_KIND = pytest.mark.parametrize("source", ["mariadb-innodb"], indirect=True)
WITH_DIGESTS = TableChoice(extraction_strategy="reconcile")

DIGITS = "(SELECT 0 d UNION SELECT 1 UNION SELECT 2 UNION SELECT 3 UNION SELECT 4 UNION SELECT 5 UNION SELECT 6 UNION "
DIGITS += "SELECT 7 UNION SELECT 8 UNION SELECT 9)"
NUMBERS = f"(SELECT a.d + 10 * b.d + 100 * c.d + 1000 * e.d AS n FROM {DIGITS} a, {DIGITS} b, {DIGITS} c, {DIGITS} e) n"
STATE = (
    "SELECT 'state', s::text FROM etlkit.table_state s UNION ALL SELECT 'load', l::text FROM etlkit.table_loads l "
    "UNION ALL SELECT 'row', t.ctid::text || t.xmin::text || t::text FROM raw.t t ORDER BY 1, 2"
)

KEYS = {
    "integer": ("k INT, PRIMARY KEY (k)", "n", {"k": "{n}"}),
    "text": (
        "k VARCHAR(40) COLLATE utf8mb4_general_ci, PRIMARY KEY (k)",
        "concat(elt(n % 3 + 1, 'Ä', 'b', 'A_'), n)",
        None,
    ),
    "composite": ("k INT, j DATE, PRIMARY KEY (j, k)", "n, '2024-01-01' + INTERVAL n % 5 DAY", {"k": "{n}"}),
    "composite with text": (
        "k VARCHAR(9) COLLATE utf8mb4_general_ci, j INT, PRIMARY KEY (k, j)",
        "concat(elt(n % 3 + 1, 'Ä', 'b', 'A_'), n % 7), n",
        {"j": "{n}"},
    ),
}


def filled(loading: Loading, *, rows: int, key: str = "integer") -> None:
    """Make a table with a key of some kind, load it, and keep its rows with digests."""
    declared, expression, _ = KEYS[key]
    loading.source.execute(
        f"CREATE TABLE t (v INT, w VARCHAR(20), {declared})",
        f"INSERT INTO t SELECT n, concat('w', n), {expression} FROM {NUMBERS} WHERE n < {rows}",
    )
    loading.choose(t=WITH_DIGESTS)
    assert rows == loading.load("t")[1]


def fast(loading: Loading, **request: bool) -> TableVerification:
    """Verify in the way that is chosen when nothing else is asked for."""
    return verified_one(loading, deep=False, **request)


def counts(found: TableVerification) -> tuple[int, int, int]:
    """Rows missing in the warehouse, missing in the source, and different."""
    return found.missing_in_warehouse, found.missing_in_source, found.different


def test_an_equal_table(loading: Loading) -> None:
    """Of 5,000 equal rows the source gives a few sums and not one row; nothing is written, nothing stays behind."""
    filled(loading, rows=5000)
    before = loading.warehouse.rows(STATE)
    with statements_seen(loading.source.server) as statements:
        found = fast(loading)
    assert ("equal", BY_DIGESTS, 5000, 5000) == (found.verified, found.way, found.rows, found.checked)
    of_table = [each for each in statements if "`t`" in each and "information_schema" not in each.lower()]
    sums = [each for each in of_table if "bit_xor" in each]
    # Each range is cut by a statement that gives one key, and summed up by another.
    assert 1 <= len(sums) <= 4
    assert 2 * len(sums) == len(of_table)
    assert [] == [each for each in of_table if "group_concat" in each]
    assert before == loading.warehouse.rows(STATE)
    assert [] == loading.warehouse.rows("SELECT relname FROM pg_class WHERE relname ~ '^etlkit'")


@pytest.mark.parametrize("key", KEYS)
def test_a_row_of_each_kind(loading: Loading, key: str) -> None:
    """One that changed, one that is missing and one too many are found by their keys, whatever the key's type."""
    filled(loading, rows=1200, key=key)
    assert ("equal", {}, []) == found_in(fast(loading))
    loading.source.execute("UPDATE t SET w = 'other' WHERE v = 40", "DELETE FROM t WHERE v = 700")
    loading.warehouse.execute("DELETE FROM raw.t WHERE v = 1100")
    found = fast(loading)
    assert ("3 rows differ", BY_DIGESTS, 1199, 1199) == (
        found.verified,
        found.way,
        found.rows,
        found.checked,
    )
    assert ((1, 1, 1), {"w": 1}, 3) == (counts(found), found.columns, found.examined)
    shown = KEYS[key][2]
    listed = {
        (each.kind, each.columns, each.key[name])
        for each in found.differences
        for name in shown or ()
        if name in each.key
    }
    expected = {
        (DIFFERENT, ("w",), "40"),
        (MISSING_IN_SOURCE, (), "700"),
        (MISSING_IN_WAREHOUSE, (), "1100"),
    }
    assert (expected if shown else set()) == listed
    asked = {
        (each.kind, tuple((each.values or {}).values())) for each in fast(loading, values=True).differences
    }
    assert {
        (DIFFERENT, (("other", "w40"),)),
        (MISSING_IN_SOURCE, ()),
        (MISSING_IN_WAREHOUSE, ()),
    } == asked


@pytest.mark.parametrize("source", ["mariadb-innodb", "mysql56"], indirect=True)
def test_only_what_is_listed_is_read(loading: Loading) -> None:
    """Of many differing rows all are counted, and the first twenty by key are read, listed and named by column."""
    filled(loading, rows=3000)
    loading.source.execute("UPDATE t SET w = 'other' WHERE k % 10 = 3", "DELETE FROM t WHERE k % 100 = 50")
    loading.warehouse.execute("DELETE FROM raw.t WHERE k >= 2990")
    with statements_seen(loading.source.server) as statements:
        found = fast(loading)
    assert (10, 30, 299) == counts(found)
    # Twenty that were read, and the keys of twenty that are gone.
    assert ("339 rows differ", 40, {"w": 20}) == (found.verified, found.examined, found.columns)
    keys = [str(each) for each in sorted([*range(3, 200, 10), 50, 150])[:20]]
    assert keys == [each.key["k"] for each in found.differences]
    assert 20 == sum("group_concat" in each and "`t`" in each for each in statements)


def test_what_digests_do_not_find(loading: Loading) -> None:
    """A row that somebody changed in the warehouse keeps its digest: only a deep verification finds it."""
    filled(loading, rows=100)
    loading.warehouse.execute("UPDATE raw.t SET w = 'x' WHERE k = 50")
    assert "equal" == fast(loading).verified
    deep = verified_one(loading)
    assert (EVERY_COLUMN, "1 row differs", {"w": 1}) == (deep.way, deep.verified, deep.columns)


@ONE_KIND
def test_a_digest_that_is_not_the_rows(loading: Loading) -> None:
    """Where a stored digest is another one though no column differs, the digest is what is named."""
    filled(loading, rows=100)
    loading.warehouse.execute(
        "UPDATE raw.t SET _etlkit_digest = 0 WHERE k IN (7, 8)", "UPDATE raw.t SET v = -1 WHERE k = 8"
    )
    assert (
        "2 rows differ",
        {"v": 1, "_etlkit_digest": 1},
        [(DIFFERENT, {"k": "7"}, ("_etlkit_digest",)), (DIFFERENT, {"k": "8"}, ("v",))],
    ) == found_in(fast(loading))
    loading.loader().load_table("t")
    assert ("equal", "equal") == (fast(loading).verified, verified_one(loading).verified)


@ONE_KIND
def test_an_empty_table(loading: Loading) -> None:
    """Empty on both sides is equal; what one side has then is missing in the other."""
    filled(loading, rows=0)
    assert ("equal", 0) == (fast(loading).verified, fast(loading).rows)
    loading.source.execute("INSERT INTO t VALUES (1, 'a', 1)")
    assert ("1 row differs", {}, [(MISSING_IN_WAREHOUSE, {"k": "1"}, ())]) == found_in(fast(loading))
    loading.load("t")
    loading.source.execute("DELETE FROM t")
    assert ("1 row differs", {}, [(MISSING_IN_SOURCE, {"k": "1"}, ())]) == found_in(fast(loading))


def test_tables_without_digests(loading: Loading) -> None:
    """A table whose rows have no digests, and one without a key, are compared by every column."""
    loading.source.execute(
        "CREATE TABLE t (k INT PRIMARY KEY, v INT)",
        "CREATE TABLE heap (v INT)",
        "INSERT INTO t VALUES (1, 1), (2, 2)",
        "INSERT INTO heap VALUES (1), (1)",
    )
    for table in ("t", "heap"):
        loading.load(table)
        found = verified_one(loading, table, deep=False)
        assert ("equal", EVERY_COLUMN) == (found.verified, found.way)
    loading.warehouse.execute("UPDATE raw.t SET v = 3 WHERE k = 2", "INSERT INTO raw.heap VALUES (1)")
    assert ("1 row differs", {"v": 1}, [(DIFFERENT, {"k": "2"}, ("v",))]) == found_in(fast(loading))
    assert (0, 1, 0) == counts(verified_one(loading, "heap", deep=False))


@ONE_KIND
def test_digests_of_another_configuration(loading: Loading) -> None:
    """Where rows are not kept with digests yet, or would be made in another way now, every column is compared."""
    loading.source.execute("CREATE TABLE t (k INT PRIMARY KEY, v INT)", "INSERT INTO t VALUES (1, 1), (2, 2)")
    loading.load("t")
    loading.choose(t=WITH_DIGESTS)
    assert ("equal", EVERY_COLUMN) == (fast(loading).verified, fast(loading).way)
    loading.load("t")
    assert ("equal", BY_DIGESTS) == (fast(loading).verified, fast(loading).way)
    loading.source.execute("ALTER TABLE t ADD w INT")
    assert (
        "not checked: its shape changed since the last load (column `w` is new); run `etlkit run` first"
        == fast(loading).verified
    )


@ONE_KIND
def test_columns_that_are_left_out(loading: Loading) -> None:
    """Columns that the drift policy leaves out are named in this way as well."""
    filled(loading, rows=10)
    loading.choose(drift={"add_column": "ignore"})
    loading.source.execute("ALTER TABLE t ADD more INT")
    found = fast(loading)
    left_out = {"more": "new in the source, and left out by `drift.add_column: ignore`"}
    assert ("equal", BY_DIGESTS, left_out) == (found.verified, found.way, found.not_compared)


def test_the_source_moved_on(loading: Loading) -> None:
    """Of the rows that were read, those are told that the source stamped after the last load."""
    loading.source.execute(
        "CREATE TABLE t (k INT PRIMARY KEY, v INT, s TIMESTAMP NOT NULL, KEY (s))",
        f"INSERT INTO t SELECT n, n, '2024-01-01 10:00:00' FROM {NUMBERS} WHERE n < 100",
    )
    loading.choose(
        t=TableChoice(extraction_strategy="incremental", incremental_column="s", reconcile="weekly")
    )
    loading.load("t")
    assert (BY_DIGESTS, "equal", 0) == (fast(loading).way, fast(loading).verified, fast(loading).newer)
    loading.source.execute(
        "UPDATE t SET v = -1, s = '2024-02-01 10:00:00' WHERE k < 30",
        "UPDATE t SET v = -1, s = s WHERE k = 4",
    )
    loading.source.execute("UPDATE t SET s = '2024-01-01 10:00:00' WHERE k = 4")
    found = fast(loading)
    assert ("30 rows differ", 20, 19) == (found.verified, found.examined, found.newer)
    assert {"v": 20, "s": 19} == found.columns


@ONE_KIND
def test_a_load_meanwhile(loading: Loading) -> None:
    """When a run commits the table while it is compared, the differences are not the warehouse's."""
    filled(loading, rows=100)
    loading.source.execute("UPDATE t SET w = 'other' WHERE k = 5")
    plan = loading.plan("t", force_full=True)
    with loading.engine.connect() as connection:
        now = shape_of(connection, plan.target.itself())
    assert now is not None
    with loading_of(loading.source, loading.warehouse) as another:
        another.choose(t=WITH_DIGESTS)

        def load(_: int) -> None:
            assert 1 == another.loader().load_table("t").updated

        check = DigestCheck(
            what=to_compare(plan, digests=True),
            now=now,
            connections=loading.deployment.connections,
            ledger=loading.deployment.ledger,
            rows_read=load,
        )
        with pytest.raises(NotChecked) as caught:
            check.carry_out()
    assert "a run loaded it while it was compared; verify again" == str(caught.value)
    assert "equal" == fast(loading).verified


@ONE_KIND
def test_beside_a_run(loading: Loading) -> None:
    """It needs no lock: while a run of the deployment is at work, tables are verified."""
    filled(loading, rows=100)
    with loading.deployment.ledger.run_lock():
        assert "equal" == fast(loading).verified


@ONE_KIND
def test_rows_too_wide_for_one_value(loading: Loading) -> None:
    """Rows beyond what the source sends as one value have digests, and are read to name the column that differs."""
    loading.source.execute(
        "CREATE TABLE t (k INT PRIMARY KEY, a LONGBLOB, b LONGBLOB)",
        "INSERT INTO t VALUES (1, 'x', 'y'), (2, repeat('a', 7000000), repeat('b', 7000000)), (3, NULL, '')",
    )
    loading.choose(t=WITH_DIGESTS)
    loading.load("t")
    assert "equal" == fast(loading).verified
    loading.source.execute("UPDATE t SET b = concat(repeat('b', 6999999), 'c') WHERE k = 2")
    assert ("1 row differs", {"b": 1}, [(DIFFERENT, {"k": "2"}, ("b",))]) == found_in(fast(loading))


@ONE_KIND
@pytest.mark.parametrize("choice", ["tombstone", "ignore"])
def test_rows_that_stay_when_they_are_gone(loading: Loading, choice: Literal["tombstone", "ignore"]) -> None:
    """Rows that stay by choice are no difference, in none of the ways; others beside them are found."""
    filled(loading, rows=1000)
    loading.choose(t=attrs.evolve(WITH_DIGESTS, deletes=choice))
    ways: list[dict[str, Any]] = [{"deep": False}, {"deep": True}, {"sample": 10}, {"sample": 1000}]
    assert ["equal"] * 4 == [verified_one(loading, **way).verified for way in ways]
    loading.source.execute("DELETE FROM t WHERE k < 30")
    loading.loader().load_table("t")
    expected = "equal but for 30 rows kept" if choice == "ignore" else "equal"
    assert [expected] * 4 == [verified_one(loading, **way).verified for way in ways]
    loading.source.execute("UPDATE t SET w = 'other' WHERE k = 500")
    loading.warehouse.execute("UPDATE raw.t SET w = 'other' WHERE k = 500", "DELETE FROM raw.t WHERE k = 600")
    found = fast(loading)
    assert (1, 0, 1, 30 if choice == "ignore" else 0) == (*counts(found), found.kept)
    assert [
        (DIFFERENT, {"k": "500"}, ("_etlkit_digest",)),
        (MISSING_IN_WAREHOUSE, {"k": "600"}, ()),
    ] == found_in(found)[2]
    assert [(MISSING_IN_WAREHOUSE, {"k": "600"}, ())] == found_in(verified_one(loading))[2]
    # One that came back is missing as long as it is marked.
    loading.source.execute("INSERT INTO t VALUES (3, 'w3', 3)")
    assert (2 if choice == "tombstone" else 1) == fast(loading).missing_in_warehouse
    assert (2 if choice == "tombstone" else 1) == verified_one(loading).missing_in_warehouse
