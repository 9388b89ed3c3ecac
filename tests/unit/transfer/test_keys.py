"""Keys: where they are found, how ranges are worded, and how a key is stored."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import select

from etlkit.errors import PlanRefused
from etlkit.tables import Column, Index, TableAnalysis
from etlkit.transfer.chunk_queries import Prepared
from etlkit.transfer.keys import AFTER, UP_TO, Key, Keyset, as_key, comparable, from_json, to_json
from etlkit.transfer.rendering import render


def column(name: str, kind: str = "int", *, nullable: bool = False) -> Column:
    """A column as discovery describes it."""
    return Column(
        name=name,
        data_type=kind,
        column_type=kind,
        nullable=nullable,
        precision=9,
        scale=2,
        charset="utf8mb4",
    )


def keyset(analysis: TableAnalysis) -> Keyset | None:
    """The key of a table."""
    return Keyset.of(analysis, render(analysis, "d").source)


def keyset_of(*columns: Column) -> Keyset:
    """A key of these columns."""
    made = keyset(TableAnalysis(name="t", columns=columns, primary_key=tuple(each.name for each in columns)))
    assert made is not None
    return made


def where(condition: Any) -> tuple[str, tuple[str, ...]]:
    """A condition's text and the names of its parameters."""
    made = Prepared.of(select(1).where(condition))
    return made.text.split("WHERE ")[1].replace("`d`.`t`.", ""), made.names


@pytest.mark.parametrize(
    ("indexes", "expected"),
    [
        ([("u", ("a", "b"), True, "BTREE", ())], ("a", "b")),
        ([("u", ("a",), True, "HASH", ())], ("a",)),
        ([("i", ("a",), False, "BTREE", ())], None),
        ([("u", ("c",), True, "BTREE", ())], None),
        ([("u", ("a", "c"), True, "BTREE", ())], None),
        ([("u", ("a",), True, "BTREE", (10,))], None),
        ([("u", ("c",), True, "BTREE", ()), ("v", ("b",), True, "BTREE", (None,))], ("b",)),
        ([("u", ("gone",), True, "BTREE", ())], None),
    ],
)
def test_a_unique_index_can_be_the_key(
    indexes: list[tuple[str, tuple[str, ...], bool, str, tuple[int | None, ...]]],
    expected: tuple[str, ...] | None,
) -> None:
    """Without a primary key, the first unique index over whole columns that cannot be NULL is the key."""
    analysis = TableAnalysis(
        name="t",
        columns=(column("a"), column("b"), column("c", nullable=True)),
        indexes=tuple(
            Index(name=name, columns=columns, unique=unique, kind=kind, prefix_lengths=lengths)
            for name, columns, unique, kind, lengths in indexes
        ),
    )
    found = keyset(analysis)
    assert expected == (found and tuple(each.name for each in found.columns))


def test_ranges_of_one_column() -> None:
    """Behind one key, up to another."""
    made = keyset_of(column("a"))
    assert ("`a` > %s", ("after_0",)) == where(made.after())
    assert ("`a` <= %s", ("up_to_0",)) == where(made.up_to())
    assert {"after_0": 5} == made.values(AFTER, ("5",))
    assert {} == made.values(UP_TO, None)


def test_ranges_of_several_columns() -> None:
    """The first column has a plain bound of its own, by which the server finds the range in the index."""
    made = keyset_of(column("a"), column("b", "varchar"))
    assert (
        "`a` >= %s AND (`a` > %s OR `a` = %s AND `b` > %s)",
        ("after_0", "after_0", "after_0", "after_1"),
    ) == where(made.after())
    assert (
        "`a` <= %s AND (`a` < %s OR `a` = %s AND `b` <= %s)",
        ("up_to_0", "up_to_0", "up_to_0", "up_to_1"),
    ) == where(made.up_to())
    assert {"up_to_0": -1, "up_to_1": "x"} == made.values(UP_TO, ("-1", "x"))


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("varchar", "`a` > %s"),
        ("enum", "CAST(`a` AS UNSIGNED INTEGER) > %s"),
        ("set", "CAST(`a` AS UNSIGNED INTEGER) > %s"),
        ("bit", "CAST(`a` AS UNSIGNED INTEGER) > %s"),
        ("year", "CAST(`a` AS UNSIGNED INTEGER) > %s"),
        ("float", "`a` + 0e0 > %s"),
        ("decimal", "`a` > CAST(%s AS DECIMAL(9, 2))"),
    ],
)
def test_types_are_compared_as_they_are_sorted(kind: str, expected: str) -> None:
    """What sorts by number is compared by number, and no number is compared as floating point."""
    assert expected == where(keyset_of(column("a", kind)).after())[0]


@pytest.mark.parametrize(
    ("kind", "said", "expected"),
    [
        ("bigint", "18446744073709551615", 18446744073709551615),
        ("year", "0", 0),
        ("decimal", "0.0000001", "0.0000001"),
        ("double", "5e-324", 5e-324),
        ("binary", b"\xff\0", b"\xff\0"),
        ("varbinary", "a", b"a"),
        ("varchar", "12", "12"),
        ("datetime", "2024-01-01 00:00:00", "2024-01-01 00:00:00"),
    ],
)
def test_values_get_the_columns_type(kind: str, said: str | bytes, expected: object) -> None:
    """What the server printed is compared as a value of the column's type."""
    assert expected == comparable(column("a", kind), said)


@pytest.mark.parametrize(
    ("kind", "said"), [("int", "x"), ("decimal", "NaN"), ("double", "inf"), ("set", "a,b")]
)
def test_values_of_another_type_are_refused(kind: str, said: str) -> None:
    """A stored key that no longer fits the column's type is refused, without being shown."""
    with pytest.raises(PlanRefused) as caught:
        comparable(column("a", kind), said)
    assert (
        f"column `a` is a {kind}, but what it was to be compared with is not a number; "
        "load the table with --full-refresh once"
    ) == str(caught.value)


@pytest.mark.parametrize(
    "key", [("1",), ("", "ü\n\"'"), (b"\xff\0\\", "x"), ("18446744073709551615",), (b"",)]
)
def test_keys_are_stored_as_json(key: Key) -> None:
    """A key is the same when it is read back, bytes and text told apart."""
    assert key == from_json(to_json(key))


def test_keys_as_the_server_gives_them() -> None:
    """Text stays text and bytes stay bytes."""
    assert ("5", b"\x00", "x") == as_key(("5", b"\x00", "x"))
