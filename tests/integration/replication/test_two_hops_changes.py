"""What happens to a clinic's replica and warehouse when one of the three is changed by somebody else than a run."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from etlkit.config import DriftSettings
from etlkit.verification.verify import Verify, VerifyRequest
from support.databases import SourceDatabase, WarehouseDatabase
from support.two_hops import (
    MakeSource,
    TwoHops,
    exact_rows,
    tables,
    two_hops,
    unequal_definitions,
    unequal_rows,
)

pytestmark = pytest.mark.parametrize("source", ["mariadb-myisam"], indirect=True)
STAMP = "DateTStamp TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP ON UPDATE CURRENT_TIMESTAMP"


@pytest.fixture
def hops(source: SourceDatabase, make_source: MakeSource, warehouse: WarehouseDatabase) -> Iterator[TwoHops]:
    """A table by its stamp, one without a key and a small one, all of them loaded."""
    source.execute(
        f"CREATE TABLE patient (PatNum INT NOT NULL PRIMARY KEY, Code SMALLINT NULL, LName VARCHAR(20) NOT NULL, "
        f"{STAMP}, "
        "Num INT NOT NULL, UNIQUE KEY Num (Num))",
        "INSERT INTO patient VALUES (1, 5, 'a', '2020-01-01', 1), (2, NULL, 'b', '2020-01-02', 2), "
        "(3, 7, 'c', '2020-01-03', 3)",
        "CREATE TABLE entrylog (At DATETIME NULL, Text VARCHAR(20) NULL)",
        "INSERT INTO entrylog VALUES (NULL, 'x'), (NULL, 'x')",
        "CREATE TABLE definition (DefNum INT NOT NULL PRIMARY KEY, ItemName VARCHAR(20) NOT NULL)",
        "INSERT INTO definition VALUES (1, 'one'), (2, 'two')",
    )
    with two_hops(source, make_source("mariadb-innodb"), warehouse) as made:
        assert 0 == made.run()
        assert [] == made.settled()
        yield made


def verified(hops: TwoHops) -> int:
    """The exit code of a verification."""
    deployment = hops.running.deployment
    for each in (deployment.discovery, deployment.warehouse_hop().discovery):
        each.clear_cache()
    return Verify(deployment=deployment, request=VerifyRequest()).carry_out().exit_code


def test_somebody_writes_to_the_replica(hops: TwoHops) -> None:
    """Verifying tells it, whatever was written; a run that reconciles takes it back in the replica."""
    assert 0 == verified(hops)
    for change in (
        "UPDATE patient SET DateTStamp = '2020-01-01 00:00:01' WHERE PatNum = 1",
        "DELETE FROM entrylog LIMIT 1",
        "ALTER TABLE patient DROP KEY Num",
        "ALTER TABLE definition MODIFY ItemName VARCHAR(10) NOT NULL",
    ):
        hops.replica.execute(change)
        assert 4 == verified(hops), change
        assert 0 == hops.run(reconcile=True), hops.errors()
        assert [] == hops.unequal(), change
        assert [] == unequal_definitions(hops.source, hops.replica), change
        assert 0 == verified(hops), change
    assert [] == hops.settled()


CHANGES = {
    "added": "ALTER TABLE patient ADD Extra VARCHAR(10) NOT NULL DEFAULT 'é' AFTER PatNum",
    "widened": "ALTER TABLE patient MODIFY Code BIGINT NULL, MODIFY LName VARCHAR(200) NOT NULL",
    "moved": "ALTER TABLE patient MODIFY Num INT NOT NULL FIRST",
    "index": "ALTER TABLE patient ADD KEY LName (LName(5), Code)",
    "comment": "ALTER TABLE patient COMMENT 'people', MODIFY LName VARCHAR(200) NOT NULL DEFAULT 'x' COMMENT 'name'",
    "dropped": "ALTER TABLE patient DROP Code",
    "no key": "ALTER TABLE entrylog ADD Who INT NOT NULL DEFAULT 4",
    "engine": "ALTER TABLE definition ENGINE InnoDB",
}


def test_definitions_of_the_source_change(hops: TwoHops) -> None:
    """Each change arrives in the replica as it is, and in the warehouse; so does what a day brings with it."""
    for number, (what, change) in enumerate(CHANGES.items()):
        hops.source.execute(
            change,
            f"UPDATE patient SET LName = '{what}', DateTStamp = DateTStamp WHERE PatNum = 1",
            f"INSERT INTO patient (PatNum, LName, Num) VALUES ({10 + number}, 'new', {10 + number})",
        )
        assert 0 == hops.run(), (what, hops.errors())
        assert [] == hops.unequal(), what
        assert [] == unequal_definitions(hops.source, hops.replica), what
    assert [] == hops.settled()


def test_another_key(hops: TwoHops) -> None:
    """A table whose key is another one is told by it in both from then on."""
    hops.source.execute(
        "ALTER TABLE patient DROP PRIMARY KEY, ADD PRIMARY KEY (Num, PatNum)",
        "UPDATE patient SET PatNum = 1, DateTStamp = DateTStamp",
    )
    hops.running.analyse()
    assert 0 == hops.run(allow_drift=True), hops.errors()
    assert [] == hops.unequal()
    assert [] == unequal_definitions(hops.source, hops.replica)
    assert [] == hops.settled()


def test_drift_that_is_refused(hops: TwoHops) -> None:
    """A change that the deployment refuses leaves the table as it was in both, until a person allows it."""
    hops.running.change(drift=DriftSettings(add_column="refuse", widen="refuse", narrow="refuse"))
    before = exact_rows(hops.replica, "patient")
    hops.source.execute(
        "ALTER TABLE patient ADD Extra INT NULL", "UPDATE patient SET LName = 'later' WHERE PatNum = 1"
    )
    assert 5 == hops.run()
    assert ["patient"] == sorted({table for table, _ in hops.errors()})
    assert before == exact_rows(hops.replica, "patient")
    assert "c" == hops.warehouse.value('SELECT "LName" FROM raw.patient WHERE "PatNum" = 3')
    assert 0 == hops.run(allow_drift=True), hops.errors()
    assert [] == hops.settled()
    assert [] == unequal_definitions(hops.source, hops.replica)
    hops.source.execute("ALTER TABLE patient MODIFY Extra DATE NULL")
    assert 5 == hops.run()
    assert [("patient", "replica")] == list(hops.errors())


def test_tables_of_the_source_come_and_go(hops: TwoHops) -> None:
    """A table that is renamed is loaded under its new name; what is gone stays, marked, and comes back to life."""
    hops.running.change(drift=DriftSettings(rename="keep"))
    hops.source.execute("RENAME TABLE definition TO definition2", "DROP TABLE entrylog")
    hops.running.analyse()
    assert 0 == hops.run(), hops.errors()
    assert {"patient", "definition2", "entrylog", "definition"} == tables(hops.replica)
    assert [] == hops.unequal()
    assert [("definition",), ("entrylog",)] == hops.replica.rows(
        "SELECT table_name FROM etlkit_state WHERE gone ORDER BY 1"
    )
    hops.source.execute(
        "CREATE TABLE entrylog (At DATETIME NULL, Text VARCHAR(40) NULL)",
        "INSERT INTO entrylog VALUES (NULL, 'new')",
    )
    hops.running.analyse()
    assert 0 == hops.run(), hops.errors()
    assert [] == hops.settled()
    assert [("definition",)] == hops.replica.rows("SELECT table_name FROM etlkit_state WHERE gone")


def test_a_replica_that_lost_something(hops: TwoHops) -> None:
    """A table that is gone from the replica comes back; what no record says to be ours is not touched."""
    hops.replica.execute("DROP TABLE patient", "TRUNCATE definition")
    assert 0 == hops.run(reconcile=True), hops.errors()
    assert [] == hops.unequal()
    assert [] == hops.settled()
    hops.replica.execute("DROP TABLE etlkit_state")
    hops.source.execute("UPDATE patient SET LName = 'later' WHERE PatNum = 1")
    before = exact_rows(hops.replica, "patient")
    assert 3 == hops.run()
    assert {(name, "replica") for name in ("patient", "entrylog", "definition")} == set(hops.errors())
    assert before == exact_rows(hops.replica, "patient")
    hops.replica.execute("DROP TABLE patient", "DROP TABLE entrylog", "DROP TABLE definition")
    assert 0 == hops.run(), hops.errors()
    assert [] == unequal_rows(hops.source, hops.replica)
    assert [] == hops.settled()
