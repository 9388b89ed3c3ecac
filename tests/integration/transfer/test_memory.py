"""The client's memory does not grow with the table."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from support.comparison import differences
from support.databases import SourceDatabase, WarehouseDatabase

LIMIT_MB = 150

LOAD = """
import os, re
from pathlib import Path
from etlkit.config import MySQLUrl, PostgresUrl, Settings, SourceSettings, WarehouseSettings
from etlkit.loading.postgres_loader import PostgresLoader
from etlkit.orchestration.deployment import Deployment

settings = Settings(
    deployment="north",
    source=SourceSettings(url=MySQLUrl.parse(os.environ["ETLKIT_SOURCE_URL"])),
    warehouse=WarehouseSettings(url=PostgresUrl.parse(os.environ["ETLKIT_WAREHOUSE_URL"])),
)
with Deployment.of(settings) as deployment:
    deployment.ledger.ensure()
    loader = PostgresLoader(
        settings=settings,
        planner=deployment.planner(),
        connections=deployment.connections,
        ledger=deployment.ledger,
        run_id="run",
    )
    rows = loader.load_table("t").read
# Not ru_maxrss, which remembers the memory of the process that started this one.
peak = re.search(r"VmHWM:\\s+(\\d+) kB", Path("/proc/self/status").read_text())
print(rows, int(peak[1]) // 1024)
"""


def loaded(source: SourceDatabase, warehouse: WarehouseDatabase) -> tuple[int, int]:
    """Load table `t` in a process of its own; its rows, and the peak of its memory in MB."""
    done = subprocess.run(
        [sys.executable, "-c", LOAD],
        env={**os.environ, "ETLKIT_SOURCE_URL": source.reader_url, "ETLKIT_WAREHOUSE_URL": warehouse.url},
        capture_output=True,
        text=True,
        check=False,
    )
    assert 0 == done.returncode, done.stderr
    rows, peak = done.stdout.split()
    return int(rows), int(peak)


@pytest.mark.parametrize("source", ["mariadb-myisam"], indirect=True)
@pytest.mark.parametrize("key", ["PRIMARY KEY", ""], ids=["key", "no key"])
def test_many_rows(source: SourceDatabase, warehouse: WarehouseDatabase, key: str) -> None:
    """A table of 350,000 rows needs no more than any other, with and without a key, and arrives equal."""
    source.execute(
        f"CREATE TABLE t (id INT {key}, a VARCHAR(200) NOT NULL, b DECIMAL(9,2), c DATETIME, d VARCHAR(9) NOT NULL)",
        "INSERT INTO t SELECT seq, repeat(char(65 + seq % 26), seq % 200), seq / 7, "
        "if(seq % 9, '2024-01-01' + interval seq second, NULL), seq FROM seq_1_to_350000",
    )
    rows, peak = loaded(source, warehouse)
    assert 350_000 == rows
    assert peak < LIMIT_MB
    assert [] == differences(source, warehouse, "t")


@pytest.mark.parametrize("source", ["mariadb-innodb"], indirect=True)
def test_rows_that_grow(source: SourceDatabase, warehouse: WarehouseDatabase) -> None:
    """Rows that are a thousand times larger all of a sudden do not make a chunk that is as much larger."""
    source.execute(
        "CREATE TABLE t (id INT PRIMARY KEY, a MEDIUMTEXT NOT NULL)",
        "INSERT INTO t SELECT seq, repeat('x', if(seq < 100000, 20, 20000)) FROM seq_1_to_104000",
    )
    rows, peak = loaded(source, warehouse)
    assert 104_000 == rows
    assert peak < LIMIT_MB
