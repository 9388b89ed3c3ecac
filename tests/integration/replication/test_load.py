"""Single loads into a replica on real servers: what each kind of plan reads, writes, counts and leaves."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import attrs
import pytest
import sqlalchemy as sa

from etlkit.contracts import Commit, Differences, Since, Write
from etlkit.errors import DeletesRefused, LoadError, LockHeld, TargetConflict
from etlkit.events import TableFinished
from etlkit.replication.ends import Replica
from etlkit.replication.ledger import ReplicaLedger
from etlkit.replication.ledger_entries import Reading
from etlkit.replication.plan import ReplicaPlan
from etlkit.replication.tidying import remove_left_overs
from tests.support.databases import SourceDatabase
from tests.support.replicating import Replicating, bytes_of

ON_ONE = pytest.mark.parametrize("source", ["mariadb-innodb"], indirect=True)
PATIENT = (
    "create table patient (PatNum bigint not null auto_increment primary key, LName varchar(100) not null, "
    "Note text, Bal double not null, Birth date not null default '0001-01-01', Num int not null, "
    "DateTStamp timestamp not null default current_timestamp on update current_timestamp, "
    "unique key Num (Num)) default charset utf8"
)
ROWS = (
    "insert into patient (PatNum, LName, Note, Bal, Birth, Num, DateTStamp) values "
    "(0, 'zero', null, 0.5, '0000-00-00', 1, '2001-01-01 01:00:00'), "
    "(2, 'b', '', 0.1, '2020-02-02', 2, '2001-01-01 01:00:00'), "
    "(3, 'c', 'x', 1e-300, '2020-02-02', 3, '2001-01-01 01:00:00')"
)
ZERO_KEPT = "set session sql_mode = 'NO_AUTO_VALUE_ON_ZERO'"
SINCE = Since(column="DateTStamp", watermark="2001-01-01 01:00:00", lookback=0)


@pytest.fixture
def replicating(
    source: SourceDatabase, make_source: Callable[[str], SourceDatabase]
) -> Iterator[Replicating]:
    """A source with patients, and an empty replica on MariaDB."""
    source.execute(ZERO_KEPT, PATIENT, ROWS)
    made = Replicating(source=source, target=make_source("mariadb-innodb"))
    yield made
    made.close()


def counts(outcome: TableFinished) -> tuple[int, ...]:
    """Rows read, inserted, updated, deleted and unchanged."""
    return outcome.read, outcome.inserted, outcome.updated, outcome.deleted, outcome.unchanged


def first_load(replicating: Replicating, plan: ReplicaPlan | None = None) -> TableFinished:
    """Load the patients for the first time."""
    return replicating.load(plan or replicating.plan("patient", cursor="DateTStamp"))


def same(replicating: Replicating, table: str = "patient") -> bool:
    """Whether a table is the same on both servers, and nothing lies beside the tables."""
    left = [name for name in replicating.tables() if name.startswith("etlkit_")]
    return not left and bytes_of(replicating.source, table) == bytes_of(replicating.target, table)


def test_first_load(replicating: Replicating) -> None:
    """Every row arrives as it is, stamps and zeros included, with the watermark to go on from."""
    outcome = first_load(replicating)
    assert ("replica", (3, 3, 0, 0, 0), "not checked: first load") == (
        outcome.hop,
        counts(outcome),
        outcome.verified,
    )
    assert same(replicating)
    entry = replicating.ledger.snapshot().entries["patient"]
    # The warehouse may hold rows of a replica that was lost.
    assert ("DateTStamp", "2001-01-01 01:00:00", 1) == (
        entry.state.cursor_column,
        entry.state.watermark,
        entry.follow_up,
    )
    assert {"patient"} == replicating.tables()


def test_every_row_again(replicating: Replicating) -> None:
    """Only what differs is written, to the bit; a unique value may change places."""
    first_load(replicating)
    replicating.source.execute(
        "update patient set LName = 'C', DateTStamp = DateTStamp where PatNum = 3",
        "update patient set Bal = 0.25, DateTStamp = DateTStamp where PatNum = 0",
        "update patient set Num = 99 where PatNum = 2",
        "update patient set Num = 2 where PatNum = 3",
        "update patient set Num = 3 where PatNum = 2",
        "insert into patient (LName, Bal, Num) values ('new', 1, 4)",
    )
    outcome = replicating.load(replicating.plan("patient"))
    assert ((4, 1, 3, 0, 0), "equal after repair") == (counts(outcome), outcome.verified)
    assert same(replicating)
    replicating.source.execute("delete from patient where PatNum = 2")
    outcome = replicating.load(replicating.plan("patient"))
    assert ((3, 0, 0, 1, 3), "equal after repair") == (counts(outcome), outcome.verified)
    outcome = replicating.load(replicating.plan("patient"))
    assert ((3, 0, 0, 0, 3), "equal") == (counts(outcome), outcome.verified)
    assert same(replicating)


@ON_ONE
def test_emptied(replicating: Replicating) -> None:
    """A table that was emptied is emptied in the replica as well."""
    first_load(replicating)
    replicating.source.execute("delete from patient")
    assert (0, 0, 0, 3, 0) == counts(replicating.load(replicating.plan("patient")))
    assert same(replicating)


@ON_ONE
@pytest.mark.parametrize("commit", Commit)
def test_by_cursor(replicating: Replicating, commit: Commit) -> None:
    """What the cursor shows is merged, and nothing is removed; the stamp stays what it is in the source."""
    first_load(replicating)
    replicating.source.execute(
        "update patient set LName = 'now', DateTStamp = '2002-01-01 00:00:00' where PatNum = 2",
        "insert into patient (LName, Bal, Num, DateTStamp) values ('new', 1, 4, '2002-01-01 00:00:00')",
    )
    plan = replicating.plan("patient", SINCE, write=Write.MERGE, cursor="DateTStamp", commit=commit, rows=1)
    outcome = replicating.load(plan)
    assert ((4, 1, 1, 0, 2), "not checked: by cursor") == (counts(outcome), outcome.verified)
    assert same(replicating)
    entry = replicating.ledger.snapshot().entries["patient"]
    assert ("2002-01-01 00:00:00", 1) == (entry.state.watermark, entry.follow_up)


def test_differences(replicating: Replicating) -> None:
    """Digests of both servers find what changed, came and went, and nothing else is read."""
    first_load(replicating)
    replicating.source.execute(
        "update patient set LName = 'B', DateTStamp = DateTStamp where PatNum = 2",
        "delete from patient where PatNum = 3",
        "insert into patient (LName, Bal, Num) values ('new', 1, 4)",
    )
    replicating.target.execute("update patient set Bal = 0.25, DateTStamp = DateTStamp where PatNum = 0")
    plan = replicating.plan("patient", Differences(), write=Write.MERGE)
    outcome = replicating.load(plan)
    assert ((1, 2, 1), "equal after repair") == (
        (outcome.inserted, outcome.updated, outcome.deleted),
        outcome.verified,
    )
    assert same(replicating)
    entry = replicating.ledger.snapshot().entries["patient"]
    assert ("2001-01-01 01:00:00", 2) == (entry.state.watermark, entry.follow_up)
    outcome = replicating.load(replicating.plan("patient", Differences(), write=Write.MERGE))
    assert ((0, 0, 0, 0, 3), "equal") == (counts(outcome), outcome.verified)


def test_without_a_key(replicating: Replicating) -> None:
    """A table without a key is replaced as a whole when anything differs, doubles included."""
    replicating.source.execute(
        "create table log (Text varchar(20), At datetime)",
        "insert into log values ('a', null), ('a', null), ('b', '2020-01-01')",
    )
    assert (3, 3, 0, 0, 0) == counts(replicating.load(replicating.plan("log")))
    outcome = replicating.load(replicating.plan("log"))
    assert ((3, 0, 0, 0, 3), "equal") == (counts(outcome), outcome.verified)
    replicating.source.execute("update log set Text = 'A' where Text = 'a' limit 1")
    outcome = replicating.load(replicating.plan("log"))
    assert ((3, 3, 0, 3, 0), "equal after repair") == (counts(outcome), outcome.verified)
    assert same(replicating, "log")


def test_another_definition(replicating: Replicating) -> None:
    """A changed definition arrives with its rows; only rows with other values are read again."""
    first_load(replicating)
    replicating.source.execute(
        "alter table patient add column Extra int not null default 5 after LName, drop column Note, "
        "modify LName varchar(200) not null, add index Bal (Bal)",
        "update patient set Extra = 6, DateTStamp = DateTStamp where PatNum = 2",
    )
    plan = replicating.plan("patient", Differences(), write=Write.MERGE)
    assert plan.reshape
    outcome = replicating.load(plan)
    assert ((0, 1, 0), "equal after repair") == (
        (outcome.inserted, outcome.updated, outcome.deleted),
        outcome.verified,
    )
    assert same(replicating)
    assert () == replicating.plan("patient").differences
    assert "2001-01-01 01:00:00" == replicating.ledger.snapshot().entries["patient"].state.watermark


@ON_ONE
def test_goes_on_where_it_broke(replicating: Replicating) -> None:
    """What a broken first load kept is not read again, and nobody sees the table before it is whole."""
    replicating.source.execute("delete from patient")
    for number in range(1, 7):
        replicating.source.execute(
            f"insert into patient (PatNum, LName, Bal, Num) values ({number}, 'x', 1, {number})"
        )
    plan = replicating.plan("patient", commit=Commit.PER_CHUNK, rows=2)

    def broken(rows: int) -> None:
        if rows >= 4:
            raise LoadError("stopped here")

    with pytest.raises(LoadError, match="stopped here"):
        replicating.load(plan, rows_read=broken)
    assert {plan.side} == replicating.tables()
    kept = replicating.ledger.unfinished()["patient"]
    assert 2 <= kept < 6
    seen: list[int] = []
    plan = replicating.plan("patient", commit=Commit.PER_CHUNK, rows=2)
    outcome = replicating.load(plan, rows_read=seen.append)
    assert (6, 6, 0, 0, 0) == counts(outcome)
    assert 6 - kept == seen[-1]
    assert same(replicating)
    assert {} == replicating.ledger.unfinished()


@ON_ONE
def test_a_chunk_that_is_there_already(replicating: Replicating) -> None:
    """Without transactions, a chunk that was written but not recorded is written once more, and counts once."""
    replicating.source.execute("delete from patient", "alter table patient engine = MyISAM")
    for number in range(1, 7):
        replicating.source.execute(
            f"insert into patient (PatNum, LName, Bal, Num) values ({number}, 'x', 1, {number})"
        )
    replicating.storage_engine = "source"

    def broken(rows: int) -> None:
        if rows >= 4:
            raise LoadError("stopped here")

    plan = replicating.plan("patient", commit=Commit.PER_CHUNK, rows=2)
    with pytest.raises(LoadError, match="stopped here"):
        replicating.load(plan, rows_read=broken)
    kept = replicating.ledger.unfinished()["patient"]
    values = f"select {kept + 1}, 'x', null, 1, '0001-01-01', {kept + 1}, DateTStamp from {plan.side} where PatNum = 1"
    replicating.target.execute(f"insert into {plan.side} {values}")
    outcome = replicating.load(replicating.plan("patient", commit=Commit.PER_CHUNK, rows=2))
    assert (6, 6, 0, 0, 0) == counts(outcome)
    assert same(replicating)


@pytest.mark.parametrize("source", ["mariadb-myisam"], indirect=True)
def test_a_unique_value_moves_while_rows_are_read(replicating: Replicating) -> None:
    """Where no snapshot holds, such a first load is refused, and begun again as a whole."""
    replicating.source.execute("delete from patient")
    for number in range(1, 7):
        replicating.source.execute(
            f"insert into patient (PatNum, LName, Bal, Num) values ({number}, 'x', 1, {number})"
        )
    moved: list[int] = []

    def move(rows: int) -> None:
        if not moved:
            moved.append(rows)
            replicating.source.execute(
                "update patient set Num = 99 where PatNum = 1", "update patient set Num = 1 where PatNum = 6"
            )

    with pytest.raises(LoadError) as caught:
        replicating.load(replicating.plan("patient", commit=Commit.PER_CHUNK, rows=1), rows_read=move)
    assert caught.value.transient
    assert "two rows have the same value of a unique key there; rows changed while they were read" in str(
        caught.value
    )
    assert {} == replicating.ledger.unfinished()
    outcome = replicating.load(replicating.plan("patient", commit=Commit.PER_CHUNK, rows=1))
    assert (6, 6, 0, 0, 0) == counts(outcome)
    assert same(replicating)


@ON_ONE
def test_a_table_that_etlkit_did_not_make(replicating: Replicating) -> None:
    """Somebody else's table of that name stays, with its rows."""
    replicating.target.execute("create table patient (Own int)", "insert into patient values (7)")
    with pytest.raises(TargetConflict) as caught:
        first_load(replicating)
    assert (
        f"replica table `{replicating.target.name}.patient` exists, but etlkit did not make it; rename or drop it, or "
        "name another database in `replica.url`" == str(caught.value)
    )
    assert [(7,)] == replicating.target.rows("select * from patient")


