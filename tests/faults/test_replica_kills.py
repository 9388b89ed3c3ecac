"""`etlkit run` is killed in either hop; the next run makes all equal, and nobody saw half a table in the replica."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path

import pytest

from support.databases import SourceDatabase, WarehouseDatabase
from support.forked_runs import ForkedRuns
from support.two_hops_kills import ROWS, KilledRuns, ReplicaClinic

SEED = 20261
KILLS = 20
"""Half of them in first loads, half in later ones."""
TOGETHER = 2
"""After how many kills a clean run makes all three equal."""


@pytest.mark.parametrize("source", ["mariadb-myisam"], indirect=True)
def test_killed_in_either_hop(
    tmp_path: Path,
    source: SourceDatabase,
    make_source: Callable[[str], SourceDatabase],
    warehouse: WarehouseDatabase,
) -> None:
    """First runs and later ones, each killed at moments that are spread over all of it."""
    print(f"seed {SEED}, {KILLS} kills")  # noqa: T201 - shown when the test fails
    chance = random.Random(SEED)  # noqa: S311 - a test's moments
    clinic = ReplicaClinic(
        folder=tmp_path / "north",
        source=source,
        replica=make_source("mariadb-innodb"),
        warehouse=warehouse,
    )
    with ForkedRuns.ready() as forked:
        runs = KilledRuns(clinic=clinic, runs=forked)
        runs.fill()
        for prepare in (runs.start_anew, runs.change):
            prepare()
            seconds = runs.seconds()
            kills = KILLS // 2
            shares = [(each + chance.random()) / kills for each in range(kills)]
            chance.shuffle(shares)
            for number, share in enumerate(shares):
                if number % TOGETHER == 0:
                    prepare()
                while not runs.killed_after(share * seconds):
                    seconds *= 0.9  # the machine is faster now, or parts of the run were done before
                    prepare()
                if number % TOGETHER == TOGETHER - 1:
                    runs.equal()
        print(runs.struck, runs.reader.looks, runs.steps)  # noqa: T201 - shown when the test fails
        assert {"replica", "warehouse"} == set(runs.struck)
        # Twice as many rounds of all tables, as far as kills and clean runs share them.
        assert runs.steps >= KILLS // TOGETHER * len(ROWS)
        assert 0 == runs.written()
