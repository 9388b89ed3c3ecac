"""A source table that changed its shape: carried over, left out or refused, as the policy says."""

from __future__ import annotations

import pytest

from etlkit.config import ColumnOverride, TableChoice
from etlkit.errors import DriftRefused
from support.loading import Loading

ONE_KIND = pytest.mark.parametrize("source", ["mariadb-innodb"], indirect=True)

BEGIN = (
    "table `t` changed in the source in a way that is not carried over unasked; the rows of `raw.t` are as they "
    "were:\n"
)
FLAG = "Ways on:\n  `etlkit run --allow-drift --select t` {}, and reads every row; views and grants stay\n"
END = "  renaming `raw.t` and running again loads the new shape beside it; views stay on the renamed table"


def fill(loading: Loading) -> None:
    """Make and load a table, with a view upon it."""
    loading.source.execute(
        "CREATE TABLE t (id INT PRIMARY KEY, a SMALLINT, b VARCHAR(5), c DECIMAL(6,2), f FLOAT)",
        "INSERT INTO t VALUES (1, 1, 'one', 1.25, 1.1), (2, NULL, NULL, NULL, NULL)",
    )
    loading.load("t")


def columns(loading: Loading) -> dict[str, str]:
    """The types of the warehouse's table."""
    return dict(
        loading.warehouse.rows(
            "SELECT attname, format_type(atttypid, atttypmod) FROM pg_attribute "
            "WHERE attrelid = 'raw.t'::regclass AND attnum > 0 AND NOT attisdropped ORDER BY attnum"
        )
    )


def test_new_and_wider_columns(loading: Loading) -> None:
    """New columns are added and wider types widened in place, old rows get their values, and the table stays itself."""
    fill(loading)
    identity = "SELECT 'raw.t'::regclass::oid"
    before = loading.warehouse.value(identity)
    loading.source.execute(
        "ALTER TABLE t ADD d INT NOT NULL DEFAULT 7 AFTER a, MODIFY a BIGINT, MODIFY b TEXT, MODIFY c DECIMAL(10,3), "
        "MODIFY f DOUBLE",
        "UPDATE t SET f = 1.1, a = 9223372036854775807 WHERE id = 1",
    )
    assert (2, 0, 2, 0, 0) == loading.load("t")
    assert {
        "id": "integer",
        "a": "bigint",
        "b": "text",
        "c": "numeric(10,3)",
        "f": "double precision",
        "d": "integer",
    } == columns(loading)
    assert [("(1,9223372036854775807,one,1.250,1.1,7)",), ("(2,,,,,7)",)] == loading.warehouse.rows(
        "SELECT t::text FROM raw.t ORDER BY id"
    )
    assert before == loading.warehouse.value(identity)
    assert (2, 0, 0, 0, 2) == loading.load("t")


@ONE_KIND
def test_a_new_column_re_reads_an_incremental_table(loading: Loading) -> None:
    """Rows that no cursor shows as changed get the new column's values as well."""
    loading.source.execute(
        "CREATE TABLE t (id INT PRIMARY KEY, s DATETIME)",
        "INSERT INTO t VALUES (1, '2020-01-01 00:00:00'), (2, '2024-01-01 00:00:00')",
    )
    loading.choose(t=TableChoice(extraction_strategy="incremental", incremental_column="s"))
    assert [2, 1] == [loading.load("t")[0], loading.load("t")[0]]
    loading.source.execute("ALTER TABLE t ADD n VARCHAR(3) DEFAULT 'x'")
    assert [(2, 0, 2, 0, 0), (1, 0, 0, 0, 1)] == [loading.load("t"), loading.load("t")]
    assert [("x",), ("x",)] == loading.there("n")


