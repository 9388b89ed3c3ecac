"""Whatever a practice does and whatever fails meanwhile: both sides are equal in the end, and nobody saw a half."""

from __future__ import annotations

from pathlib import Path

import pytest

from support.clinic import Clinic
from support.databases import KINDS, SourceDatabase, WarehouseDatabase
from support.soak import Soak, WiredClinic

SETTLED_EVERY = 5


def test_soak(
    tmp_path: Path, source: SourceDatabase, warehouse: WarehouseDatabase, pytestconfig: pytest.Config
) -> None:
    """Random work times random faults, `--soak-rounds` of them shared by the kinds of source, from `--soak-seed` on."""
    place = list(KINDS).index(source.kind)
    rounds = len(range(place, pytestconfig.getoption("--soak-rounds", default=50), len(KINDS)))
    seed = pytestconfig.getoption("--soak-seed", default=1) + place
    print(f"seed {seed}, {rounds} rounds")  # noqa: T201 - shown when the test fails
    clinic = Clinic(folder=tmp_path / "north", source=source, warehouse=warehouse)
    with WiredClinic.of(clinic) as wired:
        soak = Soak(clinic=wired, seed=seed)
        soak.begin()
        for number in range(rounds):
            soak.round()
            print(f"round {number}: {dict(soak.happened)}")  # noqa: T201 - shown when the test fails
            if number % SETTLED_EVERY == SETTLED_EVERY - 1:
                soak.settle()
        soak.settle()
