"""Every type of the source arrives with every value unchanged, whichever way its rows are read."""

from __future__ import annotations

import itertools
import re
from collections.abc import Mapping

import attrs
import pymysql
import pytest
from sqlalchemy.exc import ProgrammingError

from etlkit.config import ColumnOverride, TableChoice
from etlkit.errors import LoadError, ValueNotRepresentable
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
    ("TINYINT(1) UNSIGNED", "smallint", same("0", "2", "255")),
    ("BOOL", "smallint", same("-128", "0", "1", "2", "5", "127")),
    ("TINYINT(3) ZEROFILL", "smallint", same("0", "7", "255")),
    ("SMALLINT", "smallint", same("-32768", "32767")),
    ("SMALLINT UNSIGNED", "integer", same("0", "65535")),
    ("SMALLINT(5) ZEROFILL", "integer", same("0", "42", "65535")),
    ("MEDIUMINT", "integer", same("-8388608", "8388607")),
    ("MEDIUMINT UNSIGNED", "integer", same("0", "16777215")),
    ("MEDIUMINT(1) ZEROFILL", "integer", same("0", "42", "16777215")),
    ("INT", "integer", same("-2147483648", "2147483647")),
    ("INT(1)", "integer", same("-2147483648", "2147483647")),
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
            "-99999999999999999999999999999999999.999999999999999999999999999999",
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
            "0.1": "0.1",
            "-16777216": "-1.6777216e+07",
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
            "-5e-324": "-5e-324",
            "2.2250738585072014e-308": "2.2250738585072014e-308",
            "0": "0",
        },
    ),
    ("DOUBLE(10,2)", "double precision", {"12345678.91": "12345678.91", "0.1": "0.1"}),
    ("BIT(1)", "bit(1)", {"b'0'": "0", "b'1'": "1"}),
    ("BIT(8)", "bit(8)", {"b'0'": "00000000", "b'11111110'": "11111110"}),
    (
        "BIT(64)",
        "bit(64)",
        {
            "b'0'": "0" * 64,
            "1": "0" * 63 + "1",
            "0x8000000000000000": "1" + "0" * 63,
            "0xFFFFFFFFFFFFFFFE": "1" * 63 + "0",
            "0xFFFFFFFFFFFFFFFF": "1" * 64,
        },
    ),
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
            **same(
                "'0001-01-01 00:00:00'",
                "'1900-01-01 00:00:00'",
                "'2024-03-31 02:30:00'",
                "'9999-12-31 23:59:59'",
            ),
            **dict.fromkeys(
                (
                    "'0000-00-00 00:00:00'",
                    "'2024-00-00 00:00:00'",
                    "'2024-02-31 10:00:00'",
                    "'0000-01-01 01:00:00'",
                )
            ),
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
            # The greatest that MySQL keeps: it cuts the fraction at 838:59:59.
            "'-838:59:59.000000'": "-838:59:59",
            "'838:59:59'": "838:59:59",
            "'838:59:58.999999'": "838:59:58.999999",
            "'25:00:00'": "25:00:00",
            "'-24:00:00.5'": "-24:00:00.5",
        },
    ),
    ("YEAR", "smallint", {"0000": "0", "1901": "1901", "1970": "1970", "2155": "2155", "'0'": "2000"}),
    ("CHAR(40)", "character varying(40)", {text(each): each.rstrip(" ") for each in TEXTS}),
    ("VARCHAR(40)", "character varying(40)", {text(each): each for each in TEXTS}),
    *((kind, "text", {text(each): each for each in TEXTS}) for kind in ("TINYTEXT", "TEXT", "MEDIUMTEXT")),
    ("LONGTEXT", "text", {text(each): each for each in TEXTS}),
    ("VARCHAR(0)", "text", {"''": ""}),
    ("ENUM('', 'a', 'b\\\\c')", "text", {"''": "", "'a'": "a", "'b\\\\c'": "b\\c", "'not there'": ""}),
    (
        "SET('a', 'b', 'ü')",
        "text",
        {"''": "", "'b,a'": "a,b", "'ü'": "ü", "7": "a,b,ü", "'not there'": ""},
    ),
    (
        f"SET({', '.join(repr(f'm{n}') for n in range(64))})",
        "text",
        {
            "''": "",
            "'m0,m63'": "m0,m63",
            str(2**63): "m63",
            str(2**53 + 1): "m0,m53",
            str(2**64 - 1): ",".join(f"m{n}" for n in range(64)),
        },
    ),
    ("BINARY(4)", "bytea", {"0x00": "\\x00000000", "0x616220": "\\x61622000", "0xFFFEFDFC": "\\xfffefdfc"}),
    ("VARBINARY(4)", "bytea", {"''": "\\x", "0x00": "\\x00", "0x2000": "\\x2000", "0x5C4E": "\\x5c4e"}),
    ("TINYBLOB", "bytea", {"''": "\\x", "0x" + bytes(range(255)).hex(): "\\x" + bytes(range(255)).hex()}),
    *(
        (kind, "bytea", {"''": "\\x", "0x" + bytes(range(256)).hex(): "\\x" + bytes(range(256)).hex()})
        for kind in ("BLOB", "MEDIUMBLOB", "LONGBLOB")
    ),
]

