"""Every type of the source arrives with every value unchanged, whichever way its rows are read."""

from __future__ import annotations

import itertools
from collections.abc import Mapping

import attrs
import pytest

from support.comparison import differences
from support.loading import Loading
from support.reading import chunks_of, rows_of

_numbers = itertools.count(1)

Values = Mapping[str, str | None]
"""Literals of the source, and the text of what PostgreSQL holds then."""

ANY_MODE = "SET sql_mode = 'ALLOW_INVALID_DATES', time_zone = '+05:00'"


def text(value: str) -> str:
    """A literal of any text."""
    return f"_utf8mb4 0x{value.encode().hex()}" if value else "''"


def same(*literals: str) -> Values:
    """Values that both sides spell alike."""
    return {each: each.strip("'") for each in literals}


TEXTS = [
    "",
    "plain",
    "trailing blanks  ",
    " ",
    "tab\there",
    "line\nfeed",
    "carriage\rreturn\r\n",
    "back\\slash",
    "\\",
    "\\N",
    "\\.",
    "\\.\n",
    "\n\\.\n",
    "\\n",
    "\\x41",
    "NULL",
    "quotes ' \" `",
    "%s %(a)s :x {}",
    "\x01",
    "\x02",
    "a\x01b\x02c\x03",
    "\x1a\x7f\x08\x1b",
    "ümlaut ß €",
    "日本語",
    "👩‍⚕️🦷",
    "\U0010fffd\uffff\ufeff",
]

