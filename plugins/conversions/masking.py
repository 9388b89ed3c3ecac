"""Conversions that keep what identifies people at the clinic: the source computes what leaves it, within its SELECT.

Each is used only for columns that name it, or that a preset decides about. docs/masking.md says what each of them is
good for, and what it is not. The expressions work on MySQL from 5.6 and on MariaDB.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any

import attrs
from sqlalchemy import (
    CHAR,
    ColumnElement,
    LargeBinary,
    case,
    cast,
    column,
    func,
    literal_column,
    null,
    quoted_name,
)
from sqlalchemy.dialects.mysql import INTEGER

from etlkit import (
    BINARY_TYPES,
    INTEGER_TYPES,
    TEMPORAL_TYPES,
    TEXT_TYPES,
    Column,
    Conversion,
    Effect,
    PlanRefused,
    TableAnalysis,
    hmac_sha256,
    hookimpl,
    target_type,
)
from etlkit.plugins.conversions.refusals import known_options, need, whole_number

MOST_VISIBLE = 10
"""Characters that `mask` may leave visible."""
MOST_DAYS = 3650
"""Days that `date_shift` may shift by."""
SHIFT_DOMAIN = "date_shift"
"""The domain in which shifts are computed, so that no hashed key in the warehouse tells them."""
OLDEST = 90
"""Years after which `year` tells no more than that somebody is so old (45 CFR 164.514(b)(2)(i)(C))."""
SPARSE_ZIPS = (
    *("036", "059", "063", "102", "203", "556", "692", "790", "821"),
    *("823", "830", "831", "878", "879", "884", "890", "893"),
)
"""First three digits of the ZIP codes of areas with 20,000 people or fewer, by the census of 2000.

