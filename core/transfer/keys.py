"""Keyset ranges: which rows lie between two keys, in the source's own order.

Order and comparison of keys are always the source's; text is compared by its collation there, never here. A key is
kept as plain text or bytes, as the server printed it, so that it can be stored and used again by a later run.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Any

import attrs
from sqlalchemy import ColumnElement, Numeric, TableClause, and_, bindparam, cast, literal_column, or_
from sqlalchemy.dialects.mysql import INTEGER

from etlkit.errors import PlanRefused
from etlkit.raising import raise_alone
from etlkit.tables import BINARY_TYPES, INTEGER_TYPES, SPATIAL_TYPES, Column, TableAnalysis

KeyValue = str | bytes
"""One part of a key as the server printed it; bytes for binary columns."""
Key = tuple[KeyValue, ...]
"""A key, one value per column."""

AFTER = "after"
"""Names the parameters of `Keyset.after`."""
UP_TO = "up_to"
"""Names the parameters of `Keyset.up_to`."""

_NUMBERED = frozenset({"enum", "set", "bit", "year"})


@attrs.frozen(kw_only=True)
class Keyset:
    """The key by which a table is read in ranges."""

    columns: tuple[Column, ...]
    """The key's columns in their order."""
    source: TableClause
    """The table."""

    @classmethod
    def of(cls, analysis: TableAnalysis, source: TableClause) -> Keyset | None:
        """Find the key to read a table by: the primary key, else a unique index without NULL.

        Args:
            analysis: the table.
            source: the table in a statement.

        Returns:
            The keyset, or None when the table can only be read in one go.
        """
        names = [analysis.primary_key] if analysis.primary_key else []
        names += [
            index.columns
            for index in analysis.indexes
            if index.unique and not any(index.prefix_lengths) and index.kind in {"BTREE", "HASH"}
        ]
        for each in names:
            columns = [analysis.column(name) for name in each]
            found = tuple(column for column in columns if column is not None)
            if len(found) == len(each) and all(
                not column.nullable
                and column.data_type not in SPATIAL_TYPES
                and column.name not in analysis.hidden  # its values would go back and forth
                for column in found
            ):
                return cls(columns=found, source=source)
        return None

    def expressions(self) -> tuple[ColumnElement[Any], ...]:
        """Build what is selected, ordered and compared, one expression per column.

        Returns:
            The columns; ENUM, SET, BIT and YEAR by number (they sort by it, but compare as text), FLOAT as DOUBLE.
        """
        return tuple(_expression(self.source.c[column.name], column) for column in self.columns)

    def after(self) -> ColumnElement[bool]:
        """Select the rows behind the key that `values(AFTER, key)` gives when the statement runs.

        Returns:
            The condition.
        """
        return self._beyond(AFTER, strict=True, ascending=True)

    def up_to(self) -> ColumnElement[bool]:
        """Select the rows up to the key that `values(UP_TO, key)` gives when the statement runs, that one included.

        Returns:
            The condition.
        """
        return self._beyond(UP_TO, strict=False, ascending=False)

    def values(self, name: str, key: Key | None) -> dict[str, Any]:
        """Give a key's parts as the parameters of a condition.

        Args:
            name: `AFTER` or `UP_TO`.
            key: as the server printed it; None for no parameters.

        Returns:
            By the parameter's name.

        Raises:
            PlanRefused: a part is not of its column's type.
        """
        return {
            f"{name}_{place}": comparable(column, part)
            for place, (column, part) in enumerate(zip(self.columns, key or (), strict=False))
        }

    def _beyond(self, name: str, *, strict: bool, ascending: bool) -> ColumnElement[bool]:
        # Spelled out, with a plain bound on the first column: MySQL uses no index for (a, b) > (x, y).
        parts: list[tuple[ColumnElement[Any], ColumnElement[Any]]] = [
            (expression, _parameter(f"{name}_{place}", self.columns[place]))
            for place, expression in enumerate(self.expressions())
        ]
        alternatives: list[ColumnElement[bool]] = []
        for place, (expression, bound) in enumerate(parts):
            equal = [before == value for before, value in parts[:place]]
            last = place == len(parts) - 1
            if ascending:
                further = expression > bound if strict or not last else expression >= bound
            else:
                further = expression < bound if strict or not last else expression <= bound
            alternatives.append(and_(*equal, further))
        if len(parts) == 1:
            return alternatives[0]
        first, bound = parts[0]
        return and_(first >= bound if ascending else first <= bound, or_(*alternatives))


