"""The example distribution works as its README says: installed by pip, found by its entry point."""

from __future__ import annotations

import importlib
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import ColumnClause, column, select, table

from etlkit import Column
from support.databases import SourceDatabase
from support.example_plugin import EXAMPLE, install_example

LIST = """
import json
from etlkit.registry import Registry
print(json.dumps({
    info.name: [info.distribution, info.version, info.module, info.status,
                {hook: list(names) for hook, names in info.provides.items()}]
    for info in Registry.load().plugins if info.distribution != "etlkit-core"
}))
"""


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """An environment in which the example is installed."""
    return install_example(tmp_path_factory.mktemp("example"))


def test_the_installed_example_is_found_by_its_entry_point(environment: dict[str, str]) -> None:
    """Installing a distribution is all it takes to use its plugin."""
    done = subprocess.run([sys.executable, "-c", LIST], env=environment, capture_output=True, check=True)
    provides = {
        "etlkit_classifiers": ["front_desk"],
        "etlkit_conversions": ["mask_ssn"],
        "etlkit_strategies": ["recent_by_date"],
    }
    expected = ["etlkit-north-practice", "1.2.0", "etlkit_north_practice", "active", provides]
    assert expected == json.loads(done.stdout)["north_practice"]


def test_the_example_passes_its_own_tests(environment: dict[str, str], tmp_path: Path) -> None:
    """What the README shows as the test of a plugin passes."""
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(EXAMPLE / "tests")],
        env={**environment, "PYTHONDONTWRITEBYTECODE": "1"},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    assert "4 passed" in done.stdout


def test_masking_happens_in_the_source(
    environment: dict[str, str], source: SourceDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The source itself gives four digits at most, whatever stands in the column."""
    monkeypatch.syspath_prepend(environment["PYTHONPATH"].split(os.pathsep)[0])
    plugin = importlib.import_module("etlkit_north_practice")
    source.execute(
        "CREATE TABLE patient (PatNum INT PRIMARY KEY, SSN VARCHAR(255))",
        "INSERT INTO patient VALUES (1, '123456789'), (2, ''), (3, NULL), (4, '6789'), (5, '12345')",
    )
    of = Column(name="SSN", data_type="varchar", column_type="varchar(255)")
    number: ColumnClause[int] = column("PatNum")
    value: ColumnClause[str] = column("SSN")
    statement = select(plugin.masked(value, of)).select_from(table("patient", number, value))
    with source.engine.connect() as connection:
        masked = connection.execute(statement.order_by(number)).scalars().all()
    assert ["***-**-6789", "", None, "***", "***-**-2345"] == masked