U.S. Department of Health and Human Services, "Guidance Regarding Methods for De-identification of Protected Health
Information in Accordance with the HIPAA Privacy Rule" (2012), on 164.514(b)(2)(i)(B).
"""

_DIGITS = 64
_HASHABLE = (
    TEXT_TYPES
    | BINARY_TYPES
    | INTEGER_TYPES
    | TEMPORAL_TYPES
    | {"decimal", "float", "double", "bit", "year", "time", "json", "uuid", "inet4", "inet6"}
)
# Open Dental's way to say that there is no date is 0001-01-01.
_NO_DATE_YEAR: ColumnElement[Any] = literal_column("1")
_PATIENT = "PatNum"
_DAYS = 365


@hookimpl
def etlkit_conversions() -> Iterator[Conversion]:
    """Provide the conversions."""
    yield from (KEEP, DROP, NULL, MASK, HMAC, DATE_SHIFT, YEAR, ZIP3)


def as_it_is(value: ColumnElement[Any], of: Column) -> ColumnElement[Any]:
    """Leave the value."""
    return value


def nothing(value: ColumnElement[Any], of: Column) -> ColumnElement[Any]:
    """Give NULL, without looking at the value."""
    return null()


def masked_type(of: Column) -> str:
    """Give `text`, for a text column: what covers a value may be longer than it."""
    need(of, TEXT_TYPES, "mask", "a text")
    return "text"


def masked(value: ColumnElement[Any], of: Column, *, visible: int) -> ColumnElement[Any]:
    """Cover a text, whose length is not told; the empty text stays empty.

    Args:
        value: the column in a statement.
        of: the column.
        visible: characters at the end that are left, of texts that have at least twice as many.
    """
    length: ColumnElement[Any] = func.char_length(value)
    cover: ColumnElement[Any] = literal_column("'XXXX'")
    short = [(value.is_(None), null()), (length == literal_column("0"), literal_column("''"))]
    if not visible:
        return case(*short, else_=cover)
    last = func.right(value, literal_column(str(visible)))
    return case(*short, (length < literal_column(str(2 * visible)), cover), else_=func.concat(cover, last))


def configured_mask(options: Mapping[str, str], table: TableAnalysis) -> Conversion:
    """Take the option `visible`."""
    given = known_options(options, table, "mask", {"visible"})
    visible = whole_number(given.get("visible", "0"), table, "mask", "visible", least=0, most=MOST_VISIBLE)
    return attrs.evolve(MASK, source_sql=partial(masked, visible=visible))


def hashed_type(of: Column) -> str:
    """Give what 64 hexadecimal digits need."""
    need(of, _HASHABLE, "hmac", "a text, a number, a time or bytes")
    return f"character varying({_DIGITS})"


def hashed(value: ColumnElement[Any], of: Column, *, domain: str) -> ColumnElement[Any]:
    """Hash a value under the masking key.

    Args:
        value: the column in a statement.
        of: the column.
        domain: what stands in front of each value, with a colon; empty for nothing.
    """
    message = message_of(value, of)
    return hmac_sha256(message if not domain else func.concat(_bytes(f"{domain}:"), message))


def configured_hmac(options: Mapping[str, str], table: TableAnalysis) -> Conversion:
    """Take the option `domain`."""
    domain = known_options(options, table, "hmac", {"domain"}).get("domain", "")
    if domain == SHIFT_DOMAIN:
        raise PlanRefused(
            f"table `{table.name}`: the option `domain` of conversion hmac must not be `{SHIFT_DOMAIN}`, "
            "which would tell the days of `date_shift`; choose another one"
        )
    return attrs.evolve(HMAC, source_sql=partial(hashed, domain=domain))


def message_of(value: ColumnElement[Any], of: Column) -> ColumnElement[Any]:
    """Give the bytes of a value that are hashed: the same for the same value, whatever the column's type.

    Args:
        value: the column in a statement.
        of: the column.

    Returns:
        Text as UTF-8, binary columns as they are, numbers and times as the server prints them.
    """
    if of.data_type in TEXT_TYPES | {"json"}:
        return cast(func.convert(value.op("USING")(column("utf8mb4"))), LargeBinary)
    if of.data_type in BINARY_TYPES:
        return value
    if of.data_type == "float":
        value *= literal_column("1e0")  # printed with six digits otherwise
    elif of.data_type == "bit":
        value += literal_column("0")
    return cast(cast(value, CHAR), LargeBinary)


def date_type(of: Column, *, conversion: str) -> str:
    """Give the type the column has without the conversion, for a date or time."""
    need(of, TEMPORAL_TYPES, conversion, "a date, datetime or timestamp")
    return target_type(of)


def shifted(value: ColumnElement[Any], of: Column, *, patient: str, days: int) -> ColumnElement[Any]:
    """Move a date back by 1 to `days` days, the same for all rows of one patient; 0001-01-01 stays.

    Args:
        value: the column in a statement.
        of: the column.
        patient: the column of the same table that holds the patient's key.
        days: the most days.
    """
    key: ColumnElement[Any] = column(quoted_name(patient, quote=True))
    whose = func.ifnull(cast(cast(key, CHAR), LargeBinary), _bytes(":"))
    digits = func.left(hmac_sha256(func.concat(_bytes(f"{SHIFT_DOMAIN}:"), whose)), literal_column("8"))
    number = func.conv(digits, literal_column("16"), literal_column("10"))
    back: ColumnElement[Any] = literal_column("1") + func.mod(
        cast(number, INTEGER(unsigned=True)), literal_column(str(days))
    )
    return func.if_(func.year(value) > _NO_DATE_YEAR, func.subdate(value, back), value)


def configured_shift(options: Mapping[str, str], table: TableAnalysis) -> Conversion:
    """Take the options `patient` and `days`."""
    given = known_options(options, table, "date_shift", {"patient", "days"})
    patient = given.get("patient", _PATIENT)
    if table.column(patient) is None:
        raise PlanRefused(
            f"table `{table.name}` has no column `{patient}`, which tells conversion date_shift whose dates they are; "
            "name the column by `options: {patient: ...}`, or choose another conversion, such as `year`"
        )
    days = whole_number(given.get("days", str(_DAYS)), table, "date_shift", "days", least=1, most=MOST_DAYS)
    return attrs.evolve(DATE_SHIFT, source_sql=partial(shifted, patient=patient, days=days))


def year_only(value: ColumnElement[Any], of: Column) -> ColumnElement[Any]:
    """Give January 1 of a date's year, none earlier than 90 years ago; 0001-01-01 stays."""
    year = func.year(value)
    first = func.year(func.curdate()) - literal_column(str(OLDEST))
    kept = func.if_(year > _NO_DATE_YEAR, func.greatest(year, first), year)
    padded = func.lpad(kept, literal_column("4"), literal_column("'0'"))
    return func.concat(padded, literal_column("'-01-01'"))


