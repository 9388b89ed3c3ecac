"""Tables of every kind for a replica: what they hold, and what a practice does to them in a day."""

from __future__ import annotations

import attrs

from support.databases import SourceDatabase

ANY_VALUE = "SET SESSION sql_mode = 'ALLOW_INVALID_DATES,NO_AUTO_VALUE_ON_ZERO', time_zone = '+00:00'"
"""Lets a session store everything that a clinic's old rows may hold."""
STAMP = "DateTStamp TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP ON UPDATE CURRENT_TIMESTAMP"
OLD = "'2019-05-06 07:08:09'"
"""A stamp of a while ago."""


@attrs.frozen
class Kept:
    """A table of the source."""

    columns: str
    """What stands between the brackets of CREATE TABLE."""
    rows: tuple[str, ...] = ()
    """Lists of values, without brackets."""
    day: tuple[str, ...] = ()
    """Statements of a day; `{}` is the table."""
    options: str = ""
    """Behind the brackets of CREATE TABLE."""


def _hexed(text: str, charset: str, codec: str) -> str:
    return f"_{charset} x'{text.encode(codec).hex()}'"


_WIDE = 150
_KEYS_19 = (1004356819032754123, 9223372036854775807, 4611686018427387905, 7310293847561029384)

COMMON = {
    "patient": Kept(
        f"PatNum BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY, LName VARCHAR(100) DEFAULT '', Guarantor BIGINT NOT NULL, "
        f"BalTotal DOUBLE NOT NULL DEFAULT '0', Birthdate DATE NOT NULL DEFAULT '0001-01-01', {STAMP}, "
        "KEY (Guarantor), KEY (LName(10)), KEY (DateTStamp)",
        tuple(
            f"{number}, 'Name {number}', {number // 3}, {number / 7!r}, '19{number:02}-03-04', {OLD}"
            for number in range(60)
        ),
        (
            "INSERT INTO {} (LName, Guarantor) VALUES ('new', 1), ('newer', 2)",
            "UPDATE {} SET LName = 'married' WHERE PatNum IN (0, 5)",
            "UPDATE {} SET BalTotal = -0e0, DateTStamp = DateTStamp WHERE PatNum IN (0, 7)",
            "UPDATE {} SET LName = 'name 9', DateTStamp = DateTStamp WHERE PatNum = 9",
            "UPDATE {} SET LName = 'Name 10 ', DateTStamp = DateTStamp WHERE PatNum = 10",
            "UPDATE {} SET DateTStamp = '2019-05-06 07:08:10' WHERE PatNum = 11",
            "UPDATE {} SET PatNum = 900, DateTStamp = DateTStamp WHERE PatNum = 12",
            "DELETE FROM {} WHERE PatNum BETWEEN 20 AND 25",
        ),
    ),
    "procedurelog": Kept(
        "ProcNum BIGINT NOT NULL, PatNum BIGINT NOT NULL, ProcFee DOUBLE NOT NULL, Note TEXT, "
        f"DateTP DATE NOT NULL DEFAULT '0001-01-01', {STAMP}, SecDateEntry DATETIME NOT NULL, PRIMARY KEY (ProcNum), "
        "KEY PatDate (PatNum, DateTP)",
        tuple(
            f"{key}, {number}, {fee}, {note}, '2020-02-0{number + 1}', {OLD}, '2020-02-03 04:05:06'"
            for number, (key, fee, note) in enumerate(
                zip(
                    _KEYS_19,
                    ("-0e0", "0.1", "5e-324", "1.7976931348623157e308"),
                    ("NULL", "''", "'a\\tb\\n'", "'\\\\N'"),
                    strict=True,
                )
            )
        ),
        (
            "INSERT INTO {} VALUES (1234567890123456789, 9, 0.30000000000000004, 'n', '2021-01-01', NOW(), NOW())",
            f"UPDATE {{}} SET ProcFee = 0.0, DateTStamp = DateTStamp WHERE ProcNum = {_KEYS_19[0]}",
            f"UPDATE {{}} SET Note = NULL WHERE ProcNum = {_KEYS_19[1]}",
            f"DELETE FROM {{}} WHERE ProcNum = {_KEYS_19[2]}",
        ),
    ),
    "fee_of_code": Kept(
        f"FeeNum INT NOT NULL PRIMARY KEY, Place INT NULL, Code VARCHAR(15) NOT NULL, {STAMP}, "
        "UNIQUE KEY Place (Place), UNIQUE KEY Code (Code)",
        tuple(f"{number}, {number if number < 8 else 'NULL'}, 'D{number}', {OLD}" for number in range(1, 13)),
        (
            "UPDATE {} SET Place = 100 WHERE FeeNum = 1",
            "UPDATE {} SET Place = 1 WHERE FeeNum = 2",
            "UPDATE {} SET Place = 2, Code = 'D77' WHERE FeeNum = 1",
            "DELETE FROM {} WHERE FeeNum = 5",
            "INSERT INTO {} (FeeNum, Place, Code) VALUES (50, 5, 'D5')",
            "UPDATE {} SET Code = 'd12', DateTStamp = DateTStamp WHERE FeeNum = 12",
        ),
    ),
    "definition": Kept(
        "Category TINYINT NOT NULL, ItemOrder SMALLINT UNSIGNED NOT NULL, ItemName VARCHAR(40) NOT NULL COMMENT "
        "'what ''people'' see', IsHidden TINYINT(1) NOT NULL DEFAULT 0, PRIMARY KEY (ItemOrder, Category)",
        tuple(
            f"{one}, {two}, 'item {one}.{two}', {one % 2 + one}"
            for one in (-3, 0, 4)
            for two in (0, 1, 65535)
        ),
        (
            "UPDATE {} SET ItemOrder = 7 WHERE Category = 4 AND ItemOrder = 1",
            "UPDATE {} SET IsHidden = 3 WHERE Category = 0 AND ItemOrder = 0",
            "DELETE FROM {} WHERE Category = -3 AND ItemOrder = 65535",
            "INSERT INTO {} VALUES (-3, 8, 'new', 1)",
        ),
        "COMMENT 'lists; of 100% kinds'",
    ),
    "preference": Kept(
        "PrefName VARCHAR(60) NOT NULL, ValueString TEXT NOT NULL, PRIMARY KEY (PrefName)",
        ("'a', ''", "'B', 'x'", "'b ä', '😀'", "'Zz', '\\'\"`'"),
        (
            "UPDATE {} SET PrefName = 'b' WHERE PrefName = 'B'",
            "UPDATE {} SET PrefName = 'a ' WHERE PrefName = 'a'",
            "DELETE FROM {} WHERE PrefName = 'Zz'",
            "INSERT INTO {} VALUES ('ß', 's')",
        ),
        "DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_general_ci",
    ),
    "medication": Kept(
        "Name VARCHAR(30) CHARACTER SET cp1250 COLLATE cp1250_general_ci NOT NULL PRIMARY KEY, "
        "Notes VARCHAR(30) CHARACTER SET latin1 NOT NULL, "
        "Extra CHAR(10) CHARACTER SET latin2 NOT NULL DEFAULT 'none'",
        tuple(
            f"{_hexed(name, 'cp1250', 'cp1250')}, {_hexed(note, 'latin1', 'cp1252')}, "
            f"{_hexed(extra, 'latin2', 'iso8859-2')}"
            for name, note, extra in (("Łukasz žluť", "Müller €", "ęą"), ("š", "ÿ", "x"), ("Ž", "\u0178", ""))
        ),
        (
            f"UPDATE {{}} SET Notes = {_hexed('Mueller', 'latin1', 'cp1252')} WHERE Extra = 'x'",
            f"INSERT INTO {{}} (Name, Notes) VALUES ({_hexed('ů', 'cp1250', 'cp1250')}, 'new')",
            "DELETE FROM {} WHERE Extra = ''",
        ),
    ),
    "entrylog": Kept(
        "At DATETIME NULL, Message VARCHAR(40) NULL, Amount DOUBLE NULL",
        (
            "NULL, 'same', 0.5",
            "NULL, 'same', 0.5",
            "'2020-01-01 00:00:00', NULL, -0e0",
            "'2020-01-01 00:00:00', '', 0.0",
        ),
        (
            "INSERT INTO {} VALUES (NULL, 'same', 0.5)",
            "DELETE FROM {} WHERE Message = ''",
            "UPDATE {} SET Amount = 0.0 WHERE Message IS NULL",
        ),
    ),
    "nothing_yet": Kept(
        "Id INT NOT NULL AUTO_INCREMENT PRIMARY KEY, Note TEXT", day=("INSERT INTO {} VALUES (4, 'one')",)
    ),
    "emptied": Kept("Id INT NOT NULL PRIMARY KEY", ("1", "2"), ("DELETE FROM {}",)),
    "documentmisc": Kept(
        "DocNum BIGINT NOT NULL PRIMARY KEY, Raw LONGBLOB NULL, RawBase64 LONGTEXT NULL, "
        "Thumb VARBINARY(300) NOT NULL, Fixed BINARY(5) NOT NULL",
        (
            "1, NULL, NULL, '', ''",
            "2, REPEAT(0x00FDFEFF0A0D5C27, 9000), REPEAT('AB+/', 20000), 0x00, 0x01",
            "3, 0xFD, '', 0xFEFF, 0x20202020",
        ),
        (
            "UPDATE {} SET Raw = CONCAT(Raw, 0x00) WHERE DocNum = 2",
            "UPDATE {} SET Raw = '' WHERE DocNum = 1",
            "UPDATE {} SET Thumb = 0x0000, RawBase64 = NULL WHERE DocNum = 3",
            "INSERT INTO {} VALUES (4, 0x5C4E, 'new', 0x5C, 0x30)",
        ),
    ),
    "numbers": Kept(
        "Big BIGINT UNSIGNED NOT NULL PRIMARY KEY, T TINYINT, TU TINYINT UNSIGNED, S SMALLINT NOT NULL DEFAULT -5, "
        "M MEDIUMINT, I INT(6) UNSIGNED ZEROFILL, D DECIMAL(65,30), D0 DECIMAL(5,0), F FLOAT, DB DOUBLE(12,4), "
        "B1 BIT(1), B64 BIT(64) NOT NULL DEFAULT b'101', Y YEAR",
        (
            (
                f"0, -128, 255, -32768, -8388608, 42, {'9' * 35}.{'9' * 30}, -99999, -0e0, 0.1, b'1', "
                "0xFFFFFFFFFFFFFFFF, 1901"
            ),
            "18446744073709551615, NULL, NULL, 0, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 0, NULL",
            (
                "9223372036854775808, 2, 0, 1, 8388607, 4294967295, 0.000000000000000000000000000001, 0, 1.234567, "
                "-0e0, b'0', 0x8000000000000000, 0000"
            ),
        ),
        (
            "UPDATE {} SET F = 0 WHERE Big = 0",
            "UPDATE {} SET F = 1.2345672 WHERE Big = 9223372036854775808",
            "UPDATE {} SET Big = Big - 1 WHERE Big = 18446744073709551615",
            "INSERT INTO {} (Big) VALUES (7)",
        ),
    ),
    "negative": Kept(
        "K INT NOT NULL PRIMARY KEY, V INT NOT NULL",
        tuple(f"{number}, {number * number}" for number in range(-20, 20)),
        (
            "DELETE FROM {} WHERE K IN (-20, 19)",
            "INSERT INTO {} VALUES (-21, 0)",
            "UPDATE {} SET V = 0 WHERE K = -1",
        ),
    ),
    "moments": Kept(
        "D DATE NOT NULL, T TIME(6) NOT NULL, DT DATETIME(6) NULL, TS TIMESTAMP(3) NULL, P DECIMAL(4,1) NOT NULL, "
        "PRIMARY KEY (D, P)",
        (
            "'0001-01-01', '-838:59:59', '9999-12-31 23:59:59.999999', '2038-01-19 03:14:07.999', 0.0",
            "'2024-02-29', '-00:00:00.000001', '1000-01-01 00:00:00', '1970-01-01 00:00:01', -10.5",
            "'2024-02-29', '25:00:00', NULL, NULL, 10.5",
        ),
        (
            "UPDATE {} SET T = '00:00:00.000001' WHERE P = -10.5",
            "UPDATE {} SET DT = '2024-10-27 02:30:00.000001', TS = '2024-10-27 00:30:00.001' WHERE P = 10.5",
            "DELETE FROM {} WHERE P = 0.0",
        ),
    ),
    "zero_dates": Kept(
        "Id INT NOT NULL PRIMARY KEY, D DATE NOT NULL, DT DATETIME NOT NULL, TS TIMESTAMP NOT NULL DEFAULT "
        "'2000-01-01 00:00:00', N DATE NULL",
        (
            "1, '0000-00-00', '0000-00-00 00:00:00', '0000-00-00 00:00:00', NULL",
            "2, '2024-00-00', '2024-02-31 00:00:00', '2024-01-01 00:00:00', '0000-00-00'",
            "3, '2024-01-01', '2024-01-01 00:00:00', '2024-01-01 00:00:00', '2023-02-29'",
        ),
        (
            "UPDATE {} SET D = '0000-00-00', TS = '0000-00-00 00:00:00' WHERE Id = 3",
            "UPDATE {} SET N = '0000-00-00' WHERE Id = 1",
            "UPDATE {} SET N = NULL WHERE Id = 2",
            "INSERT INTO {} (Id, D, DT) VALUES (0, '0000-00-00', '0000-01-00 01:00:00')",
        ),
    ),
    "choices": Kept(
        "Id INT NOT NULL PRIMARY KEY, E ENUM('', 'a', 'b,c', 'it''s') NOT NULL DEFAULT 'a', E2 ENUM('x', 'y') NULL, "
        "S SET('one', 'two', 'three') NOT NULL DEFAULT 'two'",
        (
            "1, '', 'none', ''",
            "2, 'b,c', NULL, 'one,three'",
            "3, 'it''s', 'x', 'two'",
            "4, 'none', 'y', 'three'",
        ),
        (
            "UPDATE {} SET E = 'none' WHERE Id = 1",
            "UPDATE {} SET S = '' WHERE Id = 3",
            "INSERT INTO {} (Id) VALUES (5)",
        ),
    ),
    "wide": Kept(
        "Id INT NOT NULL PRIMARY KEY, "
        + ", ".join(f"C{number} VARCHAR(60) DEFAULT 'd{number}'" for number in range(_WIDE)),
        tuple(f"{row}, " + ", ".join(f"'{row}.{number}'" for number in range(_WIDE)) for row in range(6)),
        (f"UPDATE {{}} SET C{_WIDE - 1} = NULL WHERE Id = 2", "INSERT INTO {} (Id) VALUES (9)"),
        "DEFAULT CHARSET = latin1",
    ),
    "row": Kept(
        "`select` INT NOT NULL PRIMARY KEY, `a ``b` VARCHAR(20), `100% :x` VARCHAR(20) NOT NULL DEFAULT '%s', "
        "`Ünï` INT, KEY `an ``index` (`a ``b`, `100% :x`)",
        ("1, 'v', '%', 1", "2, NULL, ':x', NULL"),
        ("UPDATE {} SET `a ``b` = '%(x)s' WHERE `select` = 2", "INSERT INTO {} (`select`) VALUES (3)"),
    ),
    "shapes": Kept(
        "Id INT NOT NULL PRIMARY KEY, G GEOMETRY NULL, P POINT NOT NULL",
        (
            "1, GeomFromText('POINT(1 2)', 4326), PointFromText('POINT(1 2)')",
            "2, NULL, PointFromText('POINT(0 0)')",
        ),
        ("UPDATE {} SET G = GeomFromText('POINT(1 2)', 4327) WHERE Id = 1",),
    ),
    "searched": Kept(
        "Id INT NOT NULL PRIMARY KEY, Note TEXT NOT NULL, Code CHAR(8) NOT NULL DEFAULT '', FULLTEXT KEY Words (Note), "
        "KEY Parts (Note(20), Code(3))",
        ("1, 'the first note', 'x'", "2, 'another note ', 'y  '"),
        ("UPDATE {} SET Note = 'Another note' WHERE Id = 2", "INSERT INTO {} (Id, Note) VALUES (3, 'third')"),
        "ENGINE = MyISAM ROW_FORMAT = FIXED CHECKSUM = 1 DEFAULT CHARSET = utf8",
    ),
}
"""On every kind of source."""

