"""Rows arrive in a replica as they are stored in the source: real servers of all kinds, whichever way they go."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from support.copying import Copying, bytes_of, copying
from support.databases import SourceDatabase
from support.every_type import ANY_MODE, tables_of

LOAD, INSERT = True, False
WAYS = [
    ("mariadb-innodb", "mariadb-innodb", LOAD),
    ("mysql56", "mariadb-innodb", LOAD),
    ("mariadb-myisam", "mariadb-innodb", INSERT),
    ("mysql56", "mariadb-myisam", INSERT),
    ("mysql56", "mysql56", LOAD),
    ("mariadb-innodb", "mysql56", INSERT),
]
ON_MARIADB = [("mariadb-innodb", "mariadb-innodb", LOAD), ("mariadb-innodb", "mariadb-innodb", INSERT)]

Way = tuple[Copying, bool]


@pytest.fixture
def way(request: pytest.FixtureRequest, make_source: Callable[[str], SourceDatabase]) -> Iterator[Way]:
    """A source and a replica of two kinds, and how rows are written."""
    source, target, by_load = request.param
    with copying(make_source(source), make_source(target)) as made:
        yield made, by_load


def said(parameter: object) -> str:
    """Name a way for pytest."""
    source, target, by_load = parameter  # type: ignore[misc]
    return f"{source}-to-{target}-by-{'load' if by_load else 'insert'}"


on_all = pytest.mark.parametrize("way", WAYS, indirect=True, ids=said)
on_mariadb = pytest.mark.parametrize("way", ON_MARIADB, indirect=True, ids=said)


def made(pair: Copying, table: str, columns: str, *rows: str, names: str = "") -> None:
    """Make a table on both servers, with rows in the source."""
    definition = f"CREATE TABLE {table} ({columns}) CHARACTER SET utf8mb4"
    mode = f"{ANY_MODE}, sql_mode = 'ALLOW_INVALID_DATES,NO_AUTO_VALUE_ON_ZERO'"
    pair.both(mode, definition)
    pair.source.execute(mode, *(f"INSERT INTO {table} {names} VALUES {row}" for row in rows))


def arrives(way: Way, table: str, *, rows: int, order: str = "id", **options: int) -> None:
    """A table's rows are the same bytes on both servers, and so are their digests."""
    pair, by_load = way
    assert rows == pair.copy(table, by_load=by_load, **options)
    there, here = (bytes_of(each, table, order=order) for each in (pair.source, pair.target))
    differing = {
        n for one, other in zip(there, here, strict=True) for n, value in enumerate(one) if value != other[n]
    }
    assert set() == differing, "these columns, counted from 0, differ"
    assert [] == pair.differing(table)


@on_all
def test_every_type(way: Way) -> None:
    """Every type arrives, NULLs as well; digests of both servers agree, and tell the least change of each column."""
    pair, _ = way
    kinds = (pair.source.kind, pair.target.kind)
    tables = tables_of("mysql56" if "mysql56" in kinds else pair.source.kind)
    for table, cases in tables.items():
        columns = ", ".join(f"`{column}` {case.declared}" for column, case in cases.items())
        values = ", ".join(case.literal for case in cases.values())
        nulls = ", ".join("NULL" for _ in cases)
        names = f"(id, {', '.join(f'`{column}`' for column in cases)})"
        rows = ", ".join(f"({id_}, {values})" for id_ in range(1, len(cases) + 1))
        made(pair, table, f"id INT PRIMARY KEY, {columns}", f"{rows}, (0, {nulls})", names=names)
    for table, cases in tables.items():
        arrives(way, table, rows=len(cases) + 1)
        changes = [
            f"UPDATE {table} SET `{column}` = {case.changed_in(column)} WHERE id = {id_}"
            for id_, (column, case) in enumerate(cases.items(), start=1)
        ]
        pair.target.execute(ANY_MODE, *changes)
        assert [str(id_) for id_ in range(1, len(cases) + 1)] == pair.differing(table)


ONE_BYTE = (
    "ascii",
    "latin1",
    "latin2",
    "cp1250",
    "cp1251",
    "greek",
    "hebrew",
    "koi8r",
    "cp850",
    "binary",
    "armscii8",
)


@on_all
def test_every_byte(way: Way) -> None:
    """All 256 bytes arrive in text of every kind of character set, also those that are no character there."""
    pair, _ = way
    columns = ", ".join(
        f"a_{each} VARCHAR(1) CHARACTER SET {each} NOT NULL, b_{each} LONGTEXT CHARACTER SET {each}"
        for each in ONE_BYTE
    )
    rows = [f"({byte}, {', '.join(f'0x{byte:02x}, 0x{byte:02x}' for _ in ONE_BYTE)})" for byte in range(256)]
    made(pair, "t", f"id INT PRIMARY KEY, {columns}", ", ".join(rows))
    arrives(way, "t", rows=256)


