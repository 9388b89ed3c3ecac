"""Which PostgreSQL types a person may choose for a column: not those into which values would fit by being changed.

PostgreSQL refuses most of what does not fit. It says nothing, though, when it rounds a number, leaves out the time of
a date or digits of a second, takes blanks from the end of a text, and reads the digits of bits as a decimal number.
"""

from __future__ import annotations

import re

import attrs

from etlkit.tables import INTEGER_TYPES, TEXT_TYPES, Column

_NUMBERS = re.compile(r"\((\d+(?:,\s*\d+)?)\)")
_NAMES = {
    "float4": "real",
    "float8": "double precision",
    "float": "double precision",
    "decimal": "numeric",
    "dec": "numeric",
    "timestamptz": "timestamp",
    "timetz": "time",
    "character": "char",
    "bpchar": "char",
    "nchar": "char",
    "character varying": "varchar",
    "national character": "char",
    "char varying": "varchar",
}
_OF_NUMBERS = frozenset(
    {
        "smallint",
        "integer",
        "int",
        "bigint",
        "int2",
        "int4",
        "int8",
        "numeric",
        "real",
        "double precision",
        "money",
    }
    | {"oid", "interval", "date", "timestamp"}
)
_OF_BITS = frozenset({"bit", "bit varying", "varbit"})
_NUMERIC = INTEGER_TYPES | {"decimal", "float", "double", "year"}
_REAL_DIGITS, _DOUBLE_DIGITS = 6, 15
"""Decimal digits that every number keeps in a binary one (IEEE 754)."""
_INTEGER_DIGITS = {"tinyint": 3, "smallint": 5, "mediumint": 8, "int": 10, "bigint": 20, "year": 4}
_EXACT_REAL = frozenset({"tinyint", "smallint", "mediumint", "year"})
_MONEY_SCALE = 2
_MICROSECONDS = 6


@attrs.frozen(kw_only=True)
class ChosenType:
    """A PostgreSQL type as a person wrote it."""

    name: str
    """Its usual name, without numbers, such as `numeric` or `timestamp`."""
    numbers: tuple[int, ...] = ()
    """What stands in brackets."""

    @classmethod
    def of(cls, text: str) -> ChosenType:
        """Read a type.

        Args:
            text: such as `NUMERIC(12, 2)` or `timestamp(3) with time zone`.
        """
        found = _NUMBERS.search(text)
        numbers = tuple(int(each) for each in found[1].split(",")) if found else ()
        name = " ".join(_NUMBERS.sub(" ", text).lower().split())
        for zone in (" with time zone", " without time zone"):
            name = name.removesuffix(zone)
        if name == "float" and numbers and numbers[0] <= 24:  # noqa: PLR2004 - bits, PostgreSQL's manual on float(p)
            return cls(name="real")
        return cls(name=_NAMES.get(name, name), numbers=numbers)


def changes_values(column: Column, text: str) -> bool:
    """Tell whether PostgreSQL would change some value of a column without a word to make it fit a type.

    Args:
        column: the source's column, without a conversion.
        text: the type, as a person wrote it.

    Returns:
        False also where a value that does not fit is refused, and for types that are not known here.
    """
    chosen, kind = ChosenType.of(text), column.data_type
    if kind in TEXT_TYPES:
        return _cuts_text(column, chosen)
    if kind == "bit":
        return chosen.name in _OF_NUMBERS  # 101 would be a hundred and one
    if kind in _NUMERIC:
        return chosen.name in _OF_BITS or _rounds_number(column, chosen)
    if kind in {"date", "datetime", "timestamp", "time"}:
        return _cuts_time(column, chosen)
    return False


def _cuts_text(column: Column, chosen: ChosenType) -> bool:
    if chosen.name in {"char", "name"}:
        return True
    # Of what is longer, PostgreSQL takes blanks away before it refuses the rest.
    return chosen.name == "varchar" and bool(chosen.numbers) and _length(column) > chosen.numbers[0]


def _length(column: Column) -> float:
    return column.length or float("inf")


def _rounds_number(column: Column, chosen: ChosenType) -> bool:
    kind = column.data_type
    floating = kind in {"float", "double"}
    digits = column.precision or 10 if kind == "decimal" else _INTEGER_DIGITS.get(kind, 0)
    scale = (column.scale or 0) if kind == "decimal" else 0
    if chosen.name == "real":
        return kind == "double" or (not floating and kind not in _EXACT_REAL and digits > _REAL_DIGITS)
    if chosen.name == "double precision":
        return not floating and digits > _DOUBLE_DIGITS
    if chosen.name == "numeric" and chosen.numbers:
        return floating or (chosen.numbers[1] if len(chosen.numbers) > 1 else 0) < scale
    return chosen.name == "money" and (floating or scale > _MONEY_SCALE)


def _cuts_time(column: Column, chosen: ChosenType) -> bool:
    if chosen.name == "date":
        return column.data_type != "date"
    if chosen.name == "time" and column.data_type in {"datetime", "timestamp"}:
        return True
    if chosen.name.startswith("interval "):
        return True
    if chosen.name in {"timestamp", "time", "interval"}:
        return (chosen.numbers[0] if chosen.numbers else _MICROSECONDS) < column.fraction
    return False
