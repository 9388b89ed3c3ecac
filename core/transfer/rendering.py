"""The SELECT that makes the source render a table's rows as framed bytes, built with SQLAlchemy Core.

Every field arrives as the text that PostgreSQL's input functions take for the target type. Nothing is escaped and
nothing is decoded on the way: see `etlkit.transfer.sentinels` for the frame, `etlkit.transfer.copy_text` for the rest.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Any

import attrs
from sqlalchemy import (
    ColumnElement,
    LargeBinary,
    TableClause,
    and_,
    case,
    cast,
    column,
    func,
    literal_column,
    not_,
    null,
    quoted_name,
    table,
)

from etlkit.contracts import Conversion
from etlkit.errors import PlanRefused
from etlkit.tables import BINARY_TYPES, SPATIAL_TYPES, TEMPORAL_TYPES, TEXT_TYPES, Column, TableAnalysis
from etlkit.transfer.digests import DIGEST, digest_of, salt_of
from etlkit.transfer.policies import Policy
from etlkit.transfer.sentinels import BROKEN, FIELD, LOSS, NULL, REFUSED, ROW, marker, sql_literal
from etlkit.transfer.target_types import target_type

MAY_EXCEED_A_PACKET = SPATIAL_TYPES | {"mediumtext", "longtext", "mediumblob", "longblob", "json"}
"""Types whose rendered values may be larger than one value that the server can send, which makes them NULL."""

_UTF8 = frozenset({"utf8mb4", "utf8mb3", "utf8", "ascii"})
# Every value of these is a character of Unicode, to MySQL 5.6 and MariaDB alike; of others, such as cp1250, the
# servers silently convert some values to a question mark.
_COMPLETE = frozenset(
    {"latin1", "latin2", "latin5", "latin7", "cp850", "cp852", "cp866", "koi8r", "koi8u", "keybcs2", "macce"}
    | {"macroman", "ucs2", "utf16", "utf16le", "utf32", "gb18030"}
)
_HEX_PREFIX: ColumnElement[Any] = literal_column("0x5C78")
_ROW: ColumnElement[Any] = literal_column("@etlkit_row")
_EMPTY: ColumnElement[Any] = literal_column("''")


@attrs.frozen(kw_only=True)
class RenderedColumn:
    """One column on its way: what the source computes, and what the warehouse stores."""

    column: Column
    """The source's column."""
    number: int
    """Its place in the SELECT, from 0."""
    target_type: str
    """The PostgreSQL type."""
    expression: ColumnElement[Any]
    """Its rendered text; never SQL NULL unless the server could not compute it."""
    conversion: str | None = None
    """The conversion that is applied, by name."""
    policy: Policy | None = None
    """What becomes of values that PostgreSQL cannot hold, where that was chosen."""

    @property
    def may_lose(self) -> bool:
        """Whether the expression can give a loss marker."""
        return self.conversion is None and self.column.data_type in TEMPORAL_TYPES


@attrs.frozen(kw_only=True)
class RenderedTable:
    """A table's rows as the source renders them."""

    source: TableClause
    """The table, qualified by its database."""
    columns: tuple[RenderedColumn, ...]
    """In the order of the fields; with a salt, the last one is the digest of the others."""
    salt: bytes | None = None
    """The salt of the rows' digests; None when they have none."""

    def row(self) -> ColumnElement[Any]:
        """Build the expression that renders a whole row, its end mark included.

        Returns:
            A binary string; a field that the server could not compute is missing from it, never empty.
        """
        if self.salt is not None:
            return self._row_with_digest(self.salt)
        # The row's end follows another byte string, so that it is no field of its own.
        *front, last = (each.expression for each in self.columns)
        return func.concat_ws(literal(FIELD), *front, func.concat(last, literal(ROW)))

    def digest(self) -> ColumnElement[Any]:
        """Build the digest of a row.

        Returns:
            A signed 64-bit number; NULL when the server could not compute a field.

        Raises:
            PlanRefused: the rows have no digests.
        """
        if self.salt is None:
            raise PlanRefused(f"table `{self.source.name}` is rendered without digests")
        return digest_of(self._digested(), self.salt)

    def _row_with_digest(self, salt: bytes) -> ColumnElement[Any]:
        fields = [each.expression for each in self.columns[:-1]]
        row: ColumnElement[Any] = func.concat_ws(literal(FIELD), *fields)
        digest = self.columns[-1].expression
        if not self._large():
            # Rendering is the cost, so a row is rendered once: arguments are computed from left to right.
            row, digest = _ROW.op(":=")(row), digest_of(_ROW, salt)
        return func.concat(row, literal(FIELD), digest, literal(ROW))

    def _digested(self) -> ColumnElement[Any]:
        large = self._large()
        small = [each.expression for each in self.columns[:-1] if each not in large]
        row: ColumnElement[Any] = func.concat_ws(literal(FIELD), literal(NULL), *small)
        if not large:
            return func.concat_ws(literal(FIELD), *small)
        # CONCAT and not CONCAT_WS: a value that cannot be computed must make the digest NULL, not be passed over.
        digests = [part for each in large for part in (literal(FIELD), _large_digest(each, self.source))]
        return func.concat(row, *digests)

    def _large(self) -> list[RenderedColumn]:
        return [each for each in self.columns[:-1] if each.column.data_type in MAY_EXCEED_A_PACKET]

    def rows(self) -> ColumnElement[Any]:
        """Build the expression that renders all rows of a chunk into one value.

        Returns:
            A binary string, cut silently at `group_concat_max_len`: compare the end marks with COUNT(*).
        """
        return func.group_concat(self.row().op("SEPARATOR")(_EMPTY))


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


