"""A single bit or character that is wrong in the warehouse is found, in every type, and nothing else is."""

from __future__ import annotations

from collections.abc import Iterator

import attrs
import pytest

from etlkit.config import ColumnOverride, TableChoice
from etlkit.demo import PrivateMySQL, PrivatePostgres
from support.databases import KINDS, source_database, warehouse_database
from support.loading import Loading, loading_of
from support.verifying import found_in, verified_one

ANY_MODE = "SET sql_mode = 'ALLOW_INVALID_DATES', time_zone = '+00:00'"


@attrs.frozen
class Case:
    """A column, what the source holds in it, and what is planted in the warehouse (SQL; `v` is the column)."""

    declared: str
    literal: str
    planted: str
    override: ColumnOverride | None = None


def text(value: str) -> str:
    """A literal of any text, for the source."""
    return f"_utf8mb4 0x{value.encode().hex()}"


def escaped(value: str) -> str:
    """A literal of any text, for the warehouse."""
    return "U&'" + "".join(f"\\+{ord(each):06x}" for each in value) + "'"


COMMON = {
    "tinyint": Case("TINYINT", "5", "v + 1"),
    "tinyint_1": Case("TINYINT(1)", "2", "1"),
    "tinyint_null": Case("TINYINT", "NULL", "0"),
    "tinyint_unsigned": Case("TINYINT UNSIGNED", "255", "254"),
    "boolean": Case("TINYINT", "1", "false", ColumnOverride(conversion="tinyint_to_boolean")),
    "smallint": Case("SMALLINT", "-32768", "v + 1"),
    "smallint_unsigned": Case("SMALLINT UNSIGNED", "65535", "v - 1"),
    "mediumint": Case("MEDIUMINT", "0", "1"),
    "int_min": Case("INT", "-2147483648", "v + 1"),
    "int_unsigned": Case("INT(10) UNSIGNED ZEROFILL", "4294967295", "v - 1"),
    "bigint": Case("BIGINT", "9007199254740993", "9007199254740992"),
    "bigint_unsigned": Case("BIGINT UNSIGNED", "18446744073709551615", "v - 1"),
    "decimal": Case("DECIMAL(65,30)", "1.5", "v + 0.000000000000000000000000000001"),
    "decimal_scale": Case("DECIMAL(10,2)", "1.50", "1.5", ColumnOverride(pg_type="numeric")),
    "float_ulp": Case("FLOAT", "1.234567", "'1.2345672'"),
    "float_zero": Case("FLOAT", "0", "'-0'"),
    "double_ulp": Case("DOUBLE", "0.3", "'0.30000000000000004'"),
    "double_zero": Case("DOUBLE", "0", "'-0'"),
    "double_least": Case("DOUBLE", "5e-324", "'1e-323'"),
    "bit_1": Case("BIT(1)", "b'1'", "B'0'"),
    "bit_8": Case("BIT(8)", "b'10000001'", "B'10000000'"),
    "bit_64": Case("BIT(64)", "0x8000000000000000", "v # 1::bit(64)"),
    "date": Case("DATE", "'2024-02-29'", "v + 1"),
    "date_least": Case("DATE", "'0001-01-01'", "NULL"),
    "date_that_is_none": Case("DATE", "'2024-02-31'", "'0001-01-01'"),
    "datetime": Case("DATETIME", "'9999-12-31 23:59:58'", "v + interval '1 second'"),
    "datetime_6": Case("DATETIME(6)", "'2024-01-31 10:00:00.999999'", "v + interval '1 microsecond'"),
    "timestamp": Case("TIMESTAMP NULL", "'2024-01-31 10:00:00'", "v + interval '1 hour'"),
    "timestamp_3": Case("TIMESTAMP(3) NULL", "'2024-01-31 10:00:00.001'", "v + interval '1 millisecond'"),
    "time": Case("TIME", "'25:00:00'", "'1 day 01:00:00'"),
    "time_sign": Case("TIME(6)", "'-00:00:00.000001'", "-v"),
    "time_most": Case("TIME", "'838:59:59'", "v - interval '1 second'"),
    "year": Case("YEAR", "1901", "0"),
    "char_blank": Case("CHAR(9)", "'a'", "'a '"),
    "varchar_blank": Case("VARCHAR(9)", "'a '", "'a'"),
    "varchar_case": Case("VARCHAR(9)", "'Smith'", "'smith'"),
    "varchar_empty": Case("VARCHAR(9)", "''", "NULL"),
    "varchar_null": Case("VARCHAR(9)", "NULL", "''"),
    "varchar_question": Case("VARCHAR(9)", text("🦷"), "'?'"),
    "varchar_composed": Case("VARCHAR(9)", text("é"), escaped("e\u0301")),
    "varchar_variant": Case("VARCHAR(9)", text("👩‍⚕️"), escaped("👩‍⚕")),
    "latin1": Case("VARCHAR(9) CHARACTER SET latin1", text("Müller"), escaped("Mueller")),
    "utf16": Case("VARCHAR(9) CHARACTER SET utf16", text("日"), escaped("曰")),
    "text_line": Case("TEXT", "'a\\nb'", "E'a\\r\\nb'"),
    "text_backslash": Case("TEXT", "'\\\\N'", "NULL"),
    "text_tab": Case("MEDIUMTEXT", "'a\\tb'", "'a b'"),
    "longtext_last": Case("LONGTEXT", f"'{'x' * 5000}y'", f"'{'x' * 5000}z'"),
    "enum": Case("ENUM('', 'a', 'b')", "'a'", "'b'"),
    "enum_error": Case("ENUM('a', 'b')", "'none'", "NULL"),
    "set": Case("SET('a', 'b')", "'a,b'", "'b,a'"),
    "binary": Case("BINARY(4)", "0x61", "'\\x61'"),
    "varbinary": Case("VARBINARY(9)", "0x6100", "'\\x61'"),
    "blob_bit": Case("BLOB", "0x00FF80", "set_bit(v, 23, 1 - get_bit(v, 23))"),
    "blob_empty": Case("LONGBLOB", "''", "NULL"),
    "point": Case("GEOMETRY", "GeomFromText('POINT(1 2)', 4326)", "set_bit(v, 40, 1 - get_bit(v, 40))"),
}
OF_MARIADB = {
    "json_blank": Case("JSON", """'{"a": 1}'""", """'{"a":1}'"""),
    "json_order": Case("JSON", """'{"a": 1, "b": 2}'""", """'{"b": 2, "a": 1}'"""),
    "json_double": Case("JSON", """'{"a": 1, "a": 1}'""", """'{"a": 1}'"""),
    "jsonb": Case("JSON", """'{"a": 1.0}'""", """'{"a": 1.00}'""", ColumnOverride(pg_type="jsonb")),
    "uuid": Case("UUID", "'f81d4fae-7dec-11d0-a765-00a0c91e6bf6'", "'f81d4fae-7dec-11d0-a765-00a0c91e6bf7'"),
    "inet4": Case("INET4", "'10.0.0.1'", "'10.0.0.1/24'"),
    "inet6": Case("INET6", "'::ffff:1.2.3.4'", "'1.2.3.4'"),
}