CASES = [
    ("TINYINT", "smallint", same("-128", "-1", "0", "127")),
    ("TINYINT UNSIGNED", "smallint", same("0", "128", "255")),
    ("TINYINT(1)", "smallint", same("-128", "0", "1", "2", "5", "127")),
    ("BOOL", "smallint", same("-128", "2")),
    ("TINYINT(3) ZEROFILL", "smallint", same("0", "7", "255")),
    ("SMALLINT", "smallint", same("-32768", "32767")),
    ("SMALLINT UNSIGNED", "integer", same("0", "65535")),
    ("MEDIUMINT", "integer", same("-8388608", "8388607")),
    ("MEDIUMINT UNSIGNED", "integer", same("0", "16777215")),
    ("INT", "integer", same("-2147483648", "2147483647")),
    ("INT UNSIGNED", "bigint", same("0", "4294967295")),
    ("INT(8) ZEROFILL", "bigint", same("0", "42", "4294967295")),
    ("BIGINT", "bigint", same("-9223372036854775808", "9007199254740993", "9223372036854775807")),
    ("BIGINT UNSIGNED", "numeric(20,0)", same("0", "9223372036854775808", "18446744073709551615")),
    ("BIGINT ZEROFILL", "numeric(20,0)", same("0", "18446744073709551615")),
    (
        "DECIMAL(65,30)",
        "numeric(65,30)",
        same(
            "99999999999999999999999999999999999.999999999999999999999999999999",
            "-0.000000000000000000000000000001",
            "0.000000000000000000000000000000",
        ),
    ),
    ("DECIMAL(5,2) UNSIGNED ZEROFILL", "numeric(5,2)", same("0.00", "1.50", "999.99")),
    ("DECIMAL(65,0)", "numeric(65,0)", same("9" * 65, "-" + "9" * 65)),
    (
        "FLOAT",
        "real",
        {
            "16777216": "1.6777216e+07",
            "1.234567": "1.234567",
            "1.2345678": "1.2345678",
            "3.4028234663852886e38": "3.4028235e+38",
            "-3.4028234663852886e38": "-3.4028235e+38",
            "1.401298464324817e-45": "1e-45",
            "1.1754943508222875e-38": "1.1754944e-38",
            "0": "0",
        },
    ),
    ("FLOAT(7,3)", "real", {"1234.567": "1234.567", "0.001": "0.001"}),
    ("FLOAT UNSIGNED ZEROFILL", "real", {"1.5": "1.5"}),
    (
        "DOUBLE",
        "double precision",
        {
            "0.1": "0.1",
            "5e-324": "5e-324",
            "1.7976931348623157e308": "1.7976931348623157e+308",
            "-1.7976931348623157e308": "-1.7976931348623157e+308",
            "9007199254740993": "9.007199254740992e+15",
            "0.30000000000000004": "0.30000000000000004",
            "1e22": "1e+22",
        },
    ),
    ("DOUBLE(10,2)", "double precision", {"12345678.91": "12345678.91", "0.1": "0.1"}),
    ("BIT(1)", "bit(1)", {"b'0'": "0", "b'1'": "1"}),
    ("BIT(8)", "bit(8)", {"b'0'": "00000000", "b'11111110'": "11111110"}),
    ("BIT(64)", "bit(64)", {"b'0'": "0" * 64, "0xFFFFFFFFFFFFFFFE": "1" * 63 + "0", "1": "0" * 63 + "1"}),
    (
        "DATE",
        "date",
        {
            **same("'0001-01-01'", "'1900-01-01'", "'2024-02-29'", "'9999-12-31'"),
            **dict.fromkeys(("'0000-00-00'", "'2024-00-00'", "'2024-01-00'", "'2024-02-31'", "'0000-05-05'")),
        },
    ),
    (
        "DATETIME",
        "timestamp(0) without time zone",
        {
            **same("'0001-01-01 00:00:00'", "'2024-03-31 02:30:00'", "'9999-12-31 23:59:59'"),
            **dict.fromkeys(("'0000-00-00 00:00:00'", "'2024-02-31 10:00:00'", "'0000-01-01 01:00:00'")),
        },
    ),
    *(
        (
            f"DATETIME({digits})",
            f"timestamp({digits}) without time zone",
            {
                f"'9999-12-31 23:59:59.{'9' * digits}'": f"9999-12-31 23:59:59.{'9' * digits}",
                f"'1000-01-01 00:00:00.{'0' * (digits - 1)}1'": f"1000-01-01 00:00:00.{'0' * (digits - 1)}1",
                "'2024-02-31 01:01:01'": None,
            },
        )
        for digits in range(1, 7)
    ),
    (
        "TIMESTAMP",
        "timestamp(0) with time zone",
        {
            "'2024-01-01 05:00:00'": "2024-01-01 00:00:00+00",
            "'2024-10-27 07:30:00'": "2024-10-27 02:30:00+00",
            "'2038-01-19 08:14:07'": "2038-01-19 03:14:07+00",
            "'0000-00-00 00:00:00'": None,
        },
    ),
    *(
        (
            f"TIMESTAMP({digits})",
            f"timestamp({digits}) with time zone",
            {
                f"'2024-01-01 05:00:00.{'0' * (digits - 1)}1'": f"2024-01-01 00:00:00.{'0' * (digits - 1)}1+00",
                "'0000-00-00 00:00:00'": None,
            },
        )
        for digits in range(1, 7)
    ),
    ("TIME", "interval", same("'-838:59:59'", "'838:59:59'", "'00:00:00'", "'25:00:00'", "'-00:00:01'")),
    ("TIME(3)", "interval", {"'-00:00:00.001'": "-00:00:00.001", "'10:00:00.100'": "10:00:00.1"}),
    (
        "TIME(6)",
        "interval",
        {
            **same("'-00:00:00.000001'", "'23:59:59.999999'"),
            # The greatest that the servers keep: they cut the fraction at 838:59:59.
            "'-838:59:59.000000'": "-838:59:59",
            "'838:59:58.999999'": "838:59:58.999999",
        },
    ),
    ("YEAR", "smallint", {"0000": "0", "1901": "1901", "2155": "2155", "'0'": "2000"}),
    ("CHAR(40)", "character varying(40)", {text(each): each.rstrip(" ") for each in TEXTS}),
    ("VARCHAR(40)", "character varying(40)", {text(each): each for each in TEXTS}),
    ("TEXT", "text", {text(each): each for each in TEXTS}),
    ("LONGTEXT", "text", {text(each): each for each in TEXTS}),
    ("VARCHAR(0)", "text", {"''": ""}),
    ("ENUM('', 'a', 'b\\\\c')", "text", {"''": "", "'a'": "a", "'b\\\\c'": "b\\c", "'not there'": ""}),
    (
        "SET('a', 'b', 'ü')",
        "text",
        {"''": "", "'b,a'": "a,b", "'ü'": "ü", "7": "a,b,ü"},
    ),
    (f"SET({', '.join(repr(f'm{n}') for n in range(64))})", "text", {"'m0,m63'": "m0,m63", "''": ""}),
    ("BINARY(4)", "bytea", {"0x00": "\\x00000000", "0x616220": "\\x61622000", "0xFFFEFDFC": "\\xfffefdfc"}),
    ("VARBINARY(4)", "bytea", {"''": "\\x", "0x00": "\\x00", "0x2000": "\\x2000", "0x5C4E": "\\x5c4e"}),
    ("BLOB", "bytea", {"''": "\\x", "0x" + bytes(range(256)).hex(): "\\x" + bytes(range(256)).hex()}),
    ("LONGBLOB", "bytea", {"''": "\\x", "0x" + bytes(range(256)).hex(): "\\x" + bytes(range(256)).hex()}),
]

CHARSETS = {
    "latin1": "äß€Œ™\x81\x8d\x8f\x90\x9d\xa0ÿ",
    "latin2": "ąčž",
    "cp1250": "Žš€",
    "ascii": "plain",
    "utf8": "ü日",
    "ucs2": "ü日",
    "utf16": "ü日🦷",
    "utf16le": "ü日🦷",
    "utf32": "ü日🦷",
    "gbk": "牙医€"[:2],
    "big5": "牙醫",
    "sjis": "歯医者",
    "cp932": "歯①",
    "ujis": "歯",
    "euckr": "치과",
    "utf8mb4": "🦷",
}

