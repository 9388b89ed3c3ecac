"""What all practices of the Lakeside group agreed on: phone numbers stay at the practice, recalls come first."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sqlalchemy import ColumnElement, func

from etlkit import Classifier, Column, Conversion, TableAnalysis, hookimpl

AREA = 5
"""Characters of `(503)`, which is all that leaves the practice of a phone number."""


def is_phone(table: TableAnalysis, column: Column) -> bool:
    """Tell whether a column holds phone numbers, such as `WirelessPhone`."""
    return column.name.endswith("Phone") and column.data_type == "varchar"


def area(value: ColumnElement[Any], column: Column) -> ColumnElement[Any]:
    """Keep the area; an empty number is none, and becomes NULL."""
    return func.concat(func.left(func.nullif(value, ""), AREA), "***")


def text_type(column: Column) -> str:
    """Give the type of the column in the warehouse."""
    return "text"


def recalls(table: TableAnalysis) -> str | None:
    """Load the tables of recalls first: the group's call centre begins at six."""
    return "critical" if table.name.lower().startswith("recall") else None


@hookimpl
def etlkit_conversions() -> Iterator[Conversion]:
    """Provide `phone_area`."""
    yield Conversion(
        name="phone_area",
        summary="Keeps the area of a phone number.",
        target_type=text_type,
        source_sql=area,
        matches=is_phone,
        lossless=False,
        hides=True,
    )


@hookimpl
def etlkit_classifiers() -> Iterator[Classifier]:
    """Provide `recalls`."""
    yield Classifier(name="recalls", classify=recalls)
