"""`verify_exact_replica` on real servers: equal is equal to the byte, and equal counts do not fool it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import attrs
import pytest

from etlkit import SchemaDiscovery
from etlkit.errors import EtlkitError, SchemaNotFoundError
from etlkit.replication.replicator import ExactMySQLReplicator
from support.databases import SourceDatabase
from support.two_hops import unequal_rows
from support.two_hops_tables import ANY_VALUE

TABLE = (
    "CREATE TABLE patient (PatNum BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY, LName VARCHAR(100) NOT NULL DEFAULT '' "
    "COMMENT 'family', Note TEXT NULL, Bal DOUBLE NOT NULL, Rate FLOAT NULL, Birth DATE NOT NULL DEFAULT '0001-01-01', "
    "Kind ENUM('', 'a', 'b') NOT NULL, Photo BLOB NULL, Num INT NULL, Old VARCHAR(20) CHARACTER SET latin1 NOT NULL, "
    "DateTStamp TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP ON UPDATE CURRENT_TIMESTAMP, UNIQUE KEY Num (Num), "
    "KEY LName (LName(10), Birth)) DEFAULT CHARSET utf8mb4 COLLATE utf8mb4_general_ci COMMENT 'people'"
)
ROWS = (
    "INSERT INTO patient VALUES "
    "(1, 'a', NULL, 0.0, 0.1, '0000-00-00', '', '', 1, 'x', '2020-01-01 00:00:00'), "
    "(2, 'b', '', 0.1, 0.0, '2020-01-01', 'none', NULL, 2, 'y', '2020-01-01 00:00:00'), "
    "(3, 'c', 'n', -0e0, NULL, '2020-02-31', 'a', 0x00, NULL, 'z', '2020-01-01 00:00:00'), "
    "(4, 'd', 'n ', 5, NULL, '2020-01-01', 'b', 0xFF, NULL, '', '2020-01-01 00:00:00')"
)
KEYLESS = (
    "CREATE TABLE log (At DATETIME NULL, Text VARCHAR(20) NULL)",
    "INSERT INTO log VALUES (NULL, 'a'), (NULL, 'a'), ('2020-01-01 00:00:00', 'b'), (NULL, NULL)",
)
KINDS = pytest.mark.parametrize("source", ["mariadb-myisam", "mysql56"], indirect=True)


@attrs.frozen(kw_only=True)
class Copied:
    """A copy that is equal."""

    source: SourceDatabase
    target: SourceDatabase
    replicator: ExactMySQLReplicator
    discovery: SchemaDiscovery

    def differs(self, *statements: str, table: str = "patient") -> bool:
        """Do something to the copy that is taken back by the last statement; tell whether that was noticed.

        Args:
            statements: for the replica; the last one makes it equal again.
            table: the table.
        """
        *changes, back = statements
        self.target.execute(ANY_VALUE, *changes)
        noticed = not self.replicator.verify_exact_replica(table)
        self.target.execute(ANY_VALUE, back)
        return noticed


@contextmanager
def copied_to(target: SourceDatabase, source: SourceDatabase) -> Iterator[Copied]:
    """Make two tables, and copy them."""
    source.execute(ANY_VALUE, TABLE, ROWS, *KEYLESS)
    discovery = SchemaDiscovery(source.engine, source.name)
    with ExactMySQLReplicator(
        source.engine, target.engine, source.name, target.name, discovery
    ) as replicator:
        for table in ("patient", "log"):
            assert replicator.create_exact_replica(table)
            assert replicator.copy_table_data(table)
        yield Copied(source=source, target=target, replicator=replicator, discovery=discovery)


@pytest.fixture
def copied(source: SourceDatabase, make_source: Callable[[str], SourceDatabase]) -> Iterator[Copied]:
    """Two tables and their copies on MariaDB."""
    with copied_to(make_source("mariadb-innodb"), source) as made:
        yield made


def _edit(assignment: str, back: str, key: int) -> tuple[str, str]:
    kept = "" if "DateTStamp" in assignment else ", DateTStamp = DateTStamp"
    return (
        f"UPDATE patient SET {assignment}{kept} WHERE PatNum = {key}",
        f"UPDATE patient SET {back}, DateTStamp = '2020-01-01 00:00:00' WHERE PatNum = {key}",
    )


VALUES = {
    "case": _edit("LName = 'A'", "LName = 'a'", 1),
    "accent": _edit("LName = 'ä'", "LName = 'a'", 1),
    "blank at the end": _edit("LName = 'a '", "LName = 'a'", 1),
    "last bit, double": _edit("Bal = 0.10000000000000002", "Bal = 0.1", 2),
    "last bit, float": _edit("Rate = 0.10000001", "Rate = 0.1", 1),
    "NULL and empty": _edit("Note = ''", "Note = NULL", 1),
    "empty and NULL": _edit("Note = NULL", "Note = ''", 2),
    "NUL at the end": _edit("Photo = 0x0000", "Photo = 0x00", 3),
    "empty bytes and NULL": _edit("Photo = NULL", "Photo = ''", 1),
    "no date": _edit("Birth = '0001-01-01'", "Birth = '0000-00-00'", 1),
    "no such date": _edit("Birth = '2020-03-02'", "Birth = '2020-02-31'", 3),
    "empty member and none": _edit("Kind = 'none'", "Kind = ''", 1),
    "none and empty member": _edit("Kind = ''", "Kind = 'none'", 2),
    "key": (
        "UPDATE patient SET PatNum = 9, DateTStamp = DateTStamp WHERE PatNum = 4",
        "UPDATE patient SET PatNum = 4, DateTStamp = DateTStamp WHERE PatNum = 9",
    ),
    "one stamp": _edit("DateTStamp = '2020-01-01 00:00:01'", "Num = NULL", 4),
}
ONE_ROW = ROWS.partition("VALUES ")[0] + "VALUES " + ROWS.partition("VALUES ")[2].split("), ")[1] + ")"
ROWS_APART = {
    "missing": ("DELETE FROM patient WHERE PatNum = 2", ONE_ROW),
    "extra": (
        "INSERT INTO patient (PatNum, Bal, Kind, Old) VALUES (-1, 0, 'a', '')",
        "DELETE FROM patient WHERE PatNum = -1",
    ),
    "missing and extra": (
        "DELETE FROM patient WHERE PatNum = 2",
        "INSERT INTO patient (PatNum, Bal, Kind, Old) VALUES (77, 0, 'a', '')",
        f"REPLACE {ONE_ROW.removeprefix('INSERT ')}",
    ),
}


@KINDS
def test_values_and_rows(copied: Copied) -> None:
    """One value, however alike, one row too few, one too many, and both at once are noticed."""
    unnoticed = [name for name, (change, back) in VALUES.items() if not copied.differs(change, back)]
    assert [] == unnoticed
    for name in ("missing", "extra"):
        assert copied.differs(*ROWS_APART[name]), name
    assert copied.replicator.verify_exact_replica("patient")
    assert copied.differs(*ROWS_APART["missing and extra"])
    copied.target.execute("DELETE FROM patient WHERE PatNum = 77")
    assert copied.replicator.verify_exact_replica("patient")
    assert [] == unequal_rows(copied.source, copied.target)


@KINDS
def test_rows_without_a_key(copied: Copied) -> None:
    """A row that stands there twice must stand there twice, and no row may take the place of another."""
    changes = {
        "one of two": ("DELETE FROM log WHERE Text = 'a' LIMIT 1", "INSERT INTO log VALUES (NULL, 'a')"),
        "one of two is another": (
            "UPDATE log SET Text = 'A' WHERE Text = 'a' LIMIT 1",
            "UPDATE log SET Text = 'a' WHERE Text = 'A'",
        ),
        "twice": ("INSERT INTO log VALUES (NULL, NULL)", "DELETE FROM log WHERE Text IS NULL LIMIT 1"),
        "two pairs": (
            "UPDATE log SET Text = 'b', At = '2020-01-01' WHERE Text = 'a'",
            "UPDATE log SET Text = 'a', At = NULL WHERE Text = 'b' LIMIT 2",
        ),
    }
    unnoticed = [name for name, change in changes.items() if not copied.differs(*change, table="log")]
    assert [] == unnoticed
    assert copied.replicator.verify_exact_replica("log")
    assert [] == unequal_rows(copied.source, copied.target)


@pytest.mark.parametrize("source", ["mysql56"], indirect=True)
def test_the_sign_of_zero(source: SourceDatabase, make_source: Callable[[str], SourceDatabase]) -> None:
    """Between servers that tell -0 from 0, one of them in the other's place is noticed, and copied."""
    with copied_to(make_source("mysql56"), source) as copied:
        assert copied.replicator.verify_exact_replica("patient")
        assert copied.differs(*_edit("Bal = -0e0", "Bal = 0e0", 1))
        assert copied.differs(*_edit("Rate = -0e0", "Rate = 0e0", 2))
        assert copied.replicator.verify_exact_replica("patient")
        source.execute(ANY_VALUE, *_edit("Bal = -0e0", "Bal = 0e0", 1)[:1])
        assert copied.replicator.copy_table_data("patient")
        assert [] == unequal_rows(source, copied.target)


