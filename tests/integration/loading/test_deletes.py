"""What becomes of rows that are gone in the source is a choice per table: removed, marked, or left as they are."""

from __future__ import annotations

from random import Random
from typing import Any, Literal

import attrs
import pytest

from etlkit.config import TableChoice
from etlkit.contracts import Commit, Write
from etlkit.errors import ConfigurationError, DeletesRefused
from etlkit.events import TableFinished
from etlkit.wording import counted
from support.comparison import differences
from support.loading import Loading
from support.verifying import verified_one

ONE_KIND = pytest.mark.parametrize("source", ["mariadb-innodb"], indirect=True)
STRATEGIES = ["full_table", "reconcile"]

Choice = Literal["hard", "tombstone", "ignore"]
Said = tuple[int, int, int, str]
"""Rows inserted, updated and deleted, and what is said of the table."""


@attrs.frozen(kw_only=True)
class Table:
    """A table `t` with the keys 1 to 9, loaded by a strategy that finds deletes."""

    loading: Loading
    strategy: str

    def choose(self, deletes: Choice | None, **more: Any) -> None:
        """Write the choice into etlkit.yml."""
        choice = TableChoice(extraction_strategy=self.strategy, deletes=deletes, **more)
        self.loading.choose(t=choice)

    def load(self, **options: Any) -> Said:
        """Load it, and tell what came of it."""
        return said(self.loading.loader().load_table("t", **options))

    def change(self, *statements: str) -> None:
        """Change the source."""
        self.loading.source.execute(*statements)

    def marked(self) -> list[int]:
        """The keys of the rows that are marked."""
        found = self.loading.warehouse.rows(
            "SELECT id FROM raw.t WHERE _etlkit_deleted_at IS NOT NULL ORDER BY 1"
        )
        return [key for (key,) in found]

    def keys(self) -> list[int]:
        """The keys of all rows in the warehouse."""
        return [key for (key,) in self.loading.warehouse.rows("SELECT id FROM raw.t ORDER BY 1")]

    def columns(self) -> list[str]:
        """The table's columns in the warehouse."""
        found = self.loading.warehouse.rows(
            "SELECT attname FROM pg_attribute WHERE attrelid = 'raw.t'::regclass AND attnum > 0 ORDER BY attnum"
        )
        return [name for (name,) in found]

    def unequal(self) -> list[str]:
        """The differences between the source and the rows that are not marked, by an independent comparison."""
        self.loading.warehouse.execute(
            "CREATE SCHEMA IF NOT EXISTS living",
            "CREATE OR REPLACE VIEW living.t AS SELECT id, v FROM raw.t WHERE _etlkit_deleted_at IS NULL",
        )
        return differences(self.loading.source, self.loading.warehouse, "t", target_schema="living")


def said(outcome: TableFinished) -> Said:
    """What a test compares of an outcome."""
    return outcome.inserted, outcome.updated, outcome.deleted, outcome.verified


def made(loading: Loading, strategy: str, deletes: Choice | None = None) -> Table:
    """Make and load the table."""
    loading.source.execute(
        "CREATE TABLE t (id INT PRIMARY KEY, v VARCHAR(20))",
        "INSERT INTO t VALUES " + ", ".join(f"({n}, 'v{n}')" for n in range(1, 10)),
    )
    table = Table(loading=loading, strategy=strategy)
    table.choose(deletes)
    assert (9, 0, 0, "not checked: first load") == table.load()
    return table


@pytest.fixture(params=STRATEGIES)
def table(loading: Loading, request: pytest.FixtureRequest) -> Table:
    """The table, by each strategy, before anything was chosen."""
    return made(loading, request.param)


@pytest.fixture(params=STRATEGIES)
def marking(loading: Loading, request: pytest.FixtureRequest) -> Table:
    """The table, by each strategy, from the beginning with tombstones."""
    return made(loading, request.param, "tombstone")


def test_a_row_is_marked_once(marking: Table) -> None:
    """A row that is gone stays as it was, with the time of the load that missed it; later loads pass it over."""
    loading = marking.loading
    assert ["_etlkit_deleted_at"] == marking.columns()[-1:]
    assert [] == marking.marked()
    marking.change("DELETE FROM t WHERE id IN (2, 9)")
    assert (0, 0, 2, "equal after repair") == marking.load()
    assert [2, 9] == marking.marked()
    assert [("v2", True)] == loading.warehouse.rows(
        "SELECT v, _etlkit_deleted_at = (SELECT loaded_at FROM etlkit.table_state) FROM raw.t WHERE id = 2"
    )
    before = loading.versions()
    assert (0, 0, 0, "equal") == marking.load()
    assert before == loading.versions()
    assert [] == marking.unequal()
    assert loading.loader().verify_load("t")


