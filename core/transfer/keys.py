"""Keyset ranges: which rows lie between two keys, in the source's own order.

Order and comparison of keys are always the source's; text is compared by its collation there, never here. A key is
kept as plain text or bytes, as the server printed it, so that it can be stored and used again by a later run.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import attrs
from sqlalchemy import ColumnElement, TableClause, and_, literal, literal_column, or_

from etlkit.errors import PlanRefused
from etlkit.tables import BINARY_TYPES, INTEGER_TYPES, SPATIAL_TYPES, Column, TableAnalysis

KeyValue = str | bytes
"""One part of a key as the server printed it; bytes for binary columns."""
Key = tuple[KeyValue, ...]
"""A key, one value per column."""

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
                not column.nullable and column.data_type not in SPATIAL_TYPES for column in found
            ):
                return cls(columns=found, source=source)
        return None

    def expressions(self) -> tuple[ColumnElement[Any], ...]:
        """Build what is selected, ordered and compared, one expression per column.

        Returns:
            The columns; ENUM, SET, BIT and YEAR by number (they sort by it, but compare as text), FLOAT as DOUBLE.
        """
        return tuple(_expression(self.source.c[column.name], column) for column in self.columns)

    def after(self, key: Key) -> ColumnElement[bool]:
        """Select the rows behind a key.

        Args:
            key: the last key that was read.

        Returns:
            The condition.
        """
        return self._beyond(key, strict=True, ascending=True)

    def up_to(self, key: Key) -> ColumnElement[bool]:
        """Select the rows up to a key, that one included.

        Args:
            key: the last key of the range.

        Returns:
            The condition.
        """
        return self._beyond(key, strict=False, ascending=False)

    def _beyond(self, key: Key, *, strict: bool, ascending: bool) -> ColumnElement[bool]:
        # Spelled out, with a plain bound on the first column: MySQL uses no index for (a, b) > (x, y).
        parts = list(zip(self.expressions(), (self._bound(each) for each in enumerate(key)), strict=True))
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

    def _bound(self, part: tuple[int, KeyValue]) -> ColumnElement[Any]:
        place, value = part
        return bound(self.columns[place], value)


def bound(column: Column, value: KeyValue) -> ColumnElement[Any]:
    """Write a value that the server printed as a parameter of the column's own type.

    A number compared with text would be compared as floating point by MySQL, which confuses keys above 2^53.

    Args:
        column: the column it is compared with.
        value: as the server printed it.

    Returns:
        A bound parameter.

    Raises:
        PlanRefused: the value is not of the column's type.
    """
    kind = column.data_type
    if kind in BINARY_TYPES:
        return literal(value if isinstance(value, bytes) else value.encode())
    said = value.decode() if isinstance(value, bytes) else value
    try:
        if kind in INTEGER_TYPES or kind in _NUMBERED:
            return literal(int(said))
        if kind == "decimal":
            return literal(Decimal(said))
    except (ValueError, ArithmeticError):
        raise PlanRefused(
            f"column `{column.name}` is a {kind}, but what it was to be compared with is not a number; "
            "load the table with --full-refresh once"
        ) from None
    if kind in {"double", "float"}:
        return literal_column(repr(float(said)))
    return literal(said)


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
        return value + literal_column("0")
    if column.data_type == "float":
        return value + literal_column("0e0")
    return value
