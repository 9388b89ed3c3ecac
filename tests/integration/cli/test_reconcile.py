"""`etlkit reconcile` mends what strategies that follow a cursor cannot see."""

from __future__ import annotations

import json
from typing import Any

from support.comparison import differences

CHOICES = """
tables:
  patient: {extraction_strategy: incremental, incremental_column: DateTStamp, reconcile: daily}
  scratchlog: {extraction_strategy: full_table}
"""


def reconciled(clinic: Any, *options: str) -> dict[str, dict[str, Any]]:
    """Run the command, which must succeed; gives what came of each table, by name."""
    last = json.loads(clinic.done("reconcile", "--json", *options).splitlines()[-1])
    assert "run_finished" == last["event"]
    return {each["table"]: each for each in last["tables"]}


def test_hidden_edits_and_deletes_are_mended(clinic: Any) -> None:
    """An edit that left the cursor alone and a delete wait for the table's schedule, or for a reconcile."""
    clinic.source.execute(
        "INSERT INTO patient (LName, DateTStamp) VALUES ('Old', '2023-01-01'), ('Gone', '2023-01-02')"
    )
    clinic.prepared(CHOICES)
    clinic.loaded()
    assert "equal" == clinic.loaded()["patient"]["verified"]
    rows = clinic.source.value("SELECT COUNT(*) FROM patient")
    clinic.source.execute(
        "UPDATE patient SET LName = 'Hidden', DateTStamp = DateTStamp WHERE LName = 'Old'",
        "DELETE FROM patient WHERE LName = 'Gone'",
    )
    assert (0, 0, 0) == tuple(clinic.loaded()["patient"][each] for each in ("inserted", "updated", "deleted"))
    assert [] != differences(clinic.source, clinic.warehouse, "patient")
    found = reconciled(clinic)
    assert (0, 1, 1, rows - 2, "equal after repair") == tuple(
        found["patient"][each] for each in ("inserted", "updated", "deleted", "unchanged", "verified")
    )
    for table in found:
        assert [] == differences(clinic.source, clinic.warehouse, table)
    assert "equal" == reconciled(clinic, "--select", "patient")["patient"]["verified"]
    # The cursor goes on where it was.
    assert (0, 0, 0) == tuple(clinic.loaded()["patient"][each] for each in ("inserted", "updated", "deleted"))


def test_switching_digests_on_and_off(clinic: Any) -> None:
    """Each switch reads the table once, whatever the drift policy says of new columns."""

    def choose(schedule: str) -> None:
        by_cursor = {"extraction_strategy": "incremental", "incremental_column": "DateTStamp"}
        clinic.choose({"patient": {**by_cursor, "reconcile": schedule}})

    clinic.prepared("\ndrift: {add_column: refuse, drop_column: refuse}\n")
    choose("never")
    clinic.loaded()
    rows = clinic.source.value("SELECT COUNT(*) FROM patient")
    choose("daily")
    assert rows == clinic.loaded()["patient"]["updated"]
    assert "equal" == reconciled(clinic, "--select", "patient")["patient"]["verified"]
    choose("never")
    assert rows == clinic.loaded()["patient"]["read"]
    clinic.source.execute("UPDATE patient SET LName = 'Changed'")
    clinic.loaded()
    choose("daily")
    clinic.loaded()
    assert "equal" == reconciled(clinic, "--select", "patient")["patient"]["verified"]
    assert [] == differences(clinic.source, clinic.warehouse, "patient")