def test_a_row_that_comes_back(marking: Table) -> None:
    """It loses its mark in place, changed or not, and counts as inserted."""
    marking.change("DELETE FROM t WHERE id IN (1, 5, 9)")
    marking.load()
    marking.change(
        "INSERT INTO t VALUES (1, 'v1'), (5, 'changed'), (10, 'new')", "DELETE FROM t WHERE id = 2"
    )
    assert (3, 0, 1, "equal after repair") == marking.load()
    assert [2, 9] == marking.marked()
    assert [] == marking.unequal()
    assert (0, 0, 0, "equal") == marking.load()
    marking.change("DELETE FROM t WHERE id = 5")
    assert (0, 0, 1, "equal after repair") == marking.load()
    assert [2, 5, 9] == marking.marked()


@ONE_KIND
def test_edits_beside_marked_rows(marking: Table) -> None:
    """Rows that are there are compared and mended as ever, and a full refresh writes nothing."""
    marking.change("DELETE FROM t WHERE id = 4")
    marking.load()
    marking.change("UPDATE t SET v = NULL WHERE id = 5")
    assert (0, 1, 0, "equal after repair") == marking.load()
    assert (0, 0, 0, "equal") == marking.load(force_full=True)
    assert [4] == marking.marked()


def test_rows_that_are_left_as_they_are(table: Table) -> None:
    """They are neither removed nor marked, and what is said of the table tells how many they are."""
    table.choose("ignore")
    assert (0, 0, 0, "equal") == table.load()
    table.change("DELETE FROM t WHERE id IN (2, 9)", "UPDATE t SET v = 'x' WHERE id = 3")
    assert (0, 1, 0, "equal after repair but for 2 rows kept") == table.load()
    before = table.loading.versions()
    assert (0, 0, 0, "equal but for 2 rows kept") == table.load()
    assert before == table.loading.versions()
    assert "_etlkit_deleted_at" not in table.columns()
    table.change("INSERT INTO t VALUES (2, 'again'), (10, 'new')")
    assert (1, 1, 0, "equal after repair but for 1 row kept") == table.load()
    assert list(range(1, 11)) == table.keys()


@ONE_KIND
@pytest.mark.parametrize("deletes", [None, "hard"])
def test_rows_are_removed_by_default(table: Table, deletes: Choice | None) -> None:
    """Without a choice, and by `hard`."""
    table.choose(deletes)
    table.change("DELETE FROM t WHERE id = 2")
    assert (0, 0, 1, "equal after repair") == table.load()
    assert [1, 3, 4, 5, 6, 7, 8, 9] == table.keys()
    assert "_etlkit_deleted_at" not in table.columns()


@ONE_KIND
@pytest.mark.parametrize(
    "change", ["DELETE FROM t WHERE id = 2", "UPDATE t SET v = 'x' WHERE id = 2", "DO 1"]
)
def test_switching_tombstones_on(table: Table, change: str) -> None:
    """The load adds the column, whatever the drift policy says of new ones, and reads nothing twice."""
    table.loading.choose(drift={"add_column": "refuse", "drop_column": "refuse"})
    table.choose("tombstone")
    table.change(change)
    inserted, updated, deleted, _ = table.load()
    assert (0, int("UPDATE" in change), int("DELETE" in change)) == (inserted, updated, deleted)
    assert ["_etlkit_deleted_at"] == table.columns()[-1:]
    assert [] == table.unequal()
    assert (0, 0, 0, "equal") == table.load()


@ONE_KIND
def test_switching_back_to_removing(marking: Table) -> None:
    """Marked rows are removed, the column stays, and a row that had come back is there without a mark."""
    marking.change("DELETE FROM t WHERE id IN (2, 3)")
    marking.load()
    marking.loading.choose(drift={"drop_column": "refuse"})
    marking.choose("hard")
    marking.change("INSERT INTO t VALUES (3, 'v3')", "DELETE FROM t WHERE id = 4")
    assert (1, 0, 3, "equal after repair") == marking.load()
    assert [1, 3, 5, 6, 7, 8, 9] == marking.keys()
    assert [] == marking.marked()
    assert (0, 0, 0, "equal") == marking.load()
    marking.choose("tombstone")
    marking.change("DELETE FROM t WHERE id = 5")
    assert (0, 0, 1, "equal after repair") == marking.load()
    assert [5] == marking.marked()


