"""What must hold after a fault is told from what must not: the checks themselves find what they are to find."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import partial

import pytest

from support.clinic import Clinic
from support.faults import TABLES, running_in
from support.invariants import Invariants

ONE_KIND = pytest.mark.parametrize("source", ["mariadb-innodb"], indirect=True)
SMALL = 'alter table raw.patient add constraint small check ("Amount" < 300)'


def refused(clinic: Clinic) -> None:
    """Let the warehouse refuse a row of the next load."""
    clinic.warehouse.execute(SMALL)
    clinic.source.execute("update patient set Amount = 300 order by PatNum limit 1")


def test_a_refusal(clinic: Clinic, invariants: Invariants) -> None:
    """A run that the warehouse refused leaves everything in order, on every kind of source."""
    refused(clinic)
    with invariants.watching() as watcher:
        result = clinic.etlkit("run", "--json")
    clinic.warehouse.execute("alter table raw.patient drop constraint small")
    assert TABLES == watcher.seen.keys()
    assert watcher.looks > 2
    assert 3 == json.loads(result.stdout.splitlines()[-1])["exit_code"]
    invariants.hold_after(result.exit_code, result.stdout, result.stderr)


@ONE_KIND
def test_a_refusal_in_this_process(clinic: Clinic, caplog: pytest.LogCaptureFixture) -> None:
    """The same is found of a run that is carried out without the command line."""
    refused(clinic)
    with running_in(clinic) as running:
        invariants = Invariants.of_running(running)
        with invariants.watching():
            code = running.run()
        clinic.warehouse.execute("alter table raw.patient drop constraint small")
        invariants.hold_after(code, "", caplog.text)


def run(clinic: Clinic) -> tuple[int, str, str]:
    """Run, and give what `hold_after` takes."""
    result = clinic.etlkit("run", "--json")
    return result.exit_code, result.stdout, result.stderr


def half_a_commit(clinic: Clinic) -> tuple[int, str, str]:
    """Write a row that the ledger does not know, and take it back."""
    for amount in (1, 2):
        clinic.warehouse.execute(f'update raw.patient set "Amount" = {amount} where "PatNum" = 1')
        clinic.warehouse.rows("select pg_sleep(0.1)")
    return run(clinic)


def state_ahead(clinic: Clinic) -> tuple[int, str, str]:
    """Commit a watermark without its rows."""
    clinic.warehouse.execute(
        "update etlkit.table_state set watermark = '2030-01-01' where table_name = 'recall'"
    )
    return run(clinic)


def a_stage(clinic: Clinic) -> tuple[int, str, str]:
    """Leave a table behind."""
    clinic.warehouse.execute("create table etlkit.stage_of_nobody (x int)")
    return run(clinic)


def write(clinic: Clinic) -> tuple[int, str, str]:
    """Write to the source, and take it back."""
    clinic.source.execute("create table mine (x int)", "drop table mine")
    return run(clinic)


def set_global(clinic: Clinic) -> tuple[int, str, str]:
    """Change a setting of the whole server."""
    clinic.source.execute("set global long_query_time = 7")
    return run(clinic)


def told(words: str, clinic: Clinic) -> tuple[int, str, str]:
    """Tell something."""
    code, output, _ = run(clinic)
    return code, output, words


def silent(clinic: Clinic) -> tuple[int, str, str]:
    """Fail without a word."""
    run(clinic)
    return 1, "", ""


@ONE_KIND
@pytest.mark.parametrize(
    ("fault", "found"),
    [
        (half_a_commit, "I1, I2: `patient` was seen between two states"),
        (state_ahead, "I1, I2: `recall` was seen between two states"),
        (a_stage, "I4: something is left"),
        (write, "I6: the source is not as it was"),
        (set_global, "I6: the source is not as it was"),
        (partial(told, "canary patient 7 was refused"), "I5: a secret or a row's value was told"),
        (silent, "I5: the run failed without a word"),
    ],
    ids=["I1", "I2", "I4", "I6 rows", "I6 settings", "I5 told", "I5 silent"],
)
def test_what_is_found(
    clinic: Clinic,
    invariants: Invariants,
    fault: Callable[[Clinic], tuple[int, str, str]],
    found: str,
) -> None:
    """Each rule that is broken is named."""
    before = clinic.source.value("select @@global.long_query_time")
    with pytest.raises(AssertionError) as caught:  # noqa: PT012 - whichever of both finds it
        with invariants.watching():
            code, stdout, stderr = fault(clinic)
        invariants.hold_after(code, stdout, stderr, recovered=code == 0)
    clinic.source.execute(f"set global long_query_time = {before}")
    assert found == str(caught.value).splitlines()[0]