@pytest.fixture(scope="module", params=list(KINDS))
def loaded(request: pytest.FixtureRequest, postgres: PrivatePostgres) -> Iterator[Loading]:
    """A table with a column of every type and three rows, loaded."""
    cases = COMMON if request.param == "mysql56" else COMMON | OF_MARIADB
    server: PrivateMySQL = request.getfixturevalue(request.param.partition("-")[0])
    with (
        source_database(server, request.param) as source,
        warehouse_database(postgres) as warehouse,
        loading_of(source, warehouse) as made,
    ):
        columns = ", ".join(f"`{name}` {case.declared}" for name, case in cases.items())
        values = ", ".join(case.literal for case in cases.values())
        source.execute(
            ANY_MODE,
            f"CREATE TABLE every (id INT PRIMARY KEY, {columns})",
            f"INSERT INTO every VALUES (1, {values}), (2, {values}), (3, {values})",
        )
        overrides = {name: case.override for name, case in cases.items() if case.override}
        made.choose(every=TableChoice(column_overrides=overrides))
        made.load("every")
        assert "equal" == verified_one(made, "every").verified
        yield made


def planted_and_found(loaded: Loading, name: str, case: Case) -> None:
    """Plant a wrong value, see it found, and repair it."""
    value = case.planted if case.planted == "NULL" else case.planted.replace("v ", f'"{name}" ')
    value = value.replace("(v,", f'("{name}",').replace("-v", f'-"{name}"')
    loaded.warehouse.execute(f'UPDATE raw.every SET "{name}" = {value} WHERE id = 2')
    expected = ("1 row differs", {name: 1}, [("different", {"id": "2"}, (name,))])
    try:
        assert expected == found_in(verified_one(loaded, "every"))
    finally:
        repaired = loaded.load("every")
    assert (3, 0, 1, 0, 2) == repaired


@pytest.mark.parametrize("name", COMMON)
def test_a_wrong_value(loaded: Loading, name: str) -> None:
    """One wrong value is named by key and column; where PostgreSQL itself calls both values equal, too."""
    planted_and_found(loaded, name, COMMON[name])


@pytest.mark.parametrize("loaded", ["mariadb-innodb", "mariadb-myisam"], indirect=True)
@pytest.mark.parametrize("name", OF_MARIADB)
def test_a_wrong_value_of_mariadb(loaded: Loading, name: str) -> None:
    """So is one of the types that only MariaDB has."""
    planted_and_found(loaded, name, OF_MARIADB[name])
