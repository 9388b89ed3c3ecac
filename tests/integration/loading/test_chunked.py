"""A load that commits per chunk goes on behind its last chunk after a crash, and leaves nothing when it is done."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from etlkit.config import TableChoice
from etlkit.contracts import Chunks, Commit, Write
from etlkit.errors import DriftRefused, LoadError, LockHeld
from support.loading import Loading, loading_of

ONE_KIND = pytest.mark.parametrize("source", ["mariadb-innodb"], indirect=True)

ROWS = 60
CHUNKED: dict[str, Any] = {
    "commit": Commit.PER_CHUNK,
    "chunks": Chunks(rows=5, max_bytes=200, kept_seconds=0),
}
"""Chunks of a few rows, the first of five at most."""


class Crash(Exception):
    """Stands for whatever ends a load between two chunks."""


def crash(after: int) -> Any:
    """Make what is called behind each chunk end the load once so many rows were read."""

    def rows_read(rows: int) -> None:
        if rows >= after:
            raise Crash

    return rows_read


def fill(loading: Loading) -> None:
    """Make the source's table."""
    values = ", ".join(f"({number}, {number}, '2024-01-01 00:00:00')" for number in range(1, ROWS + 1))
    loading.source.execute(
        "CREATE TABLE t (id INT PRIMARY KEY, v INT, s DATETIME, KEY (s))", f"INSERT INTO t VALUES {values}"
    )


def broken(loading: Loading) -> None:
    """Begin a load and let it break when a part of the rows is staged."""
    with pytest.raises(Crash):
        loading.carry_out(loading.plan("t", **CHUNKED), rows_read=crash(after=10))
    assert 10 <= loading.warehouse.value("SELECT read FROM etlkit.table_resume") < ROWS


def assert_nothing_is_left(loading: Loading) -> None:
    """No staged rows, no place to resume, and the warehouse equals the source."""
    assert [] == loading.warehouse.rows("SELECT * FROM etlkit.table_resume")
    assert [
        "kept",
        "quarantine",
        "runs",
        "secrets",
        "sources",
        "table_columns",
        "table_loads",
        "table_resume",
        "table_state",
    ] == [
        name
        for (name,) in loading.warehouse.rows(
            "SELECT relname FROM pg_class WHERE relnamespace = 'etlkit'::regnamespace AND relkind = 'r' ORDER BY 1"
        )
    ]
    assert sorted(loading.source.rows("SELECT * FROM t"), key=repr) == loading.there()


def test_a_broken_load_resumes_behind_the_last_chunk(loading: Loading) -> None:
    """What was staged is not read again, readers saw nothing of it, and the next load ends equal."""
    fill(loading)
    broken(loading)
    assert None is loading.warehouse.value("SELECT to_regclass('raw.t')")
    # A row that was staged is edited: if it were read again, the new value would arrive.
    loading.source.execute("UPDATE t SET v = -1 WHERE id = 1", f"UPDATE t SET v = -2 WHERE id = {ROWS}")
    assert (ROWS, ROWS, 0, 0, 0) == loading.load("t", **CHUNKED)
    assert [(1, 1), (ROWS, -2)] == loading.warehouse.rows(
        f"SELECT id, v FROM raw.t WHERE id IN (1, {ROWS}) ORDER BY id"
    )
    assert (ROWS, 0, 1, 0, ROWS - 1) == loading.load("t", **CHUNKED)
    assert_nothing_is_left(loading)
    assert (ROWS, 0, 0, 0, ROWS) == loading.load("t", **CHUNKED)


@ONE_KIND
def test_a_chunked_load_changes_in_place(loading: Loading) -> None:
    """Only what differs is written, and rows that are gone are removed, whatever the number of chunks."""
    fill(loading)
    assert (ROWS, ROWS, 0, 0, 0) == loading.load("t", **CHUNKED)
    before = loading.versions()
    loading.source.execute(
        "UPDATE t SET v = 0 WHERE id = 30", "DELETE FROM t WHERE id = 31", "INSERT INTO t VALUES (0, 0, NULL)"
    )
    assert (ROWS, 1, 1, 1, ROWS - 2) == loading.load("t", **CHUNKED)
    after = loading.versions()
    assert {0, 30, 31} == {key for key in before.keys() | after.keys() if before.get(key) != after.get(key)}
    assert_nothing_is_left(loading)


