"""What `etlkit run` makes of a run's failures: one line each, one exit code."""

from __future__ import annotations

import datetime as dt
import json

import pytest

from support.clinic import Clinic

pytestmark = pytest.mark.parametrize("source", ["mariadb-innodb"], indirect=True)


@pytest.mark.parametrize(("alert", "level"), [("true", "ERROR"), ("false", "WARNING")])
def test_a_failure_is_logged_once(clinic: Clinic, alert: str, level: str) -> None:
    """Whether it calls for attention or not, a table that failed is one line of the log, and one of the report."""
    clinic.prepared()
    clinic.choose({"definition": {"monitoring": {"alert_on_failure": alert == "true"}}})
    clinic.warehouse.execute("create schema raw", "create table raw.definition (x int)")
    result = clinic.etlkit("run")
    sentence = (
        "warehouse table `raw.definition` exists, but etlkit did not make it; rename or drop it, or set another "
        "`warehouse.schema` in etlkit.yml"
    )
    assert (3, 1, 1) == (result.exit_code, result.stderr.count(sentence), result.stdout.count(sentence))
    [line] = [each[20:] for each in result.stderr.splitlines() if sentence in each]
    assert f"{level} reference table `definition` was not loaded: {sentence}" == line


def test_a_gone_table_is_logged_once(clinic: Clinic) -> None:
    """So is one that is gone and that the drift policy refuses."""
    clinic.prepared("drift: {drop_table: refuse}\n")
    clinic.source.execute("drop table definition")
    result = clinic.etlkit("run", "--json")
    last = json.loads(result.stdout.splitlines()[-1])
    [sentence] = [each["error"] for each in last["tables"] if each["error"]]
    assert (5, 1) == (result.exit_code, result.stderr.count(sentence))


def test_outside_of_allowed_hours(clinic: Clinic) -> None:
    """Outside of the allowed hours the command says when it may run, and leaves with 1, nothing touched."""
    clinic.prepared()
    now = dt.datetime.now().astimezone()
    hours = f"{now + dt.timedelta(hours=2):%H:%M}-{now + dt.timedelta(hours=3):%H:%M}"
    path = clinic.folder / "etlkit.yml"
    path.write_text(path.read_text().replace("source:\n", f"source:\n  allowed_hours: '{hours}'\n", 1))
    result = clinic.etlkit("run", "--json")
    last = json.loads(result.stdout)
    at = result.stderr.partition("it is ")[2][:5]
    words = (
        f"the source may be read from {hours} only (`source.allowed_hours` in etlkit.yml), and it is {at}; "
        "run again then"
    )
    assert (1, f"Error: {words}\n", 1, words) == (
        result.exit_code,
        result.stderr,
        last["exit_code"],
        last["error"],
    )
    assert [] == clinic.warehouse.rows("select 1 from pg_namespace where nspname in ('raw', 'etlkit')")
