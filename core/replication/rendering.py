"""The SELECT that makes the source render a table's rows so that a replica can store the very same values.

Nothing is converted, masked, proven or left out: text in UTF-8 travels as its own bytes, whatever else a value is made
of as the hexadecimal digits of its bytes, numbers and dates as the server prints them, and ENUM and SET by number. The
frame is that of `etlkit.transfer.sentinels`.
"""

from __future__ import annotations

from typing import Any

import attrs
from sqlalchemy import ColumnElement, LargeBinary, TableClause, cast, column, func, literal_column, table
from sqlalchemy.dialects.mysql import INTEGER

from etlkit.errors import PlanRefused
from etlkit.tables import (
    BINARY_TYPES,
    INTEGER_TYPES,
    SPATIAL_TYPES,
    TEMPORAL_TYPES,
    TEXT_TYPES,
    Column,
    TableAnalysis,
)
from etlkit.transfer.forms import APPROXIMATE_TYPES, MAY_EXCEED_A_PACKET, UTF8, as_bytes, literal
from etlkit.transfer.rendering import RenderedColumn, RenderedTable, quoted, with_digest
from etlkit.transfer.sentinels import NULL

_BY_NUMBER = frozenset({"enum", "set"})
_AS_TEXT_ONLY = frozenset({"uuid", "inet4", "inet6"})
_NUMBERS = INTEGER_TYPES | {"decimal"}
_KNOWN = (
    TEXT_TYPES | BINARY_TYPES | SPATIAL_TYPES | TEMPORAL_TYPES | _NUMBERS | APPROXIMATE_TYPES | _AS_TEXT_ONLY
) | {"bit", "json", "time", "year"}
_SALT = "exact"
NO_MEMBER = b"\xfc"
"""A field of an ENUM that is none of its members, number 0. Servers warn where they store it, so it can be counted."""


def render_exactly(
    analysis: TableAnalysis, database: str, *, digests: bool = False, signed_zeros: bool = True
) -> RenderedTable:
    """Decide how each column of a table is rendered for a replica.

    Args:
        analysis: the table.
        database: the database that holds it.
        digests: whether for digests of its rows. They are the same on every server for the same stored bytes,
            whatever the table is called there, as long as both are told the same types.
        signed_zeros: whether -0 is told from 0; not where either server is a MariaDB, which stores 0 for it.

    Returns:
        The columns that are stored, in their order; what servers compute themselves is left out.

    Raises:
        PlanRefused: a column has a type that is not known here.
    """
    source = table(
        quoted(analysis.name),
        *(column(quoted(each.name)) for each in analysis.columns),
        schema=quoted(database),
    )
    # Of computed columns, digests need those by which rows are told apart.
    named = [
        each
        for each in analysis.columns
        if not each.generated or (digests and each.name in analysis.primary_key)
    ]
    columns = tuple(_rendered(source, each, number, analysis.name) for number, each in enumerate(named))
    if not signed_zeros:
        columns = tuple(_without_sign(source, each) for each in columns)
    numbers = {each.column.name: each.number for each in columns}
    key = tuple(numbers[name] for name in analysis.primary_key if name in numbers)
    made = RenderedTable(source=source, columns=columns, key=key)
    return with_digest(made, _SALT) if digests else made


def stored(of: RenderedColumn, field: ColumnElement[Any]) -> ColumnElement[Any] | None:
    """Build what a replica makes of a field that `render_exactly` rendered.

    Args:
        of: the column.
        field: the field, a binary string, or NULL.

    Returns:
        An expression; None where the field is stored as it is.
    """
    if of.raw is not None or of.column.data_type in SPATIAL_TYPES | {"bit"}:
        return func.unhex(field)
    if of.column.data_type in _BY_NUMBER:
        return cast(field, INTEGER(unsigned=True))
    # These take bytes for something else than their text, and JSON of MySQL refuses them.
    if of.column.data_type in _AS_TEXT_ONLY | {"json"}:
        return func.convert(field.op("USING")(column("utf8mb4")))
    return None


def _rendered(source: TableClause, of: Column, number: int, name: str) -> RenderedColumn:
    if of.data_type not in _KNOWN:
        raise PlanRefused(
            f"table `{name}`: column `{of.name}` is a {of.data_type}, a type that etlkit cannot copy to a replica; "
            "leave the table out by `--exclude`"
        )
    value = source.c[of.name]
    text = _text(value, of)
    if of.nullable and of.data_type in MAY_EXCEED_A_PACKET:
        # Not IFNULL: a value too large to render is NULL as well, and must be missed, not be taken for NULL.
        text = func.if_(value.is_(None), literal(NULL), text)
    elif of.nullable:
        text = func.ifnull(text, literal(NULL))
    return RenderedColumn(column=of, number=number, target_type="", expression=text, raw=_raw(value, of))


def _without_sign(source: TableClause, of: RenderedColumn) -> RenderedColumn:
    if of.column.data_type not in APPROXIMATE_TYPES:
        return of
    said = as_bytes(source.c[of.column.name] + literal_column("0e0"), of.column)
    # Named as a conversion, so that this goes into a row's digest, and not the number as it is stored.
    return attrs.evolve(of, expression=said, conversion="zero_without_sign")


def _raw(value: ColumnElement[Any], of: Column) -> ColumnElement[Any] | None:
    """Give the bytes of a value whose rendered text is their digits."""
    if of.data_type in BINARY_TYPES:
        return value
    return cast(value, LargeBinary) if _has_other_bytes(of) else None


def _has_other_bytes(of: Column) -> bool:
    if of.data_type in _BY_NUMBER:
        return False
    if of.data_type == "json":
        return of.charset is not None and of.charset not in UTF8
    return of.data_type in TEXT_TYPES and of.charset not in UTF8


def _text(value: ColumnElement[Any], of: Column) -> ColumnElement[Any]:
    kind = of.data_type
    if kind in _BY_NUMBER:
        return _number(value, of)
    if _has_other_bytes(of) or kind in BINARY_TYPES or kind in SPATIAL_TYPES:
        return func.hex(value)
    if kind == "float":
        # The text protocol prints FLOAT with six digits; as DOUBLE it prints what is stored.
        return value * literal_column("1e0")
    if kind in _AS_TEXT_ONLY:
        return func.convert(value.op("USING")(column("utf8mb4")))
    bare = value + literal_column("0")
    if kind == "bit":
        return func.hex(bare)
    # How many zeros are printed is a matter of the display width, which a replica need not share.
    return bare if kind in _NUMBERS and "zerofill" in of.column_type else value


def _number(value: ColumnElement[Any], of: Column) -> ColumnElement[Any]:
    # By text, the value that was none of an ENUM's members could not be told from an empty member.
    number = cast(value, INTEGER(unsigned=True))
    if of.data_type == "set":
        return number
    return func.if_(number == literal_column("0"), literal(NO_MEMBER), number)
