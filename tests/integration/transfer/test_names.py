"""Names arrive as the source spells them, whatever is in them."""

from __future__ import annotations

import hashlib

import pymysql
import pytest
from sqlalchemy.exc import OperationalError

from etlkit.config import TableChoice
from etlkit.errors import TargetConflict
from support.comparison import all_differences, differences
from support.loading import Loading
from support.verifying import found_in, verified_one

NAMES = [
    "row",
    "select",
    "User",
    "with space",
    " leading",
    "a.b",
    ".",
    'double"quote',
    "single'quote",
    "back`tick",
    "back\\slash",
    "per%cent",
    "%s",
    "%(x)s",
    ":x",
    "{0}",
    "?",
    "1leading",
    "42",
    "MixedCase",
    "ümläut",
    "日本語",
    "☎️",
    "a" * 63,
    "$",
    "-- x",
    "/*",
]
LONG = ["日" * 21 + "a", "日" * 22, "日" * 22 + "b", "x" * 64, "y" * 63 + "a", "y" * 63 + "b"]
OWN = ["etlkit_stage", "etlkit_keys", "etlkit_gone", "etlkit_verify", "pg_class", "runs"]


def quoted(name: str) -> str:
    """A name in a statement of the source."""
    return "`" + name.replace("`", "``") + "`"


def test_columns_of_any_name(shared: Loading) -> None:
    """Columns keep their names: reserved words, blanks, quotes, placeholders of drivers, digits, symbols."""
    columns = ", ".join(f"{quoted(name)} INT NOT NULL" for name in NAMES)
    shared.source.execute(
        f"CREATE TABLE columns_t (id INT, {columns}, PRIMARY KEY (`%s`, `back``tick`))",
        f"INSERT INTO columns_t VALUES (1, {', '.join(str(n) for n in range(len(NAMES)))})",
        f"INSERT INTO columns_t VALUES (2, {', '.join(str(n + 1) for n in range(len(NAMES)))})",
    )
    assert (2, 2, 0, 0, 0) == shared.load("columns_t")
    assert [] == differences(shared.source, shared.warehouse, "columns_t")
    assert ["id", *NAMES] == [
        name
        for (name,) in shared.warehouse.rows(
            "SELECT attname FROM pg_attribute WHERE attrelid = 'raw.columns_t'::regclass AND attnum > 0 ORDER BY attnum"
        )
    ]
    assert (2, 0, 0, 0, 2) == shared.load("columns_t")
    shared.choose(columns_t=TableChoice(extraction_strategy="reconcile"))
    loader = shared.loader()
    loader.load_table("columns_t")
    assert "equal" == loader.load_table("columns_t").verified
    shared.source.execute(*(f"UPDATE columns_t SET {quoted(name)} = -7 WHERE id = 1" for name in NAMES))
    mended = loader.load_table("columns_t")
    assert ("equal after repair", 1) == (
        mended.verified,
        mended.inserted,
    )  # both columns of the key have changed
    assert [] == differences(shared.source, shared.warehouse, "columns_t")


def test_tables_of_any_name(loading: Loading) -> None:
    """Tables too; `Patient` and `patient` stay two tables."""
    names = [*NAMES, "Patient", "patient", "PATIENT"]
    loading.source.execute(
        *(f"CREATE TABLE {quoted(name)} ({quoted(name)} INT PRIMARY KEY, v TEXT)" for name in names),
        *(f"INSERT INTO {quoted(name)} VALUES ({n}, 'x')" for n, name in enumerate(names)),
    )
    loader = loading.loader()
    assert [1] * len(names) == [loader.load_table(name).inserted for name in names]
    assert [] == all_differences(loading.source, loading.warehouse)
    assert sorted(names) == sorted(
        name for (name,) in loading.warehouse.rows("SELECT tablename FROM pg_tables WHERE schemaname = 'raw'")
    )


def test_long_names_are_shortened(shared: Loading) -> None:
    """Names above PostgreSQL's 63 bytes keep their beginning and get 8 digits of their digest."""
    shared.source.execute(
        *(f"CREATE TABLE {quoted(name)} (id INT PRIMARY KEY, {quoted(name)} INT)" for name in LONG),
        *(f"INSERT INTO {quoted(name)} VALUES (1, {n})" for n, name in enumerate(LONG)),
    )
    loader = shared.loader()
    for number, name in enumerate(LONG):
        loader.load_table(name)
        digest = hashlib.sha256(name.encode()).hexdigest()[:8]
        short = f"{name.encode()[:54].decode(errors='ignore')}_{digest}"
        assert [(1, number)] == shared.warehouse.rows(f'SELECT id, "{short}" FROM raw."{short}"')
        assert len(short.encode()) <= 63


