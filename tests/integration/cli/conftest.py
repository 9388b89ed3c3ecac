"""A clinic's deployment on real servers, worked with by the command line only."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import attrs
import pytest
import sqlalchemy as sa
from click.testing import CliRunner, Result

from etlkit.cli import main
from support.databases import SourceDatabase, WarehouseDatabase


@attrs.frozen(kw_only=True)
class Clinic:
    """A deployment's folder, and its two databases."""

    folder: Path
    source: SourceDatabase
    warehouse: WarehouseDatabase

    @property
    def env(self) -> Mapping[str, str]:
        """What `etlkit.yml` refers to."""
        return {"ETLKIT_SOURCE_URL": self.source.reader_url, "ETLKIT_WAREHOUSE_URL": self.warehouse.url}

    def etlkit(self, *arguments: str, **env: str) -> Result:
        """Run a command in this process, and make sure that it tells no password."""
        where = [] if "list" in arguments else ["-C", str(self.folder)]
        result = CliRunner().invoke(main, [*arguments, *where], env={**self.env, **env})
        self.check(result.output)
        return result

    def started(self, *arguments: str) -> subprocess.Popen[str]:
        """Start a command as a process of its own."""
        return subprocess.Popen(
            [sys.executable, "-m", "etlkit", *arguments, "-C", str(self.folder)],
            env={**os.environ, **self.env},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def check(self, output: str) -> None:
        """Make sure that a command's output holds no password."""
        for url in self.env.values():
            password = sa.make_url(url).password
            assert password
            assert password not in output

    def done(self, *arguments: str, **env: str) -> str:
        """Run a command that must succeed; gives its standard output."""
        result = self.etlkit(*arguments, **env)
        assert 0 == result.exit_code, result.output
        return result.stdout

    def document(self, *arguments: str) -> Any:
        """Run a command that must succeed with `--json`; gives the one document that it prints."""
        return json.loads(self.done(*arguments, "--json"))

    def prepared(self, choices: str = "") -> None:
        """Write etlkit.yml with choices, and analyse."""
        self.done("init")
        with (self.folder / "etlkit.yml").open("a") as file:
            file.write(choices)
        self.done("analyze")


@pytest.fixture
def clinic(tmp_path: Path, source: SourceDatabase, warehouse: WarehouseDatabase) -> Clinic:
    """A deployment with three small tables, before `etlkit init`."""
    source.execute(
        "create table patient (PatNum bigint not null auto_increment primary key, LName varchar(100), "
        "DateTStamp timestamp not null default current_timestamp on update current_timestamp, key (DateTStamp))",
        "create table definition (DefNum bigint not null auto_increment primary key, ItemName varchar(100))",
        "create table scratchlog (Note varchar(100))",
        "insert into patient (LName, DateTStamp) values ('Smith', '2024-01-01'), ('Jones', '2024-01-02')",
        "insert into definition (ItemName) values ('a'), ('b'), ('c')",
        "insert into scratchlog values ('x')",
    )
    return Clinic(folder=tmp_path / "north", source=source, warehouse=warehouse)


INCREMENTAL = """
tables:
  patient: {extraction_strategy: incremental, incremental_column: DateTStamp, lookback_seconds: 0}
"""
