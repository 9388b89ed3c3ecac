"""A pipeline that is left, interrupted or broken ends the read at once, and the next read gets a new connection."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from etlkit.connections import MySQLConnection
from etlkit.contracts import Chunks
from etlkit.demo.processes import wait_until
from etlkit.errors import ExtractionError, RunInterrupted, ValueNotRepresentable
from etlkit.loading.table_plan import TablePlan
from etlkit.stopping import StopSignal
from etlkit.transfer.pipeline import CopyFile, Pipeline
from etlkit.transfer.reader import Reader
from support.loading import Loading
from support.reading import rows_of

pytestmark = [
    pytest.mark.parametrize("source", ["mariadb-innodb"], indirect=True),
    # PyMySQL complains when a cursor with unread rows is forgotten.
    pytest.mark.filterwarnings("error::pytest.PytestUnraisableExceptionWarning"),
]


def keyless(loading: Loading, *last: str) -> TablePlan:
    """A table without key whose rows fill more than the socket's buffers."""
    loading.source.execute(
        "CREATE TABLE t (id INT, v LONGBLOB, w TEXT)",
        "INSERT INTO t SELECT seq, repeat('x', 100000), '' FROM seq_1_to_200",
        *(f"INSERT INTO t VALUES {each}" for each in last),
    )
    return loading.plan("t")


def keyed(loading: Loading) -> TablePlan:
    """A table that is read in many chunks."""
    loading.source.execute(
        "CREATE TABLE t (id INT PRIMARY KEY, v CHAR(200))",
        "INSERT INTO t SELECT seq, seq FROM seq_1_to_30000",
    )
    loading.source.execute("ANALYZE TABLE t")
    return loading.plan("t", chunks=Chunks(rows=100, max_bytes=10_000))


@contextmanager
def pipeline_of(
    loading: Loading,
    what: TablePlan,
    used: list[int],
    *,
    ahead: int = 2,
    interrupted: StopSignal | None = None,
) -> Iterator[Pipeline]:
    """Open a pipeline; the server's numbers of its connections are written down."""

    @contextmanager
    def connect() -> Iterator[MySQLConnection]:
        with loading.deployment.connections.source_raw() as connection:
            used.append(connection.thread_id())
            yield connection

    with Pipeline(
        connect,
        lambda source: Reader(source=source, analysis=what.analysis, rendered=what.rendered, plan=what.plan),
        ahead=ahead,
        interrupted=interrupted,
    ) as pipeline:
        yield pipeline


def connections(loading: Loading) -> set[int]:
    """The numbers of the reader's connections that the source still has."""
    return {
        number
        for (number,) in loading.source.rows(
            "SELECT id FROM information_schema.processlist WHERE user = 'reader'"
        )
    }


def test_all_chunks_in_order(loading: Loading) -> None:
    """Chunks come in the reader's order, and the connection is used again for the next table."""
    what, used = keyed(loading), list[int]()
    for _ in range(2):
        with pipeline_of(loading, what, used) as pipeline:
            chunks = list(pipeline)
        assert [b"%d" % n for n in range(1, 30001)] == [row.split(b"\x01")[0] for row in rows_of(chunks)]
    assert used[0] == used[1]


def test_leaving_drops_the_connection(loading: Loading) -> None:
    """Who leaves in the middle waits for no further row: the socket is dropped, and a new one serves the next read."""
    what, used = keyed(loading), list[int]()
    with pipeline_of(loading, what, used, ahead=1) as pipeline:
        assert 0 < next(iter(pipeline)).rows < 30000
    with pipeline_of(loading, what, used) as pipeline:
        assert 30000 == sum(chunk.rows for chunk in pipeline)
    assert used[0] != used[1]


def test_leaving_while_rows_are_kept(loading: Loading) -> None:
    """A read in one go is left while its rows still arrive."""
    what, used = keyless(loading), list[int]()
    with pipeline_of(loading, what, used):
        pass
    with pipeline_of(loading, what, used) as pipeline:
        assert 200 == sum(chunk.rows for chunk in pipeline)


def test_interrupting(loading: Loading) -> None:
    """When the run is asked to end, the next chunk is a sentence."""
    what, interrupted = keyed(loading), StopSignal()
    with pipeline_of(loading, what, [], interrupted=interrupted) as pipeline:
        chunks = iter(pipeline)
        next(chunks)
        interrupted.set()
        with pytest.raises(RunInterrupted) as caught:
            next(chunks)
    assert "the run was asked to end; the table is as it was; run again" == str(caught.value)


def test_errors_arrive_where_chunks_are_awaited(loading: Loading) -> None:
    """What ends the read is raised to who waits for chunks, behind those that were read before."""
    what, used = keyless(loading, "(1, '', concat('a', char(0)))"), list[int]()
    with pipeline_of(loading, what, used) as pipeline:
        file = CopyFile(iter(pipeline))
        with pytest.raises(ValueNotRepresentable) as caught:
            read_all(file)
    assert (
        "text with a NUL character, which PostgreSQL cannot hold: t.w (1 of the values read); nothing was written; "
        "mend the source, or choose another `policy` for the column in `column_overrides`"
    ) == str(caught.value)
    assert 0 < file.rows < 201


def read_all(file: CopyFile) -> None:
    """Read a file to its end."""
    while file.read(10**6):
        pass


def test_a_full_folder_is_told(loading: Loading, monkeypatch: pytest.MonkeyPatch) -> None:
    """When rows read in one go cannot be kept, the message says where and why."""
    what, used = keyless(loading), list[int]()
    monkeypatch.setattr("tempfile.tempdir", "/proc")
    with pipeline_of(loading, what, used) as pipeline, pytest.raises(ExtractionError) as caught:
        list(pipeline)
    assert (
        "rows read in one go could not be kept in `/proc` (no such file or directory); "
        "make room there, or name another folder in TMPDIR"
    ) == str(caught.value)
    # The server notices a dropped socket when it next looks at it.
    assert wait_until(lambda: used[0] not in connections(loading), 10)
