"""`etlkit run` through a replica, ended by SIGKILL at any moment, while a reader looks at the replica."""

from __future__ import annotations

import signal
import threading
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cached_property

import attrs
import pymysql
from pymysql.constants import ER
from sqlalchemy.engine import make_url

from support.clinic import Clinic
from support.comparison import all_differences
from support.databases import SourceDatabase
from support.forked_runs import ForkedRuns
from support.left_overs import connections, left_overs, wait_for_end
from support.two_hops import tables, unequal_rows

Sum = tuple[int, int] | None
"""Rows, and what `SUMS` says; None for no table."""

ROWS = {"visit": 2000, "entry": 2000, "note": 1500, "keyless": 400}
"""By table, how many rows it has."""
CHOICES = {
    "visit": {"extraction_strategy": "full_table"},
    "entry": {
        "extraction_strategy": "chunked_incremental",
        "incremental_column": "Stamp",
        "batch_size": 300,
        "options": {"chunk_mb": "1", "kept_seconds": "0"},
        "reconcile": "never",
    },
    "note": {"extraction_strategy": "reconcile", "batch_size": 300},
    "keyless": {"extraction_strategy": "full_table"},
}
"""Replaced, merged by a cursor and kept chunk by chunk, mended by digests, and put in place as a whole."""

_SUMS = "SELECT COUNT(*), COALESCE(SUM(CAST(Mark AS SIGNED) * Num), 0) FROM `{}`"
_GONE = frozenset({ER.NO_SUCH_TABLE, 1412})
_PAUSE_SECONDS = 0.003


@attrs.frozen(kw_only=True)
class ReplicaClinic(Clinic):
    """A deployment with a replica."""

    replica: SourceDatabase
    """The copy."""

    @cached_property
    def env(self) -> Mapping[str, str]:
        """What `etlkit.yml` refers to."""
        return {
            "ETLKIT_SOURCE_URL": self.source.reader_url,
            "ETLKIT_REPLICA_URL": self.replica.server.copier_url(self.replica.name),
            "ETLKIT_WAREHOUSE_URL": self.warehouse.url,
        }

    def prepared(self, choices: str = "") -> None:
        """Write etlkit.yml with the replica and with choices, and analyse."""
        super().prepared(f'replica: {{url: "${{ETLKIT_REPLICA_URL}}"}}\n{choices}')


