"""Deployments between a source and a warehouse, whose tables are loaded and verified."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from support.clinic import Clinic
from support.databases import SourceDatabase, WarehouseDatabase
from support.loading import Loading, loading_of


@pytest.fixture
def loading(source: SourceDatabase, warehouse: WarehouseDatabase) -> Iterator[Loading]:
    """A deployment between empty databases."""
    with loading_of(source, warehouse) as made:
        yield made


@pytest.fixture
def clinic(tmp_path: Path, source: SourceDatabase, warehouse: WarehouseDatabase) -> Clinic:
    """A deployment with three small tables, before `etlkit init`."""
    source.execute(
        "create table patient (PatNum bigint not null auto_increment primary key, LName varchar(100), "
        "DateTStamp timestamp not null default current_timestamp on update current_timestamp, key (DateTStamp))",
        "create table definition (Name varchar(100) not null primary key, Note text)",
        "create table scratchlog (Note varchar(100))",
        "insert into patient (LName, DateTStamp) values ('CANARY Smith', '2024-01-01'), ('Jones', '2024-01-02')",
        "insert into definition values ('CANARY key', 'CANARY note'), ('b', 'c')",
        "insert into scratchlog values ('CANARY')",
    )
    return Clinic(folder=tmp_path / "north", source=source, warehouse=warehouse)
