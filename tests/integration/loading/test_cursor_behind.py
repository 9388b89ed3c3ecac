"""A source that was restored from an older copy is noticed by its cursor, and nothing is lost."""

from __future__ import annotations

import logging

import pytest

from etlkit.config import TableChoice
from etlkit.errors import DeletesRefused
from support.loading import Loading, counts

STRATEGIES = pytest.mark.parametrize(
    "strategy", ["incremental", "chunked_incremental", "streaming_incremental"]
)
ONE_KIND = pytest.mark.parametrize("source", ["mariadb-innodb"], indirect=True)
WORDS = (
    "table `t`: its cursor `{}` is behind the last load: the source was restored from an older copy, or the newest "
    "rows were deleted; every row is read once"
)


def warnings(caplog: pytest.LogCaptureFixture) -> list[str]:
    """What the loads warned of since the last time."""
    found = [each.getMessage() for each in caplog.records if each.name == "etlkit.loading.load"]
    caplog.clear()
    return found


@STRATEGIES
def test_a_restored_source(loading: Loading, strategy: str, caplog: pytest.LogCaptureFixture) -> None:
    """Rows that went back, and those that are gone, are carried over by reading everything once; then never again."""
    loading.source.execute(
        "CREATE TABLE t (id INT PRIMARY KEY, v INT, s TIMESTAMP NOT NULL, KEY (s))",
        "INSERT INTO t VALUES (1, 1, '2024-01-01'), (2, 2, '2024-01-01'), (3, 3, '2024-01-05'), (4, 4, '2024-01-09')",
    )
    loading.choose(t=TableChoice(extraction_strategy=strategy, incremental_column="s"))
    loading.load("t")
    loading.source.execute("DELETE FROM t WHERE id = 4", "UPDATE t SET v = 30, s = '2024-01-02' WHERE id = 3")
    caplog.set_level(logging.WARNING)
    assert (3, 0, 1, 1, 2) == loading.load("t")
    assert [WORDS.format("s")] == warnings(caplog)
    assert [(1, 1), (2, 2), (3, 30)] == loading.there("id, v")
    assert (1, 0, 0, 0, 1) == loading.load("t")
    assert [] == warnings(caplog)
    assert [] == loading.warehouse.rows("SELECT * FROM etlkit.table_resume")


@ONE_KIND
def test_an_append_only_table(loading: Loading, caplog: pytest.LogCaptureFixture) -> None:
    """When the newest row was deleted, the table is read once, and goes on from its new end."""
    loading.source.execute(
        "CREATE TABLE t (id INT PRIMARY KEY, v INT)", "INSERT INTO t VALUES (8, 1), (9, 2), (10, 3)"
    )
    loading.choose(
        t=TableChoice(
            extraction_strategy="incremental", incremental_column="id", options={"lookback_keys": "0"}
        )
    )
    loading.load("t")
    assert (1, 0, 0, 0, 1) == loading.load("t")
    loading.source.execute("DELETE FROM t WHERE id = 10")
    assert (2, 0, 0, 1, 2) == loading.load("t")
    assert [WORDS.format("id")] == warnings(caplog)
    loading.source.execute("INSERT INTO t VALUES (11, 4)")
    assert (2, 1, 0, 0, 1) == loading.load("t")
    assert [] == warnings(caplog)


@ONE_KIND
def test_an_emptied_table(loading: Loading) -> None:
    """An incremental table whose source was emptied is stopped by the brake, instead of being kept without a word."""
    loading.source.execute("CREATE TABLE t (id INT PRIMARY KEY, s TIMESTAMP NOT NULL)")
    loading.source.execute("INSERT INTO t VALUES " + ", ".join(f"({n}, '2024-01-01')" for n in range(150)))
    loading.choose(t=TableChoice(extraction_strategy="incremental", incremental_column="s"))
    loading.loader().load_table("t")
    loading.source.execute("TRUNCATE t")
    with pytest.raises(DeletesRefused):
        loading.loader().load_table("t")
    assert 150 == len(loading.there())


@ONE_KIND
def test_a_limited_load(loading: Loading, caplog: pytest.LogCaptureFixture) -> None:
    """A load of a few rows judges nothing."""
    loading.source.execute(
        "CREATE TABLE t (id INT PRIMARY KEY, s TIMESTAMP NOT NULL)",
        "INSERT INTO t VALUES (1, '2024-01-01'), (2, '2024-01-09')",
    )
    loading.choose(t=TableChoice(extraction_strategy="incremental", incremental_column="s"))
    loading.load("t")
    loading.source.execute("DELETE FROM t WHERE id = 2")
    assert (0, 0, 0, 0, 0) == counts(loading.outcome("t", limit=1))
    assert [] == warnings(caplog)
