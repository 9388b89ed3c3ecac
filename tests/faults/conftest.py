"""What the tests of faults share: a clinic that was loaded once, whose rows changed since, and what must hold."""

from __future__ import annotations

from pathlib import Path

import pytest

from support.clinic import Clinic
from support.databases import SourceDatabase, WarehouseDatabase
from support.faults import changed, choices, filled
from support.invariants import Invariants


def pytest_addoption(parser: pytest.Parser) -> None:
    """Let the caller ask for more, as `pytest tests/faults --kills 1000`."""
    parser.addoption("--kills", type=int, default=100, help="how often a load is killed at a random moment")
    parser.addoption("--soak-rounds", type=int, default=50, help="rounds of random work and random faults")
    parser.addoption("--soak-seed", type=int, default=1, help="seed of the rounds")


@pytest.fixture
def empty_clinic(tmp_path: Path, source: SourceDatabase, warehouse: WarehouseDatabase) -> Clinic:
    """A clinic with one table for each way of loading, analysed, and never loaded."""
    filled(source)
    made = Clinic(folder=tmp_path / "north", source=source, warehouse=warehouse)
    made.prepared()
    made.choose(choices())
    return made


@pytest.fixture
def clinic(empty_clinic: Clinic) -> Clinic:
    """The same, loaded once; every table changed since."""
    empty_clinic.loaded()
    changed(empty_clinic.source)
    return empty_clinic


@pytest.fixture
def invariants(clinic: Clinic) -> Invariants:
    """What must hold in `clinic`."""
    return Invariants.of_clinic(clinic)
