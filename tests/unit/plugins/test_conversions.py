"""The built-in conversions become exactly this SQL, and refuse columns of other types."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import ColumnElement, column
from sqlalchemy.dialects.mysql.pymysql import MySQLDialect_pymysql

from etlkit import Column, PlanRefused, TableAnalysis
from etlkit.plugins.conversions import builtin
from etlkit.registry import Registry

REGISTRY = Registry.of(builtin)
TINYINT = Column(name="IsHidden", data_type="tinyint", column_type="tinyint")
DOUBLE = Column(name="ProcFee", data_type="double", column_type="double")
DATE = Column(name="BirthDate", data_type="date", column_type="date")
BIGINT = Column(name="ClinicNum", data_type="bigint", column_type="bigint")


def decimal(precision: int, scale: int) -> Column:
    """A column of a decimal type."""
    return Column(
        name="Amt",
        data_type="decimal",
        column_type=f"decimal({precision},{scale})",
        precision=precision,
        scale=scale,
    )


def sql(expression: ColumnElement[Any]) -> str:
    """The text that the source gets; it holds no parameters."""
    done = expression.compile(dialect=MySQLDialect_pymysql(), compile_kwargs={"render_postcompile": True})
    assert not done.params
    return str(done)


@pytest.mark.parametrize(
    ("name", "of", "target", "value", "accepts"),
    [
        ("tinyint_to_boolean", TINYINT, "boolean", "`IsHidden`", "`IsHidden` IN (0, 1)"),
        (
            "decimal_round",
            DOUBLE,
            "numeric(18,2)",
            "round(`ProcFee`, 2)",
            "abs(round(`ProcFee`, 2)) < 1e16",
        ),
        ("decimal_round", decimal(10, 4), "numeric(9,2)", "round(`Amt`, 2)", "true"),
        (
            "min_date_to_null",
            DATE,
            "date",
            "CASE WHEN (`BirthDate` = '0001-01-01') THEN NULL ELSE `BirthDate` END",
            (
                "year(`BirthDate`) > 0 AND "
                "dayofmonth(`BirthDate`) BETWEEN 1 AND dayofmonth(last_day(`BirthDate`))"
            ),
        ),
        ("zero_to_null", BIGINT, "bigint", "nullif(`ClinicNum`, 0)", None),
    ],
)
def test_a_conversion_is_this_sql(
    name: str, of: Column, target: str, value: str, accepts: str | None
) -> None:
    """The expressions stay what they are, so that a row's digest does."""
    conversion = REGISTRY.conversion(name).item
    assert target == conversion.target_type(of)
    assert value == sql(conversion.source_sql(column(of.name), of))
    condition = conversion.accepts and sql(conversion.accepts(column(of.name), of))
    assert accepts == condition


@pytest.mark.parametrize(
    ("of", "expected"),
    [
        (decimal(10, 2), "numeric(10,2)"),
        (decimal(10, 0), "numeric(12,2)"),
        (decimal(3, 3), "numeric(3,2)"),
        (decimal(65, 30), "numeric(38,2)"),
    ],
)
def test_a_rounded_decimal_keeps_room_for_a_carry(of: Column, expected: str) -> None:
    """0.999 has no digit before the point, and 1.00 has one."""
    assert expected == REGISTRY.conversion("decimal_round").item.target_type(of)


@pytest.mark.parametrize(
    ("name", "of", "wanted", "kind"),
    [
        ("tinyint_to_boolean", DATE, "an integer", "date"),
        ("decimal_round", BIGINT, "a decimal, float or double", "bigint"),
        ("min_date_to_null", BIGINT, "a date or datetime", "bigint"),
        ("zero_to_null", DOUBLE, "an integer", "double"),
    ],
)
def test_a_column_of_another_type_is_refused(name: str, of: Column, wanted: str, kind: str) -> None:
    """A conversion that was named for the wrong column says so before any row is read."""
    with pytest.raises(PlanRefused) as caught:
        REGISTRY.conversion(name).item.target_type(of)
    assert str(caught.value) == (
        f"conversion {name} needs {wanted}, and column {of.name} is a {kind}; "
        "take it out of the table's `column_overrides` in etlkit.yml"
    )


def test_no_built_in_conversion_applies_by_itself() -> None:
    """A tinyint that looks like yes and no may be an enum, so a conversion must be named."""
    table = TableAnalysis(name="patient", columns=(TINYINT, DOUBLE, DATE, BIGINT))
    assert [] == [
        (each.item.name, of.name)
        for each in REGISTRY.conversions
        for of in table.columns
        if each.item.matches(table, of)
    ]


def test_only_conversions_that_keep_values_apart_are_lossless() -> None:
    """What cannot be turned back is said to be lossy."""
    assert ["tinyint_to_boolean"] == [each.item.name for each in REGISTRY.conversions if each.item.lossless]
