"""Create statements are cut into parts, and put together for another server."""

from __future__ import annotations

import pytest

from etlkit.discovery.abilities import ServerAbilities
from etlkit.discovery.adaptation import adapted_table
from etlkit.discovery.catalog import SourceServer, TableFacts
from etlkit.discovery.create_table import parse
from etlkit.discovery.rewriting import rewritten
from etlkit.errors import SchemaAnalysisError
from etlkit.tables import Column, ForeignKey, Index

MYSQL8 = SourceServer(kind="MySQL", version=(8, 0, 36), version_text="8.0.36")
MARIADB = SourceServer(kind="MariaDB", version=(10, 11, 6), version_text="10.11.6-MariaDB")
ENGINES = {"innodb": "InnoDB", "myisam": "MyISAM"}

STATEMENT = """CREATE TABLE `od``d` (
  `Num` bigint(20) NOT NULL COMMENT 'CONSTRAINT `x` FOREIGN KEY, COLLATE=utf8mb4_0900_ai_ci',
  `PatNum` bigint(20) DEFAULT NULL,
  PRIMARY KEY (`Num`),
  KEY `fk` (`PatNum`),
  CONSTRAINT `fk` FOREIGN KEY (`PatNum`) REFERENCES `patient` (`PatNum`) ON DELETE CASCADE,
  CONSTRAINT `odd_chk_1` CHECK ((`Num` > 0)),
  CONSTRAINT `fk2` FOREIGN KEY (`Num`) REFERENCES `patient` (`PatNum`)
) ENGINE=InnoDB AUTO_INCREMENT=7 DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_0900_ai_ci"""


def number(name: str) -> Column:
    """A column of numbers."""
    return Column(name=name, data_type="bigint", column_type="bigint", nullable=name != "Num")


def text(name: str, collation: str) -> Column:
    """A column of text."""
    charset = collation.partition("_")[0]
    return Column(name=name, data_type="text", column_type="text", charset=charset, collation=collation)


def made(
    statement: str, table: TableFacts, source: SourceServer, target: ServerAbilities
) -> tuple[str, list[str]]:
    """The statement for a server, and what is adapted in words."""
    adapted = adapted_table(table, source, target, "source")
    new, left_out = rewritten(statement, table, source, adapted, "`db`.`new`")
    return new, [str(each) for each in (*adapted.adaptations, *left_out)]


def test_a_copy_has_its_own_name_and_no_foreign_keys() -> None:
    """Foreign keys and the next number go, checks lose their names, and nothing inside quotes is touched."""
    table = TableFacts(
        name="od`d",
        engine="InnoDB",
        columns=(number("Num"), number("PatNum")),
        indexes=(Index(name="PRIMARY", columns=("Num",), unique=True, prefix_lengths=(None,)),),
        foreign_keys=tuple(
            ForeignKey(name=name, column=column, referenced_table="patient", referenced_column="PatNum")
            for name, column in (("fk", "PatNum"), ("fk2", "Num"))
        ),
        charset="utf8mb4",
        collation="utf8mb4_0900_ai_ci",
    )
    target = ServerAbilities(server=MYSQL8, collations={"utf8mb4_0900_ai_ci": "utf8mb4"}, engines=ENGINES)
    expected = """CREATE TABLE `db`.`new` (
  `Num` bigint(20) NOT NULL COMMENT 'CONSTRAINT `x` FOREIGN KEY, COLLATE=utf8mb4_0900_ai_ci',
  `PatNum` bigint(20) DEFAULT NULL,
  PRIMARY KEY (`Num`),
  KEY `fk` (`PatNum`),
  CHECK ((`Num` > 0))
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_0900_ai_ci"""
    why = "left out (tables are copied one by one)"
    assert (expected, [f"foreign key `fk`: {why}", f"foreign key `fk2`: {why}"]) == made(
        STATEMENT, table, MYSQL8, target
    )


def test_partitions_stay() -> None:
    """What follows the list of columns is kept, also where a version comment hides it."""
    parts = parse(
        "CREATE TABLE `a` (\n  `i` int\n) ENGINE=MyISAM COMMENT='/* x */'\n"
        "/*!50100 PARTITION BY HASH (i)\nPARTITIONS 2 */"
    )
    assert "PARTITION BY HASH (i)\nPARTITIONS 2" == parts.partitions
    assert (("ENGINE", "MyISAM"), ("COMMENT", "'/* x */'")) == parts.options


