"""`etlkit run` is killed in either hop; the next run makes all equal, and nobody saw half a table in the replica."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path

import attrs
import pytest

from support.databases import SourceDatabase, WarehouseDatabase
from support.forked_runs import ForkedRuns
from support.two_hops_kills import ROWS, KilledRuns, ReplicaClinic

SEED = 20261
KILLS = 20
"""In each hop; half of them in first loads, half in later ones."""
TOGETHER = 2
"""After how many kills a clean run makes all three equal."""
HOPS = ("replica", "warehouse")


@pytest.mark.parametrize("source", ["mariadb-myisam"], indirect=True)
def test_killed_in_either_hop(
    tmp_path: Path,
    source: SourceDatabase,
    make_source: Callable[[str], SourceDatabase],
    warehouse: WarehouseDatabase,
) -> None:
    """First runs and later ones, each killed at moments that are spread over all of it."""
    print(f"seed {SEED}, {KILLS} kills in each hop")  # noqa: T201 - shown when the test fails
    clinic = ReplicaClinic(
        folder=tmp_path / "north",
        source=source,
        replica=make_source("mariadb-innodb"),
        warehouse=warehouse,
    )
    with ForkedRuns.ready() as forked:
        runs = KilledRuns(clinic=clinic, runs=forked)
        runs.fill()
        moments = Moments(chance=random.Random(SEED))  # noqa: S311 - a test's moments
        for prepare in (runs.start_anew, runs.change):
            prepare()
            moments.seconds = runs.seconds()
            wanted = {hop: runs.struck[hop] + KILLS // len(HOPS) for hop in HOPS}
            while any(runs.struck[hop] < most for hop, most in wanted.items()):
                prepare()
                for _ in range(TOGETHER):
                    hop = min(HOPS, key=lambda each: runs.struck[each] - wanted[each])
                    struck = runs.killed_after(moments.within(hop))
                    moments.learn(hop, struck)
                    if struck is None:
                        prepare()
                runs.equal()
        print(runs.struck, runs.reader.looks, runs.steps)  # noqa: T201 - shown when the test fails
        assert min(runs.struck[hop] for hop in HOPS) >= KILLS
        # The reader saw tables go from one state to the next, so it would have seen what lies between.
        assert runs.steps >= 2 * KILLS // TOGETHER * len(ROWS)
        assert 0 == runs.written()


@attrs.define(kw_only=True)
class Moments:
    """Moments within a hop, as far as is known from earlier runs when one ends and the next begins."""

    chance: random.Random
    seconds: float = 0.0
    """How long a run takes."""
    border: float = 0.4
    """The share of it that the first hop takes."""

    def within(self, hop: str) -> float:
        """Seconds after a run's beginning."""
        ends = (0.0, self.border) if hop == "replica" else (self.border, 1.0)
        return self.chance.uniform(*ends) * self.seconds

    def learn(self, hop: str, struck: str | None) -> None:
        """Take in what was struck instead; None for a run that had ended."""
        if struck is None:
            self.seconds *= 0.9  # the machine is faster now, or parts of the run were done before
        elif hop != struck:
            self.border += (-self.border if struck == "warehouse" else 1 - self.border) * 0.15
