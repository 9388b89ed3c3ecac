"""One run of a deployment at a time; who was asleep while another one worked writes nothing more."""

from __future__ import annotations

import json
import logging
import os
import signal
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from subprocess import Popen
from typing import Any

import pytest

from etlkit.config import RunSettings
from etlkit.errors import LoadError, LockHeld
from etlkit.events import TableFinished
from etlkit.loading.table_plan import TablePlan
from etlkit.orchestration.planning import Planner
from support.breakpoints import arrive, on_rows, waiting_at
from support.clinic import Clinic
from support.comparison import all_differences
from support.faults import running_in
from support.invariants import Invariants

pytestmark = pytest.mark.parametrize("source", ["mariadb-innodb"], indirect=True)

HELD = (
    "another run is loading into schema `raw` of this warehouse; wait until it is done (`etlkit status` shows it) "
    "and run again"
)
CUT_OFF = (
    "another run was loading into schema `raw` while this one was cut off from the warehouse; this one writes nothing "
    "more; run again"
)
IN_PATIENT = on_rows("INSERT", "etlkit.table_loads", "NEW.table_name = 'patient'")
IN_CHUNK = on_rows("UPDATE", "etlkit.table_resume", "NEW.table_name = 'procedurelog' AND NEW.read > OLD.read")
ETLKITS = "FROM pg_stat_activity WHERE application_name = 'etlkit' AND datname = current_database()"


def last_event(stdout: str) -> dict[str, object]:
    """Give the event `run_finished`."""
    event: dict[str, object] = json.loads(stdout.splitlines()[-1])
    assert "run_finished" == event["event"]
    return event


@pytest.mark.parametrize("command", ["run", "reconcile"])
def test_a_second_run(clinic: Clinic, invariants: Invariants, command: str) -> None:
    """While a run is in the middle of a load, another one leaves with 7 and touches nothing; the first ends well."""
    with invariants.watching():
        with waiting_at(clinic.warehouse, IN_PATIENT):
            first = clinic.started("run", "--json")
            arrive(first, clinic.warehouse)
            runs = clinic.warehouse.value("select count(*) from etlkit.runs")
            second = clinic.etlkit(command, "--json")
            end = last_event(second.stdout)
            assert (7, 7, HELD, []) == (second.exit_code, end["exit_code"], end["error"], end["tables"])
            assert f"Error: {HELD}\n" == second.stderr
            assert runs == clinic.warehouse.value("select count(*) from etlkit.runs")
        stdout, stderr = first.communicate()
        assert 0 == first.returncode, stderr
    invariants.hold_after(first.returncode, stdout, stderr, recovered=True)


def test_a_verification_needs_no_turn(clinic: Clinic) -> None:
    """While a run is in the middle of a load, a verification compares what is committed, and waits for nobody."""
    with waiting_at(clinic.warehouse, IN_PATIENT):
        first = clinic.started("run")
        arrive(first, clinic.warehouse)
        result = clinic.etlkit("verify", "--json", "--select", "patient")
        assert 4 == result.exit_code, result.stderr
        [found] = json.loads(result.stdout)["tables"]
        assert 0 < found["missing_in_warehouse"] + found["missing_in_source"] + found["different"]
    first.communicate()
    assert 0 == first.returncode
    clinic.done("verify")


def put_to_sleep(process: Popen[str]) -> None:
    """Stop a process, and wait until it is stopped."""
    process.send_signal(signal.SIGSTOP)
    os.waitid(os.P_PID, process.pid, os.WSTOPPED | os.WNOWAIT)


@contextmanager
def ended(process: Popen[str]) -> Iterator[None]:
    """Leave no process behind, asleep with its locks, when a test fails."""
    try:
        yield
    finally:
        process.kill()


