"""Create statements are rewritten for their copy, and for servers that know other collations."""

from __future__ import annotations

from etlkit.discovery.ddl import adapted, copied

STATEMENT = """CREATE TABLE `od``d` (
  `Num` bigint(20) NOT NULL COMMENT 'CONSTRAINT `x` FOREIGN KEY, COLLATE=utf8mb4_0900_ai_ci',
  `PatNum` bigint(20) DEFAULT NULL,
  PRIMARY KEY (`Num`),
  KEY `fk` (`PatNum`),
  CONSTRAINT `fk` FOREIGN KEY (`PatNum`) REFERENCES `patient` (`PatNum`) ON DELETE CASCADE,
  CONSTRAINT `odd_chk_1` CHECK ((`Num` > 0)),
  CONSTRAINT `fk2` FOREIGN KEY (`Num`) REFERENCES `patient` (`PatNum`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_0900_ai_ci"""


def test_copy_has_its_own_name_and_no_foreign_keys() -> None:
    """Foreign keys go, checks lose their names, and nothing inside quotes is touched."""
    expected = """CREATE TABLE `db`.`new` (
  `Num` bigint(20) NOT NULL COMMENT 'CONSTRAINT `x` FOREIGN KEY, COLLATE=utf8mb4_0900_ai_ci',
  `PatNum` bigint(20) DEFAULT NULL,
  PRIMARY KEY (`Num`),
  KEY `fk` (`PatNum`),
  CHECK ((`Num` > 0))
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_0900_ai_ci"""
    assert expected == copied(STATEMENT, "`db`.`new`")


def test_partitions_stay() -> None:
    """What follows the list of columns is kept."""
    statement = (
        "CREATE TABLE `a` (\n  `i` int\n) ENGINE=MyISAM\n/*!50100 PARTITION BY HASH (i)\nPARTITIONS 2 */"
    )
    assert statement.replace("`a`", "`b`") == copied(statement, "`b`")


def test_unknown_collations_are_exchanged_for_the_nearest() -> None:
    """A collation that ignores case becomes one that does, one by bytes one by bytes, and utf8mb3 utf8."""
    known = {"utf8mb4_unicode_ci": "utf8mb4", "utf8mb4_bin": "utf8mb4", "utf8_general_ci": "utf8"}
    statement = (
        "`a` text COLLATE utf8mb4_0900_as_cs COMMENT 'COLLATE utf8mb4_0900_as_cs', "
        "`b` text COLLATE utf8mb4_unicode_ci, "
        "`c` text CHARACTER SET utf8mb3 COLLATE utf8mb3_general_ci) DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_0900_ai_ci"
    )
    expected = (
        "`a` text COLLATE utf8mb4_bin COMMENT 'COLLATE utf8mb4_0900_as_cs', `b` text COLLATE utf8mb4_unicode_ci, "
        "`c` text CHARACTER SET utf8 COLLATE utf8_general_ci) DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci"
    )
    assert expected == adapted(statement, known)
