"""The generated dental practice as a clinic's source, worked with by the command line."""

from __future__ import annotations

from collections.abc import Callable, Collection
from pathlib import Path

import pytest

from etlkit.demo.practice import TABLES, create_practice
from support.canaries import CANARIES
from support.clinic import Clinic
from support.databases import SourceDatabase, WarehouseDatabase


@pytest.fixture
def make_practice(
    tmp_path: Path, source: SourceDatabase, warehouse: WarehouseDatabase
) -> Callable[..., Clinic]:
    """A function that makes a practice of a size, with its deployment's folder still empty.

    `only` names the tables that are kept, where a test needs few.
    """

    def make(scale: float, only: Collection[str] = TABLES) -> Clinic:
        create_practice(source.url, scale=scale, storage_engine=source.storage_engine)
        people = source.rows(
            "select Address, HmPhone, Email, concat(FName, ' ', LName) from patient limit 25"
        )
        CANARIES.add_values(source.name, [value for person in people for value in person])
        others = [f"`{name}`" for name in TABLES if name not in only]
        if others:
            source.execute(f"drop table {', '.join(others)}")
        return Clinic(folder=tmp_path / "north", source=source, warehouse=warehouse)

    return make