@ON_ONE
def test_an_old_plan_is_refused(replicating: Replicating) -> None:
    """A plan that was made before another run's load writes nothing."""
    first_load(replicating)
    old = replicating.plan("patient")
    replicating.load(replicating.plan("patient"))
    with pytest.raises(LockHeld) as caught:
        replicating.load(old)
    assert "table `patient`: another run loaded it into the replica meanwhile; run again" == str(caught.value)


@ON_ONE
@pytest.mark.parametrize("read", [None, Differences()])
def test_most_rows_gone(replicating: Replicating, read: Differences | None) -> None:
    """A source that seems to be emptied leaves the replica as it was, unless a person allows it."""
    values = ", ".join(f"({number}, 'x', 1, {number})" for number in range(10, 210))
    replicating.source.execute(f"insert into patient (PatNum, LName, Bal, Num) values {values}")
    first_load(replicating)
    replicating.source.execute("delete from patient where PatNum > 20")
    plan = replicating.plan("patient", read, write=Write.MERGE if read else Write.REPLACE)
    with pytest.raises(DeletesRefused) as caught:
        replicating.load(plan, max_deleted_share=0.5)
    assert (
        "table `patient`: 189 of the 203 rows in the replica would be removed, and a load that removes a share of 0.5 "
        "or more is stopped (`max_deleted_share`): the source may have been emptied, or restored from an older copy. "
        "Nothing was changed. Mend the source and run again; or, when these rows are gone for good, run once with "
        "`--allow-deletes --select patient`" == str(caught.value)
    )
    assert 203 == replicating.target.value("select count(*) from patient")
    assert 189 == replicating.load(replicating.plan("patient", read, write=plan.plan.write)).deleted
    assert same(replicating)