@ONE_KIND
def test_switching_to_leaving_rows_as_they_are(marking: Table) -> None:
    """Marked rows stay marked until they come back; further ones are not marked."""
    marking.change("DELETE FROM t WHERE id IN (2, 3)")
    marking.load()
    marking.choose("ignore")
    marking.change("INSERT INTO t VALUES (3, 'v3')", "DELETE FROM t WHERE id = 4")
    assert (1, 0, 0, "equal after repair but for 1 row kept") == marking.load()
    assert list(range(1, 10)) == marking.keys()
    assert [2] == marking.marked()
    assert (0, 0, 0, "equal but for 1 row kept") == marking.load()


@ONE_KIND
def test_the_brake_counts_marks(marking: Table) -> None:
    """A load that would mark most of the rows is stopped, since it is no different from one that removes them."""
    marking.change(
        "INSERT INTO t SELECT a.id * 1000 + b.id * 10, 'more' FROM t a CROSS JOIN t b",
        "INSERT INTO t SELECT id + 1, 'more' FROM t WHERE id > 1000",
    )
    marking.load()
    before = marking.keys()
    marking.change("DELETE FROM t WHERE id > 2000")
    with pytest.raises(DeletesRefused):
        marking.load()
    assert [] == marking.marked()
    marking.choose("tombstone", max_deleted_share=1)
    assert len(before) - 27 == marking.load()[2]
    assert before == marking.keys()
    # Rows that are marked are no part of the rows of which a share may go.
    marking.choose("tombstone")
    marking.change("DELETE FROM t WHERE id < 9")
    assert (0, 0, 8, "equal after repair") == marking.load()


@ONE_KIND
@pytest.mark.parametrize(
    ("deletes", "deleted", "word"),
    [("tombstone", 9, "equal after repair"), ("ignore", 0, "equal but for 9 rows kept")],
)
def test_an_emptied_source(table: Table, deletes: Choice, deleted: int, word: str) -> None:
    """All rows stay, marked or not; and the next load says the same without writing."""
    table.choose(deletes)
    table.load()
    table.change("DELETE FROM t")
    assert (0, 0, deleted, word) == table.load()
    assert list(range(1, 10)) == table.keys()
    assert (0, 0, 0, word.replace(" after repair", "")) == table.load()


@ONE_KIND
@pytest.mark.parametrize(
    "way", [{"deep": False}, {"deep": True}, {"sample": 3}], ids=["digests", "deep", "sample"]
)
def test_marked_rows_are_verified_as_if_they_were_not_there(table: Table, way: dict[str, Any]) -> None:
    """The table is equal with marked rows, and a mark at the wrong row is a difference."""
    table.choose("tombstone")
    # Chosen, but no load added the column yet.
    assert "equal" == verified_one(table.loading, **way).verified
    table.change("DELETE FROM t WHERE id IN (2, 9)")
    table.load()
    found = verified_one(table.loading, **way)
    assert ("equal", 7, {}) == (found.verified, found.rows, dict(found.not_compared))
    table.loading.warehouse.execute("UPDATE raw.t SET _etlkit_deleted_at = now() WHERE id = 5")
    found = verified_one(table.loading, **way)
    assert (1, 0, 0) == (found.missing_in_warehouse, found.missing_in_source, found.different)
    # A mark that somebody took away in the warehouse is set again, one that somebody set goes.
    table.loading.warehouse.execute("UPDATE raw.t SET _etlkit_deleted_at = NULL WHERE id = 9")
    assert (1, 0, 1, "equal after repair") == table.load()
    assert [2, 9] == table.marked()
    table.choose("hard")
    assert "equal" == verified_one(table.loading, **way).verified