DEFINITIONS = {
    "wider": ("MODIFY Num BIGINT NULL", "MODIFY Num INT NULL"),
    "unsigned": ("MODIFY Num INT UNSIGNED NULL", "MODIFY Num INT NULL"),
    "longer": (
        "MODIFY LName VARCHAR(101) NOT NULL DEFAULT '' COMMENT 'family'",
        "MODIFY LName VARCHAR(100) NOT NULL DEFAULT '' COMMENT 'family'",
    ),
    "default": ("ALTER LName SET DEFAULT 'x'", "ALTER LName SET DEFAULT ''"),
    "no default": ("ALTER LName DROP DEFAULT", "ALTER LName SET DEFAULT ''"),
    "comment": (
        "MODIFY LName VARCHAR(100) NOT NULL DEFAULT '' COMMENT 'Family'",
        "MODIFY LName VARCHAR(100) NOT NULL DEFAULT '' COMMENT 'family'",
    ),
    "collation": (
        "MODIFY LName VARCHAR(100) COLLATE utf8mb4_bin NOT NULL DEFAULT '' COMMENT 'family'",
        "MODIFY LName VARCHAR(100) COLLATE utf8mb4_general_ci NOT NULL DEFAULT '' COMMENT 'family'",
    ),
    "character set": (
        "MODIFY Old VARCHAR(20) CHARACTER SET ascii NOT NULL",
        "MODIFY Old VARCHAR(20) CHARACTER SET latin1 NOT NULL",
    ),
    "nullable": ("MODIFY Bal DOUBLE NULL", "MODIFY Bal DOUBLE NOT NULL"),
    "on update": (
        "MODIFY DateTStamp TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP",
        "MODIFY DateTStamp TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP ON UPDATE CURRENT_TIMESTAMP",
    ),
    "member": ("MODIFY Kind ENUM('', 'a', 'b', 'c') NOT NULL", "MODIFY Kind ENUM('', 'a', 'b') NOT NULL"),
    "auto_increment": (
        "MODIFY PatNum BIGINT NOT NULL",
        "MODIFY PatNum BIGINT NOT NULL AUTO_INCREMENT",
    ),
    "order": ("MODIFY Note TEXT NULL AFTER Bal", "MODIFY Note TEXT NULL AFTER LName"),
    "one column more": ("ADD Extra INT", "DROP Extra"),
    "one index less": ("DROP KEY LName", "ADD KEY LName (LName(10), Birth)"),
    "one index more": ("ADD KEY Extra (Bal)", "DROP KEY Extra"),
    "not unique": ("DROP KEY Num, ADD KEY Num (Num)", "DROP KEY Num, ADD UNIQUE KEY Num (Num)"),
    "shorter prefix": (
        "DROP KEY LName, ADD KEY LName (LName(9), Birth)",
        "DROP KEY LName, ADD KEY LName (LName(10), Birth)",
    ),
    "key": ("DROP PRIMARY KEY, ADD PRIMARY KEY (PatNum, Bal)", "DROP PRIMARY KEY, ADD PRIMARY KEY (PatNum)"),
    "comment of the table": ("COMMENT 'People'", "COMMENT 'people'"),
    "charset of the table": (
        "DEFAULT CHARSET latin1",
        "DEFAULT CHARSET utf8mb4 COLLATE utf8mb4_general_ci",
    ),
    "engine": ("ENGINE MyISAM", "ENGINE InnoDB"),
}


