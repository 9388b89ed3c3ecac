"""The comparison that other tests rely on finds what it is to find."""

from __future__ import annotations

import pytest

from support.comparison import all_differences, differences
from support.databases import SourceDatabase, WarehouseDatabase

pytestmark = pytest.mark.parametrize("source", ["mariadb-innodb"], indirect=True)


def test_equal_tables_have_no_differences(source: SourceDatabase, warehouse: WarehouseDatabase) -> None:
    """The same values in each side's own spelling are equal."""
    source.execute(
        "SET time_zone = '+05:00', sql_mode = 'ALLOW_INVALID_DATES'",
        "CREATE TABLE t (id INT ZEROFILL PRIMARY KEY, d DECIMAL(8,3), f FLOAT, g DOUBLE, s DATETIME(3), "
        "z TIMESTAMP(6) NULL, e DATE, u TIME(6), b BLOB, i BIT(9), y YEAR, x VARCHAR(20), n INET6, p POINT)",
        "INSERT INTO t VALUES (7, 1.5, 1.1, 5e-324, '2024-01-31 01:02:03.100', '2024-02-01 01:00:00', "
        "'0001-01-01', '-00:00:00.000001', 0x00FF, b'100000001', 2155, 'a\\\\N\\n', '::1', "
        "ST_GeomFromText('POINT(1 2)', 7))",
        "INSERT INTO t (id, e, s) VALUES (8, '2024-02-31', '0000-00-00')",
    )
    warehouse.execute(
        "CREATE SCHEMA raw",
        "CREATE TABLE raw.t (id bigint, d numeric(9,4), f real, g double precision, s timestamp(3), z timestamptz, "
        "e date, u interval, b bytea, i bit(9), y smallint, x text, n inet, p bytea)",
        "INSERT INTO raw.t VALUES (7, 1.5, 1.1, 5e-324, '2024-01-31 01:02:03.1', '2024-02-01 01:00:00+05', "
        "'0001-01-01', '-00:00:00.000001', '\\x00ff', B'100000001', 2155, E'a\\\\N\\n', '::1', "
        "'\\x010100002007000000000000000000f03f0000000000000040')",
        "INSERT INTO raw.t (id) VALUES (8)",
    )
    assert [] == differences(source, warehouse, "t")


def test_each_difference_is_told(source: SourceDatabase, warehouse: WarehouseDatabase) -> None:
    """Changed, missing and additional rows are told by key and column."""
    source.execute("CREATE TABLE t (id INT PRIMARY KEY, x VARCHAR(9))")
    source.execute("INSERT INTO t VALUES (1, 'one'), (2, ''), (3, 'three'), (5, 'five ')")
    warehouse.execute("CREATE SCHEMA raw", "CREATE TABLE raw.t (id int, x text)")
    warehouse.execute("INSERT INTO raw.t VALUES (1, 'one'), (2, NULL), (4, 'four'), (5, 'five')")
    assert [
        "key (2,): column `x`: source '', warehouse None",
        "key (3,): only in the source",
        "key (5,): column `x`: source 'five ', warehouse 'five'",
        "key (4,): only in the warehouse",
    ] == differences(source, warehouse, "t")


def test_duplicates_and_missing_columns_are_told(
    source: SourceDatabase, warehouse: WarehouseDatabase
) -> None:
    """Rows of a table without key are counted, a column that is missing is named, and all tables are looked at."""
    source.execute(
        "CREATE TABLE a (x INT)", "INSERT INTO a VALUES (1), (1), (NULL)", "CREATE TABLE b (X INT)"
    )
    warehouse.execute("CREATE SCHEMA raw", "CREATE TABLE raw.a (x int)", "CREATE TABLE raw.b (x int)")
    warehouse.execute("INSERT INTO raw.a VALUES (1), (NULL), (NULL)")
    assert [
        "a: only in the source, 1 times: (1,)",
        "a: only in the warehouse, 1 times: (None,)",
        "b: column `X` is not in the warehouse",
    ] == all_differences(source, warehouse)


def test_named_values_may_be_null(source: SourceDatabase, warehouse: WarehouseDatabase) -> None:
    """Values that a conversion turns into NULL are equal to NULL only where the test says so."""
    source.execute("CREATE TABLE t (id INT PRIMARY KEY, x INT)", "INSERT INTO t VALUES (1, 0), (2, 5)")
    warehouse.execute("CREATE SCHEMA raw", "CREATE TABLE raw.t (id int, x int)")
    warehouse.execute("INSERT INTO raw.t VALUES (1, NULL), (2, 5)")
    assert [] == differences(source, warehouse, "t", expected_null={"x": {0}})
    assert ["key (1,): column `x`: source 0, warehouse None"] == differences(source, warehouse, "t")
