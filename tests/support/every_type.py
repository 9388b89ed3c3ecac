"""A column of every type: what the source holds, and values of both sides that differ from it as little as can be."""

from __future__ import annotations

from typing import Any

import attrs

from etlkit.config import ColumnOverride, TableChoice
from support.loading import Loading

_WIDTH = 12
ANY_MODE = "SET sql_mode = 'ALLOW_INVALID_DATES', time_zone = '+00:00'"


@attrs.frozen
class Case:
    """A column, what the source holds in it, and what it is changed to (SQL; `v` is the column)."""

    declared: str
    literal: str
    planted: str
    """In the warehouse, by somebody who has no business there."""
    changed: str
    """In the source, as the practice works."""
    override: ColumnOverride | None = None

    def planted_in(self, name: str) -> str:
        """The warehouse's expression for a column of that name."""
        value = self.planted if self.planted == "NULL" else self.planted.replace("v ", f'"{name}" ')
        return value.replace("(v,", f'("{name}",').replace("-v", f'-"{name}"')

    def changed_in(self, name: str) -> str:
        """The source's expression for a column of that name."""
        return self.changed.replace("(v,", f"(`{name}`,").replace("v ", f"`{name}` ")


def text(value: str) -> str:
    """A literal of any text, for the source."""
    return f"_utf8mb4 0x{value.encode().hex()}"


def escaped(value: str) -> str:
    """A literal of any text, for the warehouse."""
    return "U&'" + "".join(f"\\+{ord(each):06x}" for each in value) + "'"


def _bytes_bit(byte: int) -> str:
    """The lowest bit of a byte (counted from 0) the other way round, in the warehouse."""
    return f"set_bit(v, {8 * byte}, 1 - get_bit(v, {8 * byte}))"


_MEMBERS = ", ".join(f"'m{n}'" for n in range(64))
_TEXT, _BLOB = "x" * 5000, "FE" * 5000

