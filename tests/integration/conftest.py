"""What tests of several rooms share: a clinic's deployment, worked with by the command line only."""

from __future__ import annotations

from pathlib import Path

import pytest

from support.clinic import Clinic
from support.databases import SourceDatabase, WarehouseDatabase


@pytest.fixture
def clinic(tmp_path: Path, source: SourceDatabase, warehouse: WarehouseDatabase) -> Clinic:
    """A deployment with three small tables, before `etlkit init`."""
    source.execute(
        "create table patient (PatNum bigint not null auto_increment primary key, LName varchar(100), "
        "DateTStamp timestamp not null default current_timestamp on update current_timestamp, key (DateTStamp))",
        "create table definition (DefNum bigint not null auto_increment primary key, ItemName varchar(100))",
        "create table scratchlog (Note varchar(100))",
        "insert into patient (LName, DateTStamp) values ('CANARY Smith', '2024-01-01'), ('Jones', '2024-01-02')",
        "insert into definition (ItemName) values ('a'), ('b'), ('c')",
        "insert into scratchlog values ('CANARY')",
    )
    return Clinic(folder=tmp_path / "north", source=source, warehouse=warehouse)
