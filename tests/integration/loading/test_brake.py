"""A source that was emptied or half emptied takes nothing away in the warehouse before a person agrees."""

from __future__ import annotations

import attrs
import pytest

from etlkit.config import RunSettings, TableChoice
from etlkit.contracts import Commit
from etlkit.errors import DeletesRefused
from support.loading import Loading, counts

ONE_KIND = pytest.mark.parametrize("source", ["mariadb-innodb"], indirect=True)
ROWS = ", ".join(f"({number}, {number % 7})" for number in range(200))


@pytest.fixture
def filled(loading: Loading) -> Loading:
    """A deployment with a table of 200 rows with key and one without, loaded."""
    loading.source.execute(
        "CREATE TABLE t (id INT PRIMARY KEY, v INT)",
        "CREATE TABLE nokey (id INT, v INT)",
        f"INSERT INTO t VALUES {ROWS}",
        f"INSERT INTO nokey VALUES {ROWS}",
    )
    for table in ("t", "nokey"):
        loading.loader().load_table(table)
    return loading


def refused(loading: Loading, table: str) -> str:
    """Load in vain, give the message, and make sure that rows and state are as they were."""
    before = loading.there(table=table), loading.warehouse.rows("SELECT * FROM etlkit.table_state ORDER BY 2")
    with pytest.raises(DeletesRefused) as caught:
        loading.loader().load_table(table)
    after = loading.there(table=table), loading.warehouse.rows("SELECT * FROM etlkit.table_state ORDER BY 2")
    assert before == after
    return str(caught.value)


@pytest.mark.parametrize("table", ["t", "nokey"])
@pytest.mark.parametrize(
    ("change", "gone"), [("TRUNCATE {}", 200), ("DELETE FROM {} WHERE id < 100", 100)], ids=["all", "half"]
)
def test_rows_are_kept(filled: Loading, table: str, change: str, gone: int) -> None:
    """A source that was emptied, or lost half of its rows, stops the load of its table, with key or without."""
    filled.source.execute(change.format(table))
    assert refused(filled, table) == (
        f"table `{table}`: {gone} of the 200 rows in the warehouse would be removed, and a load that removes a share "
        "of 0.5 or more is stopped (`max_deleted_share`): the source may have been emptied, or restored from an older "
        "copy. Nothing was changed. Mend the source and run again; or, when these rows are gone for good, run once "
        f"with `--allow-deletes --select {table}`"
    )


@ONE_KIND
def test_ways_on(filled: Loading) -> None:
    """A share of the table's own, `--allow-deletes`, or a mended source lets the load pass; a full refresh does not."""
    filled.source.execute("DELETE FROM t WHERE id < 150", "DELETE FROM nokey WHERE id < 150")
    with pytest.raises(DeletesRefused):
        filled.loader().load_table("t", force_full=True)
    allowing = attrs.evolve(filled.loader(), allow_deletes=True)
    assert (50, 0, 0, 150, 50) == counts(allowing.load_table("t"))
    filled.choose(nokey=TableChoice(max_deleted_share=0.8))
    assert (50, 50, 0, 200, 0) == counts(filled.loader().load_table("nokey"))


@ONE_KIND
def test_settings(filled: Loading) -> None:
    """`run.max_deleted_share` is for every table, and a table's own share wins over it; 0 stops every delete."""
    settings = attrs.evolve(filled.deployment.settings, run=RunSettings(max_deleted_share=0))
    filled.deployment = attrs.evolve(filled.deployment, settings=settings)
    filled.choose(nokey=TableChoice(max_deleted_share=1))
    filled.source.execute("DELETE FROM t WHERE id = 1", "DELETE FROM nokey")
    assert refused(filled, "t").startswith("table `t`: 1 of the 200 rows in the warehouse would be removed")
    assert (0, 0, 0, 200, 0) == counts(filled.loader().load_table("nokey"))


@ONE_KIND
def test_a_load_per_chunk(filled: Loading) -> None:
    """Chunks staged for a load that was stopped are dropped, so that a mended source is read again."""
    filled.source.execute("DELETE FROM t WHERE id >= 50")
    plan = filled.plan("t", commit=Commit.PER_CHUNK)
    with pytest.raises(DeletesRefused):
        filled.carry_out(plan, max_deleted_share=0.5)
    assert [] == filled.warehouse.rows("SELECT * FROM etlkit.table_resume")
    filled.source.execute(f"REPLACE INTO t VALUES {ROWS}")
    assert (200, 0, 0, 0, 200) == counts(filled.carry_out(plan, max_deleted_share=0.5))
