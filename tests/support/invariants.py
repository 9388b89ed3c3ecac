"""What must hold after every fault, and again after one clean run, whatever the fault was.

I1 readers see a table's state k or k+1, never between. I2 the ledger's state is never ahead of the data. I3 after the
clean run the warehouse equals the source row for row. I4 nothing is left behind. I5 a failure has an exit code other
than 0 and says in words what happened, without a row's value or a secret. I6 the source is as it was. I7 a second
clean run writes nothing.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import attrs
import sqlalchemy as sa

from etlkit.events import TableFinished
from support.clinic import Clinic
from support.comparison import all_differences
from support.databases import SourceDatabase, WarehouseDatabase
from support.left_overs import left_overs, wait_for_end
from support.running import Running
from support.watching import DIGEST, State, Watcher

CANARY = "canary"
"""Texts that begin with it are in the rows of a test's tables, and must not be anywhere else."""

# Counters of statements that change something; the server's own, whoever asked.
_WRITES = (
    "alter|call_procedure|create|delete|drop|grant|insert|load|optimize|rename|repair|replace|reset|revoke|"
    "truncate|update"
)
# What changes by itself.
_RESTLESS = ("timestamp", "gtid", "pseudo", "rand_seed", "last_", "identity", "error_count", "warning_count")

CleanRun = Callable[[], int]
"""Carries out a run that must succeed; gives how many rows it wrote."""


