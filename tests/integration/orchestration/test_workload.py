"""Whatever a practice does to its tables, `etlkit run` as it comes, without any choice, ends equal every time."""

from __future__ import annotations

from pathlib import Path

import pytest

from support.clinic import Clinic
from support.comparison import all_differences
from support.databases import SourceDatabase, WarehouseDatabase
from support.workload import SERVER_STAMP, Workload

ROUNDS = 20
MADE = {
    "full_table": ("numbered_small", "random_keys_small", "by_text_small", "by_two_small", "keyless_small"),
    "incremental": ("numbered_followed", "random_keys_followed", "by_text_followed", "by_two_followed"),
    "reconcile": ("random_keys_large", "by_two_large"),
}
"""By the strategy that `etlkit analyze` chooses, the tables."""


@pytest.mark.parametrize("seed", [23])
def test_equal_after_every_run(
    tmp_path: Path, source: SourceDatabase, warehouse: WarehouseDatabase, seed: int
) -> None:
    """Edits that leave the cursor alone, back-dated rows, changed keys, deletes, ties, late commits: 20 rounds."""
    work = Workload(source, seed)
    for strategy, tables in MADE.items():
        for table in tables:
            followed, large = strategy == "incremental", strategy == "reconcile"
            stamp = {"stamp": SERVER_STAMP} if followed else {}
            work.create(table, rows=400, width=28_000 if large else 3_500 if followed else 0, **stamp)
            source.rows(f"ANALYZE TABLE {table}")
    clinic = Clinic(folder=tmp_path / "north", source=source, warehouse=warehouse)
    clinic.prepared()
    everything = {table for tables in MADE.values() for table in tables}
    assert MADE == {
        strategy: tuple(name for name in names if entry[name] == strategy)
        for entry in [{each["table"]: each["strategy"] for each in clinic.document("plan")["tables"]}]
        for strategy, names in MADE.items()
    }
    for number in range(ROUNDS):
        changed = work.random.sample(sorted(everything), 6)
        for table in changed:
            for _ in range(work.random.randrange(5)):
                source.execute(work.change(table))
        with source.engine.connect() as late:
            # Stamped now, and on InnoDB seen by nobody before the run has ended.
            if number % 3 == 0:
                late.exec_driver_sql("INSERT INTO numbered_followed (fee) VALUES (0.5)")
            outcomes = clinic.loaded()
            assert [] == all_differences(source, warehouse), (seed, number)
            late.commit()
        assert everything == set(outcomes)
        if number > 1:
            assert {each["verified"] for each in outcomes.values()} <= {"equal", "equal after repair"}, number
            # Without a key, texts could move between columns and rows; such a table is read every time.
            untouched = everything.difference(changed, ["numbered_followed", "keyless_small"])
            assert {(0, "equal")} == {
                (outcomes[each]["read"], outcomes[each]["verified"]) for each in untouched
            }
