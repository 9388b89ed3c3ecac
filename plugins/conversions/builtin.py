"""Conversions for the habits of Open Dental's schema; each is used only for columns that name it.

The expressions are evaluated by the source and work on MySQL from 5.6 and on MariaDB.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sqlalchemy import ColumnElement, and_, case, func, literal_column, null, true

from etlkit import INTEGER_TYPES, Column, Conversion, hookimpl, target_type
from etlkit.plugins.conversions.refusals import OUT, need

_ZERO: ColumnElement[Any] = literal_column("0")
_ONE: ColumnElement[Any] = literal_column("1")
_MIN_DATE: ColumnElement[Any] = literal_column("'0001-01-01'")
_FLOATS = frozenset({"float", "double"})
_MONEY_DIGITS = 18
_DIGITS = 2


@hookimpl
def etlkit_conversions() -> Iterator[Conversion]:
    """Provide the conversions."""
    yield Conversion(
        name="tinyint_to_boolean",
        summary="Makes 0 and 1 false and true; any other value refuses the load.",
        target_type=boolean_type,
        source_sql=unchanged,
        accepts=zero_or_one,
        refused_by_type=True,
    )
    yield Conversion(
        name="decimal_round",
        summary="Rounds a number to 2 digits behind the point.",
        target_type=rounded_type,
        source_sql=rounded,
        accepts=fits_rounded,
        lossless=False,
    )
    yield Conversion(
        name="min_date_to_null",
        summary="Makes 0001-01-01, Open Dental's way to say that there is no date, NULL.",
        target_type=date_type,
        source_sql=min_date_as_null,
        accepts=exists,
        lossless=False,
    )
    yield Conversion(
        name="zero_to_null",
        summary="Makes 0 NULL, for numbers that refer to another table's rows and where 0 means none.",
        target_type=number_type,
        source_sql=zero_as_null,
        lossless=False,
    )


def boolean_type(column: Column) -> str:
    """Give `boolean`, for an integer column."""
    need(column, INTEGER_TYPES, "tinyint_to_boolean", "an integer", OUT)
    return "boolean"


def unchanged(value: ColumnElement[Any], column: Column) -> ColumnElement[Any]:
    """Leave the value: PostgreSQL reads 0 and 1 as false and true."""
    return value


def zero_or_one(value: ColumnElement[Any], column: Column) -> ColumnElement[bool]:
    """Accept 0 and 1: many of Open Dental's tinyint columns are enums that only look like yes and no."""
    return value.in_([_ZERO, _ONE])


def rounded_type(column: Column) -> str:
    """Give a numeric with 2 digits behind the point, wide enough for a value that is rounded up."""
    need(column, _FLOATS | {"decimal"}, "decimal_round", "a decimal, float or double", OUT)
    if column.data_type in _FLOATS:
        return f"numeric({_MONEY_DIGITS},{_DIGITS})"
    scale = column.scale or 0
    carry = 1 if scale > _DIGITS else 0
    return f"numeric({(column.precision or 10) - scale + carry + _DIGITS},{_DIGITS})"


def rounded(value: ColumnElement[Any], column: Column) -> ColumnElement[Any]:
    """Round half away from zero, as the source's ROUND does."""
    return func.round(value, literal_column(str(_DIGITS)))


def fits_rounded(value: ColumnElement[Any], column: Column) -> ColumnElement[bool]:
    """Accept what the type of the result can hold; a double may be larger."""
    if column.data_type not in _FLOATS:
        return true()
    return func.abs(rounded(value, column)) < literal_column(f"1e{_MONEY_DIGITS - _DIGITS}")


def date_type(column: Column) -> str:
    """Give the type the column has without the conversion."""
    need(column, {"date", "datetime"}, "min_date_to_null", "a date or datetime", OUT)
    return target_type(column)


def min_date_as_null(value: ColumnElement[Any], column: Column) -> ColumnElement[Any]:
    """Replace 0001-01-01 by NULL."""
    return case((value == _MIN_DATE, null()), else_=value)


def exists(value: ColumnElement[Any], column: Column) -> ColumnElement[bool]:
    """Accept dates of the calendar: the source may hold others, such as 0000-00-00 and February 31."""
    last_day = func.dayofmonth(func.last_day(value))
    return and_(func.year(value) > _ZERO, func.dayofmonth(value).between(_ONE, last_day))


def number_type(column: Column) -> str:
    """Give the type the column has without the conversion."""
    need(column, INTEGER_TYPES, "zero_to_null", "an integer", OUT)
    return target_type(column)


def zero_as_null(value: ColumnElement[Any], column: Column) -> ColumnElement[Any]:
    """Replace 0 by NULL."""
    return func.nullif(value, _ZERO)
