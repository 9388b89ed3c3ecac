"""A whole practice goes into an empty warehouse, and the second run moves nothing."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from etlkit.demo.practice import TABLES, let_day_pass
from support.clinic import Clinic
from support.comparison import all_differences
from support.left_overs import left_overs
from support.snapshots import changes, source_rows, warehouse_versions

MakePractice = Callable[[float], Clinic]

SCALE = 0.1
LARGE = 0.6


def test_every_table_arrives(make_practice: MakePractice) -> None:
    """After init, analyze and run every table equals its source, which is unchanged; a second run writes nothing."""
    clinic = make_practice(SCALE)
    names = ", ".join(f"`{name}`" for name in TABLES)
    checksums = clinic.source.rows(f"checksum table {names}")
    clinic.prepared()

    first = clinic.loaded()
    assert set(TABLES) == set(first)
    assert [] == all_differences(clinic.source, clinic.warehouse)
    assert [] == [name for name, each in first.items() if each["read"] != each["inserted"]]

    before = warehouse_versions(clinic.warehouse)
    second = clinic.loaded()
    assert dict.fromkeys(TABLES, (0, 0, 0)) == {
        name: (each["inserted"], each["updated"], each["deleted"]) for name, each in second.items()
    }
    assert before == warehouse_versions(clinic.warehouse)
    assert {} == left_overs(clinic.source, clinic.warehouse)
    assert checksums == clinic.source.rows(f"checksum table {names}")


@pytest.mark.parametrize("source", ["mariadb-myisam"], indirect=True)
def test_large(make_practice: MakePractice) -> None:
    """A practice of more than 300,000 rows arrives whole; a day later only what changed is read of its large tables."""
    clinic = make_practice(LARGE)
    clinic.prepared()
    first = clinic.loaded()
    assert sum(each["read"] for each in first.values()) > 300_000
    assert [] == all_differences(clinic.source, clinic.warehouse)

    incremental = {name for name, each in first.items() if each["strategy"] == "incremental"}
    assert {"patient", "procedurelog", "commlog", "claimproc"} <= incremental
    before = source_rows(clinic.source, incremental)
    let_day_pass(clinic.source.url, deletes=False)
    after = source_rows(clinic.source, incremental)
    second = clinic.loaded()
    for name in incremental:
        changed = changes(before[name], after[name])
        written = len(changed.inserted), len(changed.updated)
        assert (name, *written) == (name, second[name]["inserted"], second[name]["updated"])
        # Of what did not change, rows within the lookback are read: seconds behind a stamp, or 1000 keys.
        assert second[name]["read"] <= sum(written) + 1005
