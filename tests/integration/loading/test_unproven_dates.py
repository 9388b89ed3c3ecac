"""Dates are only proven to exist where the warehouse found one that does not; what arrives is the same either way."""

from __future__ import annotations

from typing import Any

import pytest

from etlkit.config import ColumnOverride, TableChoice
from etlkit.contracts import Chunks, Commit, Write
from support.loading import Loading

ONE_KIND = pytest.mark.parametrize("source", ["mariadb-innodb"], indirect=True)

ROWS = 40
NO_DATES = ("0000-00-00", "2024-02-31", "2023-02-29", "2024-00-10", "2024-05-00", "0000-05-05")
COMMITS = pytest.mark.parametrize("commit", list(Commit))
SMALL = Chunks(rows=5, max_bytes=200, kept_seconds=0)


def fill(loading: Loading, lost: str, rest: str = "") -> None:
    """Make a table of dates that exist, but for one near its end."""
    values = ", ".join(f"({key}, '2024-02-29', '0001-01-01', NULL)" for key in range(1, ROWS + 1))
    loading.source.execute(
        f"CREATE TABLE t (id INT PRIMARY KEY, d DATE NOT NULL, s DATETIME NOT NULL, n DATE NULL{rest})",
        f"INSERT INTO t (id, d, s, n) VALUES {values}",
        "SET sql_mode = 'ALLOW_INVALID_DATES'",
        f"UPDATE t SET d = '{lost}', s = '{lost} 10:00:00', n = '{lost}' WHERE id = {ROWS - 3}",
    )


@COMMITS
@pytest.mark.parametrize("lost", NO_DATES)
def test_what_does_not_exist_is_null_and_counted(loading: Loading, lost: str, commit: Commit) -> None:
    """Whether the reader sees it or the warehouse refuses it, and the other rows arrive as they are."""
    fill(loading, lost)
    options: dict[str, Any] = {"commit": commit, "chunks": SMALL}
    outcome = loading.outcome("t", **options)
    assert (ROWS, ROWS) == (outcome.read, outcome.inserted)
    assert tuple((name, "invalid_date", 1, "null") for name in ("d", "s", "n")) == outcome.losses
    assert [(ROWS - 3,)] == loading.warehouse.rows("SELECT id FROM raw.t WHERE d IS NULL OR s IS NULL")
    kept = "d = '2024-02-29' AND s = '0001-01-01' AND n IS NULL"
    assert ROWS - 1 == loading.warehouse.value(f"SELECT count(*) FROM raw.t WHERE {kept}")
    assert (ROWS, 0, 0, 0, ROWS) == loading.load("t", write=Write.REPLACE, **options)
    assert [] == loading.warehouse.rows("SELECT * FROM etlkit.table_resume")


@ONE_KIND
def test_chunks_before_a_refusal_are_kept(loading: Loading) -> None:
    """A load that commits per chunk goes on behind the last one, and proves dates from there on only."""
    fill(loading, "2024-02-31")
    read: list[int] = []
    loading.carry_out(loading.plan("t", commit=Commit.PER_CHUNK, chunks=SMALL), rows_read=read.append)
    # Counted from 1 on again when the read goes on.
    again = next(place for place in range(1, len(read)) if read[place] < read[place - 1])
    assert ROWS > read[again - 1] > ROWS // 2
    assert ROWS == read[again - 1] + read[-1]
    assert ROWS == loading.warehouse.value("SELECT count(*) FROM raw.t")


@ONE_KIND
def test_text_is_never_trusted(loading: Loading) -> None:
    """Text takes any date, so a column that is text by choice is proven always."""
    fill(loading, "2024-02-31")
    loading.choose(t=TableChoice(column_overrides={"d": ColumnOverride(pg_type="text")}))
    loading.load("t")
    assert [(None,)] == loading.warehouse.rows(f"SELECT d FROM raw.t WHERE id = {ROWS - 3}")


@ONE_KIND
def test_a_zero_date_in_a_text_is_a_text(loading: Loading) -> None:
    """It only makes the reader ask for proofs."""
    fill(loading, "2024-02-28", ", v VARCHAR(20) DEFAULT '0000-00-00'")
    outcome = loading.outcome("t")
    assert () == outcome.losses
    assert ROWS == loading.warehouse.value("SELECT count(*) FROM raw.t WHERE v = '0000-00-00'")


@ONE_KIND
@pytest.mark.parametrize("lost", NO_DATES)
def test_digests_hold_for_dates_that_do_not_exist(loading: Loading, lost: str) -> None:
    """A row keeps its digest whichever way it was rendered, and another impossible date is another digest."""
    fill(loading, lost)
    loading.choose(t=TableChoice(extraction_strategy="reconcile"))
    loading.loader().load_table("t")
    again = loading.loader().load_table("t")
    assert ("equal", 0) == (again.verified, again.read)
    loading.source.execute(
        "SET sql_mode = 'ALLOW_INVALID_DATES'", f"UPDATE t SET d = '2024-09-31' WHERE id = {ROWS - 3}"
    )
    mended = loading.loader().load_table("t")
    assert ("equal after repair", 1, 1) == (mended.verified, mended.read, mended.updated)
    assert ("equal", 0) == ((last := loading.loader().load_table("t")).verified, last.read)
