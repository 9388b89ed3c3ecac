"""`etlkit run` is killed at a hundred random moments while it loads 300,000 rows; nobody ever sees a half of a load."""

from __future__ import annotations

import random
import signal
import subprocess
import time
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

import attrs
import pytest

from support.clinic import Clinic
from support.databases import SourceDatabase, WarehouseDatabase
from support.invariants import Invariants

SEED = 20260
KINDS = ("mariadb-innodb", "mariadb-myisam", "mysql56")
ROWS = {"visit": 120_000, "entry": 100_000, "note": 80_000}
"""By table, how many rows it has; together they are a load of 300,000."""
CHOICES = {
    "visit": {"extraction_strategy": "full_table"},
    "entry": {
        "extraction_strategy": "chunked_incremental",
        "incremental_column": "Stamp",
        "options": {"chunk_mb": "1", "kept_seconds": "0"},
        "reconcile": "never",
    },
    "note": {"extraction_strategy": "incremental", "incremental_column": "Stamp", "reconcile": "never"},
}
"""Committed once; committed per chunk, going on after a kill; merged by a cursor."""
SUMS = 'coalesce(sum("Mark"::bigint * "Num"), 0)'
"""No part of a load leaves it as it was: every load changes every row's mark."""
Sum = tuple[int, int]
"""Rows, and what `SUMS` says."""


@attrs.frozen(kw_only=True)
class Phase:
    """A kind of load."""

    options: tuple[str, ...] = ()
    """Of `etlkit run`."""
    anew: bool = False
    """Whether nothing is loaded before."""
    changed: str = "true"
    """Which rows are changed before."""
    weight: int
    """How many of ten kills it gets."""
    together: int
    """After how many kills a clean run makes both sides equal."""


FIRST = Phase(anew=True, weight=5, together=6)
AGAIN = Phase(options=("--full-refresh",), changed="Num % 10 = 0", weight=4, together=8)
MERGED = Phase(weight=1, together=4)
"""A first load; one that reads everything again; one that merges rows by their cursor, all of which changed."""