@ONE_KIND
def test_views_stay(table: Table) -> None:
    """A view upon the table survives the switch, and does not see the new column."""
    table.loading.warehouse.execute("CREATE VIEW raw.seen AS SELECT * FROM raw.t")
    table.choose("tombstone")
    table.change("DELETE FROM t WHERE id = 2")
    table.load()
    shown = table.loading.warehouse.rows("SELECT * FROM raw.seen WHERE id = 2")
    assert [("v2",)] == [row[1:2] for row in shown]
    assert "_etlkit_deleted_at" in table.columns()


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_a_key_of_text(loading: Loading, strategy: str) -> None:
    """Where a range of the source is none in the warehouse, tombstones and kept rows work as everywhere."""
    loading.source.execute(
        "CREATE TABLE t (k VARCHAR(20) CHARACTER SET latin1, n INT, v TEXT, PRIMARY KEY (k, n))",
        "INSERT INTO t VALUES ('a', 1, 'x'), ('B', 1, ''), ('b ', 2, NULL), ('ä', 1, 'y'), ('z', 1, 'z')",
    )

    def load() -> Said:
        return said(loading.loader().load_table("t"))

    loading.choose(t=TableChoice(extraction_strategy=strategy, deletes="tombstone"))
    load()
    loading.source.execute("DELETE FROM t WHERE k IN ('b', 'ä', 'z')")
    assert (0, 0, 4, "equal after repair") == load()
    assert [("a", None)] == [row for row in loading.there("k, _etlkit_deleted_at") if row[1] is None]
    assert (0, 0, 0, "equal") == load()
    loading.source.execute("INSERT INTO t VALUES ('z', 1, 'Z')")
    assert (1, 0, 0, "equal after repair") == load()
    loading.choose(t=TableChoice(extraction_strategy=strategy, deletes="ignore"))
    loading.source.execute("DELETE FROM t WHERE k = 'z'")
    assert (0, 0, 0, "equal but for 1 row kept") == load()


@pytest.mark.parametrize("write", [Write.REPLACE, Write.MERGE, Write.APPEND])
def test_a_load_per_chunk(loading: Loading, write: Write) -> None:
    """A chunked load makes the column with the table, and takes marks away however it writes."""
    loading.source.execute(
        "CREATE TABLE t (id INT PRIMARY KEY, v VARCHAR(20))",
        "INSERT INTO t VALUES (1, 'a'), (2, 'b'), (3, 'c')",
    )
    table = Table(loading=loading, strategy="full_table")
    table.choose("tombstone")
    assert (3, 3, 0, 0, 0) == loading.load("t", commit=Commit.PER_CHUNK)
    assert ["id", "v", "_etlkit_deleted_at"] == table.columns()
    table.change("DELETE FROM t WHERE id = 2")
    assert (2, 0, 0, 1, 2) == loading.load("t", commit=Commit.PER_CHUNK)
    assert [2] == table.marked()
    table.change("INSERT INTO t VALUES (2, 'B')", "DELETE FROM t WHERE id = 3")
    found = loading.load("t", commit=Commit.PER_CHUNK, write=write)
    assert (2, 1, 0, int(write is Write.REPLACE), 1) == found
    assert ([3] if write is Write.REPLACE else []) == table.marked()
    assert [(2, "B")] == loading.there("id, v")[1:2]


@ONE_KIND
def test_default_privileges_and_a_load_per_chunk(loading: Loading) -> None:
    """Where a staged table may not become the target, the copy has the column as well."""
    loading.warehouse.execute("ALTER DEFAULT PRIVILEGES IN SCHEMA raw GRANT SELECT ON TABLES TO PUBLIC")
    loading.source.execute("CREATE TABLE t (id INT PRIMARY KEY)", "INSERT INTO t VALUES (1)")
    loading.choose(t=TableChoice(deletes="tombstone"))
    assert (1, 1, 0, 0, 0) == loading.load("t", commit=Commit.PER_CHUNK)
    assert [(1, None)] == loading.there()


def test_a_cursor_brings_rows_back(loading: Loading) -> None:
    """A row that a reconcile marked, and that the cursor shows again, loses its mark."""
    loading.source.execute(
        "CREATE TABLE t (id INT PRIMARY KEY, v VARCHAR(9), s TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP, KEY (s))",
        "INSERT INTO t (id, v) VALUES (1, 'a'), (2, 'b'), (3, 'c')",
    )
    loading.choose(
        t=TableChoice(
            extraction_strategy="incremental", incremental_column="s", reconcile="weekly", deletes="tombstone"
        )
    )
    loading.loader().load_table("t")
    loading.source.execute("DELETE FROM t WHERE id = 2")
    reconciling = attrs.evolve(loading.loader(), reconcile=True)
    assert (0, 0, 1, "equal after repair") == said(reconciling.load_table("t"))
    loading.source.execute("INSERT INTO t (id, v) VALUES (2, 'B')")
    inserted, updated, deleted, _ = said(loading.loader().load_table("t"))
    assert (1, 0, 0) == (inserted, updated, deleted)
    assert [(2, "B", None)] == loading.there("id, v, _etlkit_deleted_at")[1:2]