@ON_ONE
@pytest.mark.parametrize("keyed", [True, False])
def test_most_rows_gone_with_another_definition(replicating: Replicating, keyed: bool) -> None:
    """A table that was altered and seems to be emptied stays what it was, with its definition."""
    values = ", ".join(f"({number}, 'x', 1, {number})" for number in range(10, 210))
    replicating.source.execute(f"insert into patient (PatNum, LName, Bal, Num) values {values}")
    if not keyed:
        replicating.source.execute(
            "alter table patient modify PatNum bigint not null, drop primary key, drop key Num"
        )
    first_load(replicating)
    before = bytes_of(replicating.target, "patient")
    replicating.source.execute(
        "delete from patient where PatNum > 20", "alter table patient add column Extra int"
    )
    read, write = (Differences(), Write.MERGE) if keyed else (None, Write.REPLACE)
    with pytest.raises(DeletesRefused) as caught:
        replicating.load(replicating.plan("patient", read, write=write), max_deleted_share=0.5)
    assert str(caught.value).startswith(
        "table `patient`: 189 of the 203 rows in the replica would be removed, and a"
    )
    assert before == bytes_of(replicating.target, "patient")
    outcome = replicating.load(replicating.plan("patient", read, write=write))
    assert ((0, 189) if keyed else (14, 203)) == (outcome.inserted, outcome.deleted)
    assert bytes_of(replicating.source, "patient") == bytes_of(replicating.target, "patient")


