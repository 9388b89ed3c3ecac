"""One row that PostgreSQL cannot hold, first, in the middle, or last: refused or quarantined, and the counts add up."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal

import attrs
import pytest

from etlkit import TableFinished
from etlkit.config import ColumnOverride
from support.databases import SourceDatabase, WarehouseDatabase
from support.scene import ROWS, Scene, scene_of

# Each place on another kind of source, and by one commit as well as by one for each chunk.
PLACES = pytest.mark.parametrize(
    ("source", "row"),
    [("mariadb-innodb", 1), ("mariadb-myisam", ROWS // 2), ("mysql56", ROWS)],
    indirect=["source"],
    ids=["first", "in the middle", "last"],
)
STRATEGIES = pytest.mark.parametrize("strategy", ["full_table", "chunked_incremental"])


@contextmanager
def bad_row(
    source: SourceDatabase,
    warehouse: WarehouseDatabase,
    row: int,
    strategy: str,
    policy: Literal["fail", "quarantine"],
) -> Iterator[Scene]:
    """Make a deployment in which one row's text holds a NUL character, and say what becomes of such texts."""
    with scene_of(
        source,
        warehouse,
        strategy=strategy,
        prepare=[f"update patient set Note = concat(Note, char(0)) where PatNum = {row}"],
    ) as scene:
        tables = scene.running.deployment.settings.tables
        patient = tables["patient"]
        overrides = {**patient.column_overrides, "Note": ColumnOverride(policy=policy)}
        scene.running.change(tables={**tables, "patient": attrs.evolve(patient, column_overrides=overrides)})
        yield scene


def outcome(scene: Scene) -> TableFinished:
    """What the last run told of the table."""
    (found,) = (
        each for each in scene.running.events if isinstance(each, TableFinished) and each.table == "patient"
    )
    return found


@PLACES
@STRATEGIES
def test_refused_whole(source: SourceDatabase, warehouse: WarehouseDatabase, row: int, strategy: str) -> None:
    """Wherever the row stands, nothing of the table arrives, one value is counted, and mending it is all it takes."""
    with bad_row(source, warehouse, row, strategy, "fail") as scene:
        with scene.watched():
            ended = scene.ends(scene.running.run)
        words = (
            "text with a NUL character, which PostgreSQL cannot hold: patient.Note (1 of the values read); nothing was "
            "written; mend the source, or choose another `policy` for the column in `column_overrides`"
        )
        assert (3, {"patient": words}) == ended
        assert (("Note", "nul_character", 1, "fail"),) == outcome(scene).losses
        assert [] == scene.rows()
        assert 1 == warehouse.value("select count(*) from etlkit.table_loads where error is not null")
        source.execute(f"update patient set Note = '' where PatNum = {row}")
        scene.recovers()


@PLACES
@STRATEGIES
def test_quarantined(source: SourceDatabase, warehouse: WarehouseDatabase, row: int, strategy: str) -> None:
    """Wherever the row stands, every row arrives, this one without its value, which is counted and listed by key."""
    with bad_row(source, warehouse, row, strategy, "quarantine") as scene:
        with scene.watched():
            assert (0, {}) == scene.ends(scene.running.run)
        done = outcome(scene)
        assert (ROWS, ROWS, 0, 0, 0) == (done.read, done.inserted, done.updated, done.deleted, done.unchanged)
        assert (("Note", "nul_character", 1, "quarantine"),) == done.losses
        assert [(ROWS, ROWS - 1)] == warehouse.rows('select count(*), count("Note") from raw.patient')
        assert [("Note", f'["{row}"]')] == warehouse.rows("select column_name, key from etlkit.quarantine")
        source.execute(f"update patient set Note = '' where PatNum = {row}")
        scene.recovers(recovered=True)
        assert [] == warehouse.rows("select 1 from etlkit.quarantine")