@ONE_KIND
def test_a_broken_merge_resumes(loading: Loading) -> None:
    """A read since a watermark breaks and resumes like a whole one, and its watermark is committed at the end."""
    fill(loading)
    loading.choose(t=TableChoice(extraction_strategy="chunked_incremental", incremental_column="s"))
    loading.load("t")
    loading.source.execute("UPDATE t SET v = v + 1, s = '2024-01-01 00:30:00'")
    broken(loading)
    state = "SELECT watermark, generation FROM etlkit.table_state"
    assert [("2024-01-01 00:00:00", 1)] == loading.warehouse.rows(state)
    assert [(1, "2024-01-01 00:00:00")] == loading.warehouse.rows("SELECT v, s::text FROM raw.t WHERE id = 1")
    assert (ROWS, 0, ROWS, 0, 0) == loading.load("t", **CHUNKED)
    assert [("2024-01-01 00:30:00", 2)] == loading.warehouse.rows(state)
    assert_nothing_is_left(loading)


@ONE_KIND
def test_a_killed_process_resumes(loading: Loading, tmp_path: Path) -> None:
    """SIGKILL between two chunks loses the process and nothing of what was committed."""
    fill(loading)
    code = """
import sys, attrs
from etlkit.contracts import Chunks, Commit
from etlkit.orchestration.deployment import Deployment
from support.loading import Loading, settings_for
def rows_read(rows):
    if rows >= 10:
        print("ready", flush=True)
        sys.stdin.read()
with Deployment.of(settings_for(*sys.stdin.readline().split())) as deployment:
    loading = Loading(source=None, warehouse=None, deployment=deployment)
    plan = loading.plan("t", commit=Commit.PER_CHUNK, chunks=Chunks(rows=5, max_bytes=200, kept_seconds=0))
    loading.carry_out(plan, rows_read=rows_read)
"""
    process = subprocess.Popen(
        [sys.executable, "-c", code],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
    )
    with process:
        assert process.stdin
        assert process.stdout
        process.stdin.write(f"{loading.source.reader_url} {loading.warehouse.url}\n")
        process.stdin.flush()
        assert "ready\n" == process.stdout.readline()
        process.send_signal(signal.SIGKILL)
    assert 10 <= loading.warehouse.value("SELECT read FROM etlkit.table_resume") < ROWS
    loading.source.execute("UPDATE t SET v = -1 WHERE id = 1")
    assert (ROWS, ROWS, 0, 0, 0) == loading.load("t", **CHUNKED)
    assert 1 == loading.warehouse.value("SELECT v FROM raw.t WHERE id = 1")
    loading.load("t")
    assert_nothing_is_left(loading)


@ONE_KIND
def test_a_terminated_backend(loading: Loading) -> None:
    """Between chunks a lost warehouse connection is replaced; within a COPY the load fails, and keeps nothing."""
    fill(loading)

    def terminate(_: int) -> None:
        loading.warehouse.execute(
            "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity "
            "WHERE application_name = 'etlkit' AND datname = current_database()"
        )

    assert ROWS == loading.carry_out(loading.plan("t", **CHUNKED), rows_read=terminate).inserted
    assert_nothing_is_left(loading)
    loading.source.execute("UPDATE t SET v = 0 WHERE id = 1")
    before = loading.versions()
    with pytest.raises(LoadError) as caught:
        loading.carry_out(loading.plan("t", chunks=CHUNKED["chunks"]), rows_read=terminate)
    assert (
        "warehouse table `raw.t`: the connection to the warehouse broke before it confirmed anything; run again"
    ) == str(caught.value)
    assert before == loading.versions()
    assert (ROWS, 0, 1, 0, ROWS - 1) == loading.load("t")


@ONE_KIND
def test_another_plan_begins_again(loading: Loading) -> None:
    """Staged rows are only gone on with under the same plan: not with another strategy, nor another shape."""
    fill(loading)
    broken(loading)
    loading.source.execute("UPDATE t SET v = -1 WHERE id = 1")
    assert (ROWS, ROWS, 0, 0, 0) == loading.load("t", **CHUNKED, strategy="another")
    assert -1 == loading.warehouse.value("SELECT v FROM raw.t WHERE id = 1")
    broken(loading)
    loading.source.execute("ALTER TABLE t ADD w INT NOT NULL DEFAULT 7")
    assert (ROWS, 0, ROWS, 0, 0) == loading.load("t", **CHUNKED)
    assert_nothing_is_left(loading)