# Values that the watch of the whole suite looks for wherever they must not be.
_CANARIES = {
    "canary_text": Case("VARCHAR(20)", "'CANARY a'", "'CANARY b'", "'CANARY c'"),
    "canary_number": Case("BIGINT", "2718281828459045", "v + 1", "v - 1"),
    "canary_decimal": Case("DECIMAL(30,4)", "27182818284.5904", "v + 0.0001", "v - 0.0001"),
    "canary_date": Case("DATE", "'1887-03-19'", "v + 1", "'1887-03-20'"),
    "canary_time": Case("TIME", "'713:37:59'", "v + interval '1 second'", "'713:37:58'"),
    "canary_bytes": Case(
        "BLOB", "0x58713763616e6172795a", "'\\x58713763616e617279'", "0x58713763616e6172795b"
    ),
}
COMMON = {
    **_CANARIES,
    "tinyint": Case("TINYINT", "5", "v + 1", "v - 1"),
    "tinyint_1": Case("TINYINT(1)", "2", "1", "1"),
    "tinyint_null": Case("TINYINT", "NULL", "0", "0"),
    "tinyint_unsigned": Case("TINYINT UNSIGNED", "255", "254", "254"),
    "boolean": Case("TINYINT", "1", "false", "0", ColumnOverride(conversion="tinyint_to_boolean")),
    "smallint": Case("SMALLINT", "-32768", "v + 1", "v + 1"),
    "smallint_unsigned": Case("SMALLINT UNSIGNED", "65535", "v - 1", "v - 1"),
    "mediumint": Case("MEDIUMINT", "0", "1", "NULL"),
    "mediumint_unsigned": Case("MEDIUMINT UNSIGNED", "16777215", "v - 1", "v - 1"),
    "int_min": Case("INT", "-2147483648", "v + 1", "v + 1"),
    "int_unsigned": Case("INT(10) UNSIGNED ZEROFILL", "4294967295", "v - 1", "v - 1"),
    "bigint": Case("BIGINT", "9007199254740993", "9007199254740992", "9007199254740992"),
    "bigint_min": Case("BIGINT", "-9223372036854775808", "v + 1", "v + 1"),
    "bigint_unsigned": Case("BIGINT UNSIGNED", "18446744073709551615", "v - 1", "v - 1"),
    "decimal": Case("DECIMAL(65,30)", "1.5", f"v + 0.{'0' * 29}1", f"v + 0.{'0' * 29}1"),
    "decimal_most": Case("DECIMAL(65,30)", f"{'9' * 35}.{'9' * 30}", "v - 1", "v - 1"),
    "decimal_scale": Case("DECIMAL(10,2)", "1.50", "1.5", "1.51", ColumnOverride(pg_type="numeric")),
    "float_ulp": Case("FLOAT", "1.234567", "'1.2345672'", "1.2345672"),
    "float_whole": Case("FLOAT", "16777216", "'16777215'", "16777215"),
    "float_most": Case("FLOAT", "3.4028234663852886e38", "'3.4028233e38'", "3.4028233e38"),
    "float_zero": Case("FLOAT", "0", "'-0'", "1.401298464324817e-45"),
    "double": Case("DOUBLE", "0.1", "'0.10000000000000002'", "0.10000000000000002"),
    "double_ulp": Case("DOUBLE", "0.3", "'0.30000000000000004'", "0.1 + 0.2e0"),
    "double_zero": Case("DOUBLE", "0", "'-0'", "5e-324"),
    "double_least": Case("DOUBLE", "5e-324", "'1e-323'", "1e-323"),
    "double_most": Case(
        "DOUBLE", "1.7976931348623157e308", "'1.7976931348623155e308'", "1.7976931348623155e308"
    ),
    "bit_1": Case("BIT(1)", "b'1'", "B'0'", "b'0'"),
    "bit_8": Case("BIT(8)", "b'10000001'", "B'10000000'", "b'10000000'"),
    "bit_64": Case("BIT(64)", "0x8000000000000000", "v # 1::bit(64)", "0x8000000000000001"),
    "bit_64_sign": Case("BIT(64)", "0xFFFFFFFFFFFFFFFF", "v << 1", "0x7FFFFFFFFFFFFFFF"),
    "date": Case("DATE", "'2024-02-29'", "v + 1", "'2024-03-01'"),
    "date_least": Case("DATE", "'0001-01-01'", "NULL", "NULL"),
    "date_1900": Case("DATE", "'1900-01-01'", "v - 1", "'1899-12-31'"),
    "date_most": Case("DATE", "'9999-12-31'", "v - 1", "'9999-12-30'"),
    "date_that_is_none": Case("DATE", "'2024-02-31'", "'0001-01-01'", "'2024-02-29'"),
    "datetime": Case("DATETIME", "'9999-12-31 23:59:58'", "v + interval '1 second'", "v + INTERVAL 1 SECOND"),
    **{
        f"datetime_{digits}": Case(
            f"DATETIME({digits})",
            f"'2024-01-31 10:00:00.{'9' * digits}'",
            f"v - interval '{10 ** (6 - digits)} microsecond'",
            f"v - INTERVAL {10 ** (6 - digits)} MICROSECOND",
        )
        for digits in range(1, 7)
    },
    "timestamp": Case(
        "TIMESTAMP NULL", "'2024-01-31 10:00:00'", "v + interval '1 hour'", "v + INTERVAL 1 HOUR"
    ),
    **{
        f"timestamp_{digits}": Case(
            f"TIMESTAMP({digits}) NULL",
            f"'2024-01-31 10:00:00.{'0' * (digits - 1)}1'",
            f"v - interval '{10 ** (6 - digits)} microsecond'",
            f"v - INTERVAL {10 ** (6 - digits)} MICROSECOND",
        )
        for digits in range(1, 7)
    },
    "time": Case("TIME", "'25:00:00'", "'1 day 01:00:00'", "'01:00:00'"),
    "time_sign": Case("TIME(6)", "'-00:00:00.000001'", "-v", "'00:00:00.000001'"),
    "time_most": Case("TIME", "'838:59:59'", "v - interval '1 second'", "'838:59:58'"),
    "time_least": Case("TIME(6)", "'-838:59:59'", "-v", "'-838:59:58.999999'"),
    "year": Case("YEAR", "1901", "0", "0000"),
    "year_zero": Case("YEAR", "0000", "2000", "2000"),
    "year_most": Case("YEAR", "2155", "v - 1", "2154"),
    "char_blank": Case("CHAR(9)", "'a'", "'a '", "'A'"),
    "varchar_blank": Case("VARCHAR(9)", "'a '", "'a'", "'a'"),
    "varchar_case": Case("VARCHAR(9)", "'Smith'", "'smith'", "'smith'"),
    "varchar_empty": Case("VARCHAR(9)", "''", "NULL", "NULL"),
    "varchar_null": Case("VARCHAR(9)", "NULL", "''", "''"),
    "varchar_question": Case("VARCHAR(9)", text("🦷"), "'?'", "'?'"),
    "varchar_emoji": Case("VARCHAR(9)", text("😀"), escaped("😁"), text("😁")),
    "varchar_composed": Case("VARCHAR(9)", text("é"), escaped("e\u0301"), text("e\u0301")),
    "varchar_variant": Case("VARCHAR(9)", text("👩‍⚕️"), escaped("👩‍⚕"), text("👩‍⚕")),
    "ascii": Case("VARCHAR(9) CHARACTER SET ascii", "'\\\\.'", "E'\\\\n.'", "'\\n.'"),
    "latin1": Case("VARCHAR(9) CHARACTER SET latin1", text("Müller"), escaped("Mueller"), text("Muller")),
    "cp1252": Case("VARCHAR(9) CHARACTER SET latin1", text("€\x81"), escaped("€\x8d"), text("€\x8d")),
    "utf8mb3": Case("VARCHAR(9) CHARACTER SET utf8", text("日"), escaped("曰"), text("曰")),
    "gbk": Case("TEXT CHARACTER SET gbk", text("牙医"), escaped("牙"), text("医牙")),
    "utf16": Case("VARCHAR(9) CHARACTER SET utf16", text("日"), escaped("曰"), text("曰")),
    "utf16_emoji": Case("LONGTEXT CHARACTER SET utf16", text("😀"), escaped("😁"), text("😁")),
    "text_line": Case("TEXT", "'a\\nb'", "E'a\\r\\nb'", "'a\\r\\nb'"),
    "text_backslash": Case("TEXT", "'\\\\N'", "NULL", "NULL"),
    "text_end": Case("TEXT", "'\\\\.'", "''", "'\\\\.\\n'"),
    "text_quotes": Case("TINYTEXT", "'\\'\"`'", "'\"`'", "'\\'\\'`'"),
    "text_tab": Case("MEDIUMTEXT", "'a\\tb'", "'a b'", "'a b'"),
    "longtext_last": Case("LONGTEXT", f"'{_TEXT}y'", f"'{_TEXT}z'", f"'{_TEXT}z'"),
    "text_nul": Case("TEXT", "0x610062", "'ab'", "'ab'", ColumnOverride(policy="replace")),
    "enum": Case("ENUM('', 'a', 'b')", "'a'", "'b'", "'b'"),
    "enum_empty": Case("ENUM('', 'a', 'b')", "''", "NULL", "'a'"),
    "enum_error": Case("ENUM('a', 'b')", "'none'", "NULL", "NULL"),
    "set": Case("SET('a', 'b')", "'a,b'", "'b,a'", "'b'"),
    "set_empty": Case("SET('a', 'b')", "''", "NULL", "NULL"),
    "set_64": Case(f"SET({_MEMBERS})", str(2**64 - 1), "v || ','", str(2**64 - 2)),
    "binary": Case("BINARY(4)", "0x61", "'\\x61'", "0x6120"),
    "varbinary": Case("VARBINARY(9)", "0x6100", "'\\x61'", "0x61"),
    "tinyblob": Case("TINYBLOB", "0x00", "'\\x'", "''"),
    "blob_bit": Case("BLOB", "0x00FF80", _bytes_bit(2), "0x00FF81"),
    "blob_empty": Case("LONGBLOB", "''", "NULL", "NULL"),
    "mediumblob_first": Case("MEDIUMBLOB", f"0x{_BLOB}", _bytes_bit(0), f"0xFF{_BLOB[2:]}"),
    "longblob_last": Case("LONGBLOB", f"0x{_BLOB}", _bytes_bit(4999), f"0x{_BLOB[:-2]}FF"),
    "point": Case(
        "POINT", "PointFromText('POINT(1 2)')", _bytes_bit(5), "PointFromText('POINT(1 2.0000001)')"
    ),
    "srid": Case(
        "GEOMETRY",
        "GeomFromText('POINT(1 2)', 4326)",
        _bytes_bit(5),
        "GeomFromText('POINT(1 2)', 4327)",
    ),
    "polygon": Case(
        "POLYGON",
        "GeomFromText('POLYGON((0 0, 1 0, 1 1, 0 0))', 1)",
        _bytes_bit(40),
        "GeomFromText('POLYGON((0 0, 1 0, 1 1.5, 0 0))', 1)",
    ),
}
OF_MARIADB = {
    "json_blank": Case("JSON", """'{"a": 1}'""", """'{"a":1}'""", """'{"a":1}'"""),
    "json_order": Case("JSON", """'{"a": 1, "b": 2}'""", """'{"b": 2, "a": 1}'""", """'{"b": 2, "a": 1}'"""),
    "json_double": Case("JSON", """'{"a": 1, "a": 1}'""", """'{"a": 1}'""", """'{"a": 1}'"""),
    "jsonb": Case(
        "JSON", """'{"a": 1.0}'""", """'{"a": 1.00}'""", """'{"a": 1.00}'""", ColumnOverride(pg_type="jsonb")
    ),
    "time_fraction": Case(
        "TIME(6)", "'838:59:59.999999'", "v - interval '1 microsecond'", "'838:59:59.999998'"
    ),
    "uuid": Case(
        "UUID",
        "'f81d4fae-7dec-11d0-a765-00a0c91e6bf6'",
        "'f81d4fae-7dec-11d0-a765-00a0c91e6bf7'",
        "'f81d4fae-7dec-11d0-a765-00a0c91e6bf7'",
    ),
    "inet4": Case("INET4", "'10.0.0.1'", "'10.0.0.1/24'", "'10.0.0.0'"),
    "inet6": Case("INET6", "'::ffff:1.2.3.4'", "'1.2.3.4'", "'::1.2.3.4'"),
    "invisible": Case("INT INVISIBLE", "1", "2", "2"),
}


