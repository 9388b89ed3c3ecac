"""The lock of a deployment and its runs: each run's record names the lock that its plugins were compared with."""

from __future__ import annotations

import hashlib

import pytest

from support.clinic import Clinic

ONE_KIND = pytest.mark.parametrize("source", ["mariadb-innodb"], indirect=True)


@ONE_KIND
def test_the_lock_of_each_run(clinic: Clinic) -> None:
    """The ledger and the audit name the digest of the lock; empty before there was one, also in an older ledger."""
    clinic.prepared()
    clinic.done("run")
    clinic.warehouse.execute("ALTER TABLE etlkit.runs DROP COLUMN plugin_lock")
    clinic.done("plugins", "lock")
    lock = clinic.folder / "plugins.lock.yml"
    digest = hashlib.sha256(lock.read_bytes()).hexdigest()
    clinic.done("run")
    clinic.done("reconcile")
    assert [(None,), (digest,), (digest,)] == clinic.warehouse.rows(
        "SELECT plugin_lock FROM etlkit.runs ORDER BY started_at"
    )
    assert digest == clinic.document("report", "--audit")["audit"]["versions"]["plugin_lock"]
    assert f"plugin_lock {digest}" in clinic.done("report", "--audit")


@ONE_KIND
def test_a_run_that_the_lock_refuses(clinic: Clinic) -> None:
    """A refused run leaves no record and ends with the event that says why; the doctor says it as a problem."""
    clinic.prepared()
    clinic.done("plugins", "lock")
    [found] = [each for each in clinic.document("doctor")["findings"] if each["check"] == "lock"]
    assert ("ok", True) == (found["level"], found["message"].endswith(", and so they are installed."))
    lock = clinic.folder / "plugins.lock.yml"
    lock.write_text(lock.read_text().replace("disabled: false", "disabled: true", 1))
    refused = clinic.etlkit("run", "--json")
    assert (6, 1) == (refused.exit_code, refused.stdout.count('"event": "run_finished"'))
    result = clinic.etlkit("doctor")
    assert (1, True) == (result.exit_code, ": locked is a plugin that is disabled, there is" in result.stdout)
    for command in ("status", "report", "analyze", "plan", "verify", "reconcile"):
        assert 6 == clinic.etlkit(command).exit_code
    assert [] == clinic.warehouse.rows(
        "SELECT 1 FROM information_schema.tables WHERE table_schema = 'etlkit' AND table_name = 'runs'"
    )