@ONE_KIND
def test_what_a_broken_load_left_is_removed_by_one_in_one_go(loading: Loading) -> None:
    """A table that is no longer loaded by chunks gets rid of its stage; a load of a few rows leaves it alone."""
    fill(loading)
    broken(loading)
    loading.load("t", limit=3)
    assert 1 == loading.warehouse.value("SELECT count(*) FROM etlkit.table_resume")
    assert (ROWS, ROWS - 3, 0, 0, 3) == loading.load("t")
    assert_nothing_is_left(loading)


@ONE_KIND
def test_a_stage_that_is_gone_is_read_again(loading: Loading) -> None:
    """When somebody dropped the staged rows, the load begins again."""
    fill(loading)
    broken(loading)
    stage = loading.warehouse.value("SELECT stage FROM etlkit.table_resume")
    loading.warehouse.execute(f'DROP TABLE etlkit."{stage}"')
    assert (ROWS, ROWS, 0, 0, 0) == loading.load("t", **CHUNKED)
    assert_nothing_is_left(loading)


@ONE_KIND
def test_a_run_that_took_over_fences_the_other(loading: Loading) -> None:
    """When another run went on with a broken load, the one that wakes up leaves and changes nothing."""
    fill(loading)
    plan = loading.plan("t", **CHUNKED)

    def taken_over(_: int) -> None:
        other.carry_out(plan)

    with loading_of(loading.source, loading.warehouse) as other, pytest.raises(LockHeld) as caught:
        loading.carry_out(plan, rows_read=taken_over)
    assert "table `t`: another run went on with its load; run again when that is done" == str(caught.value)
    assert_nothing_is_left(loading)


@ONE_KIND
def test_everything_staged_is_applied_without_reading(loading: Loading) -> None:
    """A load that broke between its last chunk and the commit is applied by the next one as it was staged."""
    fill(loading)
    with pytest.raises(Crash):
        loading.carry_out(loading.plan("t", **CHUNKED), rows_read=crash(after=ROWS))
    assert True is loading.warehouse.value("SELECT complete FROM etlkit.table_resume")
    loading.source.execute("UPDATE t SET v = 0")
    assert (ROWS, ROWS, 0, 0, 0) == loading.load("t", **CHUNKED)
    assert ROWS * (ROWS + 1) / 2 == loading.warehouse.value("SELECT sum(v) FROM raw.t")
    assert (ROWS, 0, ROWS, 0, 0) == loading.load("t", **CHUNKED)
    assert_nothing_is_left(loading)


@ONE_KIND
def test_staged_rows_that_are_refused_are_read_again(loading: Loading) -> None:
    """When the warehouse refuses the rows themselves, a mended source is read anew by the next load."""
    fill(loading)
    loading.load("t")
    loading.warehouse.execute("ALTER TABLE raw.t ADD CHECK (v < 1000)")
    loading.source.execute("UPDATE t SET v = 1000 WHERE id = 1")
    with pytest.raises(LoadError):
        loading.load("t", **CHUNKED)
    loading.source.execute("UPDATE t SET v = 999 WHERE id = 1")
    assert (ROWS, 0, 1, 0, ROWS - 1) == loading.load("t", **CHUNKED)
    assert_nothing_is_left(loading)


@ONE_KIND
def test_drift_is_refused_before_anything_is_read(loading: Loading) -> None:
    """A change that the policy refuses costs no chunk, and leaves no stage."""
    fill(loading)
    loading.load("t")
    loading.source.execute("ALTER TABLE t MODIFY v SMALLINT")
    read: list[int] = []
    with pytest.raises(DriftRefused):
        loading.carry_out(loading.plan("t", **CHUNKED), rows_read=read.append)
    assert [] == read
    loading.source.execute("ALTER TABLE t MODIFY v INT")
    assert_nothing_is_left(loading)


@ONE_KIND
def test_an_empty_table(loading: Loading) -> None:
    """An empty table is made, and emptied, by chunks as well."""
    loading.source.execute("CREATE TABLE t (id INT PRIMARY KEY)")
    assert (0, 0, 0, 0, 0) == loading.load("t", **CHUNKED)
    loading.warehouse.execute("INSERT INTO raw.t VALUES (1)")
    assert (0, 0, 0, 1, 0) == loading.load("t", **CHUNKED, write=Write.REPLACE)
    assert_nothing_is_left(loading)