OF_MYSQL56 = {
    "old_defaults": Kept(
        "Id INT NOT NULL PRIMARY KEY, D DATE NOT NULL DEFAULT '0000-00-00', DT DATETIME NOT NULL DEFAULT "
        "'0000-00-00 00:00:00', TS TIMESTAMP NOT NULL DEFAULT '0000-00-00 00:00:00', "
        "A TINYINT(1) NOT NULL, W INT(3) NOT NULL",
        ("1, '0000-00-00', '2020-01-01 00:00:00', '2020-01-01 00:00:00', 2, 3",),
        ("INSERT INTO {} (Id, A, W) VALUES (2, 0, 1000)", "DELETE FROM {} WHERE Id = 1"),
        "ENGINE = MyISAM DEFAULT CHARSET = utf8",
    ),
    "transacted": Kept(
        f"Id BIGINT(20) NOT NULL AUTO_INCREMENT PRIMARY KEY, Note VARCHAR(250) NOT NULL, {STAMP}, "
        "UNIQUE KEY Note (Note)",
        (f"1, 'a', {OLD}", f"2, 'b', {OLD}"),
        (
            "UPDATE {} SET Note = 'c' WHERE Id = 1",
            "UPDATE {} SET Note = 'a', DateTStamp = DateTStamp WHERE Id = 2",
        ),
        "ENGINE = InnoDB DEFAULT CHARSET = utf8 ROW_FORMAT = COMPACT",
    ),
}
"""Only on MySQL 5.6."""

