"""Columns that Open Dental names like a yes or no become booleans, where all of their values are 0 or 1.

The knowledge stands in `booleans.yml`. Names are only a claim: `analyze` looks at the values before a column becomes
a boolean, and each load proves them again.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from sqlalchemy import ColumnElement, literal_column

from etlkit import Column, Conversion, PlanRefused, TableAnalysis, hookimpl
from etlkit.plugins.opendental.knowledge import read

NAME = "open_dental_boolean"

# `IsTpPriDMM`: is, tp, pri, dmm; `UsingTIN`: using, tin; `Bal_0_30`: bal, 0, 30.
_WORDS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")
_NO_AND_YES: tuple[ColumnElement[Any], ...] = (literal_column("0"), literal_column("1"))


def _folded(tables: Mapping[str, Any]) -> frozenset[tuple[str, str]]:
    return frozenset((table.casefold(), each.casefold()) for table, names in tables.items() for each in names)


_KNOWLEDGE = read("booleans.yml")
FIRST = frozenset(_KNOWLEDGE["first"])
"""Words that begin the name of a yes or no."""
ANYWHERE = frozenset(_KNOWLEDGE["anywhere"])
"""Words that make a yes or no of a name, wherever they stand in it."""
LAST = frozenset(_KNOWLEDGE["last"])
"""Words that end the name of a yes or no."""
DECLARED = frozenset(_KNOWLEDGE["declared"])
"""Declared types that only a yes or no has."""
COLUMNS = _folded(_KNOWLEDGE["columns"])
"""Tables and columns in lower case that are yes or no, whatever their names."""
OTHERS = _folded(_KNOWLEDGE["not"])
"""Tables and columns in lower case that only look like a yes or no."""


def is_boolean(table: TableAnalysis, column: Column) -> bool:
    """Tell whether a column is a yes or no, as far as its name and its declaration tell.

    Args:
        table: the column's table.
        column: the column.
    """
    place = (table.name.casefold(), column.name.casefold())
    if column.data_type != "tinyint" or column.name in table.primary_key or place in OTHERS:
        return False
    if place in COLUMNS or column.declared_type.lower().removesuffix(" unsigned") in DECLARED:
        return True
    words = [each.casefold() for each in _WORDS.findall(column.name)]
    if len(words) < 2:  # noqa: PLR2004 - a single word such as `Show` has neither subject nor object
        return bool(words) and words[0] in LAST
    return words[0] in FIRST or words[-1] in LAST or not ANYWHERE.isdisjoint(words)


def boolean_type(column: Column) -> str:
    """Give `boolean`, for a tinyint."""
    if column.data_type != "tinyint":
        raise PlanRefused(
            f"conversion {NAME} is for tinyint columns, and `{column.name}` is {column.column_type}; "
            "choose another conversion, such as tinyint_to_boolean, or take it out of `column_overrides`"
        )
    return "boolean"


def unchanged(value: ColumnElement[Any], column: Column) -> ColumnElement[Any]:
    """Leave the value: PostgreSQL reads 0 and 1 as false and true."""
    return value


def no_or_yes(value: ColumnElement[Any], column: Column) -> ColumnElement[bool]:
    """Accept 0 and 1."""
    return value.in_(_NO_AND_YES)


@hookimpl
def etlkit_conversions() -> Iterator[Conversion]:
    """Provide the conversion."""
    yield Conversion(
        name=NAME,
        summary="Makes 0 and 1 false and true in columns that Open Dental names like a yes or no.",
        target_type=boolean_type,
        source_sql=unchanged,
        matches=is_boolean,
        accepts=no_or_yes,
        refused_by_type=True,
    )
