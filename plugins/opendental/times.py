"""Conversions for times: moments of a day, lengths of time, and the patterns of appointments; each is chosen by name.

`times.yml` says which of Open Dental's columns hold which.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any

import attrs
from sqlalchemy import ColumnElement, and_, func, literal_column

from etlkit import INTEGER_TYPES, TEXT_TYPES, Column, Conversion, PlanRefused, TableAnalysis, hookimpl

MOST_MINUTES = 60
"""Minutes that one step of a pattern may stand for."""

_STEP = 5
_ZERO: ColumnElement[Any] = literal_column("'00:00:00'")
_MIDNIGHT: ColumnElement[Any] = literal_column("'24:00:00'")


def time_type(column: Column) -> str:
    """Give `time`, with the digits of a second that the column has."""
    _need(column, {"time"}, "time_of_day", "a time")
    return f"time({column.fraction}) without time zone"


def unchanged(value: ColumnElement[Any], column: Column) -> ColumnElement[Any]:
    """Leave the value."""
    return value


def within_a_day(value: ColumnElement[Any], column: Column) -> ColumnElement[bool]:
    """Accept times from 00:00:00 to before 24:00:00; `time` would take 24:00:00 as well, which no clock shows."""
    return and_(value >= _ZERO, value < _MIDNIGHT)


def interval_type(column: Column, *, conversion: str) -> str:
    """Give `interval`, for an integer."""
    _need(column, INTEGER_TYPES, conversion, "an integer")
    return "interval"


def counted(value: ColumnElement[Any], column: Column, *, unit: str) -> ColumnElement[Any]:
    """Write a number of a unit as PostgreSQL reads an interval."""
    return func.concat(value, literal_column(f"' {unit}'"))


def pattern_type(column: Column) -> str:
    """Give `interval`, for a text."""
    _need(column, TEXT_TYPES, "pattern_to_interval", "a text")
    return "interval"


def length_of(value: ColumnElement[Any], column: Column, *, minutes: int) -> ColumnElement[Any]:
    """Count the steps of a pattern as minutes."""
    steps: ColumnElement[Any] = func.char_length(value)
    return func.concat(steps * literal_column(str(minutes)), literal_column("' minutes'"))


def is_pattern(value: ColumnElement[Any], column: Column) -> ColumnElement[bool]:
    """Accept texts of X and / only."""
    return value.op("REGEXP")(literal_column("'^[Xx/]*$'"))


def configured_pattern(options: Mapping[str, str], table: TableAnalysis) -> Conversion:
    """Take the option `minutes`."""
    text = options.get("minutes", str(_STEP))
    known = set(options) <= {"minutes"}
    if not known or not text.isdecimal() or not 1 <= int(text) <= MOST_MINUTES:
        raise PlanRefused(
            f"table `{table.name}`: conversion pattern_to_interval takes the option `minutes` alone, a whole number "
            f"from 1 to {MOST_MINUTES}; correct `options` in `column_overrides`"
        )
    return attrs.evolve(PATTERN, source_sql=partial(length_of, minutes=int(text)))


def _need(column: Column, kinds: frozenset[str] | set[str], conversion: str, wanted: str) -> None:
    if column.data_type not in kinds:
        raise PlanRefused(
            f"conversion {conversion} needs {wanted}, and `{column.name}` is {column.column_type}; "
            "choose another conversion, or take it out of `column_overrides`"
        )


PATTERN = Conversion(
    name="pattern_to_interval",
    summary="Makes the length of an appointment's pattern an interval; the option `minutes` is one step, else 5.",
    target_type=pattern_type,
    source_sql=partial(length_of, minutes=_STEP),
    accepts=is_pattern,
    lossless=False,
    configure=configured_pattern,
)


@hookimpl
def etlkit_conversions() -> Iterator[Conversion]:
    """Provide the conversions."""
    yield Conversion(
        name="time_of_day",
        summary="Makes a TIME a time of day; negative ones and those of 24 hours or more refuse the load.",
        target_type=time_type,
        source_sql=unchanged,
        accepts=within_a_day,
    )
    for unit in ("minutes", "seconds"):
        yield Conversion(
            name=f"{unit}_to_interval",
            summary=f"Makes a number of {unit} an interval.",
            target_type=partial(interval_type, conversion=f"{unit}_to_interval"),
            source_sql=partial(counted, unit=unit),
        )
    yield PATTERN
