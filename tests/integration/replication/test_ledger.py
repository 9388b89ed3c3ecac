"""The replica's ledger on real servers: what it remembers, and whom it refuses."""

from __future__ import annotations

import attrs
import pytest
import sqlalchemy
from sqlalchemy.engine import make_url

from etlkit.contracts import TableState
from etlkit.errors import LoadError, LockHeld, SourceChanged
from etlkit.events import TableFinished
from etlkit.loading.source_identity import SourceIdentity
from etlkit.replication.ledger import ReplicaLedger
from etlkit.replication.ledger_entries import Reading
from tests.support.databases import SourceDatabase

ON_BOTH = pytest.mark.parametrize("source", ["mariadb-innodb", "mysql56"], indirect=True)
ON_ONE = pytest.mark.parametrize("source", ["mariadb-innodb"], indirect=True)
CLINIC = SourceIdentity(kind="MySQL", server="5f0", machine="ab", place="clinic:3306", database="opendental")
OTHER = attrs.evolve(CLINIC, server="77a")
LOADED = TableFinished(
    table="patient", hop="replica", strategy="incremental", read=3, inserted=2, updated=1, verified="equal"
)


@pytest.fixture
def ledger(source: SourceDatabase) -> ReplicaLedger:
    """A ledger in an empty database."""
    made = ReplicaLedger(source.engine, source.name)
    made.ensure()
    return made


def commit(
    ledger: ReplicaLedger, outcome: TableFinished = LOADED, *, generation: int = 0, unseen: bool = False
) -> None:
    """Record a load."""
    state = TableState(table=outcome.table, cursor_column="DateTStamp", watermark="2026-01-01 00:00:00")
    with ledger.engine.connect() as connection:
        ledger.commit_load(
            connection,
            run_id="run 1",
            generation=generation,
            state=attrs.evolve(state, schema_hash="aa"),
            outcome=outcome,
            adapted=("engine MyISAM -> InnoDB",),
            unseen=unseen,
        )


@ON_BOTH
def test_nothing_before_the_first_run(source: SourceDatabase) -> None:
    """Looking at a database without a ledger makes none."""
    known = ReplicaLedger(source.engine, source.name).snapshot()
    assert ({}, None, None) == (known.entries, known.source, known.taken_at)
    assert [] == source.rows("show tables")


@ON_BOTH
def test_remembers_loads(ledger: ReplicaLedger) -> None:
    """What a load left is read back; making the tables again changes nothing."""
    commit(ledger)
    ledger.ensure()
    known = ledger.snapshot()
    entry = known.entries["patient"]
    assert known.loaded("patient") is entry
    assert ("DateTStamp", "2026-01-01 00:00:00", "aa", 1) == (
        entry.state.cursor_column,
        entry.state.watermark,
        entry.state.schema_hash,
        entry.state.generation,
    )
    assert (3, 2, 1, 0, 3) == (entry.read, entry.inserted, entry.updated, entry.deleted, entry.written)
    assert ("engine MyISAM -> InnoDB",) == entry.adapted
    assert known.taken_at is not None
    assert entry.loaded_at is not None
    assert entry.loaded_at == entry.first_loaded_at == entry.proven_at
    assert entry.loaded_at <= known.taken_at
    assert 0 == entry.follow_up


@ON_ONE
def test_one_writer_at_a_time(ledger: ReplicaLedger) -> None:
    """A load that builds upon an older one is refused, and so is a second one at the same time."""
    commit(ledger)
    with pytest.raises(LockHeld) as caught:
        commit(ledger)
    assert (
        "table `patient`: another run loaded it into the replica meanwhile; nothing of this load was kept; run again"
        == str(caught.value)
    )
    with (
        ledger.engine.connect() as first,
        ledger.table_lock(first, "patient"),
        ledger.engine.connect() as second,
    ):
        with pytest.raises(LockHeld) as held, ledger.table_lock(second, "patient"):
            pass
        with ledger.table_lock(second, "provider"):
            pass
    assert "table `patient`: another run is writing it in the replica; run again when it is done" == str(
        held.value
    )
    with ledger.engine.connect() as third, ledger.table_lock(third, "patient"):
        assert 1 == ledger.snapshot().entries["patient"].state.generation