@ON_ONE
def test_engines_of_their_own(replicating: Replicating) -> None:
    """With `source` a copy has the engine of its table; what is changed then is put in place as a whole."""
    replicating.source.execute("alter table patient engine = MyISAM")
    replicating.storage_engine = "source"
    first_load(replicating)
    replicating.source.execute(
        "update patient set LName = 'y' where PatNum = 2", "delete from patient where PatNum = 3"
    )
    outcome = replicating.load(replicating.plan("patient"))
    assert ((2, 0, 1, 1, 1), "equal after repair") == (counts(outcome), outcome.verified)
    assert same(replicating)
    engine = "select engine from information_schema.tables where table_schema = database() and table_name = 'patient'"
    assert "MyISAM" == replicating.target.value(engine)


@ON_ONE
def test_a_read_that_finds_its_cursor_behind(replicating: Replicating) -> None:
    """A source that was restored from an older copy is read as a whole."""
    first_load(replicating)
    replicating.source.execute("delete from patient where PatNum = 3")
    since = attrs.evolve(SINCE, watermark="2005-01-01 00:00:00")
    outcome = replicating.load(replicating.plan("patient", since, write=Write.MERGE, cursor="DateTStamp"))
    assert ((2, 0, 0, 1, 2), "equal after repair") == (counts(outcome), outcome.verified)
    assert same(replicating)