@on_all
def test_every_character_of_ascii_in_utf8(way: Way) -> None:
    """What escapes, ends or quotes a text elsewhere is a character like any other, NUL included."""
    pair, _ = way
    columns = "id INT PRIMARY KEY, a VARCHAR(9) NOT NULL, b TEXT, c VARCHAR(9) CHARACTER SET utf8"
    rows = [f"({byte}, 0x{byte:02x}, 0x41{byte:02x}, 0x{byte:02x}{byte:02x})" for byte in range(128)]
    more = ["(1000, '', '', NULL)", "(1001, 'N', '\\\\N', 'NULL')", "(1002, '\\\\', '\\\\\\\\', '''')"]
    made(pair, "t", columns, ", ".join(rows + more))
    arrives(way, "t", rows=131)


@on_all
def test_dates_that_do_not_exist(way: Way) -> None:
    """Zero dates, partly zero ones and those of no calendar arrive, where NULL may be and where it may not."""
    pair, _ = way
    columns = (
        "id INT PRIMARY KEY, a DATE, b DATE NOT NULL, c DATETIME(6), d DATETIME NOT NULL, "
        "e TIMESTAMP NULL, f TIMESTAMP NOT NULL DEFAULT '2000-01-01', g YEAR, h YEAR NOT NULL"
    )
    zero = ", ".join(["'0000-00-00'"] * 6)
    part = "'2024-00-00', '2024-02-31', '2024-01-00 01:02:03.000004', '0000-01-01 01:00:00', NULL, 19700102"
    least = "NULL, '0001-01-01', NULL, '9999-12-31 23:59:59', '2038-01-19 03:14:07', '2024-03-31 02:30:00'"
    made(pair, "t", columns, f"(1, {zero}, 0, 0)", f"(2, {part}, 2155, 1901)", f"(3, {least}, NULL, 0)")
    arrives(way, "t", rows=3)


@on_all
def test_numbers_of_members(way: Way) -> None:
    """ENUM and SET arrive by number, also where members look like numbers, and the value that is no member."""
    pair, _ = way
    columns = (
        "id INT PRIMARY KEY, a ENUM('2', '1', '0', ''), b ENUM('x', '0') NOT NULL, c SET('4', '1', '2'), "
        "d ENUM('a', 'b') CHARACTER SET ucs2, e SET('a', 'b') CHARACTER SET latin1 NOT NULL"
    )
    rows = [f"({n}, {n % 5}, {n % 3}, {n % 8}, {n % 3}, {n % 4})" for n in range(120)]
    made(pair, "t", columns, ", ".join(rows), "(1000, NULL, 1, NULL, NULL, 0)")
    arrives(way, "t", rows=121)


@on_all
def test_numbers_as_they_are_kept(way: Way) -> None:
    """Rounded and zero-filled numbers, the sign of zero and a key of 0 arrive; nothing is numbered or rounded anew."""
    pair, _ = way
    columns = (
        "id INT NOT NULL AUTO_INCREMENT PRIMARY KEY, a DOUBLE(12,2), b FLOAT(9,3), c DOUBLE NOT NULL, "
        "d FLOAT NOT NULL, i TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP ON UPDATE CURRENT_TIMESTAMP, "
        "e INT(9) ZEROFILL, f DECIMAL(9,3) ZEROFILL, g BIT(7), h BIT(64) NOT NULL"
    )
    zero = "-0" if pair.target.kind == "mysql56" else "0"  # MariaDB stores no sign
    rows = [
        f"(0, 0.004, 1.1, '{zero}', '{zero}', 1, 5, 1.5, 0, 0)",
        f"(-5, 1234567890.12, 123456.789, 1e-310, 1.17549435e-38, 20010101, 123456789, 123456.789, 127, {2**64 - 1})",
        "(7, 0.1, 0.7, 0.1 + 0.2e0, 16777217, 20010101, NULL, NULL, NULL, 0xFE)",
    ]
    made(pair, "t", columns, *rows)
    arrives(way, "t", rows=3)