CHARSETS = {
    "latin1": "äß€Œ™\x81\x8d\x8f\x90\x9d\xa0ÿ",
    "latin2": "ąčž",
    "cp1250": "Žš€",
    "cp1251": "Ёж",
    "cp850": "éü",
    "ascii": "plain",
    "utf8": "ü日",
    "ucs2": "ü日",
    "utf16": "ü日🦷",
    "utf16le": "ü日🦷",
    "utf32": "ü日🦷",
    "gbk": "牙医",
    "big5": "牙醫",
    "sjis": "歯医者",
    "cp932": "歯①",
    "ujis": "歯",
    "euckr": "치과",
    "utf8mb4": "🦷",
}
"""Text in the characters of each; that of latin1 is all that is special in cp1252."""
UNCONVERTIBLE = [
    ("cp1250", "81"),
    ("cp1251", "98"),
    ("greek", "a4"),
    ("tis620", "db"),
    # Servers keep any byte in ASCII, also those that frame rows on the way.
    *(("ascii", byte) for byte in ("80", "e9", "fd", "fc303030", "fe", "ff")),
]

MARIADB_CASES = [
    (
        "TIME(6)",
        "interval",
        same("'-838:59:59.999999'", "'838:59:59.999999'", "'-00:00:00.000001'", "'25:00:00'"),
    ),
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

SPATIAL = [
    ("GeomFromText('POINT(1 2)', 4326)", "\\x0101000020e6100000000000000000f03f0000000000000040"),
    ("GeomFromText('POINT(-1.5 1e300)')", "\\x010100002000000000000000000000f8bf9c7500883ce4377e"),
    (
        "GeomFromText('LINESTRING(0 0, 1 1)', 7)",
        "\\x0102000020070000000200000000000000000000000000000000000000000000000000f03f000000000000f03f",
    ),
]


@attrs.frozen
class Arrived:
    """What came of a table: the warehouse's values of its nullable column by number, and what was counted."""

    values: dict[int, str | None]
    losses: tuple[tuple[str, str, int, str], ...]
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
    plan, bare = shared.plan(name), shared.plan(f"{name}_bare")
    packed = rows_of(chunks_of(shared, plan))
    assert packed == rows_of(chunks_of(shared, plan, group_concat_max_len=64))
    for limit in (None, len(literals)):
        one_by_one = rows_of(chunks_of(shared, bare, limit=limit))
        assert packed == sorted(one_by_one, key=lambda row: int(row.split(b"\x01")[0]))
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
    return Arrived(
        expected, tuple((name, "invalid_date", len(lost), "null") for name in ("v", "w") if lost), kind
    )


@pytest.mark.parametrize(("declared", "kind", "values"), CASES, ids=[each[0][:30] for each in CASES])
def test_values_arrive_unchanged(shared: Loading, declared: str, kind: str, values: Values) -> None:
    """Edge values of a type arrive unchanged, nullable or not; dates that do not exist are NULL and counted."""
    values = {**values, "NULL": None}
    assert expectation(kind, values) == arrived(shared, declared, list(values))


ON_MARIADB = pytest.mark.parametrize("shared", ["mariadb-innodb", "mariadb-myisam"], indirect=True)


@ON_MARIADB
@pytest.mark.parametrize(
    ("declared", "kind", "values"), MARIADB_CASES, ids=[each[0] for each in MARIADB_CASES]
)
def test_types_of_mariadb(shared: Loading, declared: str, kind: str, values: Values) -> None:
    """The types that only MariaDB has arrive unchanged; JSON keeps its spelling and its doubled members."""
    values = {**values, "NULL": None}
    assert expectation(kind, values) == arrived(shared, declared, list(values))


@pytest.mark.parametrize("shared", ["mysql56"], indirect=True)
def test_types_that_mysql_5_6_lacks(shared: Loading) -> None:
    """JSON, UUID, INET4 and INET6 are types of MariaDB, and INVISIBLE and generated columns are its own too."""
    lacking = [
        "v JSON",
        "v UUID",
        "v INET4",
        "v INET6",
        "v INT INVISIBLE DEFAULT 1",
        "v INT AS (id * 2) VIRTUAL",
    ]
    for each in lacking:
        with pytest.raises(ProgrammingError) as caught:
            shared.source.execute(f"CREATE TABLE lacking (id INT, {each})")
        assert isinstance(caught.value.orig, pymysql.ProgrammingError)
        assert 1064 == caught.value.orig.args[0]


@pytest.mark.parametrize("declared", ["FLOAT", "DOUBLE"])
@pytest.mark.parametrize("shared", ["mysql56"], indirect=True)
def test_zero_keeps_its_sign(shared: Loading, declared: str) -> None:
    """MySQL stores -0, which is another value than 0 (MariaDB makes it 0 when it is stored)."""
    assert expectation(
        "real" if declared == "FLOAT" else "double precision", {"-0e0": "-0", "0": "0", "NULL": None}
    ) == arrived(shared, declared, ["-0e0", "0", "NULL"])


@ON_MARIADB
@pytest.mark.parametrize(
    ("json", "chosen", "message"),
    [
        (
            '["canary", "\\u0000"]',
            "jsonb",
            (
                "the warehouse cannot hold a character: jsonb has no \\u0000, `pg_type: json` has; text needs the "
                "encoding UTF8; nothing of this load was kept (sqlstate 22P05, untranslatable_character)"
            ),
        ),
        (
            '["canary", 1.]',
            None,
            (
                "a value is not of the column's type; mend `pg_type` in `column_overrides`, or leave it out and let "
                "the source's type decide; `pg_type: text` keeps what only the source takes for JSON; nothing of this "
                "load was kept (sqlstate 22P02, invalid_text_representation)"
            ),
        ),
    ],
)
def test_json_that_is_none_there_is_refused(
    shared: Loading, json: str, chosen: str | None, message: str
) -> None:
    """JSON that PostgreSQL does not take fails the load by table and column; its type can be chosen."""
    name = f"t{next(_numbers)}"
    shared.source.execute(
        f"CREATE TABLE {name} (id INT PRIMARY KEY, v JSON)",
        f"INSERT INTO {name} VALUES (1, '{{}}'), (2, {text(json)})",
    )
    if chosen:
        shared.choose(**{name: TableChoice(column_overrides={"v": ColumnOverride(pg_type=chosen)})})
    with pytest.raises(LoadError) as caught:
        shared.load(name)
    assert f"warehouse table `raw.{name}`, column `v`: {message}" == str(caught.value)
    assert [] == shared.warehouse.rows(f"SELECT 1 FROM pg_tables WHERE tablename = '{name}'")
    shared.choose(**{name: TableChoice(column_overrides={"v": ColumnOverride(pg_type="text")})})
    assert (2, 2, 0, 0, 0) == shared.load(name)
    assert json == shared.warehouse.value(f"SELECT v FROM raw.{name} WHERE id = 2")


@pytest.mark.parametrize("charset", CHARSETS)
def test_character_sets(shared: Loading, charset: str) -> None:
    """Text in any character set of the server arrives as the same characters."""
    values: Values = {"''": "", text(CHARSETS[charset]): CHARSETS[charset], "'a\\tb '": "a\tb ", "NULL": None}
    assert expectation("character varying(20)", values) == arrived(
        shared, f"VARCHAR(20) CHARACTER SET {charset}", list(values)
    )


@pytest.mark.parametrize(
    "charset", [each for each in CHARSETS if not each.startswith(("ucs", "utf16", "utf32"))]
)
def test_character_sets_of_enums(shared: Loading, charset: str) -> None:
    """Members of an ENUM too; those in wide character sets are garbled by MySQL 5.6 when the table is made."""
    values: Values = {f"'{CHARSETS[charset]}'": CHARSETS[charset], "'b'": "b", "NULL": None}
    declared = f"ENUM('{CHARSETS[charset]}', 'b') CHARACTER SET {charset}"
    assert expectation("text", values) == arrived(shared, declared, list(values))


@pytest.mark.parametrize(("charset", "byte"), UNCONVERTIBLE)
def test_text_that_the_source_cannot_convert_is_refused(shared: Loading, charset: str, byte: str) -> None:
    """Servers convert bytes that a character set does not define to question marks; that fails by name and count."""
    name = f"t{next(_numbers)}"
    shared.source.execute(
        f"CREATE TABLE {name} (id INT PRIMARY KEY, v VARCHAR(9) CHARACTER SET {charset}, "
        f"w TEXT CHARACTER SET {charset} NOT NULL)",
        f"INSERT INTO {name} VALUES (1, _{charset} 0x41{byte}, ''), (2, '?', _{charset} 0x{byte}), (3, NULL, 'a')",
    )
    with pytest.raises(ValueNotRepresentable) as caught:
        shared.load(name)
    assert (
        f"text that the source cannot convert to UTF-8 and back: {name}.v (1 of the values read), "
        f"{name}.w (1 of the values read); nothing was written; mend the source, or choose another `policy` for the "
        "column in `column_overrides`"
    ) == str(caught.value)


@pytest.mark.parametrize(
    ("charset", "digits"),
    [("utf8mb4", "EDA080"), ("utf8", "61EDA080"), ("ucs2", "D83D"), ("utf32", "0000D800")],
)
def test_halves_of_surrogate_pairs_are_refused(shared: Loading, charset: str, digits: str) -> None:
    """The servers take them for characters, which they are not in UTF-8; they fail the load, and are not told."""
    name = f"t{next(_numbers)}"
    shared.source.execute(
        f"CREATE TABLE {name} (id INT PRIMARY KEY, v VARCHAR(9) CHARACTER SET {charset})",
        f"INSERT INTO {name} VALUES (1, 'a'), (2, 0x{digits})",
    )
    with pytest.raises(LoadError) as caught:
        shared.load(name)
    assert (
        f"warehouse table `raw.{name}`: a text is not UTF-8, such as half of a surrogate pair; mend the row in the "
        "source; nothing of this load was kept (sqlstate 22021, character_not_in_repertoire)"
    ) == str(caught.value)
    assert [] == shared.warehouse.rows(f"SELECT 1 FROM pg_tables WHERE tablename = '{name}'")


@pytest.mark.parametrize(("filler", "count"), [("", 2), ("x" * 100, 1)], ids=["packed", "wide"])
def test_text_with_nul_is_refused(shared: Loading, filler: str, count: int) -> None:
    """PostgreSQL's text cannot hold NUL characters, so they fail by name and count, and nothing is written."""
    name = f"t{next(_numbers)}"
    shared.source.execute(
        f"CREATE TABLE {name} (id INT PRIMARY KEY, `a b` TEXT, v VARCHAR(9) CHARACTER SET utf16, c BLOB, f TEXT)",
        f"INSERT INTO {name} VALUES (1, 0x6100, _utf16 0x00000041, 0x00, '{filler}'), "
        f"(2, 0x00, 'b', NULL, ''), (3, 'c', NULL, 0x00FF, '')",
    )
    with pytest.raises(ValueNotRepresentable) as caught:
        chunks_of(shared, shared.plan(name), group_concat_max_len=64 if filler else None)
    assert (
        f"text with a NUL character, which PostgreSQL cannot hold: {name}.a b ({count} of the values read), "
        f"{name}.v (1 of the values read); nothing was written; mend the source, or choose another `policy` for the "
        "column in `column_overrides`"
    ) == str(caught.value)
    with pytest.raises(ValueNotRepresentable):
        shared.load(name)
    assert [] == shared.warehouse.rows(f"SELECT 1 FROM pg_tables WHERE tablename = '{name}'")


@pytest.mark.parametrize("charset", ["utf8mb4", "latin1", "utf16", "gbk"])
@pytest.mark.parametrize("kind", ["VARCHAR(20)", "LONGTEXT"])
def test_text_as_bytes(shared: Loading, charset: str, kind: str) -> None:
    """As bytea by rule, text is its UTF-8, NUL characters and what looks like an escape of PostgreSQL included."""
    name = f"t{next(_numbers)}"
    texts = [
        b"",
        b"a\0b",
        b"\0",
        b"\\x41",
        b"a\\101",
        b"\\\\",
        b"\\",
        "é".encode() if charset != "gbk" else "牙".encode(),
    ]
    rows = ", ".join(
        f"({n}, {f'_utf8mb4 0x{each.hex()}' if each else repr('')})" for n, each in enumerate(texts)
    )
    shared.source.execute(
        f"CREATE TABLE {name} (id INT PRIMARY KEY, v {kind} CHARACTER SET {charset})",
        f"INSERT INTO {name} VALUES {rows}, (100, NULL)",
    )
    shared.choose(**{name: TableChoice(column_overrides={"v": ColumnOverride(pg_type="bytea")})})
    shared.load(name)
    found = [
        None if each is None else bytes(each)
        for (each,) in shared.warehouse.rows(f"SELECT v FROM raw.{name} ORDER BY id")
    ]
    assert [*texts, None] == found
    plan = shared.plan(name)
    assert rows_of(chunks_of(shared, plan)) == rows_of(chunks_of(shared, plan, group_concat_max_len=8))


@pytest.mark.parametrize(
    ("declared", "chosen", "values", "bad"),
    [
        ("BIT(1)", "boolean", {"b'0'": "false", "b'1'": "true"}, None),
        ("TINYINT", "boolean", {"0": "false", "1": "true"}, "2"),
        ("BIT(8)", "varbit", {"b'11'": "00000011"}, None),
        ("BIT(8)", "bit(4)", {}, "1"),
        ("DECIMAL(10,2)", "numeric", same("1.50"), None),
        ("INT", "smallint", same("-32768"), "32768"),
        ("BIGINT UNSIGNED", "bigint", same("9223372036854775807"), "9223372036854775808"),
        ("TIME", "time", same("'23:59:59'"), "'25:00:00'"),
    ],
)
def test_chosen_types_hold_what_they_take(
    shared: Loading, declared: str, chosen: str, values: Values, bad: str | None
) -> None:
    """A `pg_type` takes a value as it is, or fails the load by the column's name and leaves all as it was."""
    name = f"t{next(_numbers)}"
    shared.source.execute(f"CREATE TABLE {name} (id INT PRIMARY KEY, v {declared})")
    shared.source.execute(*(f"INSERT INTO {name} VALUES ({n}, {each})" for n, each in enumerate(values)))
    shared.choose(**{name: TableChoice(column_overrides={"v": ColumnOverride(pg_type=chosen)})})
    shared.load(name)
    if bad is not None:
        shared.source.execute(f"INSERT INTO {name} VALUES (100, {bad})")
        with pytest.raises(LoadError) as caught:
            shared.load(name)
        assert re.match(
            f"warehouse table `raw.{name}`, column `v`: a value (is not of|does not fit) the column's type; ",
            str(caught.value),
        )
    assert list(values.values()) == [
        each for (each,) in shared.warehouse.rows(f"SELECT v::text FROM raw.{name} ORDER BY id")
    ]


@pytest.mark.parametrize("kind", ["GEOMETRY", "exactly"])
def test_spatial_values_keep_their_srid(shared: Loading, kind: str) -> None:
    """Spatial values arrive as EWKB, the SRID in it, whether the column takes any shape or one only."""
    shapes = {
        "POINT": SPATIAL[0:2],
        "LINESTRING": SPATIAL[2:3],
        "POLYGON": [("GeomFromText('POLYGON((0 0, 1 0, 1 1, 0 0))', 3857)", None)],
        "MULTIPOINT": [("GeomFromText('MULTIPOINT(0 0, 1 1)', 5)", None)],
        "MULTILINESTRING": [("GeomFromText('MULTILINESTRING((0 0, 1 1), (2 2, 3 3))', 2147483647)", None)],
        "MULTIPOLYGON": [("GeomFromText('MULTIPOLYGON(((0 0, 1 0, 1 1, 0 0)))', 1)", None)],
        "GEOMETRYCOLLECTION": [
            ("GeomFromText('GEOMETRYCOLLECTION(POINT(1 1), LINESTRING(0 0, 1 1))', 5)", None)
        ],
    }
    name = f"t{next(_numbers)}"
    columns = ", ".join(
        f"c{number} {kind if kind == 'GEOMETRY' else shape}" for number, shape in enumerate(shapes)
    )
    rows = [", ".join(["NULL"] * len(shapes))] + [
        ", ".join(values[min(turn, len(values) - 1)][0] for values in shapes.values()) for turn in range(2)
    ]
    shared.source.execute(
        f"CREATE TABLE {name} (id INT PRIMARY KEY, {columns}, filler VARCHAR(300))",
        *(f"INSERT INTO {name} VALUES ({n}, {row}, repeat('x', 300))" for n, row in enumerate(rows)),
    )
    shared.load(name)
    assert [] == differences(shared.source, shared.warehouse, name)
    assert rows_of(chunks_of(shared, shared.plan(name))) == rows_of(
        chunks_of(shared, shared.plan(name), group_concat_max_len=64)
    )
    assert [None, SPATIAL[0][1], SPATIAL[1][1]] == [
        value for (value,) in shared.warehouse.rows(f"SELECT c0::text FROM raw.{name} ORDER BY id")
    ]
    assert SPATIAL[2][1] == shared.warehouse.value(f"SELECT c1::text FROM raw.{name} WHERE id = 1")


@ON_MARIADB
def test_generated_and_invisible_columns(shared: Loading) -> None:
    """Columns that the server computes, or leaves out of `SELECT *`, arrive as plain columns."""
    name = f"t{next(_numbers)}"
    shared.source.execute(
        f"CREATE TABLE {name} (id INT PRIMARY KEY, a INT, hidden VARCHAR(9) INVISIBLE DEFAULT 'h', "
        "twice INT AS (a * 2) VIRTUAL, kept VARCHAR(20) AS (concat('<', a, '>')) PERSISTENT)",
        f"INSERT INTO {name} (id, a, hidden) VALUES (1, 21, 'x'), (2, NULL, NULL)",
    )
    shared.load(name)
    assert [] == differences(shared.source, shared.warehouse, name)
    assert [(1, 21, "x", 42, "<21>"), (2, None, None, None, None)] == shared.there(table=name)


def test_time_zones_of_the_server_do_not_matter(shared: Loading) -> None:
    """A TIMESTAMP is the same instant and a DATETIME the same wall clock, wherever the server stands."""
    name = f"t{next(_numbers)}"
    before = shared.source.value("SELECT @@global.time_zone")
    try:
        shared.source.execute("SET GLOBAL time_zone = '-08:00'")
        shared.source.execute(
            f"CREATE TABLE {name} (id INT PRIMARY KEY, t TIMESTAMP(6) NULL, d DATETIME(6))",
            "SET time_zone = '-08:00'",
            f"INSERT INTO {name} VALUES (1, '2024-06-30 23:30:00.000001', '2024-06-30 23:30:00.000001')",
        )
        shared.deployment.connections.close()
        shared.load(name)
    finally:
        shared.source.execute(f"SET GLOBAL time_zone = '{before}'")
    assert [("2024-07-01 07:30:00.000001", "2024-06-30 23:30:00.000001")] == shared.there(
        "(t AT TIME ZONE 'UTC')::text, d::text", name
    )
    assert [] == differences(shared.source, shared.warehouse, name)


def test_dates_that_do_not_exist_are_null_where_not_null_is_declared(shared: Loading) -> None:
    """`0000-00-00` in a NOT NULL column matches IS NULL and IS NOT NULL alike; it is lost once, and counted."""
    name = f"t{next(_numbers)}"
    shared.source.execute(
        ANY_MODE,
        f"CREATE TABLE {name} (id INT PRIMARY KEY, d DATE NOT NULL, t TIMESTAMP NOT NULL DEFAULT 0, "
        "e DATETIME(6) NOT NULL, n DATE)",
        f"INSERT INTO {name} VALUES (1, '0000-00-00', 0, '0000-00-00', NULL), "
        "(2, '2024-02-30', '2024-01-01 06:00:00', '2024-04-31 23:59:59.999999', '2024-02-29'), "
        "(3, '2024-02-29', '2024-01-01 06:00:00', '0001-01-01', '0000-00-00')",
    )
    outcome = shared.outcome(name)
    assert (
        ("d", "invalid_date", 2, "null"),
        ("t", "invalid_date", 1, "null"),
        ("e", "invalid_date", 2, "null"),
        ("n", "invalid_date", 1, "null"),
    ) == outcome.losses
    assert [] == differences(shared.source, shared.warehouse, name)
    assert [(1, None, None, None, None)] == shared.warehouse.rows(f"SELECT * FROM raw.{name} WHERE id = 1")


def test_rows_near_the_packet(shared: Loading) -> None:
    """A text of 16 MB arrives whole, among small rows and beside bytes whose hexadecimal form is larger still."""
    name = f"t{next(_numbers)}"
    size = 16 * 1024 * 1024
    shared.source.execute(
        f"CREATE TABLE {name} (id INT PRIMARY KEY, v LONGTEXT, b LONGBLOB)",
        f"INSERT INTO {name} VALUES (1, 'one', 'b'), (2, concat(repeat('a\\t\\\\', {size // 3}), 'é'), 0x00FF), "
        f"(3, 'three', repeat(0xFF00, {size // 2})), (4, NULL, NULL), (5, '', '')",
    )
    shared.load(name)
    sums = "id, md5({}) AS m, octet_length(v), md5(b), octet_length(b)"
    assert [
        tuple(row) for row in shared.source.rows(f"SELECT {sums.format('v')} FROM {name} ORDER BY id")
    ] == shared.warehouse.rows(
        f"SELECT {sums.format('convert_to(v, {})'.format(repr('UTF8')))} FROM raw.{name} ORDER BY id"
    )
    assert 5 == shared.warehouse.value(f"SELECT count(*) FROM raw.{name}")


@pytest.mark.parametrize("shared", ["mariadb-myisam"], indirect=True)
def test_dates_that_do_not_exist_cannot_be_a_key(shared: Loading) -> None:
    """A primary key has no NULL, so the load fails instead of losing the row; no value is told."""
    shared.source.execute(
        "CREATE TABLE dated (d DATE PRIMARY KEY)",
        "SET sql_mode = ''",
        "INSERT INTO dated VALUES ('0000-00-00')",
    )
    with pytest.raises(LoadError) as caught:
        shared.load("dated")
    assert "0000" not in str(caught.value)
    assert [] == shared.warehouse.rows("SELECT 1 FROM pg_tables WHERE tablename = 'dated'")
