"""Names arrive as the source spells them, whatever is in them."""

from __future__ import annotations

import hashlib

import pytest

from etlkit.errors import TargetConflict
from support.comparison import all_differences, differences
from support.loading import Loading

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
LONG = ["日" * 21 + "a", "日" * 22, "日" * 22 + "b", "x" * 64]


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