def tables_of(kind: str) -> dict[str, dict[str, Case]]:
    """Spread the columns that a kind of source can have over tables, by name, which are quicker to load than one."""
    cases = list((COMMON if kind == "mysql56" else COMMON | OF_MARIADB).items())
    return {f"every_{n // _WIDTH}": dict(cases[n : n + _WIDTH]) for n in range(0, len(cases), _WIDTH)}


def made(loading: Loading, rows: int, **choices: Any) -> None:
    """Make the tables in the source, with rows that hold the same; choose how they are loaded."""
    for table, cases in tables_of(loading.source.kind).items():
        columns = ", ".join(f"`{column}` {case.declared}" for column, case in cases.items())
        names = ", ".join(f"`{column}`" for column in cases)
        values = ", ".join(case.literal for case in cases.values())
        loading.source.execute(
            ANY_MODE,
            f"CREATE TABLE {table} (id INT PRIMARY KEY, {columns}) CHARACTER SET utf8mb4",
            f"INSERT INTO {table} (id, {names}) VALUES (1, {values})",
            *(
                f"INSERT INTO {table} (id, {names}) "
                f"SELECT id + {there}, {names} FROM {table} WHERE id <= {rows - there}"
                for there in (2**n for n in range(rows.bit_length()))
                if there < rows
            ),
        )
        overrides = {name: case.override for name, case in cases.items() if case.override}
        loading.choose(**{table: TableChoice(column_overrides=overrides, **choices)})
