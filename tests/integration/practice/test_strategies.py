"""One table loaded by each strategy, and a practice loaded in part."""

from __future__ import annotations

import pytest

from etlkit.demo.practice import let_day_pass
from support.clinic import Clinic
from support.comparison import all_differences, differences
from support.left_overs import left_overs
from support.practice import CHANGING, MakePractice

STRATEGIES = ("full_table", "incremental", "chunked_incremental", "streaming_incremental")
TABLE = "procedurelog"
KEYS = {TABLE: "ProcNum", "appointment": "AptNum", "commlog": "CommlogNum"}


def chosen(clinic: Clinic, strategy: str, schema: str = "raw") -> None:
    """Have the table loaded by a strategy, into a schema."""
    choice = {"extraction_strategy": strategy, "batch_size": 100, "reconcile": "never"}
    clinic.choose({TABLE: choice if strategy == "full_table" else choice | {"options": {"chunk_mb": "1"}}})
    path = clinic.folder / "etlkit.yml"
    lines = [
        f"  schema: {schema}" if "  schema: " in line else line for line in path.read_text().splitlines()
    ]
    path.write_text("\n".join([*lines, ""]))


def content(clinic: Clinic, schema: str) -> list[tuple[object, ...]]:
    """Digest the table's rows in the warehouse, their number beside it."""
    return clinic.warehouse.rows(
        f'select count(*), md5(string_agg(t::text, chr(10) order by "ProcNum")) from {schema}.{TABLE} t'
    )


@pytest.mark.parametrize("source", ["mariadb-myisam"], indirect=True)
def test_each_strategy(make_practice: MakePractice) -> None:
    """All four strategies bring the same content, at first and after a day, each into a schema of its own."""
    clinic = make_practice(0.1, only=CHANGING)
    clinic.prepared()
    for day in range(2):
        if day:
            let_day_pass(clinic.source.url, deletes=False)
        for strategy in STRATEGIES:
            chosen(clinic, strategy, f"by_{strategy}")
            assert strategy == clinic.loaded("--select", TABLE)[TABLE]["strategy"]
            assert [] == differences(clinic.source, clinic.warehouse, TABLE, target_schema=f"by_{strategy}")
        assert 1 == len({repr(content(clinic, f"by_{strategy}")) for strategy in STRATEGIES})
    assert {} == left_overs(clinic.source, clinic.warehouse)


@pytest.mark.parametrize("source", ["mariadb-innodb"], indirect=True)
def test_switching(make_practice: MakePractice) -> None:
    """A table stays equal when its strategy is changed between runs, from each to each other one."""
    clinic = make_practice(0.02, only=CHANGING)
    clinic.prepared()
    for strategy in "0102031213230":
        let_day_pass(clinic.source.url, deletes=False)
        chosen(clinic, STRATEGIES[int(strategy)])
        loads = clinic.loaded("--select", TABLE)
        assert STRATEGIES[int(strategy)] == loads[TABLE]["strategy"]
        assert [] == differences(clinic.source, clinic.warehouse, TABLE)
    assert {} == left_overs(clinic.source, clinic.warehouse)


@pytest.mark.parametrize("source", ["mysql56"], indirect=True)
def test_full_refresh(make_practice: MakePractice) -> None:
    """`--full-refresh` finds what no cursor shows, edits behind the stamp's back and deletes, of chosen tables only."""
    clinic = make_practice(0.02, only=CHANGING)
    clinic.prepared()
    clinic.choose({name: {"extraction_strategy": "incremental", "reconcile": "never"} for name in KEYS})
    clinic.loaded()
    for name, key in KEYS.items():
        clinic.source.execute(
            f"update {name} set PatNum = PatNum + 1, DateTStamp = DateTStamp order by {key} limit 3",
            f"delete from {name} order by {key} desc limit 2",
        )
    loads = clinic.loaded()
    assert 0 == sum(each["inserted"] + each["updated"] + each["deleted"] for each in loads.values())
    loads = clinic.loaded("--full-refresh", "--exclude", "commlog")
    assert CHANGING - {"commlog"} == set(loads)
    assert {TABLE: (0, 3, 2), "appointment": (0, 3, 2)} == {
        name: counted
        for name, each in loads.items()
        if any(counted := (each["inserted"], each["updated"], each["deleted"]))
    }
    different = {name: len(differences(clinic.source, clinic.warehouse, name)) for name in KEYS}
    assert {TABLE: 0, "appointment": 0, "commlog": 5} == different
    assert {"commlog"} == set(clinic.loaded("--full-refresh", "--select", "comm*"))
    assert [] == differences(clinic.source, clinic.warehouse, "commlog")


@pytest.mark.parametrize("source", ["mariadb-myisam"], indirect=True)
def test_parts(make_practice: MakePractice) -> None:
    """What is selected is loaded; `--limit` brings at most so many rows, removes nothing, and is made whole later."""
    clinic = make_practice(0.02, only=CHANGING)
    clinic.prepared()
    clinic.choose(
        {
            name: {"extraction_strategy": strategy}
            for name, strategy in zip(("patient", "commlog", TABLE), STRATEGIES[1:], strict=True)
        }
    )
    levels = {each["table"]: each["importance"] for each in clinic.document("plan")["tables"]}
    critical = {name for name, level in levels.items() if level == "critical"}
    assert critical > {"patient", TABLE}
    loads = clinic.loaded(
        *("--limit", "10", "--select", "importance:critical", "--select", "def*", "--exclude", "pat*")
    )
    assert {name for name in critical if not name.startswith("pat")} | {"definition"} == set(loads)
    rows = {name: clinic.source.value(f"select count(*) from `{name}`") for name in loads}
    there = clinic.warehouse.rows("select tablename from pg_tables where schemaname = 'raw'")
    assert {name: min(10, rows[name]) for name in loads} == {
        name: clinic.warehouse.value(f'select count(*) from raw."{name}"') for (name,) in there
    }
    clinic.loaded()
    assert 0 == sum(each["deleted"] for each in clinic.loaded("--limit", "10").values())
    let_day_pass(clinic.source.url, deletes=False)
    clinic.loaded("--limit", "10", "--select", TABLE)
    clinic.loaded()
    assert [] == all_differences(clinic.source, clinic.warehouse)