@KINDS
def test_definitions(copied: Copied) -> None:
    """Any one thing of a definition that is another one is noticed, and its old form is equal again."""
    wrong = []
    for name, (change, back) in DEFINITIONS.items():
        noticed = copied.differs(f"ALTER TABLE patient {change}", f"ALTER TABLE patient {back}")
        if not noticed or not copied.replicator.verify_exact_replica("patient"):
            wrong.append((name, noticed))
    assert [] == wrong


@KINDS
def test_no_answer(copied: Copied) -> None:
    """Only a table that is compared gets an answer; trouble is raised."""
    copied.target.execute("DROP TABLE log")
    assert not copied.replicator.verify_exact_replica("log")
    with pytest.raises(SchemaNotFoundError):
        copied.replicator.verify_exact_replica("nothing")
    copied.source.execute("CREATE TABLE away (Id INT NOT NULL PRIMARY KEY) ENGINE = MyISAM")
    copied.discovery.clear_cache()
    assert copied.replicator.copy_table_data("away")
    copied.source.execute("DROP TABLE away")
    with pytest.raises(EtlkitError):
        copied.replicator.verify_exact_replica("away")


@KINDS
def test_a_source_that_changed(copied: Copied) -> None:
    """What changed in the source is noticed too, and copied; a definition as well, once it is known."""
    copied.source.execute(ANY_VALUE, *VALUES["case"][:1])
    assert not copied.replicator.verify_exact_replica("patient")
    assert copied.replicator.copy_table_data("patient")
    assert copied.replicator.verify_exact_replica("patient")
    copied.source.execute(
        ANY_VALUE, "ALTER TABLE patient ADD Extra INT NOT NULL DEFAULT 3 FIRST, DROP KEY Num"
    )
    copied.discovery.clear_cache()
    assert not copied.replicator.verify_exact_replica("patient")
    assert copied.replicator.create_exact_replica("patient")
    assert copied.replicator.copy_table_data("patient")
    assert copied.replicator.verify_exact_replica("patient")
    assert [] == unequal_rows(copied.source, copied.target)