@ONE_KIND
def test_a_table_that_is_all_key(loading: Loading) -> None:
    """Rows without other columns are marked and come back as well."""
    loading.source.execute("CREATE TABLE t (id INT PRIMARY KEY)", "INSERT INTO t VALUES (1), (2)")
    table = Table(loading=loading, strategy="full_table")
    table.choose("tombstone")
    table.load()
    table.change("DELETE FROM t WHERE id = 1")
    assert (0, 0, 1, "equal after repair") == table.load()
    table.change("INSERT INTO t VALUES (1)")
    assert (1, 0, 0, "equal after repair") == table.load()
    assert [] == table.marked()


@ONE_KIND
@pytest.mark.parametrize("deletes", ["tombstone", "ignore"])
def test_a_limited_load_changes_no_mark_but_those_of_its_rows(loading: Loading, deletes: Choice) -> None:
    """`--limit` removes and marks nothing."""
    table = made(loading, "full_table", deletes)
    table.change("DELETE FROM t WHERE id IN (1, 9)")
    assert (0, 0, 0, "not checked: a part") == table.load(limit=3)
    assert list(range(1, 10)) == table.keys()


@ONE_KIND
@pytest.mark.parametrize("deletes", ["tombstone", "ignore"])
def test_a_table_without_a_key(loading: Loading, deletes: Choice) -> None:
    """Nothing tells which of its rows are gone, so only `hard` can be meant."""
    loading.source.execute("CREATE TABLE t (id INT)", "INSERT INTO t VALUES (1)")
    loading.choose(t=TableChoice(deletes=deletes))
    with pytest.raises(ConfigurationError) as caught:
        loading.loader().load_table("t")
    assert (
        f"`tables.t.deletes` is `{deletes}`, but the table has no primary key: without a primary key nothing tells "
        "which rows are gone, so a table is only kept equal as a whole; leave it out, or give the table a primary key "
        "in the source"
    ) == str(caught.value)
    loading.choose(t=TableChoice(deletes="hard"))
    assert (1, 0, 0, "not checked: first load") == said(loading.loader().load_table("t"))


@attrs.define
class _Stored:
    """A row of the warehouse, as it ought to be."""

    value: int
    marked: bool = False


@ONE_KIND
@pytest.mark.parametrize("strategy", STRATEGIES)
def test_a_random_workload(loading: Loading, strategy: str) -> None:
    """Whatever comes, goes, changes and returns, and whichever choice is made in between, rows and counts are right."""
    random = Random(strategy)  # noqa: S311 - a test's workload, the same each time
    loading.source.execute("CREATE TABLE t (id INT PRIMARY KEY, v INT)")
    table = Table(loading=loading, strategy=strategy)
    source: dict[int, int] = {}
    stored: dict[int, _Stored] = {}
    for number in range(24):
        choice = random.choice(["hard", "tombstone", "tombstone", "tombstone", "ignore", "ignore"])
        gone = [key for key in source if random.random() < 0.3]
        source = {key: value for key, value in source.items() if key not in gone}
        source |= {random.randrange(40): random.randrange(3) for _ in range(random.randrange(12))}
        values = ", ".join(f"({key}, {value})" for key, value in source.items())
        table.change("DELETE FROM t", *([f"INSERT INTO t VALUES {values}"] if source else []))
        table.choose(choice, max_deleted_share=1)
        expected = _loaded(source, stored, choice)
        found = table.load()
        assert expected == found if number else expected[:3] == found[:3], f"round {number}: {choice}"
        has_marks = "_etlkit_deleted_at" in table.columns()
        mark = "_etlkit_deleted_at IS NOT NULL" if has_marks else "false"
        assert {key: (each.value, each.marked) for key, each in stored.items()} == {
            key: tuple(rest) for key, *rest in loading.there(f"id, v, {mark}")
        }, f"round {number}: {choice}"


def _loaded(source: dict[int, int], stored: dict[int, _Stored], choice: Choice) -> Said:
    """Do to a model what a load ought to do; gives what it ought to say."""
    deleted = kept = inserted = updated = 0
    for key, row in list(stored.items()):
        if choice == "hard" and (row.marked or key not in source):
            del stored[key]
            deleted += 1
        elif key not in source and not row.marked:
            row.marked = choice == "tombstone"
            deleted += row.marked
            kept += not row.marked
    for key, value in source.items():
        row_there = stored.get(key)
        if row_there is None or row_there.marked:
            inserted += 1
        elif row_there.value != value:
            updated += 1
        stored[key] = _Stored(value)
    word = "equal after repair" if inserted or updated or deleted else "equal"
    return inserted, updated, deleted, f"{word} but for {counted(kept, 'row')} kept" if kept else word
