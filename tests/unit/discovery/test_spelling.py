"""What servers print differently is spelled in one way."""

from __future__ import annotations

import pytest

from etlkit.discovery import spelling
from etlkit.discovery.reading import source_server


@pytest.mark.parametrize(
    ("printed", "expected"),
    [
        ("int(11)", "int"),
        ("int", "int"),
        ("bigint(20) unsigned", "bigint unsigned"),
        ("tinyint(1)", "tinyint"),
        ("int(5) unsigned zerofill", "int unsigned zerofill"),
        ("int(5) zerofill", "int unsigned zerofill"),
        ("year(4)", "year"),
        ("decimal(10,2)", "decimal(10,2)"),
        ("float(7,3)", "float(7,3)"),
        ("bit(8)", "bit(8)"),
        ("datetime /* mariadb-5.3 */", "datetime"),
        ("timestamp(3)", "timestamp(3)"),
        ("varchar(50) /*M!100301 COMPRESSED*/", "varchar(50)"),
        ("geomcollection", "geometrycollection"),
        ("ENUM('A','b''C','int(11)')", "enum('A','b''C','int(11)')"),
        ("set('x  y','/*z*/')", "set('x  y','/*z*/')"),
    ],
)
def test_type_has_one_spelling(printed: str, expected: str) -> None:
    """A type says the same on all servers: no display width, no comment, lower case outside of members."""
    assert expected == spelling.column_type(printed)


@pytest.mark.parametrize(
    ("printed", "bare_type", "quoted", "expected"),
    [
        (None, "int", True, None),
        ("NULL", "varchar", True, None),
        ("NULL", "varchar", False, "NULL"),
        ("'NULL'", "varchar", True, "NULL"),
        ("''", "varchar", True, ""),
        ("", "varchar", False, ""),
        ("'it''s'", "varchar", True, "it's"),
        (r"'a\\b\nc'", "varchar", True, "a\\b\nc"),
        ("'0001-01-01'", "date", True, "0001-01-01"),
        ("5", "int", True, "5"),
        ("current_timestamp()", "timestamp", True, "current_timestamp"),
        ("CURRENT_TIMESTAMP", "datetime", False, "current_timestamp"),
        ("current_timestamp(3)", "timestamp", True, "current_timestamp(3)"),
        ("CURRENT_TIMESTAMP(3)", "timestamp", False, "current_timestamp(3)"),
        ("CURRENT_TIMESTAMP", "varchar", False, "CURRENT_TIMESTAMP"),
        ("b'101'", "bit", True, "b'101'"),
    ],
)
def test_default_is_unquoted(printed: str | None, bare_type: str, quoted: bool, expected: str | None) -> None:
    """A default reads the same whether the server prints it as SQL (MariaDB 10.2.7 and later) or as it is."""
    assert expected == spelling.default(printed, bare_type, literals_are_quoted=quoted)


@pytest.mark.parametrize(
    ("printed", "expected"),
    [
        ("on update CURRENT_TIMESTAMP", "on update current_timestamp"),
        ("on update current_timestamp(3)", "on update current_timestamp"),
        ("DEFAULT_GENERATED on update CURRENT_TIMESTAMP", "on update current_timestamp"),
        ("DEFAULT_GENERATED", ""),
        ("VIRTUAL GENERATED", "virtual generated"),
        ("VIRTUAL", "virtual generated"),
        ("PERSISTENT", "stored generated"),
        ("STORED GENERATED", "stored generated"),
        ("auto_increment INVISIBLE", "auto_increment invisible"),
    ],
)
def test_extra_has_one_spelling(printed: str, expected: str) -> None:
    """MySQL 8's DEFAULT_GENERATED makes no column a generated one, and old MariaDB's PERSISTENT does."""
    assert expected == spelling.extras(printed)


@pytest.mark.parametrize(
    ("name", "expected"),
    [("utf8", "utf8mb3"), ("utf8_general_ci", "utf8mb3_general_ci"), ("utf8mb4", "utf8mb4"), ("", None)],
)
def test_charset_is_unambiguous(name: str, expected: str | None) -> None:
    """`utf8` is never called so, because it means other things on other servers."""
    assert expected == spelling.charset(name)


@pytest.mark.parametrize(
    ("clause", "expected"),
    [
        ("json_valid(`Data`)", "Data"),
        ("(json_valid(`a``b`))", "a`b"),
        ("json_valid(`a`) and `b` > 0", None),
        ("`json_valid` > 0", None),
    ],
)
def test_json_is_found_behind_its_disguise(clause: str, expected: str | None) -> None:
    """Only a check that is json_valid and nothing else makes a MariaDB column a JSON column."""
    assert expected == spelling.json_checked_column(clause)


def test_bytes_of_the_catalog_are_text() -> None:
    """MySQL 8 gives some of its catalog's columns as bytes."""
    assert ("käse", "", "7") == tuple(spelling.text_of(each) for each in ("käse".encode(), None, 7))


@pytest.mark.parametrize(
    ("version", "comment", "expected"),
    [
        ("10.11.6-MariaDB-log", "", "MariaDB 10.11.6"),
        ("5.5.5-10.4.8-MariaDB", "mariadb.org binary distribution", "MariaDB 10.4.8"),
        ("8.0.36", "MySQL Community Server - GPL", "MySQL 8.0.36"),
        ("5.6.24-log", "", "MySQL 5.6.24"),
    ],
)
def test_server_is_told_by_its_version(version: str, comment: str, expected: str) -> None:
    """Product and version are told from what the server says of itself, MariaDB's prefix left out."""
    assert expected == str(source_server(version, comment, "1"))
