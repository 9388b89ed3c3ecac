"""Days pass: what changed arrives by the cursors that the analysis found, and nothing else is touched."""

from __future__ import annotations

from itertools import cycle
from typing import Any

import pytest
import yaml

from etlkit.demo.practice import TABLES, let_day_pass
from etlkit.demo.practice.day import INSERTS
from support.clinic import Clinic
from support.comparison import all_differences
from support.left_overs import left_overs
from support.practice import CHANGING, MakePractice
from support.snapshots import Changes, changes, source_rows, warehouse_versions

SCALE = 0.02
UNCHANGED = Changes(inserted=frozenset(), updated=frozenset(), deleted=frozenset())
BY_CURSOR = ("incremental", "chunked_incremental", "streaming_incremental")


def analyzed(clinic: Clinic) -> dict[str, dict[str, Any]]:
    """What `etlkit analyze` wrote down for each table."""
    tables: dict[str, dict[str, Any]] = yaml.safe_load((clinic.folder / "tables.yml").read_text())["tables"]
    return tables


def prepared(clinic: Clinic) -> Clinic:
    """Have every table with a cursor loaded by it, by one of the three strategies in turn."""
    clinic.prepared()
    followed = [name for name, each in analyzed(clinic).items() if each["incremental_column"]]
    clinic.choose(
        {
            name: {"extraction_strategy": strategy, "batch_size": 40}
            for name, strategy in zip(followed, cycle(BY_CURSOR), strict=False)
        }
    )
    return clinic
    return clinic


def by_cursor(loads: dict[str, dict[str, Any]]) -> set[str]:
    """The tables that were loaded by a cursor."""
    return {name for name, each in loads.items() if each["strategy"] in BY_CURSOR}


def test_only_what_changed_is_written(make_practice: MakePractice) -> None:
    """After each day every table equals its source; exactly the rows that changed were written, and no other."""
    clinic = prepared(make_practice(SCALE))
    followed = by_cursor(clinic.loaded())
    assert len(followed) > 30
    assert {"patient", "appointment", "procedurelog", "securitylog", "recall"} <= followed
    rows, versions = source_rows(clinic.source), warehouse_versions(clinic.warehouse)
    for day in range(2):
        let_day_pass(clinic.source.url, deletes=False)
        rows_before, rows = rows, source_rows(clinic.source)
        changed = {name: changes(rows_before[name], later) for name, later in rows.items()}
        loads = clinic.loaded()
        assert followed == by_cursor(loads)
        different = [name for name, each in changed.items() if each != UNCHANGED]
        assert set(INSERTS) - {"walkinlist"} <= set(different)
        behind = all_differences(clinic.source, clinic.warehouse, tables=[*different, "walkinlist"])
        assert (day, []) == (day, behind)
        counted = {name: (each["inserted"], each["updated"], each["deleted"]) for name, each in loads.items()}
        assert {name: (len(each.inserted), len(each.updated), 0) for name, each in changed.items()} == {
            name: counted[name] for name in changed
        }
        versions_before, versions = versions, warehouse_versions(clinic.warehouse)
        assert changed == {name: changes(versions_before[name], later) for name, later in versions.items()}
        # What has no key can only be replaced whole, and only when it differs.
        assert {"walkinlist"} == {name for name in set(TABLES) - set(changed) if any(counted[name])}
    assert [] == all_differences(clinic.source, clinic.warehouse)
    assert {} == left_overs(clinic.source, clinic.warehouse)


@pytest.mark.parametrize("source", ["mariadb-innodb"], indirect=True)
def test_deletes(make_practice: MakePractice) -> None:
    """Deletes follow in the next run, where tables are read whole, and by digests where a cursor is followed."""
    clinic = prepared(make_practice(SCALE, only=CHANGING | {"kioskping"}))
    followed = by_cursor(clinic.loaded())
    before = source_rows(clinic.source)
    let_day_pass(clinic.source.url)
    clinic.source.execute(
        "delete from definition order by DefNum limit 2",
        "delete from kioskping limit 3",
        "delete from claim limit 4",
    )
    changed = {name: changes(before[name], later) for name, later in source_rows(clinic.source).items()}
    gone = {name: each.deleted for name, each in changed.items() if each.deleted}
    assert {"appointment", "claim", "commlog", "definition", "paysplit", "recall", "sheetfield"} == set(gone)
    assert {"definition", "sheetfield"} == set(gone) - set(followed)

    loads = clinic.loaded()
    assert {name: len(keys) for name, keys in gone.items()} == {
        name: each["deleted"] for name, each in loads.items() if each["deleted"] and name in changed
    }
    assert {"equal", "equal after repair"} == {each["verified"] for each in loads.values()}
    assert [] == all_differences(clinic.source, clinic.warehouse)
