"""A run says of each table whether it is equal: by reading it, by digests on a schedule, or because nothing changed."""

from __future__ import annotations

from typing import Any

import pytest

from etlkit.orchestration import unchanged_by_sums
from support.breakpoints import arrive, kill_there, on_rows, waiting_at
from support.clinic import Clinic
from support.comparison import differences
from support.databases import SourceDatabase, WarehouseDatabase
from support.server_log import statements_seen

ONE_KIND = pytest.mark.parametrize("source", ["mariadb-innodb"], indirect=True)
STATE = "update etlkit.table_state set {} where table_name = 'visit'"


@pytest.fixture
def visits(tmp_path: Any, source: SourceDatabase, warehouse: WarehouseDatabase) -> Clinic:
    """A deployment of a table that is followed by a cursor, and of two that are read whole."""
    source.execute(
        "create table visit (VisitNum bigint not null auto_increment primary key, Note varchar(20), "
        "DateTStamp timestamp not null default current_timestamp on update current_timestamp, key (DateTStamp))",
        "insert into visit (Note, DateTStamp) values ('a', '2024-01-01'), ('b', '2024-01-02'), ('c', '2024-01-02')",
        "create table `odd %s ``name` (id int primary key)",
        "insert into `odd %s ``name` values (1), (2)",
        "create table scratch (Note varchar(20))",
        "insert into scratch values ('x'), ('x')",
    )
    clinic = Clinic(folder=tmp_path / "north", source=source, warehouse=warehouse)
    clinic.prepared()
    schedule(clinic, "every_run")
    clinic.loaded()
    return clinic


def of_visit(clinic: Clinic, *options: str) -> tuple[int, int, int, int, str]:
    """Run; give what was read, inserted, updated and deleted of the table, and how it was verified."""
    outcome = clinic.loaded(*options)["visit"]
    assert [] == differences(clinic.source, clinic.warehouse, "visit") or outcome["verified"].startswith(
        "not"
    )
    read, inserted, updated, deleted = (outcome[name] for name in ("read", "inserted", "updated", "deleted"))
    return read, inserted, updated, deleted, outcome["verified"]


def schedule(clinic: Clinic, word: str) -> None:
    """Choose how often the table is proven."""
    clinic.choose({"visit": {"extraction_strategy": "incremental", "reconcile": word}})


QUIET = (
    "update visit set Note = 'quiet', DateTStamp = DateTStamp where VisitNum = 1",
    "delete from visit where VisitNum = 2",
)


def test_what_no_cursor_shows_is_found_in_the_same_run(visits: Clinic) -> None:
    """Each run of a table that is proven every time ends equal, whatever was done to it."""
    visits.source.execute(*QUIET, "insert into visit (Note) values ('new')")
    read, inserted, updated, deleted, verified = of_visit(visits)
    assert (1, 1, 1, "equal after repair") == (inserted, updated, deleted, verified)
    assert read >= 2
    assert (0, 0, 0, 0, "equal") == of_visit(visits)


def test_nothing_is_read_of_what_did_not_change(visits: Clinic) -> None:
    """One statement asks for the checksums of all tables; where they are those of the last proof, that is all."""
    visits.loaded()
    state = "select table_name, generation, proven_at from etlkit.table_state order by 1"
    before = visits.warehouse.rows(state)
    with statements_seen(visits.source.server) as seen:
        outcomes = visits.loaded()
    assert {"equal"} == {each["verified"] for each in outcomes.values()}
    assert {0} == {
        each[name] for each in outcomes.values() for name in ("read", "inserted", "updated", "deleted")
    }
    sums = [each for each in seen if each.startswith("CHECKSUM TABLE")]
    name = visits.source.name
    assert [f"CHECKSUM TABLE `{name}`.`odd %s ``name`, `{name}`.`scratch`, `{name}`.`visit`"] == sums
    assert [] == [each for each in seen if "FROM `" in each and "information_schema" not in each.lower()]
    after = visits.warehouse.rows(state)
    assert [each[:2] for each in before] == [each[:2] for each in after]
    assert all(old < new for (*_, old), (*_, new) in zip(before, after, strict=True))
    loads = "select verified, read from etlkit.table_loads order by load_id desc limit 3"
    assert [("equal", 0)] * 3 == visits.warehouse.rows(loads)


@ONE_KIND
@pytest.mark.parametrize(
    "change",
    [
        STATE.format("compared_at = now() - interval '8 days'"),
        STATE.format("checksum = checksum + 1"),
        STATE.format("checksum = null"),
        STATE.format("mapping_hash = ''"),
        'alter table raw.visit drop column "Note"',
        "drop table raw.visit",
    ],
)
def test_what_makes_a_checksum_worthless(visits: Clinic, change: str) -> None:
    """An old comparison, another checksum, another mapping, or a table that is not as etlkit left it."""
    visits.loaded()
    visits.warehouse.execute(change)
    outcome = visits.loaded()["visit"]
    assert outcome["read"] + outcome["unchanged"] >= 3
    assert [] == differences(visits.source, visits.warehouse, "visit")


