"""Everything that a database may hold beside plain tables: views, partitions, history, sequences, crashed tables."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from etlkit import TableFinished
from support.comparison import all_differences, differences
from support.databases import SourceDatabase, WarehouseDatabase
from support.running import Running, running_of

PARTIAL = 3


def outcomes(running: Running) -> dict[str, TableFinished]:
    """What the last run told of each table."""
    return {each.table: each for each in running.events if isinstance(each, TableFinished)}


def test_only_tables_are_loaded(source: SourceDatabase, warehouse: WarehouseDatabase) -> None:
    """Views are none, whatever they show; a partitioned table is one table; triggers and routines do not matter."""
    source.execute(
        "CREATE TABLE plain (id INT PRIMARY KEY, v INT)",
        "INSERT INTO plain VALUES (1, 1), (2, 2)",
        "CREATE TABLE parts (id INT, day DATE NOT NULL, v TEXT, PRIMARY KEY (id, day)) PARTITION BY RANGE (year(day)) "
        "(PARTITION a VALUES LESS THAN (2000), PARTITION b VALUES LESS THAN (2020), PARTITION c VALUES LESS THAN "
        "MAXVALUE)",
        *(f"INSERT INTO parts VALUES ({n}, '{1990 + n}-02-28', repeat('x', {n}))" for n in range(50)),
        "CREATE TABLE hashed (id BIGINT PRIMARY KEY) PARTITION BY KEY () PARTITIONS 3",
        "INSERT INTO hashed VALUES (9223372036854775807), (-1), (0), (4)",
        "CREATE VIEW seen AS SELECT * FROM plain",
        "CREATE VIEW broken AS SELECT * FROM seen",
        "CREATE TRIGGER noted BEFORE INSERT ON plain FOR EACH ROW SET NEW.v = 0",
    )
    with running_of(source, warehouse) as running:
        running.analyse()
        assert 0 == running.run()
        assert {"plain", "parts", "hashed"} == set(outcomes(running))
        assert [] == all_differences(source, warehouse)
        source.execute(
            "DROP VIEW seen",
            "UPDATE parts SET day = '2024-02-29' WHERE id = 5",
            "ALTER TABLE parts DROP PARTITION b",
            "DELETE FROM hashed WHERE id = 0",
        )
        assert 0 == running.run()
        found = outcomes(running)["parts"]
        assert (1, 0, 21) == (found.inserted, found.updated, found.deleted)
        assert [] == all_differences(source, warehouse)


@pytest.mark.parametrize("source", ["mariadb-innodb", "mariadb-myisam"], indirect=True)
def test_objects_of_mariadb(source: SourceDatabase, warehouse: WarehouseDatabase) -> None:
    """Of a table with history what holds now is loaded; a sequence is no table."""
    source.execute(
        "CREATE TABLE past (id INT PRIMARY KEY, v INT) WITH SYSTEM VERSIONING",
        "INSERT INTO past VALUES (1, 1), (2, 2), (3, 3)",
        "UPDATE past SET v = 20 WHERE id = 2",
        "DELETE FROM past WHERE id = 3",
        "CREATE SEQUENCE numbers",
    )
    with running_of(source, warehouse) as running:
        running.analyse()
        assert 0 == running.run()
        assert {"past": 2} == {name: each.read for name, each in outcomes(running).items()}
    assert [(1, 1), (2, 20)] == warehouse.rows("SELECT id, v FROM raw.past ORDER BY id")


@contextmanager
def damaged(source: SourceDatabase) -> Iterator[None]:
    """Leave MyISAM tables as power cuts and bad disks do: `marked`, `cut`, `headless` and `lost`."""
    folder: Path = source.server.data_folder / source.name
    source.execute("FLUSH TABLES")
    marked, cut = folder / "marked.MYI", folder / "cut.MYD"
    headless, lost = folder / "headless.MYI", folder / "lost.MYD"
    before = {path: path.read_bytes() for path in (marked, cut, headless, lost)}
    # Behind the header of 24 bytes: how often it is open, and what is wrong (2: crashed).
    marked.write_bytes(before[marked][:24] + b"\0\1\3" + before[marked][27:])
    cut.write_bytes(before[cut][: len(before[cut]) // 2])
    headless.write_bytes(b"")
    lost.unlink()
    try:
        yield
    finally:
        source.execute("FLUSH TABLES")
        for path, content in before.items():
            path.write_bytes(content)


@pytest.mark.parametrize("source", ["mariadb-myisam", "mysql56"], indirect=True)
def test_a_crashed_table_fails_alone(source: SourceDatabase, warehouse: WarehouseDatabase) -> None:
    """Each damaged table is told with what to do about it; the others are loaded; what was loaded is kept."""
    names = ("cut", "headless", "lost", "marked", "whole", "another")
    for name in names:
        rows = ", ".join(f"({n}, repeat('v{n}', {20 + n % 50}))" for n in range(200))
        source.execute(
            f"CREATE TABLE {name} (id INT PRIMARY KEY, v TEXT)", f"INSERT INTO {name} VALUES {rows}"
        )
    with running_of(source, warehouse) as running:
        running.analyse()
        assert 0 == running.run()
        source.execute(*(f"UPDATE {name} SET v = 'edited' WHERE id = 7" for name in names))
        with damaged(source):
            assert PARTIAL == running.run()
            found = outcomes(running)
            assert {"whole", "another"} == {name for name, each in found.items() if each.exit_code == 0}
            told = {name: each.error or "" for name, each in found.items() if each.exit_code != 0}
        assert [] == differences(source, warehouse, "whole")
        for name in ("cut", "headless", "lost", "marked"):
            assert 200 == warehouse.value(f"SELECT count(*) FROM raw.{name} WHERE v <> 'edited'")
    crashed = "it is marked as crashed; repair it on the source with REPAIR TABLE"
    closed = "the source cannot open it; repair it there with REPAIR TABLE, or restore it from a backup"
    expected = {
        "cut": rf"table `cut`: {crashed} \(source error 1194\)",
        "headless": rf"table `headless`: {closed} \(source error 130\)",
        "lost": rf"table `lost`: {closed} \(source error 29\)",
        "marked": rf"table `marked`: {crashed} \(source error 14[45]\)",
    }
    if source.kind == "mysql56":  # which shows no columns of a table that it cannot open
        for name in ("headless", "lost", "marked"):
            expected[name] = (
                f"The table `{name}` of `{source.name}` shows no columns: this user lacks the SELECT privilege, or "
                r"the server cannot open the table \(the server says: .*\)\. GRANT SELECT on it, or repair it\."
            )
    assert {} == {name: said for name, said in told.items() if not re.fullmatch(expected[name], said)}
    assert set(expected) == set(told)