@attrs.define(kw_only=True)
class Load:
    """A load that is killed again and again, and what may be seen of it."""

    clinic: Clinic
    random: random.Random
    source: dict[str, Sum] = attrs.field(factory=dict)
    """By table, what the source's rows sum up to."""
    known: dict[str, set[Sum]] = attrs.field(factory=dict)
    """By table, what the source's rows summed up to before any of the loads."""
    struck: Counter[str] = attrs.field(factory=Counter)
    """By what was committed of the load, how often it was killed."""

    def fill(self) -> None:
        """Make the tables, and analyse."""
        source = self.clinic.source
        for table, rows in ROWS.items():
            values = ", ".join(f"({number}, 'text {number}')" for number in range(1000))
            source.execute(
                f"create table {table} (Num int not null auto_increment primary key, Mark int not null, "
                "Text varchar(20), Stamp timestamp not null default current_timestamp "
                "on update current_timestamp, key (Stamp))",
                f"insert into {table} (Mark, Text) values {values}",
            )
            while (there := source.value(f"select count(*) from {table}")) < rows:
                source.execute(
                    f"insert into {table} (Mark, Text) select Mark + 1, Text from {table} limit {rows - there}"
                )
        self.clinic.prepared()
        self.clinic.choose(CHOICES)
        self.sum_up(*ROWS)

    def sum_up(self, *tables: str) -> None:
        """Remember what the source holds."""
        for table in tables:
            rows, marks = self.clinic.source.rows(f"select count(*), sum(Mark * Num) from {table}")[0]
            self.source[table] = (rows, int(marks))
            self.known.setdefault(table, set()).add(self.source[table])

    def change(self, phase: Phase, *tables: str) -> None:
        """Change rows of tables, as the phase says."""
        if tables:
            self.clinic.source.execute(
                *(f"update {table} set Mark = Mark + 1 where {phase.changed}" for table in tables)
            )
            self.sum_up(*tables)

    def start_anew(self) -> None:
        """Forget everything that was loaded."""
        self.clinic.warehouse.execute(
            "drop schema if exists raw cascade", "drop schema if exists etlkit cascade"
        )
        self.known = {table: {sums} for table, sums in self.source.items()}

    def generations(self) -> Mapping[str, int]:
        """How often each table was loaded."""
        if not self.clinic.warehouse.value("select to_regclass('etlkit.table_state') is not null"):
            return {}
        return dict(self.clinic.warehouse.rows("select table_name, generation from etlkit.table_state"))

    def prepare(self, phase: Phase) -> None:
        """Let the next load be a whole one of the phase."""
        if phase.anew:
            self.start_anew()
        else:
            self.change(phase, *ROWS)

    def started(self, phase: Phase) -> subprocess.Popen[str]:
        """Start a run, and wait until its load begins."""
        process = self.clinic.started("run", "--json", *phase.options)
        assert process.stdout is not None
        line = process.stdout.readline()
        assert '"run_starting"' in line, (line, process.communicate())
        return process

    def seconds(self, phase: Phase) -> float:
        """Find out how long the load takes when it is left alone."""
        self.prepare(phase)
        process = self.started(phase)
        began = time.monotonic()
        process.communicate()
        assert 0 == process.returncode
        return time.monotonic() - began

    def killed_after(self, seconds: float, phase: Phase) -> bool:
        """Kill a run some time after its load began, while a reader watches.

        Returns:
            Whether it was at work still; if not, all of it was loaded well.
        """
        before = self.generations()
        invariants = Invariants.of_clinic(self.clinic, digest=SUMS)
        with invariants.watching(source_changes=True):
            process = self.started(phase)
            try:
                process.communicate(timeout=seconds)
            except subprocess.TimeoutExpired:
                process.kill()
                process.communicate()
        assert process.returncode in (0, -signal.SIGKILL)
        invariants.hold_now()
        for table, states in invariants.watcher.seen.items():
            seen = {(each.rows, int(each.digest)) for each in states if each.rows is not None}
            assert seen <= self.known[table], f"`{table}` was seen between two states"
        if process.returncode == 0:
            return False
        done = sorted(table for table, number in self.generations().items() if number != before.get(table))
        self.struck["+".join(done) or "nothing"] += 1
        if not phase.anew:
            # What is loaded by now is changed again, so that the next load is a whole one.
            self.change(phase, *done)
        return True

    def equal(self) -> None:
        """A clean run makes both sides equal, and leaves nothing."""
        invariants = Invariants.of_clinic(self.clinic, digest=SUMS)
        self.clinic.loaded()
        invariants.hold_now()
        now = invariants.watcher.look()
        assert self.source == {table: (state.rows, int(state.digest)) for table, state in now.items()}
        assert [] == self.clinic.document("status")["unfinished"]

    def strike(self, phase: Phase, kills: int) -> None:
        """Kill loads of a phase at moments that are spread over all of the time that they take."""
        seconds = self.seconds(phase)
        shares = [(each + self.random.random()) / kills for each in range(kills)]
        self.random.shuffle(shares)
        self.prepare(phase)
        for number, share in enumerate(shares, start=1):
            while not self.killed_after(share * seconds, phase):
                seconds *= 0.95  # the machine is faster now, or parts of the load were done before
                self.prepare(phase)
            if number % phase.together == 0:
                self.equal()
            if phase.anew or number % phase.together == 0:
                self.prepare(phase)


@pytest.mark.parametrize("source", KINDS, indirect=True)
def test_killed_at_random_moments(
    tmp_path: Path, source: SourceDatabase, warehouse: WarehouseDatabase, pytestconfig: pytest.Config
) -> None:
    """First loads and later ones, each killed at moments that are spread over all of it."""
    place = KINDS.index(source.kind)
    kills = len(range(place, pytestconfig.getoption("--kills", default=100), len(KINDS)))
    print(f"seed {SEED + place}, {kills} kills")  # noqa: T201 - shown when the test fails
    load = Load(
        clinic=Clinic(folder=tmp_path / "north", source=source, warehouse=warehouse),
        random=random.Random(SEED + place),  # noqa: S311 - a test's moments
    )
    load.fill()
    again, merged = kills * AGAIN.weight // 10, kills * MERGED.weight // 10
    for phase, number in ((FIRST, kills - again - merged), (AGAIN, again), (MERGED, merged)):
        if number:
            load.strike(phase, number)
    print(load.struck)  # noqa: T201 - shown when the test fails
    assert kills == load.struck.total()
    invariants = Invariants.of_clinic(load.clinic, digest=SUMS)
    with invariants.watching():
        pass
    invariants.hold_after(-signal.SIGKILL, "", "", killed=True)
