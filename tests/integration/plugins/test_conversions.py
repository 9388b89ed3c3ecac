"""The built-in conversions give text that PostgreSQL reads as the promised value, on every kind of source."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import ColumnClause, column, func, literal_column, select, table

from etlkit import Column
from etlkit.plugins.conversions import builtin
from etlkit.registry import Registry
from support.databases import SourceDatabase, WarehouseDatabase

REGISTRY = Registry.of(builtin)
REFUSED = object()


def converted(source: SourceDatabase, warehouse: WarehouseDatabase, name: str, of: Column) -> list[Any]:
    """Each value of table `t` as it arrives in PostgreSQL, or REFUSED; in the order of the key."""
    conversion = REGISTRY.conversion(name).item
    value: ColumnClause[Any] = column(of.name)
    accepted = conversion.accepts(value, of) if conversion.accepts is not None else literal_column("1")
    rows = (
        select(func.concat(conversion.source_sql(value, of)), accepted, value.is_(None))
        .select_from(table("t", column("id"), value))
        .order_by(column("id"))
    )
    with source.engine.connect() as connection:
        texts: Sequence[Any] = connection.execute(rows).all()
    kind = conversion.target_type(of)
    return [
        warehouse.value(f"SELECT CAST({'NULL' if text is None else repr(str(text))} AS {kind})")
        if accepts or was_null
        else REFUSED
        for text, accepts, was_null in texts
    ]


def fill(source: SourceDatabase, definition: str, *values: str) -> None:
    """Make table `t` with a column `c`; the session may store dates that do not exist."""
    source.execute(f"CREATE TABLE t (id INT PRIMARY KEY, c {definition})")
    with source.engine.begin() as connection:
        connection.exec_driver_sql("SET SESSION sql_mode = 'ALLOW_INVALID_DATES'")
        for number, value in enumerate(values):
            connection.exec_driver_sql(f"INSERT INTO t VALUES ({number}, {value})")


def test_tinyint_to_boolean(source: SourceDatabase, warehouse: WarehouseDatabase) -> None:
    """0 and 1 become false and true, NULL stays, and an enum's values refuse the load."""
    fill(source, "TINYINT(1)", "0", "1", "NULL", "2", "-1", "127")
    of = Column(name="c", data_type="tinyint", column_type="tinyint")
    assert [False, True, None, REFUSED, REFUSED, REFUSED] == converted(
        source, warehouse, "tinyint_to_boolean", of
    )


@pytest.mark.parametrize(
    ("of", "values", "expected"),
    [
        (
            Column(name="c", data_type="decimal", column_type="decimal(5,3)", precision=5, scale=3),
            ("1.005", "-1.005", "99.999", "0", "NULL"),
            [Decimal("1.01"), Decimal("-1.01"), Decimal("100.00"), Decimal("0.00"), None],
        ),
        (
            Column(name="c", data_type="double", column_type="double"),
            ("0.1 + 0.2", "9999999999999998", "1e16", "-1e300", "NULL", "-0.004"),
            [Decimal("0.30"), Decimal("9999999999999998.00"), REFUSED, REFUSED, None, Decimal("0.00")],
        ),
        (
            Column(name="c", data_type="float", column_type="float"),
            ("16777216", "1.234567"),
            [Decimal("16777216.00"), Decimal("1.23")],
        ),
    ],
)
def test_decimal_round(
    source: SourceDatabase,
    warehouse: WarehouseDatabase,
    of: Column,
    values: tuple[str, ...],
    expected: list[Any],
) -> None:
    """Numbers have two digits behind the point, and those too large for the type refuse the load."""
    fill(source, of.column_type, *values)
    assert expected == converted(source, warehouse, "decimal_round", of)


@pytest.mark.parametrize(
    ("definition", "fraction", "expected"),
    [
        ("DATE", 0, [None, dt.date(1, 1, 2), dt.date(2024, 2, 29), None]),
        ("DATETIME", 0, [None, dt.datetime(1, 1, 2), dt.datetime(2024, 2, 29), None]),  # noqa: DTZ001
        ("DATETIME(6)", 6, [None, dt.datetime(1, 1, 2), dt.datetime(2024, 2, 29), None]),  # noqa: DTZ001
    ],
)
def test_min_date_to_null(
    source: SourceDatabase, warehouse: WarehouseDatabase, definition: str, fraction: int, expected: list[Any]
) -> None:
    """Only 0001-01-01 becomes NULL; dates that do not exist refuse the load."""
    lost = ("'0000-00-00'", "'2024-02-31'")
    fill(source, f"{definition} NULL", "'0001-01-01'", "'0001-01-02'", "'2024-02-29'", "NULL", *lost)
    of = Column(
        name="c",
        data_type=definition.partition("(")[0].lower(),
        column_type=definition.lower(),
        fraction=fraction,
    )
    assert [*expected, REFUSED, REFUSED] == converted(source, warehouse, "min_date_to_null", of)


def test_zero_to_null(source: SourceDatabase, warehouse: WarehouseDatabase) -> None:
    """0 becomes NULL, and the largest numbers arrive digit by digit."""
    fill(source, "BIGINT UNSIGNED", "0", "1", "18446744073709551615", "NULL")
    of = Column(name="c", data_type="bigint", column_type="bigint unsigned")
    assert [None, 1, 18446744073709551615, None] == converted(source, warehouse, "zero_to_null", of)