def test_emoji_in_names(shared: Loading) -> None:
    """Names are of the Basic Multilingual Plane: MariaDB refuses an emoji behind it, MySQL makes it a question mark."""
    name = "🦷"
    if shared.source.kind != "mysql56":
        with pytest.raises(OperationalError) as caught:
            shared.source.execute(f"CREATE TABLE {quoted(name)} (id INT PRIMARY KEY)")
        assert isinstance(caught.value.orig, pymysql.OperationalError)
        assert 1300 == caught.value.orig.args[0]
        return
    shared.source.execute(f"CREATE TABLE {quoted(name)} ({quoted(name)} INT PRIMARY KEY)")
    assert (0, 0, 0, 0, 0) == shared.load("?")
    assert [] == differences(shared.source, shared.warehouse, "?")


@pytest.mark.parametrize("shared", ["mariadb-innodb"], indirect=True)
@pytest.mark.parametrize("name", OWN)
@pytest.mark.parametrize("key", ["INT", "VARCHAR(9)"])
def test_names_that_etlkit_uses_itself(shared: Loading, name: str, key: str) -> None:
    """Tables and keys of the source may be called like etlkit's temporary tables, and like its own and PostgreSQL's."""
    shared.source.execute(
        f"DROP TABLE IF EXISTS {name}",
        f"CREATE TABLE {name} (etlkit_number {key}, etlkit_number_ {key}, digest INT, excluded INT, "
        "PRIMARY KEY (etlkit_number, etlkit_number_))",
        f"INSERT INTO {name} VALUES (1, 1, 1, 1), (2, 2, 2, 2), (3, 3, 3, 3)",
    )
    shared.warehouse.execute(
        f"DROP TABLE IF EXISTS raw.{name}", f"DELETE FROM etlkit.table_state WHERE table_name = '{name}'"
    )
    shared.choose(**{name: TableChoice(extraction_strategy="incremental", incremental_column="digest")})
    assert (3, 3, 0, 0, 0) == shared.load(name)
    shared.source.execute(f"UPDATE {name} SET digest = 9, excluded = NULL WHERE etlkit_number = 3")
    assert (0, 1, 0) == shared.load(name)[1:4]
    shared.choose(**{name: TableChoice(extraction_strategy="reconcile")})
    loader = shared.loader()
    loader.load_table(name)
    shared.source.execute(
        f"UPDATE {name} SET excluded = 7 WHERE etlkit_number = 2",
        f"DELETE FROM {name} WHERE etlkit_number = 1",
    )
    mended = loader.load_table(name)
    assert ("equal after repair", 1, 1) == (mended.verified, mended.updated, mended.deleted)
    assert [] == differences(shared.source, shared.warehouse, name)
    shared.warehouse.execute(f"UPDATE raw.{name} SET digest = 8 WHERE etlkit_number = '3'")
    assert ("1 row differs", {"digest": 1}) == found_in(verified_one(shared, name))[:2]


@pytest.mark.parametrize("shared", ["mariadb-innodb"], indirect=True)
@pytest.mark.parametrize("name", ["ctid", "xmin", "tableoid"])
def test_columns_that_every_table_of_postgresql_has(shared: Loading, name: str) -> None:
    """The names of its system columns are refused before anything is written."""
    shared.source.execute(f"CREATE TABLE system_{name} (id INT PRIMARY KEY, {name} INT)")
    with pytest.raises(TargetConflict) as caught:
        shared.load(f"system_{name}")
    assert (
        f"table `system_{name}`: every table of PostgreSQL has a column `{name}` of its own, so the source's column of "
        "that name cannot be loaded; rename it in the source"
    ) == str(caught.value)
    assert [] == shared.warehouse.rows(f"SELECT 1 FROM pg_tables WHERE tablename = 'system_{name}'")


@pytest.mark.parametrize("shared", ["mariadb-innodb"], indirect=True)
def test_names_that_would_be_the_same_are_refused(shared: Loading) -> None:
    """A column that is called what another's shortened name would be is refused before anything is written."""
    long = "x" * 64
    short = f"{'x' * 54}_{hashlib.sha256(long.encode()).hexdigest()[:8]}"
    shared.source.execute(f"CREATE TABLE twice (id INT PRIMARY KEY, `{long}` INT, `{short}` INT)")
    with pytest.raises(TargetConflict) as caught:
        shared.load("twice")
    assert (
        f"table `twice`: the columns `{long}` and `{short}` would both be called `{short}` in the warehouse; "
        "rename one in the source"
    ) == str(caught.value)