@ONE_KIND
@pytest.mark.parametrize("options", [("--full-refresh",), ("--limit", "10")])
def test_what_is_asked_for_is_read(visits: Clinic, options: tuple[str, ...]) -> None:
    """A checksum never stands against a person's wish."""
    visits.loaded()
    assert visits.loaded(*options)["visit"]["read"] > 1


@ONE_KIND
def test_a_reconcile_keeps_the_checksum_too(visits: Clinic) -> None:
    """So the next run knows what is unchanged since."""
    schedule(visits, "daily")
    visits.done("reconcile", "--select", "visit")
    assert (0, 0, 0, 0, "equal") == of_visit(visits)
    visits.source.execute(*QUIET)
    visits.done("reconcile", "--select", "visit")
    assert (0, 0, 0, 0, "equal") == of_visit(visits)


@ONE_KIND
def test_large_tables_that_change_are_not_summed_up(visits: Clinic, monkeypatch: pytest.MonkeyPatch) -> None:
    """Their checksums would hardly ever be the old ones, and cost a fifth of the proof each time."""
    monkeypatch.setattr(unchanged_by_sums, "LARGE_BYTES", 0)

    def summed() -> set[str]:
        with statements_seen(visits.source.server) as seen:
            assert {"equal", "equal after repair"} >= {each["verified"] for each in visits.loaded().values()}
        return {name for name in ("visit", "scratch") for each in seen if "CHECKSUM" in each and name in each}

    assert set() == summed()  # the first load wrote them
    assert {"visit", "scratch"} == summed()
    visits.source.execute("insert into visit (Note) values ('new')")
    assert {"visit", "scratch"} == summed()
    assert {"scratch"} == summed()


@ONE_KIND
def test_a_change_that_is_taken_back_is_seen(visits: Clinic) -> None:
    """A checksum does not outlive the rows that it was taken with."""
    visits.source.execute("insert into visit (DateTStamp) values ('2037-01-01')")
    visits.loaded()
    schedule(visits, "daily")
    back = "update visit set Note = 'b', DateTStamp = '2024-01-02' where VisitNum = 2"
    visits.source.execute("update visit set Note = 'B' where VisitNum = 2")
    assert (0, 1, 0, "not checked: by cursor") == of_visit(visits)[1:]
    visits.source.execute(back)
    assert (0, 0, 0, "not checked: by cursor") == of_visit(visits)[1:]
    visits.warehouse.execute(STATE.format("proven_at = now() - interval '23 hours 1 minute'"))
    assert (0, 1, 0, "equal after repair") == of_visit(visits)[1:]


@ONE_KIND
@pytest.mark.parametrize(("word", "age"), [("daily", "23 hours"), ("weekly", "167 hours")])
def test_a_schedule(visits: Clinic, word: str, age: str) -> None:
    """Between two proofs only the cursor is followed; then the run proves the table again."""
    visits.loaded()
    schedule(visits, word)
    visits.source.execute(*QUIET)
    visits.warehouse.execute(STATE.format(f"proven_at = now() - interval '{age}' + interval '1 minute'"))
    assert (0, 0, 0, "not checked: by cursor") == of_visit(visits)[1:]
    visits.warehouse.execute(STATE.format(f"proven_at = now() - interval '{age}'"))
    assert (0, 1, 1, "equal after repair") == of_visit(visits)[1:]


@ONE_KIND
def test_never(visits: Clinic) -> None:
    """Rows lose their digests, and nothing looks for what the cursor does not show."""
    schedule(visits, "never")
    visits.source.execute(*QUIET)
    visits.loaded()
    visits.source.execute("delete from visit where VisitNum = 1")
    assert (0, 0, 0, "not checked: by cursor") == of_visit(visits)[1:]


@ONE_KIND
def test_tables_that_changed_during_a_proof_keep_no_checksum(visits: Clinic) -> None:
    """The checksum before and the one after a proof must be the same, or it would stand for other rows."""
    visits.source.execute("update visit set Note = 'z'")
    at = on_rows("INSERT", "etlkit.table_loads", "NEW.table_name = 'visit' AND NEW.verified = 'equal'")
    with waiting_at(visits.warehouse, at):
        process = visits.started("run")
        arrive(process, visits.warehouse)
        visits.source.execute("insert into visit (Note) values ('late')")
    process.communicate()
    assert 0 == process.returncode
    kept = "select table_name from etlkit.table_state where checksum is not null order by 1"
    assert [("odd %s `name",), ("scratch",)] == visits.warehouse.rows(kept)
    assert (1, 0, 0, "equal") == of_visit(visits)[1:]


@ONE_KIND
def test_a_broken_read_is_not_left_behind(visits: Clinic) -> None:
    """A table whose load is unfinished is loaded, though its rows are those of the last proof again."""
    visits.loaded()
    visits.choose({"visit": {"extraction_strategy": "chunked_incremental", "reconcile": "every_run"}})
    visits.source.execute("insert into visit (VisitNum, Note) values (9, 'n')")
    with waiting_at(visits.warehouse, on_rows("INSERT", "etlkit.table_loads", "NEW.table_name = 'visit'")):
        process = visits.started("run")
        kill_there(process, visits.warehouse)
    visits.source.execute("delete from visit where VisitNum = 9")
    assert (1, 0, 1, "equal after repair") == of_visit(visits)[1:]
    assert [] == visits.document("status")["unfinished"]