OF_MARIADB = {
    "clinic_names": Kept(
        "Name VARCHAR(60) NOT NULL PRIMARY KEY, Short VARCHAR(20) COLLATE utf8mb4_uca1400_as_cs NOT NULL, "
        "Old VARCHAR(20) CHARACTER SET utf8mb3 COLLATE utf8mb3_uca1400_ai_ci NOT NULL DEFAULT 'é', "
        "UNIQUE KEY Short (Short)",
        ("'Ärzte', 'A', 'x'", "'Zahn', 'a', 'Y'", "'öl', 'Ä', ''"),
        (
            "UPDATE {} SET Name = 'Arzte' WHERE Short = 'A'",
            "UPDATE {} SET Short = 'b' WHERE Short = 'a'",
            "INSERT INTO {} (Name, Short) VALUES ('zähne', 'B')",
            "DELETE FROM {} WHERE Short = 'Ä'",
        ),
        "DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_uca1400_ai_ci",
    ),
    "computed": Kept(
        "Id INT NOT NULL PRIMARY KEY, A INT NOT NULL, Twice INT AS (A * 2) VIRTUAL, Half DOUBLE AS (A / 2) STORED, "
        "Hidden INT NOT NULL DEFAULT 5 INVISIBLE, KEY (Half)",
        (),
        (
            "UPDATE {} SET A = 7 WHERE Id = 1",
            "INSERT INTO {} (Id, A, Hidden) VALUES (5, 9, 6)",
            "UPDATE {} SET Hidden = 8 WHERE Id = 2",
        ),
    ),
    "mariadb_types": Kept(
        "U UUID NOT NULL PRIMARY KEY, I4 INET4 NULL, I6 INET6 NULL, J JSON NULL, "
        "DX DATETIME DEFAULT (CURRENT_TIMESTAMP + INTERVAL 1 DAY), CONSTRAINT Positive CHECK (I4 <> '0.0.0.0')",
        (
            "'f81d4fae-7dec-11d0-a765-00a0c91e6bf6', '10.0.0.1', '::ffff:1.2.3.4', '{\"a\": 1, \"a\": 1.0}', NULL",
            "'00000000-0000-0000-0000-000000000001', NULL, NULL, NULL, '2020-01-01 00:00:00'",
        ),
        (
            "UPDATE {} SET J = '{\"a\":1}' WHERE I4 = '10.0.0.1'",
            "INSERT INTO {} (U, I6) VALUES ('11111111-1111-1111-1111-111111111111', '::1')",
            "DELETE FROM {} WHERE I4 IS NULL AND I6 IS NULL",
        ),
    ),
}
"""Only on MariaDB."""

_FILLED_APART = {"computed": ("INSERT INTO {} (Id, A) VALUES (1, 3), (2, 4), (3, -1)",)}


def tables_of(kind: str) -> dict[str, Kept]:
    """Give the tables that a kind of source can have, by name."""
    return COMMON | (OF_MYSQL56 if kind == "mysql56" else OF_MARIADB)


def create(source: SourceDatabase) -> None:
    """Make the tables, and fill them."""
    for name, table in tables_of(source.kind).items():
        values = ", ".join(f"({each})" for each in table.rows)
        source.execute(
            ANY_VALUE,
            f"CREATE TABLE `{name}` ({table.columns}) {table.options or 'DEFAULT CHARSET = utf8mb4'}",
            *([f"INSERT INTO `{name}` VALUES {values}"] if values else []),
            *(each.format(f"`{name}`") for each in _FILLED_APART.get(name, ())),
        )


def day(source: SourceDatabase) -> None:
    """Insert, edit with and without a stamp, delete, change keys and swap values that are unique."""
    for name, table in tables_of(source.kind).items():
        source.execute(ANY_VALUE, *(each.replace("{}", f"`{name}`") for each in table.day))