def test_a_new_column_that_is_ignored(loading: Loading) -> None:
    """With `add_column: ignore` the column is not even read, until the policy changes."""
    fill(loading)
    loading.choose(drift={"add_column": "ignore"})
    loading.source.execute(
        "ALTER TABLE t ADD d INT NOT NULL DEFAULT 7 FIRST", "UPDATE t SET a = 2 WHERE id = 1"
    )
    assert [["id", "a", "b", "c", "f"]] == [[each.column.name for each in loading.plan("t").rendered.columns]]
    assert [(2, 0, 1, 0, 1), (2, 0, 0, 0, 2)] == [loading.load("t"), loading.load("t")]
    assert "d" not in columns(loading)
    loading.choose(drift={"add_column": "evolve"})
    assert (2, 0, 2, 0, 0) == loading.load("t")
    assert [(7,), (7,)] == loading.there("d")


@ONE_KIND
def test_a_cursor_that_is_ignored(loading: Loading) -> None:
    """A column that is left out can still be the cursor."""
    fill(loading)
    loading.source.execute("ALTER TABLE t ADD s DATETIME DEFAULT '2024-01-01 00:00:00'")
    loading.choose(
        drift={"add_column": "ignore"},
        t=TableChoice(extraction_strategy="incremental", incremental_column="s"),
    )
    assert (2, 0, 0, 0, 2) == loading.load("t")
    assert "2024-01-01 00:00:00" == loading.warehouse.value("SELECT watermark FROM etlkit.table_state")
    loading.source.execute("UPDATE t SET a = 5, s = '2024-02-01 00:00:00' WHERE id = 1")
    assert (2, 0, 1, 0, 1) == loading.load("t")
    assert "s" not in columns(loading)


@ONE_KIND
@pytest.mark.parametrize(
    ("policy", "change", "what", "done", "setting"),
    [
        (
            {"add_column": "refuse"},
            "ADD d INT",
            "column `d`: integer, new in the source",
            "adds `d`",
            "add_column: evolve}` in etlkit.yml adds new columns",
        ),
        (
            {"widen": "refuse"},
            "MODIFY a INT",
            "column `a`: smallint in `raw.t`, the wider integer in the source",
            "widens `a`",
            "widen: evolve}` in etlkit.yml widens columns",
        ),
        (
            {},
            "MODIFY b VARCHAR(4)",
            "column `b`: character varying(5) in `raw.t`, the narrower character varying(4) in the source",
            "keeps `b` as wide as it is",
            "narrow: keep}` in etlkit.yml keeps columns as wide as they are",
        ),
        (
            {"drop_column": "refuse"},
            "DROP b",
            "column `b`: character varying(5) in `raw.t`, gone in the source",
            "keeps `b` with its values, marked",
            "drop_column: keep}` in etlkit.yml keeps columns that are gone, marked",
        ),
        (
            {},
            "MODIFY a DATETIME",
            "column `a`: smallint in `raw.t`, timestamp(0) without time zone in the source",
            "changes the type of `a` in place",
            "",
        ),
        (
            {},
            "MODIFY b VARCHAR(5) NOT NULL DEFAULT '', DROP PRIMARY KEY, ADD PRIMARY KEY (id, b)",
            "primary key: `id` in `raw.t`, `id`, `b` in the source",
            "replaces the primary key",
            "",
        ),
        (
            {},
            "DROP PRIMARY KEY",
            "primary key: `id` in `raw.t`, nothing in the source",
            "replaces the primary key",
            "",
        ),
    ],
)
def test_what_is_refused(  # noqa: PLR0917 - a case's columns
    loading: Loading, policy: dict[str, str], change: str, what: str, done: str, setting: str
) -> None:
    """What the policy or the types do not allow is refused in words, with its own exit code, and changes nothing."""
    fill(loading)
    before = columns(loading), loading.versions(), loading.warehouse.rows("SELECT * FROM etlkit.table_state")
    loading.choose(drift=policy or None)
    loading.source.execute("UPDATE t SET a = NULL, b = 'x'", f"ALTER TABLE t {change}")
    with pytest.raises(DriftRefused) as caught:
        loading.load("t")
    settings = f"  `drift: {{{setting}, in every run\n" if setting else ""
    assert (f"{BEGIN}  {what}\n{FLAG.format(done)}{settings}{END}", 5) == (
        str(caught.value),
        caught.value.exit_code,
    )
    assert before == (
        columns(loading),
        loading.versions(),
        loading.warehouse.rows("SELECT * FROM etlkit.table_state"),
    )