class Broken(ReplicaLedger):
    """A ledger whose process ends right before it records a load."""

    def commit_load(self, connection: sa.Connection, **_: Any) -> None:
        """End."""
        raise LoadError("ended here")


def break_before_record(replicating: Replicating, plan: ReplicaPlan) -> None:
    """Put a first load in place and end before it is recorded."""
    whole = replicating.ledger
    replicating.ledger = Broken(whole.engine, whole.database)
    with pytest.raises(LoadError, match="ended here"):
        replicating.load(plan)
    replicating.ledger = whole
    assert {"patient"} == replicating.tables()


@ON_ONE
def test_ended_between_place_and_record(replicating: Replicating) -> None:
    """A table that was put in place and not recorded is recorded by the next run, which reads nothing again."""
    break_before_record(replicating, replicating.plan("patient", cursor="DateTStamp"))
    seen: list[int] = []
    outcome = replicating.load(replicating.plan("patient", cursor="DateTStamp"), rows_read=seen.append)
    assert (3, []) == (outcome.inserted, seen)
    assert same(replicating)
    assert "2001-01-01 01:00:00" == replicating.ledger.snapshot().entries["patient"].state.watermark


@ON_ONE
def test_ended_between_place_and_record_of_another_plan(replicating: Replicating) -> None:
    """Where the next run has another plan, it takes the table over and reads every row once more."""
    break_before_record(replicating, replicating.plan("patient", cursor="DateTStamp"))
    with pytest.raises(LoadError) as caught:
        replicating.load(replicating.plan("patient"))
    assert (
        "table `patient`: a run that was ended had put it in place in the replica, by another plan; run again"
        == str(caught.value)
    )
    assert caught.value.transient
    outcome = replicating.load(replicating.plan("patient"))
    assert ((3, 0, 0, 0, 3), "equal") == (counts(outcome), outcome.verified)
    assert same(replicating)


@ON_ONE
def test_left_overs_are_removed(replicating: Replicating) -> None:
    """What killed loads left aside goes, but for what the next one goes on with."""
    plan = replicating.plan("patient")
    with replicating.written.begin() as connection:
        replicating.ledger.save_reading(connection, "run 0", "claim", Reading(plan="x", side="etlkit_new_2"))
    for name in (plan.side, "etlkit_new_2", "etlkit_old_3", "new_patient"):
        replicating.target.execute(f"create table {name} (id int)")
    replicating.there.clear_cache()
    replica = Replica(engine=replicating.written, database=replicating.target.name, ledger=replicating.ledger)
    remove_left_overs(replica, replicating.there)
    assert {"etlkit_new_2", "new_patient"} == replicating.tables()