@ON_ONE
def test_failures_keep_what_was_loaded(ledger: ReplicaLedger) -> None:
    """A failure is told beside the last load, and forgotten by the next; a first one is no load."""
    failed = TableFinished(table="patient", hop="replica", error="no", exit_code=3)
    ledger.record_failure("run 0", failed)
    first = ledger.snapshot()
    assert first.loaded("patient") is None
    assert ("no", 3) == (first.entries["patient"].error, first.entries["patient"].exit_code)
    commit(ledger)
    assert ledger.snapshot().entries["patient"].error is None
    ledger.record_failure("run 2", failed)
    entry = ledger.snapshot().entries["patient"]
    assert ("no", 3, 3, "2026-01-01 00:00:00") == (
        entry.error,
        entry.read,
        entry.exit_code,
        entry.state.watermark,
    )


@ON_ONE
def test_follow_up_lasts_until_it_is_done(ledger: ReplicaLedger) -> None:
    """What no cursor shows is to be followed up; a later change is not taken for done."""
    commit(ledger, unseen=True)
    assert 1 == ledger.snapshot().entries["patient"].follow_up
    commit(ledger, generation=1, unseen=True)
    ledger.followed_up("patient", 1)
    assert 2 == ledger.snapshot().entries["patient"].follow_up
    commit(ledger, generation=2)
    ledger.followed_up("patient", 2)
    assert 0 == ledger.snapshot().entries["patient"].follow_up


@ON_ONE
def test_tables_that_are_gone(ledger: ReplicaLedger) -> None:
    """Tables are marked while the source does not have them."""
    commit(ledger)
    commit(ledger, attrs.evolve(LOADED, table="claim"))
    ledger.mark_gone(["claim"])
    assert {"patient": False, "claim": True} == {
        name: each.gone for name, each in ledger.snapshot().entries.items()
    }
    ledger.mark_gone([])
    assert not any(each.gone for each in ledger.snapshot().entries.values())


@ON_BOTH
def test_another_source(ledger: ReplicaLedger) -> None:
    """Another source is refused; once accepted, every table is compared as a whole, and no broken read goes on."""
    assert not ledger.require_source(CLINIC)
    assert not ledger.require_source(attrs.evolve(CLINIC, place="elsewhere:3306"))
    commit(ledger)
    with ledger.engine.begin() as connection:
        ledger.save_reading(connection, "run 1", "claim", Reading(plan="x", side="etlkit_new_1", read=7))
    assert {"claim": 7} == ledger.unfinished()
    with pytest.raises(SourceChanged) as caught:
        ledger.require_source(OTHER)
    assert (
        f"the replica `{ledger.database}` copies another source: the server was `5f0` and is `77a`. Nothing was read. "
        "When the clinic's database moved, `etlkit run --accept-source` goes on with it and compares every row once; "
        "another clinic needs a replica of its own" == str(caught.value)
    )
    assert ledger.require_source(OTHER, accept=True)
    known = ledger.snapshot()
    entry = known.entries["patient"]
    assert OTHER == known.source
    assert (None, 2, None) == (entry.state.watermark, entry.state.generation, entry.proven_at)
    assert entry.follow_up
    assert {} == ledger.unfinished()


@ON_ONE
def test_checksums_prove_again(ledger: ReplicaLedger) -> None:
    """A checksum holds for the run that proved the table, and as long as nobody writes it."""
    commit(ledger)
    ledger.keep_checksums("another run", {"patient": 5})
    assert frozenset() == ledger.renew({"patient": 5})
    ledger.keep_checksums("run 1", {"patient": 5})
    assert frozenset({"patient"}) == ledger.renew({"patient": 5, "claim": 5})
    assert frozenset() == ledger.renew({"patient": 6})
    commit(ledger, attrs.evolve(LOADED, table="claim"))
    ledger.keep_checksums("run 1", {"patient": 5, "claim": 7})
    assert frozenset() == ledger.renew({"patient": 7, "claim": 5})
    assert frozenset({"patient", "claim"}) == ledger.renew({"patient": 5, "claim": 7})
    commit(ledger, generation=1)
    assert frozenset() == ledger.renew({"patient": 5})


@ON_ONE
def test_a_user_without_rights(source: SourceDatabase) -> None:
    """A user who may only read is told so, and nothing of what the server said is repeated."""
    engine = sqlalchemy.create_engine(make_url(source.reader_url).set(drivername="mysql+pymysql"))
    with pytest.raises(LoadError) as caught:
        ReplicaLedger(engine, source.name).ensure()
    engine.dispose()
    assert (
        "the ledger in the replica: the user lacks a privilege; `etlkit doctor` says which ones the replica's user "
        "needs, and how to grant them; nothing was written (replica error 1142)" == str(caught.value)
    )
    assert caught.value.__cause__ is caught.value.__context__ is None