@on_mariadb
def test_what_the_server_does_itself(way: Way) -> None:
    """Stamps stay as they came, computed columns are computed, and rows that break a check arrive all the same."""
    pair, by_load = way
    columns = (
        "`a` INT NOT NULL, b INT AS (a + 1) PERSISTENT, c INT AS (a + 2) VIRTUAL, `now` TIMESTAMP NOT NULL DEFAULT "
        "CURRENT_TIMESTAMP ON UPDATE CURRENT_TIMESTAMP, d INT CHECK (d > 0), e INT INVISIBLE, "
        "j JSON, u UUID, PRIMARY KEY (a), UNIQUE KEY (e)"
    )
    made(pair, "t", columns)
    pair.source.execute(
        "SET check_constraint_checks = 0, time_zone = '+00:00'",
        "INSERT INTO t (a, now, d, e, j, u) VALUES (1, '2001-01-01 01:00:00', -1, 5, '{\"a\": \"\\\\\\\\é\"}', NULL), "
        "(2, '2002-01-01 01:00:00', 1, NULL, NULL, UUID())",
    )
    arrives((pair, by_load), "t", rows=2, order="a")
    assert [(1, 2, 3), (2, 3, 4)] == pair.target.rows("SELECT a, b, c FROM t ORDER BY a")
    pair.target.execute("SET check_constraint_checks = 0", "UPDATE t SET d = -2, now = now WHERE a = 1")
    assert ["1"] == pair.differing("t")


@on_mariadb
def test_names_of_all_kinds(way: Way) -> None:
    """Names need no care, of tables and of columns, though the same statement holds percent signs and colons."""
    pair, _ = way
    columns = "`id` INT PRIMARY KEY, `a``b` VARBINARY(9), `%s` VARCHAR(9), `:x` ENUM('%'), `row` BIT(3), `é '\"` INT"
    made(pair, "`o``d %d`", columns, "(1, 0xFF00, '%', 1, 5, NULL)", "(2, NULL, NULL, NULL, NULL, 1)")
    assert 2 == pair.copy("o`d %d", by_load=way[1])
    for each in ("`a``b`", "`%s`", "`:x`", "`row`", "`é '\"`"):
        question = f"SELECT HEX({each}) FROM `o``d %d` ORDER BY id"
        assert pair.source.rows(question) == pair.target.rows(question)


@on_mariadb
def test_one_column(way: Way) -> None:
    """A row of one empty text is a row, and so is one of one NULL; a table needs no key."""
    pair, _ = way
    made(pair, "t", "a VARCHAR(9)", "(''), (NULL), (''), ('x'), ('')")
    arrives(way, "t", rows=5, order="a")


@on_all
def test_rows_too_large_for_one_value(way: Way) -> None:
    """Rows that the source cannot give many at a time arrive as others do, field by field."""
    pair, _ = way
    columns = (
        "id INT PRIMARY KEY, a LONGTEXT, b LONGBLOB, c LONGTEXT CHARACTER SET latin1, d GEOMETRY, "
        "e MEDIUMTEXT NOT NULL, f ENUM('a') NOT NULL, g BIT(9), h TEXT CHARACTER SET ucs2, i FLOAT, j DATE"
    )
    long = "REPEAT('é', 40000), REPEAT(0xFF, 40000), REPEAT(0xE9, 40000), PointFromText('POINT(1 2)')"
    rows = [
        f"(1, {long}, REPEAT('\\0\\'', 40000), 0, 257, 0xD83D, 0.1, '0000-00-00')",
        "(2, NULL, NULL, NULL, NULL, '', 1, NULL, NULL, NULL, NULL)",
        "(3, 'a', 0xFD, 0xFD, NULL, 'b', 1, 0, '', -1, '2024-02-31')",
    ]
    made(pair, "t", columns, *rows)
    arrives(way, "t", rows=3, group_concat_max_len=1024)


@pytest.mark.parametrize("way", [("mysql56", "mariadb-innodb", LOAD)], indirect=True, ids=said)
def test_the_sign_of_zero(way: Way) -> None:
    """MariaDB stores 0 for -0, so digests that are told so do not take it for a difference; any other number is one."""
    pair, _ = way
    made(
        pair,
        "t",
        "id INT PRIMARY KEY, a DOUBLE, b FLOAT NOT NULL",
        "(1, '-0', '-0'), (2, NULL, 1.1), (3, 0.3, '-0')",
    )
    assert 3 == pair.copy("t")
    assert ["1", "3"] == pair.differing("t")
    assert [] == pair.differing("t", signed_zeros=False)
    pair.target.execute("UPDATE t SET a = 0.1 + 0.2e0 WHERE id = 3")
    assert ["3"] == pair.differing("t", signed_zeros=False)