@attrs.define(kw_only=True)
class Invariants:
    """Watches a deployment while a fault strikes, and tells afterwards whether everything holds.

    Make one for each fault (`of_clinic`, `of_running`), let the fault strike inside of `watching`, and call
    `hold_after` with what the run said.
    """

    source: SourceDatabase
    """The source."""
    warehouse: WarehouseDatabase
    """The warehouse."""
    clean_run: CleanRun
    """The run without a fault."""
    secrets: Collection[str]
    """What no output may hold."""
    tables: Collection[str] | None = None
    """The tables of the source that are loaded; None for all."""
    digest: str = DIGEST
    """What the reader sums up of table `t`; cheaper for large tables."""
    put_down: Callable[[], None] = lambda: None
    """Closes what a process closes when it ends."""
    watcher: Watcher = attrs.field(init=False)
    """The reader; its `looks` tells how often it looked."""
    _before: Mapping[str, State] = attrs.field(init=False, factory=dict)

    def __attrs_post_init__(self) -> None:
        self.watcher = Watcher(self.warehouse, digest=self.digest)

    @classmethod
    def of_clinic(
        cls,
        clinic: Clinic,
        *,
        tables: Collection[str] | None = None,
        secrets: Collection[str] = (),
        digest: str = DIGEST,
    ) -> Invariants:
        """Watch a deployment that is worked with by the command line, in this process or in another one.

        Args:
            clinic: the deployment.
            tables: what is loaded of the source; None for all.
            secrets: what no output may hold, besides the passwords and what begins with `CANARY`.
            digest: what the reader sums up of each table.
        """

        def clean_run() -> int:
            return sum(map(_written, clinic.loaded().values()))

        return cls(
            source=clinic.source,
            warehouse=clinic.warehouse,
            clean_run=clean_run,
            tables=tables,
            digest=digest,
            secrets=[*secrets, *_passwords(clinic.source, clinic.warehouse)],
        )

    @classmethod
    def of_running(
        cls, running: Running, *, tables: Collection[str] | None = None, secrets: Collection[str] = ()
    ) -> Invariants:
        """Watch a deployment whose runs are carried out in this process without the command line.

        Args:
            running: the deployment.
            tables: what is loaded of the source; None for all.
            secrets: what no output may hold, besides the passwords and what begins with `CANARY`.
        """

        def clean_run() -> int:
            assert 0 == running.run(), running.events
            finished = [each for each in running.events if isinstance(each, TableFinished)]
            return sum(_written(attrs.asdict(each)) for each in finished)

        return cls(
            source=running.source,
            warehouse=running.warehouse,
            clean_run=clean_run,
            tables=tables,
            put_down=running.deployment.connections.close,
            secrets=[*secrets, *_passwords(running.source, running.warehouse)],
        )

    @contextmanager
    def watching(self, *, source_changes: bool = False) -> Iterator[Watcher]:
        """Look at the warehouse all the time while the block runs, and at the source before and after.

        Args:
            source_changes: whether the fault changes the source, so that it may differ afterwards.

        Yields:
            The reader.
        """
        self._before = self.watcher.look()
        source = None if source_changes else self._source()
        with self.watcher.watching():
            yield self.watcher
        if source is not None:
            assert source == self._source(), "I6: the source is not as it was"

    def hold_after(
        self, exit_code: int, stdout: str, stderr: str, *, recovered: bool = False, killed: bool = False
    ) -> None:
        """Make sure that everything holds, now and after one clean run, and that a second one writes nothing.

        Args:
            exit_code: what the run left with.
            stdout: what it said to programs; its last line is the document `run_finished` where `--json` was asked for.
            stderr: what it said to people, or its log records.
            recovered: whether the run was to get over the fault and end well.
            killed: whether the process was killed, so that it could say nothing.
        """
        self.said(exit_code, stdout, stderr, recovered=recovered, killed=killed)
        self.hold_now()
        self.clean_run()
        self.equal()
        after = self.watcher.look()
        for table, states in self.watcher.seen.items():
            self._only_known_states(table, states, after)
        assert 0 == self.clean_run(), "I7: a second clean run wrote rows"

    def said(
        self, exit_code: int, stdout: str, stderr: str, *, recovered: bool = False, killed: bool = False
    ) -> None:
        """I5: the exit code and the words of the run that the fault struck; arguments as in `hold_after`."""
        for each in (*self.secrets, CANARY):
            assert each not in stdout + stderr, "I5: a secret or a row's value was told"
        assert "Traceback" not in stderr, stderr
        if killed:
            return
        assert recovered == (exit_code == 0), (exit_code, stdout, stderr)
        last = stdout.splitlines()[-1] if stdout.strip() else ""
        if last.startswith("{") and (end := json.loads(last)).get("event") == "run_finished":
            errors = [end["error"], *(each["error"] for each in end["tables"])]
            assert (exit_code, recovered) == (end["exit_code"], not any(errors)), end
        elif not recovered:
            assert stderr.strip(), "I5: the run failed without a word"

    def hold_now(self) -> None:
        """I1, I2 and I4 as far as they must hold before the clean run: a broken read's rows may be staged still."""
        self.put_down()
        wait_for_end(self.source, self.warehouse)
        self.watcher.look()
        assert [] == self.watcher.broken, "I2: the ledger does not know what is staged"
        for table, states in self.watcher.seen.items():
            by_generation: dict[int, set[State]] = {}
            for each in states:
                by_generation.setdefault(each.generation, set()).add(each)
                assert each.generation == 0 or each.rows is not None, (
                    f"I2: `{table}` is loaded, but not there"
                )
            several = {number: each for number, each in by_generation.items() if len(each) > 1}
            assert {} == several, f"I1, I2: `{table}` was seen between two states"
        left = left_overs(self.source, self.warehouse) if self._has_ledger() else {}
        known = left.pop("reads to go on with", [])
        stages = left.pop("tables that are neither a loaded table nor the ledger", [])
        assert ({}, len(known)) == (left, len(stages)), "I4: something is left"

    def equal(self) -> None:
        """I3 and I4, when the last run was a clean one."""
        self.put_down()
        assert [] == all_differences(self.source, self.warehouse, tables=self.tables), "I3: not equal"
        assert {} == left_overs(self.source, self.warehouse), "I4: something is left"

    def _only_known_states(self, table: str, states: Collection[State], after: Mapping[str, State]) -> None:
        """I1: what was seen is what was there before, or what is there after the clean run, or a load between them."""
        last = after[table]
        before = self._before.get(table, State(0))
        for each in states:
            if each.generation in (before.generation, last.generation):
                # A load that looked at a part of the rows may have been followed by one that changed nothing.
                assert each in (before, last), f"I1: `{table}` was seen between two states"
            assert before.generation <= each.generation <= last.generation, f"I1: `{table}` went back"

    def _has_ledger(self) -> bool:
        return bool(self.warehouse.value("SELECT to_regclass('etlkit.table_resume') IS NOT NULL"))

    def _source(self) -> Mapping[str, Any]:
        """What must not change in the source: checksums of tables, counters of writes, global settings."""
        names = self.source.rows(
            "SELECT table_name FROM information_schema.tables WHERE table_type = 'BASE TABLE' "
            f"AND table_schema = '{self.source.name}' ORDER BY table_name"
        )
        sums = (
            self.source.rows(f"CHECKSUM TABLE {', '.join(f'`{name}`' for (name,) in names)}") if names else []
        )
        counters = self.source.rows(f"SHOW GLOBAL STATUS WHERE Variable_name RLIKE '^Com_({_WRITES})'")
        settings = self.source.rows("SHOW GLOBAL VARIABLES")
        return {
            "checksums": sums,
            "writes": dict(counters),
            "settings": {name: value for name, value in settings if not name.lower().startswith(_RESTLESS)},
        }


def _written(outcome: Mapping[str, Any]) -> int:
    return int(outcome["inserted"] + outcome["updated"] + outcome["deleted"])


def _passwords(source: SourceDatabase, warehouse: WarehouseDatabase) -> list[str]:
    urls = (source.reader_url, source.url, warehouse.url)
    return [word for url in urls if (word := sa.make_url(url).password)]
