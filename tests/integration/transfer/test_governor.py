"""Loads of a server that others keep busy: they pause, go on, or are given up; and what is asked of it besides."""

from __future__ import annotations

import itertools
import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import attrs
import pymysql
import pytest

from etlkit.config import RunSettings, SourceSettings, TableChoice
from etlkit.contracts import Chunks, Differences, Since
from etlkit.errors import EtlkitError, RunInterrupted, SourceBusy
from etlkit.loading.table_plan import TablePlan
from etlkit.plugins.conversions import builtin
from etlkit.plugins.executors import threads
from etlkit.plugins.strategies import full_table, incremental
from etlkit.registry import Registry
from etlkit.transfer.cutting import MOST_BY_INDEX
from etlkit.transfer.governor import LOOK
from support.databases import SourceDatabase, WarehouseDatabase
from support.loading import Loading, counts
from support.reading import chunks_of, rows_of
from support.running import running_of

_numbers = itertools.count(1)

INNODB = pytest.mark.parametrize("source", ["mariadb-innodb"], indirect=True)
MYISAM = pytest.mark.parametrize("shared", ["mariadb-myisam"], indirect=True)
BUILT_IN = (full_table, incremental, threads, builtin)
ALLOWED = 3
BUSY = 6
"""Statements that others have at work when the server is busy."""
PATIENCE_SECONDS = 25


class Busy:
    """Statements of others that are at work until they are told to end."""

    def __init__(self, source: SourceDatabase) -> None:
        self._source = source
        self._sleepers: list[pymysql.connections.Connection[Any]] = []
        self._threads: list[threading.Thread] = []

    def begin(self) -> None:
        """Start them, and wait until the server counts them."""
        for _ in range(BUSY):
            connection = self._source.server.connect()
            self._sleepers.append(connection)
            self._threads.append(threading.Thread(target=_sleep, args=(connection,)))
            self._threads[-1].start()
        until = time.monotonic() + PATIENCE_SECONDS
        while self.running() <= BUSY:
            assert time.monotonic() < until

    def running(self) -> int:
        """What the server counts, the question included."""
        ((_, running),) = self._source.rows("SHOW GLOBAL STATUS LIKE 'Threads_running'")
        return int(running)

    def end(self) -> None:
        """End them."""
        for each in self._sleepers:
            self._source.execute(f"KILL {each.thread_id()}")
        for thread in self._threads:
            thread.join()
        self._sleepers.clear()
        self._threads.clear()


def _sleep(connection: pymysql.connections.Connection[Any]) -> None:
    with pytest.raises(pymysql.err.Error), connection.cursor() as cursor:
        cursor.execute("SELECT SLEEP(3600)")


@pytest.fixture
def busy(source: SourceDatabase) -> Iterator[Busy]:
    """Others, who do nothing yet."""
    made = Busy(source)
    yield made
    made.end()