@attrs.define(kw_only=True)
class ReplicaReader:
    """Somebody who reads the replica's tables all the time, over a connection of his own."""

    replica: SourceDatabase
    seen: dict[str, set[Sum]] = attrs.field(factory=dict)
    """By table, what was there."""
    looks: int = 0
    """How often all tables were looked at."""

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Look again and again until the block ends, and once more."""
        over, trouble = threading.Event(), list[BaseException]()

        def watch() -> None:
            try:
                while not over.wait(_PAUSE_SECONDS):
                    self.look()
            except BaseException as error:  # noqa: BLE001 - raised below
                trouble.append(error)

        self.seen.clear()
        with self._connected():
            thread = threading.Thread(target=watch, daemon=True)
            thread.start()
            try:
                yield
            finally:
                over.set()
                thread.join()
            if trouble:
                raise trouble[0]
            self.look()

    def look(self) -> None:
        """Look once."""
        for table in ROWS:
            self.seen.setdefault(table, set()).add(self._sum(table))
        self.looks += 1

    @contextmanager
    def _connected(self) -> Iterator[None]:
        url = make_url(self.replica.url)
        self._connection = pymysql.connect(
            host=url.host,
            port=url.port or 3306,
            user=url.username,
            password=url.password or "",
            database=self.replica.name,
            autocommit=True,
            ssl_disabled=True,
        )
        with self._connection:
            yield

    def _sum(self, table: str) -> Sum:
        with self._connection.cursor() as cursor:
            try:
                cursor.execute(_SUMS.format(table))
            except pymysql.MySQLError as error:
                if error.args[0] not in _GONE:
                    raise
                return None
            ((rows, marks),) = cursor.fetchall()
            return int(rows), int(marks)

    _connection: pymysql.connections.Connection[pymysql.cursors.Cursor] = attrs.field(init=False)


@attrs.define(kw_only=True)
class KilledRuns:
    """Runs that are killed, and what may be seen of them in the replica."""

    clinic: ReplicaClinic
    runs: ForkedRuns
    reader: ReplicaReader = attrs.field(init=False)
    known: dict[str, set[Sum]] = attrs.field(factory=dict)
    """By table, what a reader may see: what is there, and what the next run makes of it."""
    steps: int = 0
    """How often a reader saw a table go from one state to the next."""
    struck: Counter[str] = attrs.field(factory=Counter)
    """By hop, how often a run was killed in it."""

    def __attrs_post_init__(self) -> None:
        self.reader = ReplicaReader(replica=self.clinic.replica)

    def fill(self) -> None:
        """Make the tables, and analyse."""
        source = self.clinic.source
        for table, rows in ROWS.items():
            key = "" if table == "keyless" else " AUTO_INCREMENT PRIMARY KEY"
            source.execute(
                f"CREATE TABLE {table} (Num INT NOT NULL{key}, Mark INT NOT NULL, Text VARCHAR(60), Stamp TIMESTAMP "
                "NOT NULL DEFAULT CURRENT_TIMESTAMP ON UPDATE CURRENT_TIMESTAMP, KEY (Stamp))",
                f"INSERT INTO {table} (Num, Mark, Text) VALUES "
                + ", ".join(f"({number}, {number % 7}, 'text {number}')" for number in range(1, rows + 1)),
            )
        self.clinic.prepared()
        self.clinic.choose(CHOICES)

    def start_anew(self) -> None:
        """Forget everything that was loaded; a reader sees a table as a whole or not at all from now on."""
        replica = self.clinic.replica
        replica.execute(
            *(f"DROP TABLE `{name}`" for (name,) in replica.rows("SHOW TABLES")),
        )
        self.clinic.warehouse.execute(
            "DROP SCHEMA IF EXISTS raw CASCADE", "DROP SCHEMA IF EXISTS etlkit CASCADE"
        )
        self.known = {table: {None, self._sum(table)} for table in ROWS}

    def change(self) -> None:
        """Change every row of every table; a reader sees what is there, or all of the changes of a table."""
        before = {table: self._sum(table) for table in ROWS}
        self.clinic.source.execute(*(f"UPDATE {table} SET Mark = Mark + 1" for table in ROWS))
        self.known = {table: {before[table], self._sum(table)} for table in ROWS}

    def seconds(self) -> float:
        """Find out how long a run takes that is left alone."""
        began = time.monotonic()
        assert 0 == self.runs.run(self.clinic.folder, self.clinic.env)
        return time.monotonic() - began

    def killed_after(self, seconds: float) -> str | None:
        """Kill a run some time after it began, while a reader watches.

        Returns:
            The hop that it was at work in; None when it had ended.
        """
        with self.reader.watching():
            code = self.runs.run(self.clinic.folder, self.clinic.env, kill_after=seconds)
            self._wait()
        assert code in (0, -signal.SIGKILL)
        self._only_known()
        if code == 0:
            return None
        loaded = all(self._sum(table, self.clinic.replica) == self._sum(table) for table in ROWS)
        hop = "warehouse" if loaded else "replica"
        self.struck[hop] += 1
        return hop

    def equal(self) -> None:
        """The next run makes all three equal and leaves nothing, and readers see no half of a table meanwhile."""
        clinic = self.clinic
        with self.reader.watching():
            clinic.done("run", "--json")
        self._only_known()
        assert [] == unequal_rows(clinic.source, clinic.replica)
        assert [] == all_differences(clinic.replica, clinic.warehouse, tables=frozenset(ROWS))
        assert set(ROWS) == tables(clinic.replica)
        assert 0 == clinic.replica.value("SELECT COUNT(*) FROM etlkit_reads")
        self._wait()
        assert {} == left_overs(clinic.source, clinic.warehouse)

    def written(self) -> int:
        """Rows that one more run writes."""
        return sum(
            each["inserted"] + each["updated"] + each["deleted"] for each in self.clinic.loaded().values()
        )

    def _only_known(self) -> None:
        for table, sums in self.reader.seen.items():
            assert sums <= self.known[table], f"`{table}` was seen between two states"
            self.steps += len(sums) - 1

    def _sum(self, table: str, database: SourceDatabase | None = None) -> Sum:
        database = database or self.clinic.source
        if not database.rows(f"SHOW TABLES LIKE '{table}'"):
            return None
        ((rows, marks),) = database.rows(_SUMS.format(table))
        return int(rows), int(marks)

    def _wait(self) -> None:
        wait_for_end(self.clinic.source, self.clinic.warehouse)
        while connections(self.clinic.replica):
            self.clinic.replica.rows("SELECT SLEEP(0.01)")
