"""Another collation or character set of a key: other keys are equal, others come first, and nothing is missed."""

from __future__ import annotations

from typing import Any

import pytest

from etlkit.config import TableChoice
from etlkit.contracts import Chunks, Commit
from support.comparison import differences
from support.loading import Loading

CHUNKED: dict[str, Any] = {
    "commit": Commit.PER_CHUNK,
    "chunks": Chunks(rows=5, max_bytes=200, kept_seconds=0),
}
COLUMNS = "v INT, s DATETIME NOT NULL DEFAULT '2024-01-01'"
# By the order of one collation they begin with a, by that of the other with Y.
KEYS = [f"{letter}{number}" for number in range(10) for letter in "aYbZ"]


class Crash(Exception):
    """Ends a load between two chunks."""


def fill(loading: Loading, collation: str) -> None:
    """Make the source's table, its key of a collation."""
    values = ", ".join(f"('{key}', 1)" for key in KEYS)
    loading.source.execute(
        f"CREATE TABLE t (k VARCHAR(10) CHARACTER SET utf8mb4 COLLATE {collation} PRIMARY KEY, {COLUMNS})",
        f"INSERT INTO t (k, v) VALUES {values}",
    )


def collate(loading: Loading, collation: str) -> None:
    """Give the key another collation."""
    charset = collation.partition("_")[0]
    loading.source.execute(
        f"ALTER TABLE t MODIFY k VARCHAR(10) CHARACTER SET {charset} COLLATE {collation} NOT NULL"
    )


@pytest.mark.parametrize(
    ("source", "before", "after"),
    [
        ("mariadb-innodb", "utf8mb4_general_ci", "utf8mb4_bin"),
        ("mysql56", "utf8mb4_bin", "utf8mb4_general_ci"),
        ("mariadb-myisam", "utf8mb4_bin", "latin1_swedish_ci"),
    ],
    indirect=["source"],
)
def test_a_broken_read_begins_again(loading: Loading, before: str, after: str) -> None:
    """A place to go on means other rows in another order, so the read begins again, and no row is missed."""
    fill(loading, before)

    def crash(rows: int) -> None:
        if rows >= 10:
            raise Crash

    with pytest.raises(Crash):
        loading.carry_out(loading.plan("t", **CHUNKED), rows_read=crash)
    assert loading.warehouse.value("SELECT last_key FROM etlkit.table_resume")
    collate(loading, after)
    assert len(KEYS) == loading.load("t", **CHUNKED)[0]
    assert [] == differences(loading.source, loading.warehouse, "t")


@pytest.mark.parametrize(
    ("source", "strategy"),
    [
        ("mariadb-innodb", "reconcile"),
        ("mariadb-myisam", "incremental"),
        ("mysql56", "full_table"),
    ],
    indirect=["source"],
)
def test_keys_that_become_distinct_and_equal(loading: Loading, strategy: str) -> None:
    """Keys that only differ in case are two rows where the collation says so, and one that was spelled anew is one."""
    fill(loading, "utf8mb4_general_ci")
    loading.choose(t=TableChoice(extraction_strategy=strategy, incremental_column="s"))
    loading.load("t")
    loading.load("t")
    collate(loading, "utf8mb4_bin")
    loading.source.execute("INSERT INTO t (k, v) VALUES ('A0', 2), ('y0', 2)")
    loading.load("t")
    assert [] == differences(loading.source, loading.warehouse, "t")
    loading.source.execute("DELETE FROM t WHERE k IN ('a0', 'y0')")
    collate(loading, "utf8mb4_general_ci")
    loading.load("t")
    assert [] == differences(loading.source, loading.warehouse, "t")
    assert [("A0",)] == loading.warehouse.rows("SELECT k FROM raw.t WHERE lower(k) = 'a0'")
    assert 0 == sum(loading.load("t")[1:4])