def zip_type(of: Column) -> str:
    """Give a text of three characters, for a text column."""
    need(of, TEXT_TYPES, "zip3", "a text")
    return "character varying(3)"


def first_three(value: ColumnElement[Any], of: Column) -> ColumnElement[Any]:
    """Give the first three digits of a ZIP code, 000 for sparse areas, and nothing of what is no such code."""
    zip_code = func.trim(value)
    first = func.left(zip_code, literal_column("3"))
    sparse = first.in_([literal_column(f"'{each}'") for each in SPARSE_ZIPS])
    return case(
        (value.is_(None), null()),
        (zip_code.op("NOT REGEXP")(literal_column("'^[0-9]{5}(-?[0-9]{4})?$'")), literal_column("''")),
        (sparse, literal_column("'000'")),
        else_=first,
    )


def _bytes(text: str) -> ColumnElement[Any]:
    return literal_column(f"0x{text.encode().hex().upper()}")


KEEP = Conversion(
    name="keep",
    summary="Leaves the column as it is: a decision, which the columns of a protected table need.",
    target_type=target_type,
    source_sql=as_it_is,
    effect=Effect.PLAIN,
)
DROP = Conversion(
    name="drop",
    summary="Does not load the column.",
    target_type=target_type,
    source_sql=nothing,
    lossless=False,
    effect=Effect.ABSENT,
    hides=True,
)
NULL = Conversion(
    name="null",
    summary="Makes every value NULL; the column stays.",
    target_type=target_type,
    source_sql=nothing,
    lossless=False,
    hides=True,
)
MASK = Conversion(
    name="mask",
    summary="Makes text XXXX; the option `visible` leaves so many characters behind it.",
    target_type=masked_type,
    source_sql=partial(masked, visible=0),
    lossless=False,
    hides=True,
    configure=configured_mask,
)
HMAC = Conversion(
    name="hmac",
    summary="Makes the HMAC-SHA-256 of a value under the masking key: equal values stay equal, and can be joined.",
    target_type=hashed_type,
    source_sql=partial(hashed, domain=""),
    hides=True,
    keyed=True,
    configure=configured_hmac,
)
DATE_SHIFT = Conversion(
    name="date_shift",
    summary="Moves dates back by days that are the same for all rows of a patient, and that only the key tells.",
    target_type=partial(date_type, conversion="date_shift"),
    source_sql=partial(shifted, patient=_PATIENT, days=_DAYS),
    lossless=False,
    hides=True,
    keyed=True,
    configure=configured_shift,
)
YEAR = Conversion(
    name="year",
    summary="Makes dates January 1 of their year; older ones of the year 90 years ago.",
    target_type=partial(date_type, conversion="year"),
    source_sql=year_only,
    lossless=False,
    hides=True,
)
ZIP3 = Conversion(
    name="zip3",
    summary="Makes ZIP codes their first three digits, and 000 where few people live.",
    target_type=zip_type,
    source_sql=first_three,
    lossless=False,
    hides=True,
)