@ONE_KIND
def test_a_narrower_column_that_is_kept(loading: Loading) -> None:
    """With `narrow: keep` the wide column stays, and rows go on being compared and written."""
    fill(loading)
    loading.choose(drift={"narrow": "keep"})
    before = columns(loading)
    loading.source.execute("ALTER TABLE t MODIFY b VARCHAR(4), MODIFY c DECIMAL(5,1), MODIFY f DECIMAL(3,1)")
    loading.source.execute("ALTER TABLE t MODIFY f FLOAT, MODIFY a TINYINT, MODIFY id SMALLINT")
    assert (2, 0, 1, 0, 1) == loading.load("t")
    assert before == columns(loading)
    loading.source.execute("UPDATE t SET c = 3.5 WHERE id = 2", "INSERT INTO t VALUES (3, 3, 'x', 1.5, 1)")
    assert (3, 1, 1, 0, 1) == loading.load("t")
    assert (3, 0, 0, 0, 3) == loading.load("t")


@ONE_KIND
def test_a_dropped_column_is_kept(loading: Loading) -> None:
    """With `drop_column: keep` old values stay, new rows have none, and nothing else changes."""
    fill(loading)
    loading.source.execute("ALTER TABLE t DROP b", "INSERT INTO t VALUES (3, 3, 3, 3)")
    assert [(3, 1, 0, 0, 2), (3, 0, 0, 0, 3)] == [loading.load("t"), loading.load("t")]
    assert [(1, "one"), (2, None), (3, None)] == loading.there("id, b")


@ONE_KIND
def test_a_type_chosen_by_a_person(loading: Loading) -> None:
    """`pg_type` may be spelled in any way that PostgreSQL knows, and is no drift."""
    loading.source.execute(
        "CREATE TABLE t (id INT PRIMARY KEY, a SMALLINT, b VARCHAR(5))", "INSERT INTO t VALUES (1, 1, 'x')"
    )
    chosen = {
        "id": ColumnOverride(pg_type="INT8"),
        "a": ColumnOverride(pg_type="Int4"),
        "b": ColumnOverride(pg_type="varchar"),
    }
    loading.choose(t=TableChoice(column_overrides=chosen))
    assert [(1, 1, 0, 0, 0), (1, 0, 0, 0, 1)] == [loading.load("t"), loading.load("t")]
    assert {"id": "bigint", "a": "integer", "b": "character varying"} == columns(loading)
    loading.source.execute("UPDATE t SET a = 2")
    assert (1, 0, 1, 0, 0) == loading.load("t")


@pytest.mark.parametrize("source", ["mysql56"], indirect=True)
def test_a_narrower_column_that_is_kept_with_digests(loading: Loading) -> None:
    """Rows that are mended one by one fit the wider columns as well, of a key too."""
    loading.source.execute(
        "CREATE TABLE t (id BIGINT PRIMARY KEY, a INT, c DECIMAL(10,3))",
        "INSERT INTO t VALUES (1, 1, 1.5), (2, 2, 2.5)",
    )
    loading.choose(drift={"narrow": "keep"}, t=TableChoice(extraction_strategy="reconcile"))
    loading.load("t")
    loading.source.execute("ALTER TABLE t MODIFY id INT, MODIFY a SMALLINT, MODIFY c DECIMAL(8,1)")
    loading.load("t")
    loading.source.execute("UPDATE t SET a = 5 WHERE id = 1", "INSERT INTO t VALUES (3, 3, 3.5)")
    found = loading.loader().load_table("t")
    assert (3, 1, 1, "equal after repair") == (found.read, found.inserted, found.updated, found.verified)
    assert ["bigint", "integer", "numeric(10,3)", "bigint"] == list(columns(loading).values())
    assert [(1, 5), (2, 2), (3, 3)] == loading.there("id, a")
