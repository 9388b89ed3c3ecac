"""The generated dental practice as a clinic's source, worked with by the command line."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from etlkit.demo.practice import create_practice
from support.clinic import Clinic
from support.databases import SourceDatabase, WarehouseDatabase


@pytest.fixture
def make_practice(
    tmp_path: Path, source: SourceDatabase, warehouse: WarehouseDatabase
) -> Callable[[float], Clinic]:
    """A function that makes a practice of a size, with its deployment's folder still empty."""

    def make(scale: float) -> Clinic:
        create_practice(source.url, scale=scale, storage_engine=source.storage_engine)
        return Clinic(folder=tmp_path / "north", source=source, warehouse=warehouse)

    return make
