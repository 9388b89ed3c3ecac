"""Runs over a source whose schema changed: tables that are renamed, gone or back, and a `tables.yml` that is older."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import attrs
import pytest

from etlkit.config import ColumnOverride, DriftSettings, TableChoice
from etlkit.events import TableFinished
from support.comparison import differences
from support.databases import SourceDatabase, WarehouseDatabase
from support.marts import Marts, marts_of, reading
from support.running import Running, running_of

ONE_KIND = pytest.mark.parametrize("source", ["mariadb-innodb"], indirect=True)
STALE = (
    "tables.yml is older than the source, where the definition of 1 table changed since: `t`; what changed is loaded "
    "by the drift policy; run `etlkit analyze`, so that strategy and cursor are chosen for what is there now"
)
ROWS = [("1", "1", "one"), ("2", None, None)]


@pytest.fixture
def running(source: SourceDatabase, warehouse: WarehouseDatabase) -> Iterator[Running]:
    """A deployment of one table, which is analysed and loaded."""
    source.execute(
        "CREATE TABLE t (id INT PRIMARY KEY, a SMALLINT, b VARCHAR(5), "
        "s TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP ON UPDATE CURRENT_TIMESTAMP)",
        "INSERT INTO t VALUES (1, 1, 'one', '2020-01-01'), (2, NULL, NULL, '2020-01-02')",
        "CREATE TABLE other (id INT PRIMARY KEY)",
    )
    with running_of(source, warehouse) as made:
        made.analyse()
        assert 0 == made.run()
        yield made


@pytest.fixture
def marts(running: Running) -> Iterator[Marts]:
    """Views upon the table."""
    with marts_of(running.warehouse) as made:
        made.build()
        yield made


def errors(running: Running) -> dict[str, str | None]:
    """What the last run told of each table."""
    return {each.table: each.error for each in running.events if isinstance(each, TableFinished)}


def said(caplog: pytest.LogCaptureFixture) -> list[str]:
    """What was logged since the last time, but for what is not ours."""
    words = [each.getMessage() for each in caplog.records if each.levelno >= logging.WARNING]
    caplog.clear()
    return words


@pytest.mark.parametrize(
    ("source", "analysed"), [("mariadb-innodb", True), ("mysql56", False)], indirect=["source"]
)
def test_a_renamed_table(
    running: Running, marts: Marts, caplog: pytest.LogCaptureFixture, analysed: bool
) -> None:
    """It is told from a new one, whatever tables.yml says; allowed, it is renamed there, and nothing is read again."""
    running.source.execute("RENAME TABLE t TO patient")
    if analysed:
        running.analyse()
    name = "patient" if analysed else "t"
    caplog.clear()
    assert 5 == running.run()
    words = (
        "table `t` looks renamed to `patient` in the source: the definition is the same, and it has about as many rows "
        "(2; `raw.t` has 2); the rows of `raw.t` are as they were.\nWays on:\n"
        f"  `etlkit run --allow-drift --select {name}` renames `raw.t` to `patient`, with its rows, grants and "
        "history, and goes on loading it; views follow\n"
        "  `drift: {rename: keep}` in etlkit.yml loads `patient` as a new table, once `etlkit analyze` found it, and "
        "keeps `raw.t` as it is, marked"
    )
    assert {"other": None, name: words} == errors(running)
    assert words in said(caplog)
    assert [] == running.warehouse.rows("SELECT * FROM etlkit.kept")

    facts = [each[:3] for each in marts.facts()]
    oid = running.warehouse.value("SELECT 'raw.t'::regclass::oid")
    running.source.execute("INSERT INTO patient VALUES (3, 3, 'three', '2025-01-01')")
    with reading(marts) as reader:
        assert 0 == running.run(allow_drift=True, select=(name,))
    assert {"patient": None} == errors(running)
    assert (
        "table `t` is called `patient` in the source now: `raw.t` was renamed to `patient`, and views follow; run "
        "`etlkit analyze`, which writes the new name into tables.yml"
    ) in said(caplog)
    assert (facts, oid) == (
        [each[:3] for each in marts.facts()],
        running.warehouse.value("SELECT 'raw.patient'::regclass::oid"),
    )
    assert ([], [ROWS, [*ROWS, ("3", "3", "three")]]) == (reader.errors, reader.seen)
    assert [] == differences(running.source, running.warehouse, "patient")
    assert [("other", None), ("patient", 2)] == running.warehouse.rows(
        "SELECT table_name, CASE table_name WHEN 'patient' THEN generation END FROM etlkit.table_state ORDER BY 1"
    )
    running.analyse()
    said(caplog)
    assert (0, []) == (running.run(), said(caplog))


@ONE_KIND
def test_a_renamed_table_that_is_kept(running: Running, marts: Marts) -> None:
    """With `rename: keep` the old table stays, marked, and the new one is loaded beside it; so do two that fit."""
    running.change(drift=DriftSettings(rename="keep"))
    running.source.execute("RENAME TABLE t TO patient")
    running.analyse()
    assert 0 == running.run()
    assert ROWS == marts.read()
    assert [] == differences(running.source, running.warehouse, "patient")
    assert [("t", "", "gone")] == running.warehouse.rows(
        "SELECT table_name, column_name, reason FROM etlkit.kept"
    )
    running.change(drift=DriftSettings())
    running.source.execute("CREATE TABLE p2 LIKE patient", "RENAME TABLE patient TO p1")
    running.analyse()
    assert 0 == running.run()
    assert {"t", "patient"} == {
        name for (name,) in running.warehouse.rows("SELECT table_name FROM etlkit.kept")
    }


@pytest.mark.parametrize("source", ["mariadb-myisam"], indirect=True)
def test_a_table_that_is_gone(running: Running, marts: Marts, caplog: pytest.LogCaptureFixture) -> None:
    """It stays, with its comment and a mark behind that, and the mark goes when the table is back, proven or not."""
    running.warehouse.execute("COMMENT ON TABLE raw.t IS 'patients'")
    comment = "SELECT obj_description('raw.t'::regclass, 'pg_class')"
    running.source.execute("CREATE TABLE aside LIKE t", "INSERT INTO aside SELECT * FROM t", "DROP TABLE t")
    running.source.execute("ALTER TABLE aside ADD z INT")
    caplog.clear()
    assert 0 == running.run()
    assert "table `t` is gone in the source; the warehouse keeps its last rows" in said(caplog)
    marked = running.warehouse.value(comment)
    since = running.warehouse.value(
        "SELECT to_char(since AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI') FROM etlkit.kept WHERE table_name = 't'"
    )
    assert f"patients [etlkit: gone in the source since {since} UTC]" == marked
    assert ROWS == marts.read()
    # Also where tables.yml does not name it any more; the mark is made once.
    running.analyse()
    assert (0, marked) == (running.run(), running.warehouse.value(comment))
    running.source.execute("ALTER TABLE aside DROP z", "RENAME TABLE aside TO t")
    running.analyse()
    assert (0, "patients") == (running.run(), running.warehouse.value(comment))
    assert [("aside",)] == running.warehouse.rows("SELECT table_name FROM etlkit.kept")


@ONE_KIND
def test_tables_yml_is_older(running: Running, marts: Marts, caplog: pytest.LogCaptureFixture) -> None:
    """A run says so once, with what to do, and loads what the policy allows; a new analysis ends it."""
    running.source.execute("ALTER TABLE t ADD d INT NOT NULL DEFAULT 7, MODIFY a INT")
    caplog.clear()
    assert (0, [STALE]) == (running.run(), said(caplog))
    assert [] == differences(running.source, running.warehouse, "t")
    running.analyse()
    assert (0, []) == (running.run(), said(caplog))
    assert ROWS == marts.read()


@pytest.mark.parametrize("source", ["mariadb-myisam"], indirect=True)
def test_what_tables_yml_says_of_columns_that_are_gone(
    running: Running, caplog: pytest.LogCaptureFixture
) -> None:
    """A cursor and overrides that are gone are passed over; a person's where the warehouse has the column."""
    found = running.deployment.settings.analyzed
    changed = attrs.evolve(
        found["t"],
        extraction_strategy="incremental",
        incremental_column="s",
        column_overrides={"b": ColumnOverride(policy="fail")},
    )
    running.change(
        analyzed={**found, "t": changed},
        tables={"t": TableChoice(column_overrides={"a": ColumnOverride(pg_type="smallint")})},
    )
    running.source.execute("ALTER TABLE t DROP s, DROP b, DROP a, ADD c INT")
    caplog.clear()
    assert (0, [STALE], {"other": None, "t": None}) == (running.run(), said(caplog), errors(running))
    assert [] == differences(running.source, running.warehouse, "t")
    running.change(tables={"t": TableChoice(column_overrides={"nothing": ColumnOverride(pg_type="text")})})
    running.run()
    assert (
        "`tables.t.column_overrides` names the column `nothing`, which the table does not have; known: `c`, `id`"
    ) == errors(running)["t"]


@ONE_KIND
def test_a_key_that_is_gone(running: Running) -> None:
    """A table whose strategy needs a key, and that lost it, is loaded by one that needs none, once that is allowed."""
    found = running.deployment.settings.analyzed
    running.change(
        analyzed={
            **found,
            "t": attrs.evolve(found["t"], extraction_strategy="incremental", incremental_column="s"),
        }
    )
    assert 0 == running.run()
    running.source.execute("ALTER TABLE t DROP PRIMARY KEY", "INSERT INTO t SELECT * FROM t")
    assert 5 == running.run()
    assert 0 == running.run(allow_drift=True)
    assert [] == differences(running.source, running.warehouse, "t")