@contextmanager
def told(words: str) -> Iterator[threading.Event]:
    """An event that is set when something is logged."""
    event = threading.Event()

    class Listening(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            if words in record.getMessage():
                event.set()

    logger, handler = logging.getLogger("etlkit"), Listening()
    logger.addHandler(handler)
    yield event
    logger.removeHandler(handler)


@attrs.define
class Beside:
    """Something that is done in a thread of its own."""

    work: Callable[[], Any]
    failure: BaseException | None = None
    result: Any = None
    thread: threading.Thread = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        """Begin."""
        self.thread = threading.Thread(target=self._run)
        self.thread.start()

    def _run(self) -> None:
        try:
            self.result = self.work()
        except EtlkitError as error:
            self.failure = error

    def ended(self) -> Any:
        """Wait for its end."""
        self.thread.join(PATIENCE_SECONDS)
        assert not self.thread.is_alive()
        return self.result


def fill(source: SourceDatabase, rows: int = 500) -> None:
    """Make the source's table."""
    source.execute(
        "CREATE TABLE t (id INT PRIMARY KEY, v VARCHAR(99))",
        "INSERT INTO t VALUES " + ", ".join(f"({number}, repeat('x', 99))" for number in range(rows)),
    )


def allow(loading: Loading, **settings: Any) -> None:
    """Change the settings of the source before anything was read."""
    now = loading.deployment.settings.source
    changed: SourceSettings = attrs.evolve(now, **{"max_threads_running": ALLOWED, **settings})
    connections = loading.deployment.connections
    connections.governor = type(connections.governor)(changed)


SMALL: dict[str, Any] = {"chunks": Chunks(rows=50, max_bytes=2000)}


@pytest.mark.parametrize("source", ["mariadb-innodb", "mariadb-myisam"], indirect=True)
def test_a_load_pauses_while_the_server_is_busy(loading: Loading, busy: Busy) -> None:
    """A load waits while others keep the server busy, and is complete when they have ended."""
    fill(loading.source)
    allow(loading)
    plan = loading.plan("t", **SMALL)
    busy.begin()
    with told("the source is busy") as paused:
        load = Beside(lambda: loading.carry_out(plan))
        assert paused.wait(PATIENCE_SECONDS)
        assert load.thread.is_alive()
        busy.end()
        assert (500, 500, 0, 0, 0) == counts(load.ended())


@INNODB
def test_a_server_that_stays_busy(source: SourceDatabase, warehouse: WarehouseDatabase, busy: Busy) -> None:
    """A run gives up what it cannot read, says what to do, and what was loaded before stays."""
    fill(source)
    with running_of(
        source, warehouse, registry=Registry.of(*BUILT_IN), run=RunSettings(retries=0)
    ) as running:
        running.analyse()
        assert 0 == running.run()
        source.execute("UPDATE t SET v = 'new'")
        deployment = running.deployment
        deployment.connections.governor = type(deployment.connections.governor)(
            attrs.evolve(deployment.settings.source, max_threads_running=ALLOWED, busy_patience_minutes=0)
        )
        busy.begin()
        assert 3 == running.run()
        (outcome,) = (each for each in running.events if getattr(each, "table", None) == "t")
        assert (
            f"table `t`: the source has been busy for 0 minutes (Threads_running is {BUSY + 1}, and "
            f"`source.max_threads_running` is {ALLOWED}), so the read was given up, and what was loaded before is as "
            "it was; run again at a quieter hour, or raise `source.max_threads_running` or "
            "`source.busy_patience_minutes` in etlkit.yml"
        ) == getattr(outcome, "error", None)
        assert [("x" * 99, 500)] == warehouse.rows("SELECT v, count(*) FROM raw.t GROUP BY v")
        busy.end()
        assert 0 == running.run()
    assert [("new", 500)] == warehouse.rows("SELECT v, count(*) FROM raw.t GROUP BY v")


@INNODB
@pytest.mark.parametrize("strategy", ["full_table", "reconcile"])
def test_a_pause_ends_when_the_run_does(loading: Loading, busy: Busy, strategy: str) -> None:
    """A load that waits for the server to be calm ends at once when it is asked to, and leaves no connection."""
    fill(loading.source)
    loading.choose(t=TableChoice(extraction_strategy=strategy))
    loader = loading.loader()
    loader.load_table("t")
    allow(loading)
    busy.begin()
    with told("the source is busy") as paused:
        load = Beside(lambda: loader.load_table("t"))
        assert paused.wait(PATIENCE_SECONDS)
        loader.stop.set()
        load.ended()
    assert isinstance(load.failure, RunInterrupted)
    assert (strategy == "reconcile") == isinstance(loading.plan("t").plan.read, Differences)
    assert 0 == loading.engine.pool.checkedout()  # type: ignore[attr-defined]


@INNODB
def test_a_pause_in_a_snapshot_ends(loading: Loading, busy: Busy, monkeypatch: pytest.MonkeyPatch) -> None:
    """A server that becomes busy while a table is read gets the snapshot back, and the read may be tried again."""
    monkeypatch.setattr("etlkit.transfer.governor.SNAPSHOT_SECONDS", 0)
    # It looks between any two pieces, however fast they are and whatever a look costs.
    monkeypatch.setattr("etlkit.transfer.governor._LOOK_SECONDS", 0)
    monkeypatch.setattr("etlkit.transfer.governor._COST_SHARE", float("inf"))
    fill(loading.source)
    allow(loading)
    plan = loading.plan("t", **SMALL)
    with ExitStack() as stack:

        def rows_read(_: int) -> None:
            stack.callback(busy.end)
            if not busy._threads:  # noqa: SLF001 - the test's own
                busy.begin()

        with pytest.raises(SourceBusy) as refusal:
            loading.carry_out(plan, rows_read=rows_read)
    assert refusal.value.transient
    assert [] == loading.source.rows("SELECT 1 FROM information_schema.innodb_trx")
    assert (500, 500, 0, 0, 0) == loading.load("t")


def test_what_is_asked_besides(loading: Loading, caplog: pytest.LogCaptureFixture) -> None:
    """The server is asked how busy it is on the read's own connection, seldom, and nothing of it is ever set."""
    fill(loading.source)
    seen = general_log(loading.source, lambda: loading.load("t", **SMALL))
    looks = [thread for thread, text in seen if text == LOOK]
    assert looks
    assert 1 == len({thread for thread, text in seen if "FROM" in text and "`t`" in text} | set(looks))
    assert len(looks) < len(seen) / 4
    assert [] == [
        text for _, text in seen if text.upper().startswith(("SET GLOBAL", "SET @@GLOBAL", "FLUSH"))
    ]
    assert [] == [each for each in caplog.messages if "busy" in each]


def general_log(source: SourceDatabase, work: Callable[[], Any]) -> list[tuple[int, str]]:
    """What a server was asked meanwhile by the reader, with the connection's number."""
    with source.server.connect() as connection, connection.cursor() as cursor:
        cursor.execute("SET GLOBAL log_output = 'TABLE'")
        cursor.execute("TRUNCATE TABLE mysql.general_log")
        cursor.execute("SET GLOBAL general_log = ON")
        try:
            work()
        finally:
            cursor.execute("SET GLOBAL general_log = OFF")
        cursor.execute(
            "SELECT thread_id, argument FROM mysql.general_log "
            "WHERE command_type = 'Query' AND user_host LIKE 'reader%'"
        )
        return [
            (int(thread), text.decode() if isinstance(text, bytes) else str(text))
            for thread, text in cursor.fetchall()
        ]


def changed(shared: Loading, rows: int) -> TablePlan:
    """A table of which so many rows changed since the watermark, one of two, to be read in chunks."""
    name = f"t{next(_numbers)}"
    shared.source.execute(
        f"CREATE TABLE {name} (id INT PRIMARY KEY, s DATETIME NOT NULL, KEY `at 100% ``sure``` (s))",
        f"INSERT INTO {name} SELECT seq, IF(seq % 2, '2024-01-01', '2025-01-01') FROM seq_1_to_{2 * rows}",
    )
    read = Since(column="s", watermark="2025-01-01 00:00:00")
    what = shared.plan(name, read=read, cursor="s", chunks=Chunks(rows=7000, max_bytes=4 * 1024 * 1024))
    return attrs.evolve(what, analysis=attrs.evolve(what.analysis, row_count=10**6))


@MYISAM
@pytest.mark.parametrize(
    ("rows", "by_index"), [(100, True), (MOST_BY_INDEX, True), (MOST_BY_INDEX + 1, False)]
)
def test_ends_of_chunks_by_the_index(shared: Loading, rows: int, by_index: bool) -> None:
    """Where readers hold up writers, the cursor's index finds where chunks end, unless too many rows changed for it."""
    what = changed(shared, rows)
    statements: list[str] = []
    read = rows_of(chunks_of(shared, what, statements=statements))
    assert list(range(2, 2 * rows + 1, 2)) == [int(row.split(b"\x01")[0]) for row in read]
    ends = [each for each in statements if "ORDER BY" in each and "group_concat" not in each]
    assert {by_index} == {"FORCE INDEX (`at 100%% ``sure```)" in each for each in ends}
    assert {by_index} == {"`s` >= " in each for each in ends}
