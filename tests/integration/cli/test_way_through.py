"""The way through, on every kind of source: init, doctor, analyze, plan, run, run again, status."""

from __future__ import annotations

import json
from typing import Any

from etlkit.cli import main

CHOICES = """
tables:
  patient: {extraction_strategy: incremental, incremental_column: DateTStamp, lookback_seconds: 0}
"""
ENTRY = [
    "table",
    "hop",
    "strategy",
    "read",
    "inserted",
    "updated",
    "deleted",
    "unchanged",
    "seconds",
    "verified",
    "error",
]


def test_way_through(clinic: Any) -> None:
    """A person gets the data with five commands, and a second run moves only what changed."""
    folder = clinic.folder
    assert f"Wrote {folder / 'etlkit.yml'}\nNext: etlkit doctor -C {folder}\n" == clinic.done("init")
    with (folder / "etlkit.yml").open("a") as file:
        file.write(CHOICES)
    if "doctor" in main.commands:
        clinic.done("doctor")

    report = clinic.document("analyze")
    assert ["metadata", "summary_statistics", "changes", "warnings", "files"] == list(report)
    assert 3 == report["summary_statistics"]["total_tables"]
    shown = clinic.done("analyze")
    assert (folder / "tables_summary.txt").read_text() in shown
    assert f"Wrote {folder / 'tables.yml'}\n" in shown
    assert shown.endswith(f"Next: etlkit plan -C {folder}\n")

    planned = {each["table"]: each for each in clinic.document("plan")["tables"]}
    assert ["definition", "patient", "scratchlog"] == sorted(planned)
    assert ("incremental", "DateTStamp", "everything", None) == tuple(
        planned["patient"][key] for key in ("strategy", "cursor", "read", "error")
    )
    assert [] == clinic.warehouse.rows("select 1 from pg_namespace where nspname in ('raw', 'etlkit')")
    assert f"Nothing was loaded yet; `etlkit run -C {folder}` loads the tables.\n" == clinic.done("status")

    events = [json.loads(line) for line in clinic.done("run", "--json").splitlines()]
    assert ["run_starting", *["table_finished"] * 3, "run_finished"] == [each["event"] for each in events]
    assert (0, None, "north") == tuple(events[-1][key] for key in ("exit_code", "error", "deployment"))
    assert [ENTRY] * 3 == [list(each) for each in events[-1]["tables"]]
    assert {("patient", 2, 2), ("definition", 3, 3), ("scratchlog", 1, 1)} == {
        (each["table"], each["read"], each["inserted"]) for each in events[-1]["tables"]
    }
    assert 2 == clinic.warehouse.value("select count(*) from raw.patient")

    last = json.loads(clinic.done("run", "--json").splitlines()[-1])
    assert 0 == sum(each[key] for each in last["tables"] for key in ("inserted", "updated", "deleted"))

    clinic.source.execute("update patient set LName = 'Smythe' where PatNum = 1")
    lines = {line.split()[0]: line.split() for line in clinic.done("run").splitlines() if line}
    assert ["table", "strategy", "read", "inserted", "updated", "deleted", "unchanged"] == lines["table"][:7]
    # What was stamped last is read again; here both rows are at or after the watermark, or one of them.
    assert ["incremental", "0", "1", "0"] == [lines["patient"][place] for place in (1, 3, 4, 5)]

    status = clinic.document("status")
    assert ["deployment", "schema", "last_run", "tables", "unfinished"] == list(status)
    assert ("north", "raw", 0, []) == (
        status["deployment"],
        status["schema"],
        status["last_run"]["exit_code"],
        status["unfinished"],
    )
    patient = {each["table"]: each for each in status["tables"]}["patient"]
    assert ("loaded", "incremental", 1, "DateTStamp", None) == tuple(
        patient[key] for key in ("state", "strategy", "written", "cursor", "error")
    )
    assert clinic.done("status").startswith("table       last load            strategy ")
