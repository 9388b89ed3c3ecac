"""What the tests of faults share: a clinic that was loaded once, whose rows changed since, and what must hold."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from etlkit.demo import PrivateMySQL, PrivatePostgres
from support.clinic import Clinic
from support.databases import SourceDatabase, WarehouseDatabase, source_database, warehouse_database
from support.faults import changed, choices, filled
from support.invariants import Invariants
from support.wired import Wired, wired_clinic


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


@pytest.fixture(scope="session")
def wired_clinics(
    mariadb: PrivateMySQL,
    mysql56: PrivateMySQL,
    postgres: PrivatePostgres,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Callable[[str], Wired]]:
    """A function that gives the clinic of a kind of source behind wires that can fail, made once."""
    with ExitStack() as stack:
        made: dict[str, Wired] = {}

        def make(kind: str) -> Wired:
            if kind not in made:
                server = mysql56 if kind == "mysql56" else mariadb
                source = stack.enter_context(source_database(server, kind))
                warehouse = stack.enter_context(warehouse_database(postgres))
                folder = tmp_path_factory.mktemp("wired") / "north"
                made[kind] = stack.enter_context(wired_clinic(folder, source, warehouse))
            return made[kind]

        yield make


@pytest.fixture
def wired(request: pytest.FixtureRequest, wired_clinics: Callable[[str], Wired]) -> Iterator[Wired]:
    """The clinic of the kind that a test names, its wires good ones; equal to its warehouse before and after."""
    made = wired_clinics(request.param)
    yield made
    for each in (made.to_source, made.to_warehouse):
        each.cut_all()
