"""A whole practice goes into an empty warehouse, and the second run moves nothing."""

from __future__ import annotations

import pytest

from etlkit.demo.practice import TABLES, let_day_pass
from support.comparison import all_differences, differences
from support.databases import SourceDatabase
from support.left_overs import left_overs
from support.practice import CHANGING, MakePractice
from support.snapshots import changes, source_rows, warehouse_versions

SCALE = {"mariadb-innodb": 0.1, "mariadb-myisam": 0.58, "mysql56": 0.1}


def test_every_table_arrives(make_practice: MakePractice, source: SourceDatabase) -> None:
    """After init, analyze and run every table equals its source, which is unchanged; a second run writes nothing."""
    clinic = make_practice(SCALE[source.kind])
    names = ", ".join(f"`{name}`" for name in TABLES)
    checksums = source.rows(f"checksum table {names}")
    clinic.prepared()

    first = clinic.loaded()
    assert set(TABLES) == set(first)
    assert [] == all_differences(source, clinic.warehouse)
    assert [] == [name for name, each in first.items() if each["read"] != each["inserted"]]
    assert (source.kind == "mariadb-myisam") == (sum(each["read"] for each in first.values()) > 300_000)

    before = warehouse_versions(clinic.warehouse)
    second = clinic.loaded()
    assert dict.fromkeys(TABLES, (0, 0, 0)) == {
        name: (each["inserted"], each["updated"], each["deleted"]) for name, each in second.items()
    }
    assert before == warehouse_versions(clinic.warehouse)
    assert {} == left_overs(source, clinic.warehouse)
    assert checksums == source.rows(f"checksum table {names}")


@pytest.mark.parametrize("source", ["mariadb-myisam"], indirect=True)
def test_analysis_chooses_cursors(make_practice: MakePractice) -> None:
    """Where tables are large the analysis chooses cursors by itself, and a day later only what changed is read."""
    large = {"patient", "procedurelog", "commlog", "claimproc", "securitylog"}
    clinic = make_practice(0.4, only=CHANGING)
    clinic.prepared()
    first = clinic.loaded()
    incremental = {name for name, each in first.items() if each["strategy"] == "incremental"}
    assert large <= incremental
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
    for name in large:
        assert [] == differences(clinic.source, clinic.warehouse, name)