def test_options_of_every_server() -> None:
    """Options with and without a sign between, behind words that are none, are all found."""
    parts = parse(
        "CREATE TABLE `a` (\n  `i` int\n) /*!50100 TABLESPACE `ts` */ ENGINE=InnoDB DEFAULT CHARSET=utf8mb4"
        " DATA DIRECTORY='/x y/' `ENCRYPTED`='YES' COMMENT='a=b' WITH SYSTEM VERSIONING\n PARTITION BY SYSTEM_TIME"
    )
    assert (
        ("TABLESPACE", "`ts`"),
        ("ENGINE", "InnoDB"),
        ("DEFAULT CHARSET", "utf8mb4"),
        ("DATA DIRECTORY", "'/x y/'"),
        ("`ENCRYPTED`", "'YES'"),
        ("COMMENT", "'a=b'"),
    ) == parts.options
    assert (True, "PARTITION BY SYSTEM_TIME") == (parts.versioned, parts.partitions)


def test_a_definition_that_has_just_changed_is_refused() -> None:
    """A statement with other columns than the catalog had makes no copy of either."""
    table = TableFacts(name="od`d", engine="InnoDB", columns=(number("Num"),))
    target = ServerAbilities(server=MARIADB, collations={}, engines=ENGINES)
    with pytest.raises(SchemaAnalysisError) as caught:
        made(STATEMENT, table, MARIADB, target)
    assert (
        "The table `od`d` has got other columns since the catalog was read. Run the command again."
    ) == str(caught.value)


def test_unknown_collations_are_exchanged_for_the_nearest() -> None:
    """A collation that ignores case becomes one that does, one by bytes one by bytes, and utf8mb3 utf8."""
    known = {"utf8mb4_unicode_ci": "utf8mb4", "utf8mb4_bin": "utf8mb4", "utf8_general_ci": "utf8"}
    target = ServerAbilities(
        server=SourceServer(kind="MySQL", version=(5, 6, 24), version_text="5.6.24"),
        collations=known,
        engines=ENGINES,
    )
    statement = (
        "CREATE TABLE `t` (\n  `a` text COLLATE utf8mb4_0900_as_cs COMMENT 'COLLATE utf8mb4_0900_as_cs',\n"
        "  `b` text COLLATE utf8mb4_unicode_ci,\n"
        "  `c` text CHARACTER SET utf8mb3 COLLATE utf8mb3_general_ci\n"
        ") ENGINE=MyISAM DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_0900_ai_ci"
    )
    table = TableFacts(
        name="t",
        engine="MyISAM",
        columns=(
            text("a", "utf8mb4_0900_as_cs"),
            text("b", "utf8mb4_unicode_ci"),
            text("c", "utf8mb3_general_ci"),
        ),
        charset="utf8mb4",
        collation="utf8mb4_0900_ai_ci",
    )
    expected = (
        "CREATE TABLE `db`.`new` (\n"
        "  `a` text CHARACTER SET utf8mb4 COLLATE utf8mb4_bin COMMENT 'COLLATE utf8mb4_0900_as_cs',\n"
        "  `b` text,\n"
        "  `c` text CHARACTER SET utf8 COLLATE utf8_general_ci\n"
        ") ENGINE=MyISAM DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci"
    )
    assert (
        expected,
        [
            "collation utf8mb4_0900_ai_ci -> utf8mb4_unicode_ci",
            "column `a`: collation utf8mb4_0900_as_cs -> utf8mb4_bin",
        ],
    ) == made(statement, table, MYSQL8, target)


def test_names_and_texts_may_hold_anything() -> None:
    """Line breaks, commas, parentheses and quotes in names, members and comments end no part."""
    parts = parse(
        "CREATE TABLE `a` (\n  `x,\n``(` enum('a,(','it''s') DEFAULT 'a,(' COMMENT '), KEY `',\n"
        "  `y` int(11) GENERATED ALWAYS AS (if(`x,\n``(` = ',',1,2)) VIRTUAL INVISIBLE,\n"
        "  `z` varchar(9) /*M!100301 COMPRESSED*/ DEFAULT NULL,\n"
        "  KEY `k)` (`x,\n``(`(2))\n) ENGINE=Aria PAGE_CHECKSUM=1 UNION=(`b`,`c`)"
    )
    assert ["x,\n`(", "y", "z"] == [each.name for each in parts.columns]
    assert ["enum('a,(','it''s')", "int(11)", "varchar(9)"] == [each.type for each in parts.columns]
    assert [
        ["DEFAULT 'a,('", "COMMENT '), KEY `'"],
        ["GENERATED ALWAYS AS (if(`x,\n``(` = ',',1,2)) VIRTUAL", "INVISIBLE"],
        ["COMPRESSED", "DEFAULT NULL"],
    ] == [[clause.text for clause in each.clauses] for each in parts.columns]
    assert ("KEY `k)` (`x,\n``(`(2))",) == parts.others
    assert (("ENGINE", "Aria"), ("PAGE_CHECKSUM", "1"), ("UNION", "(`b`,`c`)")) == parts.options