def render(
    analysis: TableAnalysis,
    database: str,
    conversions: Mapping[str, Conversion] | None = None,
    types: Mapping[str, str] | None = None,
    *,
    without: Collection[str] = (),
    policies: Mapping[str, Policy] | None = None,
    secret: str | None = None,
) -> RenderedTable:
    """Decide how each column of a table is rendered.

    Args:
        analysis: the table.
        database: the source database that holds it.
        conversions: by column name, the conversion to apply instead of the plain rendering.
        types: by column name, the PostgreSQL type to use instead of the one that follows from column and conversion.
        without: columns that are not read, though conditions and keys may name them.
        policies: by column name, what becomes of values that PostgreSQL cannot hold, where that was chosen.
        secret: the deployment's own, for tables whose rows are kept with a digest; None for others.

    Returns:
        The table's other columns in their order, INVISIBLE and generated ones included.

    Raises:
        PlanRefused: a column without a conversion has a type that is not in etlkit's table of types.
    """
    chosen, other_types = conversions or {}, types or {}
    source = table(
        _quoted(analysis.name),
        *(column(_quoted(each.name)) for each in analysis.columns),
        schema=_quoted(database),
    )
    rendered = []
    for number, each in enumerate(each for each in analysis.columns if each.name not in without):
        value: ColumnElement[Any] = source.c[each.name]
        conversion = chosen.get(each.name)
        if conversion is None:
            if not _is_known(each):
                raise PlanRefused(
                    f"table `{analysis.name}`: column `{each.name}` is a {each.data_type}, a type that etlkit cannot "
                    "render; name a conversion for it in `column_overrides`"
                )
            expression = _plain(value, each, number)
            kind = target_type(each)
        else:
            expression = _converted(value, each, number, conversion)
            kind = conversion.target_type(each)
        rendered.append(
            RenderedColumn(
                column=each,
                number=number,
                target_type=other_types.get(each.name, kind),
                expression=expression,
                conversion=conversion.name if conversion else None,
                policy=(policies or {}).get(each.name),
            )
        )
    made = RenderedTable(source=source, columns=tuple(rendered))
    return made if secret is None else _with_digest(made, secret)


def _with_digest(made: RenderedTable, secret: str) -> RenderedTable:
    salt = salt_of(secret, made.columns)
    last = RenderedColumn(column=DIGEST, number=len(made.columns), target_type="bigint", expression=null())
    salted = attrs.evolve(made, columns=(*made.columns, last), salt=salt)
    return attrs.evolve(salted, columns=(*made.columns, attrs.evolve(last, expression=salted.digest())))


def _large_digest(of: RenderedColumn, source: TableClause) -> ColumnElement[Any]:
    if of.conversion is not None or of.column.data_type not in BINARY_TYPES:
        return func.md5(of.expression)
    # The bytes themselves: as hexadecimal digits they would be twice as many.
    value: ColumnElement[Any] = source.c[of.column.name]
    return func.if_(value.is_(None), literal(NULL), func.md5(value))


def _quoted(name: str) -> quoted_name:
    # Always: which words are reserved differs between servers and their versions.
    return quoted_name(name, quote=True)


def _is_known(of: Column) -> bool:
    kinds = TEXT_TYPES | BINARY_TYPES | SPATIAL_TYPES | TEMPORAL_TYPES
    return of.data_type in kinds or of.data_type in _FORMS


def _converted(
    value: ColumnElement[Any], of: Column, number: int, conversion: Conversion
) -> ColumnElement[Any]:
    converted = conversion.source_sql(value, of)
    result = func.if_(converted.is_(None), literal(NULL), _as_utf8mb4(converted))
    if conversion.accepts is None:
        return result
    accepted = conversion.accepts(value, of)
    return case((value.is_(None), literal(NULL)), (accepted, result), else_=literal(marker(REFUSED, number)))


def _plain(value: ColumnElement[Any], of: Column, number: int) -> ColumnElement[Any]:
    if of.data_type in TEMPORAL_TYPES:
        return _temporal(value, of, number)
    text_form = _text_form(of)(value, of)
    if of.data_type in TEXT_TYPES and of.charset is not None and of.charset not in _UTF8 | _COMPLETE:
        broken = and_(value.is_not(None), not_(_survives(value, of.charset)))
        text_form = func.if_(broken, literal(marker(BROKEN, number)), text_form)
    if not of.nullable:
        return text_form
    if of.data_type in MAY_EXCEED_A_PACKET:
        # Not IFNULL: a value too large to render is NULL as well, and must be missed, not be taken for NULL.
        return func.if_(value.is_(None), literal(NULL), text_form)
    return func.ifnull(text_form, literal(NULL))


def _temporal(value: ColumnElement[Any], of: Column, number: int) -> ColumnElement[Any]:
    lost: ColumnElement[Any] = literal(marker(LOSS, number))
    if of.nullable:
        # On NOT NULL columns `0000-00-00` matches IS NULL, so the question is only asked where NULL can be.
        lost = func.if_(value.is_(None), literal(NULL), lost)
    return func.if_(_exists(value, of), value, lost)


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
    return value if of.charset in _UTF8 else _as_utf8mb4(value)


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
    # The text protocol prints FLOAT with six digits; as DOUBLE it prints what is stored.
    "float": lambda value, _: value + literal_column("0e0"),
    "bit": lambda value, of: func.lpad(
        func.bin(value + literal_column("0")),
        literal_column(str(of.length or of.precision or 1)),
        literal_column("'0'"),
    ),
}
