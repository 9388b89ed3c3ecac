"""Names in the warehouse: what is taken, what is too long, and what would be the same twice."""

from __future__ import annotations

import pytest

from etlkit.config import TableChoice
from etlkit.errors import TargetConflict
from etlkit.loading.target import target_name
from support.loading import Loading

pytestmark = pytest.mark.parametrize("source", ["mariadb-innodb"], indirect=True)


@pytest.mark.parametrize(
    ("definition", "what"),
    [
        ("TABLE raw.t (id int)", "exists, but etlkit did not make it"),
        ("VIEW raw.t AS SELECT 1 AS id", "is not a table"),
        ("SEQUENCE raw.t", "is not a table"),
        ("TABLE raw.t ()", "exists, but etlkit did not make it"),
    ],
)
def test_a_name_that_is_taken(loading: Loading, definition: str, what: str) -> None:
    """Whatever has the table's name and was not made by etlkit is left alone."""
    loading.source.execute("CREATE TABLE t (id INT PRIMARY KEY)", "INSERT INTO t VALUES (1)")
    loading.warehouse.execute(f"CREATE {definition}")
    with pytest.raises(TargetConflict) as caught:
        loading.load("t")
    assert (
        f"warehouse table `raw.t` {what}; rename or drop it, or set another `warehouse.schema` in etlkit.yml"
    ) == str(caught.value)
    assert 0 == loading.warehouse.value("SELECT count(*) FROM etlkit.table_state")


def test_a_view_in_the_place_of_a_loaded_table(loading: Loading) -> None:
    """A loaded table that was replaced by a view is not written through the view."""
    loading.source.execute("CREATE TABLE t (id INT PRIMARY KEY)", "INSERT INTO t VALUES (1)")
    loading.load("t")
    loading.warehouse.execute("ALTER TABLE raw.t RENAME TO old", "CREATE VIEW raw.t AS SELECT * FROM raw.old")
    with pytest.raises(TargetConflict) as caught:
        loading.load("t")
    assert (
        "warehouse table `raw.t` is not a table; rename or drop it, or set another `warehouse.schema` in etlkit.yml"
    ) == str(caught.value)
    loading.warehouse.execute("DROP VIEW raw.t")
    assert (1, 1, 0, 0, 0) == loading.load("t")


def test_names_over_63_bytes(loading: Loading) -> None:
    """PostgreSQL would cut such a name silently; it is shortened with a stable suffix, in the ledger as well."""
    table, column = "Ü" * 40, "x" * 64
    loading.source.execute(f"CREATE TABLE `{table}` (`{column}` INT PRIMARY KEY, `{'x' * 63}` INT)")
    loading.source.execute(f"INSERT INTO `{table}` VALUES (1, 2)")
    assert [(1, 1, 0, 0, 0), (1, 0, 0, 0, 1)] == [loading.load(table), loading.load(table)]
    name = target_name(table)
    assert [(table, name)] == loading.warehouse.rows("SELECT table_name, target_name FROM etlkit.table_state")
    assert [(1, 2)] == loading.there(f'"{target_name(column)}", "{"x" * 63}"', name)


def test_two_tables_with_one_name(loading: Loading) -> None:
    """A table whose name, shortened, is another table's is refused with both names."""
    long = "t" * 64
    short = target_name(long)
    loading.source.execute(
        f"CREATE TABLE `{long}` (id INT PRIMARY KEY)", f"CREATE TABLE `{short}` (id INT PRIMARY KEY)"
    )
    loading.load(long)
    with pytest.raises(TargetConflict) as caught:
        loading.load(short)
    assert (
        f"warehouse table `raw.{short}` holds the rows of table `{long}`, and table `{short}` would get the same name "
        "there; rename one of them in the source"
    ) == str(caught.value)


def test_two_columns_with_one_name(loading: Loading) -> None:
    """Columns whose names would be the same are refused before anything is made."""
    long = "c" * 64
    short = target_name(long)
    loading.source.execute(f"CREATE TABLE t (`{long}` INT PRIMARY KEY, `{short}` INT)")
    with pytest.raises(TargetConflict) as caught:
        loading.load("t")
    assert (
        f"table `t`: the columns `{long}` and `{short}` would both be called `{short}` in the warehouse; rename one in "
        "the source"
    ) == str(caught.value)
    assert None is loading.warehouse.value("SELECT to_regclass('raw.t')")


@pytest.mark.parametrize("name", ["_etlkit_digest", "_etlkit_deleted_at"])
@pytest.mark.parametrize("strategy", ["full_table", "reconcile"])
def test_a_column_called_as_one_of_etlkit(loading: Loading, name: str, strategy: str) -> None:
    """It is refused before anything is made, whether etlkit's own column would be needed or not."""
    loading.source.execute(f"CREATE TABLE t (id INT PRIMARY KEY, `{name}` BIGINT)")
    loading.choose(t=TableChoice(extraction_strategy=strategy))
    with pytest.raises(TargetConflict) as caught:
        loading.load("t")
    assert (
        f"table `t`: etlkit keeps a column of its own called `{name}` in the warehouse, so the source's column of that "
        "name cannot be loaded; rename it in the source"
    ) == str(caught.value)
    assert None is loading.warehouse.value("SELECT to_regclass('raw.t')")


def test_names_that_differ_by_case(loading: Loading) -> None:
    """`Patient` and `patient` are two tables."""
    loading.source.execute(
        "CREATE TABLE `Patient` (`Id` INT PRIMARY KEY)",
        "CREATE TABLE `patient` (`id` INT PRIMARY KEY)",
        "INSERT INTO `Patient` VALUES (1)",
        "INSERT INTO `patient` VALUES (2)",
    )
    assert [(1, 1, 0, 0, 0), (1, 1, 0, 0, 0)] == [loading.load("Patient"), loading.load("patient")]
    assert [[(1,)], [(2,)]] == [loading.there('"Id"', "Patient"), loading.there("id", "patient")]


def test_odd_names(loading: Loading) -> None:
    """Quotes, percent signs, colons, dots, blanks and umlauts go through every statement of a load."""
    odd = """a "b" 100% %s %(x)s :y . 'z'"""
    loading.source.execute(
        f"CREATE TABLE `{odd}` (`{odd}` INT PRIMARY KEY, `select` INT, `ü€` JSON)",
        f"INSERT INTO `{odd}` VALUES (1, 1, '[]')",
    )
    assert [(1, 1, 0, 0, 0), (1, 0, 0, 0, 1)] == [loading.load(odd), loading.load(odd)]
    loading.source.execute(
        f"UPDATE `{odd}` SET `select` = 2", f"ALTER TABLE `{odd}` ADD `%d` INT, MODIFY `select` BIGINT"
    )
    assert (1, 0, 1, 0, 0) == loading.load(odd)
    loading.source.execute(f"DELETE FROM `{odd}`")
    assert (0, 0, 0, 1, 0) == loading.load(odd)