@attrs.frozen(kw_only=True)
class KeyRange:
    """The rows behind one key up to another."""

    lower: Key | None = None
    """The key it lies behind; None for the table's beginning."""
    upper: Key | None = None
    """Its last key; None for the table's end."""

    def conditions(self, keyset: Keyset) -> list[ColumnElement[bool]]:
        """Build the conditions that select the range, given `values`.

        Args:
            keyset: the key.

        Returns:
            None for the whole table.
        """
        behind = [] if self.lower is None else [keyset.after()]
        return behind if self.upper is None else [*behind, keyset.up_to()]

    def values(self, keyset: Keyset) -> dict[str, Any]:
        """Give the parameters of `conditions`.

        Args:
            keyset: the key.

        Returns:
            By their names.
        """
        return keyset.values(AFTER, self.lower) | keyset.values(UP_TO, self.upper)


def spans_of(
    places: Iterable[int], keys: Sequence[Key], lower: Key | None, *, gap: int
) -> list[tuple[Key | None, Key]]:
    """Give the ranges in which some keys of a list lie.

    Args:
        places: of those keys in the list, in order.
        keys: in their order.
        lower: the key that the list lies behind; None for the beginning.
        gap: how far two of them may lie apart to be in one range; 1 for neighbours only.

    Returns:
        Of each range the key that it lies behind (None for the beginning), and its last one.
    """
    spans: list[tuple[int, int]] = []
    for place in places:
        if spans and place - spans[-1][1] <= gap:
            spans[-1] = (spans[-1][0], place)
        else:
            spans.append((place, place))
    return [(keys[first - 1] if first else lower, keys[last]) for first, last in spans]


def comparable(column: Column, value: KeyValue) -> Any:
    """Turn a value that the server printed into a parameter of the column's own type.

    A number compared with text would be compared as floating point by MySQL, which confuses keys above 2^53.

    Args:
        column: the column it is compared with.
        value: as the server printed it.

    Returns:
        What the driver writes into a statement so that the server compares values of one type.

    Raises:
        PlanRefused: the value is not of the column's type.
    """
    kind = column.data_type
    if kind in BINARY_TYPES:
        return value if isinstance(value, bytes) else value.encode()
    said = value.decode() if isinstance(value, bytes) else value
    try:
        if kind in INTEGER_TYPES or kind in _NUMBERED:
            return int(said)
        if kind == "decimal":
            return f"{_finite(Decimal(said)):f}"
        if kind in {"double", "float"}:
            return _finite(float(said))
    except (ValueError, ArithmeticError):
        raise_alone(
            PlanRefused(
                f"column `{column.name}` is a {kind}, but what it was to be compared with is not a number; "
                "load the table with --full-refresh once"
            )
        )
    return said


def to_json(key: Key) -> str:
    """Write a key so that a later run can go on behind it.

    Args:
        key: as the server printed it.

    Returns:
        JSON text; bytes as hexadecimal digits.
    """
    return json.dumps([{"hex": each.hex()} if isinstance(each, bytes) else each for each in key])


def from_json(text: str) -> Key:
    """Read what `to_json` wrote.

    Args:
        text: the JSON text.

    Returns:
        The key.
    """
    return tuple(
        bytes.fromhex(each["hex"]) if isinstance(each, dict) else str(each) for each in json.loads(text)
    )


def as_key(row: Sequence[Any]) -> Key:
    """Take a key as the raw connection gives it.

    Args:
        row: one value per column, text or bytes.

    Returns:
        The key.
    """
    return tuple(each if isinstance(each, bytes) else str(each) for each in row)


def _expression(value: ColumnElement[Any], column: Column) -> ColumnElement[Any]:
    if column.data_type in _NUMBERED:
        # Not `+ 0`, which counts ENUM and SET as double and confuses sets of more than 53 members.
        return cast(value, INTEGER(unsigned=True))
    if column.data_type == "float":
        return value + literal_column("0e0")
    return value


def _parameter(name: str, column: Column) -> ColumnElement[Any]:
    parameter: ColumnElement[Any] = bindparam(name)
    if column.data_type == "decimal":
        # As a decimal: the driver would send 1E-7, which the server takes for a double, and compare as double.
        return cast(parameter, Numeric(column.precision or 10, column.scale or 0))
    return parameter


def _finite(number: Decimal | float) -> Decimal | float:
    if not math.isfinite(number):
        raise ValueError
    return number
