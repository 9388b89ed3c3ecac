"""How the source renders one column as text, by the column's type: expressions for SQLAlchemy Core."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sqlalchemy import ColumnElement, LargeBinary, Null, and_, case, cast, column, func, literal_column, not_

from etlkit.contracts import Conversion
from etlkit.tables import BINARY_TYPES, INTEGER_TYPES, SPATIAL_TYPES, TEMPORAL_TYPES, TEXT_TYPES, Column
from etlkit.transfer.sentinels import BROKEN, LOSS, NULL, REFUSED, marker, sql_literal

MAY_EXCEED_A_PACKET = SPATIAL_TYPES | {"mediumtext", "longtext", "mediumblob", "longblob", "json"}
"""Types whose rendered values may be larger than one value that the server can send, which makes them NULL."""

APPROXIMATE_TYPES = frozenset({"double", "float"})
"""Types whose values are kept as IEEE 754 numbers, which the server prints slowly."""

# Their bytes are taken as they are. Not so those of `ascii`, where the servers store any byte, the frame's as well.
UTF8 = frozenset({"utf8mb4", "utf8mb3", "utf8"})
"""Character sets whose texts are UTF-8 as they are stored."""
# Every value of these is a character of Unicode, to MySQL 5.6 and MariaDB alike; of others, such as cp1250, the
# servers silently convert some values to a question mark.
_COMPLETE = frozenset(
    {"latin1", "latin2", "latin5", "latin7", "cp850", "cp852", "cp866", "koi8r", "koi8u", "keybcs2", "macce"}
    | {"macroman", "ucs2", "utf16", "utf16le", "utf32", "gb18030"}
)
_HEX_PREFIX: ColumnElement[Any] = literal_column("0x5C78")


def literal(value: bytes) -> ColumnElement[Any]:
    """Write bytes into a statement as a binary string that makes a binary string of what it is joined with.

    Its explicit collation wins over those of columns; without it the server would take the frame's bytes for text
    in a column's character set, and refuse them (error 1300). Casting each column instead costs a tenth of the read.

    Args:
        value: at least one byte.

    Returns:
        The literal; not a parameter, so that statements of one table are all alike.
    """
    return literal_column(f"_binary {sql_literal(value)} COLLATE `binary`")


def is_known(of: Column) -> bool:
    """Tell whether a column can be rendered without a conversion.

    Args:
        of: the column.
    """
    kinds = TEXT_TYPES | BINARY_TYPES | SPATIAL_TYPES | TEMPORAL_TYPES
    return of.data_type in kinds or of.data_type in _FORMS


def converted(
    value: ColumnElement[Any], of: Column, number: int, conversion: Conversion
) -> ColumnElement[Any]:
    """Render what a conversion makes of a column.

    Args:
        value: the column in a statement.
        of: the column.
        number: its place in the SELECT, for markers.
        conversion: the conversion.

    Returns:
        The conversion's text; the marker `REFUSED` for a value that it does not accept, or that its key was lacking
        for; of a conversion that hides values, `LOSS` for a date that does not exist.
    """
    made = conversion.source_sql(value, of)
    if isinstance(made, Null):
        return literal(NULL)
    if made is value and of.data_type in INTEGER_TYPES and not conversion.keyed:
        return _checked_number(value, of, number, conversion)
    if conversion.keyed:
        # Without its key a session gives NULL, and so does a value that is too large; that must not pass for NULL.
        lost = literal(marker(REFUSED, number))
        result = func.if_(value.is_(None), literal(NULL), func.ifnull(_as_utf8mb4(made), lost))
    else:
        result = func.if_(made.is_(None), literal(NULL), _as_utf8mb4(made))
    if conversion.hides and of.data_type in TEMPORAL_TYPES:
        result = func.if_(_exists(value, of), result, _no_date(value, of, number))
    if conversion.accepts is None:
        return result
    accepted = conversion.accepts(value, of)
    return case((value.is_(None), literal(NULL)), (accepted, result), else_=literal(marker(REFUSED, number)))


def _checked_number(
    value: ColumnElement[Any], of: Column, number: int, conversion: Conversion
) -> ColumnElement[Any]:
    """Render a number that a conversion leaves as it is; its digits need neither a character set nor a second look."""
    if conversion.accepts is None:
        return plain(value, of, number)
    accepted, refused = conversion.accepts(value, of), literal(marker(REFUSED, number))
    if not of.nullable:
        return func.if_(accepted, value, refused)
    return case((accepted, value), (value.is_(None), literal(NULL)), else_=refused)


def plain(
    value: ColumnElement[Any], of: Column, number: int, *, as_bytes: bool = False
) -> ColumnElement[Any]:
    """Render a column as it is.

    Args:
        value: the column in a statement.
        of: the column, of a known type.
        number: its place in the SELECT, for markers.
        as_bytes: whether text becomes a bytea of its UTF-8; as text, PostgreSQL would read escapes in it.

    Returns:
        Its text; the marker `LOSS` for a date that does not exist, `BROKEN` for text that has no characters.
    """
    if of.data_type in TEMPORAL_TYPES:
        return _temporal(value, of, number)
    text_form = _text_form(of)(value, of)
    if as_bytes and of.data_type in TEXT_TYPES:
        text_form = func.concat(_HEX_PREFIX, func.hex(text_form))
    if of.data_type in TEXT_TYPES and of.charset is not None and of.charset not in UTF8 | _COMPLETE:
        broken = and_(value.is_not(None), not_(_survives(value, of.charset)))
        text_form = func.if_(broken, literal(marker(BROKEN, number)), text_form)
    if not of.nullable:
        return text_form
    if of.data_type in MAY_EXCEED_A_PACKET:
        # Not IFNULL: a value too large to render is NULL as well, and must be missed, not be taken for NULL.
        return func.if_(value.is_(None), literal(NULL), text_form)
    return func.ifnull(text_form, literal(NULL))


def unproven(
    value: ColumnElement[Any], of: Column, conversion: Conversion | None = None
) -> ColumnElement[Any] | None:
    """Render a value without the proof that PostgreSQL would take it, which costs the source a part of each read.

    Of a date, that is the question whether it exists; of a number that a conversion leaves as it is, whether the
    conversion accepts it.

    Args:
        value: the column in a statement.
        of: the column.
        conversion: the one that is applied.

    Returns:
        Its text; None for columns where nothing is asked, where asking costs nothing, or where PostgreSQL might take
        what is refused.
    """
    if conversion is not None:
        by_type = conversion.refused_by_type and of.data_type in INTEGER_TYPES
        if not by_type or conversion.accepts is None or conversion.source_sql(value, of) is not value:
            return None
        return func.ifnull(value, literal(NULL)) if of.nullable else value
    if of.data_type not in TEMPORAL_TYPES or of.data_type == "timestamp":
        return None
    return func.ifnull(value, literal(NULL)) if of.nullable else value


def as_bytes(
    value: ColumnElement[Any], of: Column, second: ColumnElement[Any] | None = None
) -> ColumnElement[Any]:
    """Give the bytes of a floating-point number: a point on a plane holds two of them as they are.

    Args:
        value: the column in a statement.
        of: the column.
        second: another such column; both are NOT NULL then.

    Returns:
        21 bytes, for one number as for two; `NULL` where it is NULL.
    """
    other = literal_column("0") if second is None else second
    point = func.st_asbinary(func.point(value, other))
    return func.ifnull(point, literal(NULL)) if of.nullable else point


def _temporal(value: ColumnElement[Any], of: Column, number: int) -> ColumnElement[Any]:
    return func.if_(_exists(value, of), value, _no_date(value, of, number))


def _no_date(value: ColumnElement[Any], of: Column, number: int) -> ColumnElement[Any]:
    lost: ColumnElement[Any] = literal(marker(LOSS, number))
    # On NOT NULL columns `0000-00-00` matches IS NULL, so the question is only asked where NULL can be.
    return func.if_(value.is_(None), literal(NULL), lost) if of.nullable else lost


def _exists(value: ColumnElement[Any], of: Column) -> ColumnElement[bool]:
    if of.data_type == "timestamp":
        # Stored as seconds, so only `0000-00-00` can be there; asked so that the server need not convert the zone.
        return func.unix_timestamp(value)
    # Integers stand for themselves: `> 0` costs the server more than the functions do.
    day = func.dayofmonth(value)
    return and_(day <= func.dayofmonth(func.last_day(value)), day, func.year(value))


def _text_form(of: Column) -> Callable[[ColumnElement[Any], Column], ColumnElement[Any]]:
    kind = of.data_type
    if kind in TEXT_TYPES:
        return _characters
    if kind in BINARY_TYPES:
        return lambda value, _: func.concat(_HEX_PREFIX, func.hex(value))
    if kind in SPATIAL_TYPES:
        return lambda value, _: _ewkb(value)
    return _FORMS[kind]


def _characters(value: ColumnElement[Any], of: Column) -> ColumnElement[Any]:
    return value if of.charset in UTF8 else _as_utf8mb4(value)


def _as_utf8mb4(value: ColumnElement[Any]) -> ColumnElement[Any]:
    return _in_charset(value, "utf8mb4")


def _in_charset(value: ColumnElement[Any], charset: str) -> ColumnElement[Any]:
    return func.convert(value.op("USING")(column(charset)))


def _survives(value: ColumnElement[Any], charset: str) -> ColumnElement[bool]:
    there_and_back = _in_charset(_as_utf8mb4(value), charset)
    return cast(there_and_back, LargeBinary) == cast(value, LargeBinary)


def _ewkb(value: ColumnElement[Any]) -> ColumnElement[Any]:
    # The server keeps SRID (4 bytes, little endian) before WKB. EWKB has the SRID behind the type, whose highest
    # byte gets the flag 0x20 (PostGIS, "Extended WKB").
    digits = func.hex(value)

    def part(start: int, length: int | None = None) -> ColumnElement[Any]:
        numbers = [start] if length is None else [start, length]
        return func.substr(digits, *(literal_column(str(each)) for each in numbers))

    return func.concat(_HEX_PREFIX, part(9, 8), literal_column("'20'"), part(1, 8), part(19))


def _printed(value: ColumnElement[Any], _: Column) -> ColumnElement[Any]:
    return _as_utf8mb4(value)


def _as_is(value: ColumnElement[Any], _: Column) -> ColumnElement[Any]:
    return value


_FORMS: dict[str, Callable[[ColumnElement[Any], Column], ColumnElement[Any]]] = {
    **dict.fromkeys(
        ("tinyint", "smallint", "mediumint", "int", "bigint", "decimal", "double", "year"), _as_is
    ),
    "time": _as_is,
    "json": _characters,
    **dict.fromkeys(("uuid", "inet4", "inet6"), _printed),
    # The text protocol prints FLOAT with six digits; as DOUBLE it prints what is stored. Not `+ 0e0`: that takes the
    # sign of -0, which MySQL stores.
    "float": lambda value, _: value * literal_column("1e0"),
    "bit": lambda value, of: func.lpad(
        func.bin(value + literal_column("0")),
        literal_column(str(of.length or of.precision or 1)),
        literal_column("'0'"),
    ),
}