@pytest.mark.parametrize(("place", "retries"), [(IN_PATIENT, 0), (IN_PATIENT, 2), (IN_CHUNK, 2)])
def test_a_process_that_was_asleep(clinic: Clinic, invariants: Invariants, place: str, retries: int) -> None:
    """A stopped process holds the run's lock; when its sessions are ended and another run finished, it cannot write."""
    path = clinic.folder / "etlkit.yml"
    path.write_text(path.read_text().replace("run:\n", f"run:\n  retries: {retries}\n"))
    states = "select table_name, generation, run_id from etlkit.table_state order by 1"
    with ExitStack() as stack:
        stack.enter_context(invariants.watching(source_changes=True))
        with waiting_at(clinic.warehouse, place):
            sleeper = clinic.started("run", "--json")
            stack.enter_context(ended(sleeper))
            arrive(sleeper, clinic.warehouse)
            put_to_sleep(sleeper)
            other = clinic.etlkit("run", "--json")
            assert (7, HELD) == (other.exit_code, last_event(other.stdout)["error"])
            # As the warehouse does after `idle_in_transaction_session_timeout`, and an administrator sooner.
            clinic.warehouse.rows(f"SELECT pg_terminate_backend(pid, 10000) {ETLKITS}")
        clinic.loaded()
        assert [] == all_differences(clinic.source, clinic.warehouse)
        clinic.source.execute("update patient set Amount = Amount + 1 order by PatNum limit 1")
        before = clinic.warehouse.rows(states)
        sleeper.send_signal(signal.SIGCONT)
        stdout, stderr = sleeper.communicate(timeout=60)
        assert before == clinic.warehouse.rows(states), "a process that was asleep wrote"
    errors = [each["error"] for each in last_event(stdout)["tables"]]  # type: ignore[attr-defined]
    assert CUT_OFF in errors
    assert (7 if retries else 3) == sleeper.returncode, stderr
    invariants.hold_after(sleeper.returncode, stdout, stderr)


@pytest.mark.parametrize("moment", ["plan", "proving"])
def test_a_process_that_was_asleep_before_it_asked_the_ledger(
    clinic: Clinic, monkeypatch: pytest.MonkeyPatch, moment: str
) -> None:
    """What another run committed is no ground to build upon, neither for another try nor for the proof after a load."""
    states = "select table_name, generation, run_id from etlkit.table_state order by 1"
    after: list[object] = []
    decide: dict[str, Callable[..., TablePlan]] = {"plan": Planner.plan, "proving": Planner.proving}

    def planned(planner: Planner, table: str, **how: Any) -> TablePlan:
        if table == "appointment":
            if planner.known is not None:
                raise LoadError("the warehouse is gone", transient=True)
            sleep()
        return decide["plan"](planner, table, **how)

    def proving(planner: Planner, loaded: TablePlan) -> TablePlan:
        if loaded.analysis.name == "appointment":
            sleep()
        return decide["proving"](planner, loaded)

    def sleep() -> None:
        clinic.warehouse.rows(f"SELECT pg_terminate_backend(pid, 10000) {ETLKITS}")
        other = clinic.started("run")
        assert 0 == other.wait(timeout=60)
        clinic.source.execute("update appointment set Amount = Amount + 1, DateTStamp = DateTStamp limit 1")
        after.extend(clinic.warehouse.rows(states))

    monkeypatch.setattr(Planner, moment, {"plan": planned, "proving": proving}[moment])
    # Another thread would find the lock lost, and take it again before the other run begins.
    with running_in(clinic, run=RunSettings(threads=1)) as running:
        assert 7 == running.run()
        [outcome] = [
            each for each in running.events if isinstance(each, TableFinished) and each.table == "appointment"
        ]
    assert (7, CUT_OFF) == (outcome.exit_code, outcome.error)
    assert after == clinic.warehouse.rows(states), "a process that was asleep wrote"


def test_a_lock_that_is_lost_alone(clinic: Clinic, caplog: pytest.LogCaptureFixture) -> None:
    """When only the connection with the run's lock breaks and no other run began, the run takes it again."""
    with running_in(clinic) as running:
        ledger = running.deployment.ledger
        with ledger.run_lock("mine") as lock, caplog.at_level(logging.WARNING, "etlkit.loading"):
            ledger.runs.start("mine", "north", "1", {})
            lock.keep()
            assert [] == caplog.messages
            clinic.warehouse.rows(f"SELECT pg_terminate_backend(pid, 10000) {ETLKITS}")
            lock.keep()
            assert [
                "the connection that held the run's lock was lost; the run holds it again"
            ] == caplog.messages
            with pytest.raises(LockHeld), ledger.run_lock("other"):
                pass
        assert 0 == running.run()


def test_a_lock_that_another_run_had(clinic: Clinic) -> None:
    """When another run began since, the one that lost its lock may not go on, however often it asks."""
    with running_in(clinic) as running:
        ledger = running.deployment.ledger
        with ledger.run_lock("mine") as lock:
            ledger.runs.start("mine", "north", "1", {})
            clinic.warehouse.rows(f"SELECT pg_terminate_backend(pid, 10000) {ETLKITS}")
            with ledger.run_lock("other"):
                ledger.runs.start("other", "north", "1", {})
                with pytest.raises(LockHeld) as caught:
                    lock.keep()
                assert HELD == str(caught.value)
            for _ in range(2):
                with pytest.raises(LockHeld) as caught:
                    lock.keep()
                assert (7, CUT_OFF) == (caught.value.exit_code, str(caught.value))
