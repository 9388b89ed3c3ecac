"""Which types may be chosen for a column."""

from __future__ import annotations

from typing import Any

import pytest

from etlkit.tables import Column
from etlkit.transfer.chosen_types import ChosenType, changes_values


def column(kind: str, **of: Any) -> Column:
    """A column as discovery describes it."""
    return Column(name="v", data_type=kind, column_type=kind, **of)


@pytest.mark.parametrize(
    ("text", "name", "numbers"),
    [
        ("numeric(12,2)", "numeric", (12, 2)),
        (" DECIMAL (12, 2) ", "numeric", (12, 2)),
        ("numeric", "numeric", ()),
        ("INT8", "int8", ()),
        ("float(24)", "real", ()),
        ("float(25)", "double precision", (25,)),
        ("Double Precision", "double precision", ()),
        ("timestamp(3) with time zone", "timestamp", (3,)),
        ("timestamp without time zone", "timestamp", ()),
        ("timestamptz(0)", "timestamp", (0,)),
        ("character varying(5)", "varchar", (5,)),
        ("bpchar", "char", ()),
        ("interval day to second(3)", "interval day to second", (3,)),
        ("text[]", "text[]", ()),
    ],
)
def test_types_are_read_as_people_write_them(text: str, name: str, numbers: tuple[int, ...]) -> None:
    """PostgreSQL knows many spellings of a type."""
    assert ChosenType(name=name, numbers=numbers) == ChosenType.of(text)


DECIMAL = column("decimal", precision=10, scale=4)
MOMENT = column("datetime", fraction=3)


@pytest.mark.parametrize(
    ("of", "changing", "keeping"),
    [
        (
            column("bigint"),
            ["real", "float8", "float(53)"],
            ["numeric(20,0)", "numeric", "text", "money", "int"],
        ),
        (column("int"), ["real", "float(1)"], ["double precision", "bigint", "smallint", "boolean"]),
        (column("mediumint"), [], ["real", "float4", "numeric(8)"]),
        (
            DECIMAL,
            ["numeric(10,2)", "numeric(10)", "real", "money"],
            ["numeric(12,4)", "numeric", "float8", "int"],
        ),
        (column("decimal", precision=65, scale=30), ["double precision"], ["numeric", "text"]),
        (column("decimal", precision=6, scale=2), [], ["real", "money", "integer"]),
        (column("float"), ["numeric(10,2)", "money"], ["float8", "text", "numeric", "integer"]),
        (column("double"), ["real", "numeric(10,2)", "money"], ["float8", "text", "numeric"]),
        (MOMENT, ["date", "time", "timestamp(2)", "timestamptz(0)"], ["timestamp(3)", "timestamp", "text"]),
        (column("date"), [], ["date", "timestamp(0)", "text"]),
        (
            column("time", fraction=6),
            ["time(3)", "interval(5)", "interval hour to minute"],
            ["time", "interval"],
        ),
        (
            column("varchar", length=5),
            ["char(5)", "bpchar", "name", "varchar(4)"],
            ["varchar(5)", "varchar", "date"],
        ),
        (column("text"), ["varchar(100)", "character(9)"], ["text", "bytea", "json", "integer"]),
        (column("blob"), [], ["text", "bytea"]),
        (column("bit", length=8), ["integer", "int8", "numeric"], ["bit(4)", "boolean", "varbit", "text"]),
        (column("tinyint"), ["bit(8)", "varbit"], ["boolean", "interval"]),
    ],
)
def test_types_that_would_change_values(of: Column, changing: list[str], keeping: list[str]) -> None:
    """Rounding and cutting is found by the types alone; what PostgreSQL refuses by itself is left to it."""
    assert changing == [each for each in [*changing, *keeping] if changes_values(of, each)]