MARIADB_CASES = [
    (
        "UUID",
        "uuid",
        same(
            "'00000000-0000-0000-0000-000000000000'",
            "'f81d4fae-7dec-11d0-a765-00a0c91e6bf6'",
            "'ffffffff-ffff-ffff-ffff-ffffffffffff'",
        ),
    ),
    (
        "INET4",
        "inet",
        {
            "'0.0.0.0'": "0.0.0.0/32",
            "'255.255.255.255'": "255.255.255.255/32",
            "'10.0.0.1'": "10.0.0.1/32",
        },
    ),
    (
        "INET6",
        "inet",
        {
            "'::'": "::/128",
            "'2001:db8::ff00:42:8329'": "2001:db8::ff00:42:8329/128",
            "'::ffff:1.2.3.4'": "::ffff:1.2.3.4/128",
        },
    ),
    (
        "JSON",
        "json",
        {
            text(each): each
            for each in (
                "{}",
                "null",
                '"\\u0000"',
                '{"a": 1, "a":  2}',
                '["🦷", "\\n", 1.10, -0, 1e400]',
                "true",
                ' {"b" : "\\\\x"}\n',
            )
        },
    ),
]

SPATIAL = {
    "NULL": None,
    "GeomFromText('POINT(1 2)', 4326)": "\\x0101000020e6100000000000000000f03f0000000000000040",
    "GeomFromText('POINT(-1.5 1e300)')": "\\x010100002000000000000000000000f8bf9c7500883ce4377e",
    "GeomFromText('LINESTRING(0 0, 1 1)', 7)": "\\x0102000020070000000200000000000000000000000000000000000000"
    "000000000000f03f000000000000f03f",
}


@attrs.frozen
class Arrived:
    """What came of a table: the warehouse's values of its nullable column by number, and what was counted."""

    values: dict[int, str | None]
    losses: tuple[tuple[str, str, int], ...]
    kind: str


def arrived(shared: Loading, declared: str, literals: list[str], options: str = "") -> Arrived:
    """Load a table of one type, compare it row for row, and compare the ways to read it."""
    name, filled = f"t{next(_numbers)}", [each for each in literals if each != "NULL"]
    rows = ", ".join(
        f"({number}, {each}, {each if each != 'NULL' else filled[0]}, '{'x' * 300}')"
        for number, each in enumerate(literals)
    )
    shared.source.execute(
        ANY_MODE,
        f"CREATE TABLE {name} (id INT PRIMARY KEY, v {declared} NULL, w {declared} NOT NULL, "
        f"filler VARCHAR(300)) {options}",
        f"INSERT INTO {name} VALUES {rows}",
        f"CREATE TABLE {name}_bare AS SELECT * FROM {name}",
    )
    outcome = shared.outcome(name)
    assert [] == differences(shared.source, shared.warehouse, name)
    packed = rows_of(chunks_of(shared, name))
    assert packed == rows_of(chunks_of(shared, name, group_concat_max_len=64))
    assert packed == sorted(
        rows_of(chunks_of(shared, f"{name}_bare")), key=lambda row: int(row.split(b"\x01")[0])
    )
    assert packed == sorted(
        rows_of(chunks_of(shared, f"{name}_bare", limit=len(literals))),
        key=lambda row: int(row.split(b"\x01")[0]),
    )
    types = shared.warehouse.rows(
        f"SELECT DISTINCT format_type(atttypid, atttypmod) FROM pg_attribute "
        f"WHERE attrelid = 'raw.{name}'::regclass AND attname IN ('v', 'w')"
    )
    assert 1 == len(types)
    return Arrived(
        dict(shared.warehouse.rows(f"SET timezone = 'UTC'; SELECT id, v::text FROM raw.{name}")),
        outcome.losses,
        types[0][0],
    )


def expectation(kind: str, values: Values) -> Arrived:
    """What is to come of a table."""
    expected: dict[int, str | None] = dict(enumerate(values.values()))
    lost = [each for each, there in values.items() if there is None and each != "NULL"]
    return Arrived(expected, tuple((name, "invalid_date", len(lost)) for name in ("v", "w") if lost), kind)


@pytest.mark.parametrize(("declared", "kind", "values"), CASES, ids=[each[0][:30] for each in CASES])
def test_values_arrive_unchanged(shared: Loading, declared: str, kind: str, values: Values) -> None:
    """Edge values of a type arrive unchanged, nullable or not; dates that do not exist are NULL and counted."""
    values = {**values, "NULL": None}
    assert expectation(kind, values) == arrived(shared, declared, list(values))
