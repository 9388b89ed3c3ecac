"""`etlkit status` tells what was loaded, what never was, what failed and what is unfinished."""

from __future__ import annotations

import re
from typing import Any

import pytest

from etlkit.loading.broken_reads import Resume
from etlkit.loading.ledger import Ledger

pytestmark = pytest.mark.parametrize("source", ["mariadb-innodb"], indirect=True)

RUN = ["run_id", "started_at", "finished_at", "exit_code", "tables"]
TABLE = [
    "table",
    "hop",
    "target",
    "state",
    "loaded_at",
    "strategy",
    "read",
    "written",
    "cursor",
    "watermark",
    "proof",
    "proven_at",
    "kept",
    "last_attempt_at",
    "error",
]
STAMP = r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d"


def test_before_the_first_run(clinic: Any) -> None:
    """Before the first run every table is one that was never loaded; only the warehouse is asked."""
    clinic.prepared()
    document = clinic.document("status")
    assert (None, []) == (document["last_run"], document["unfinished"])
    assert {"never loaded"} == {each["state"] for each in document["tables"]}
    assert [TABLE] * 3 == [list(each) for each in document["tables"]]


def test_after_runs(clinic: Any) -> None:
    """Each table shows its last committed load; a failure since then is told beside it."""
    clinic.prepared("tables: {patient: {extraction_strategy: incremental, incremental_column: DateTStamp}}\n")
    clinic.done("run", "--select", "patient", "--select", "definition")
    shown = clinic.done("status")
    assert re.search(
        rf"^patient +{STAMP}  incremental +2 +2  DateTStamp 2024-01-02 00:00:00  not yet +loaded$",
        shown,
        re.MULTILINE,
    )
    assert re.search(r"^scratchlog +- +- +- +- +- +- +never loaded$", shown, re.MULTILINE)
    assert re.search(rf"\n\nThe last run began at {STAMP} and ended at {STAMP} with exit code 0\.\n$", shown)

    clinic.source.execute("alter table patient drop column LName")
    clinic.warehouse.execute('alter table raw.definition add check ("DefNum" <> 4)')
    clinic.source.execute("insert into definition (ItemName) values ('d')")
    assert 3 == clinic.etlkit("run", "--select", "definition").exit_code
    document = clinic.document("status")
    definition = {each["table"]: each for each in document["tables"]}["definition"]
    assert RUN == list(document["last_run"])
    assert ("failed", 3) == (definition["state"], definition["written"])
    assert definition["last_attempt_at"] > definition["loaded_at"]
    assert "sqlstate 23514" in definition["error"]
    assert definition["error"] in clinic.done("status")


def test_when_each_table_was_proven_equal(clinic: Any) -> None:
    """A proof that is older than the table's schedule allows is stale, never equal."""
    clinic.prepared()
    clinic.choose({"definition": {"reconcile": "never"}, "patient": {"reconcile": "weekly"}})
    clinic.loaded()

    def proofs() -> dict[str, str]:
        return {each["table"]: each["proof"] for each in clinic.document("status")["tables"]}

    assert {"definition": "not asked for", "patient": "not yet", "scratchlog": "not yet"} == proofs()
    clinic.loaded()
    assert {"definition": "equal", "patient": "equal", "scratchlog": "equal"} == proofs()
    assert re.search(rf"^patient .*  {STAMP}  loaded$", clinic.done("status"), re.MULTILINE)
    older = "update etlkit.table_state set proven_at = now() - interval '{}'"
    clinic.warehouse.execute(older.format("31 hours"))
    assert {"definition": "equal", "patient": "equal", "scratchlog": "stale"} == proofs()
    clinic.warehouse.execute(older.format("193 hours"))
    assert {"definition": "equal", "patient": "stale", "scratchlog": "stale"} == proofs()
    assert re.search(rf"^patient .*  stale: {STAMP}  loaded$", clinic.done("status"), re.MULTILINE)
    clinic.warehouse.execute(
        "update etlkit.table_state set proven_at = null, first_loaded_at = now() - interval '9 days'"
    )
    assert {"definition": "not asked for", "patient": "stale", "scratchlog": "stale"} == proofs()
    assert re.search(r"^patient .*  stale: never +loaded$", clinic.done("status"), re.MULTILINE)


def test_running_and_unfinished(clinic: Any) -> None:
    """A run that has not ended, and loads that the next one goes on with, are told."""
    clinic.prepared()
    clinic.done("run")
    ledger = Ledger(clinic.warehouse.engine, "raw")
    ledger.runs.start("killed", "north", "0", {"versions": {}})
    with ledger.engine.begin() as connection:
        resume = Resume(run_id="killed", plan="p", stage="s", read=12000)
        ledger.broken_reads.save(connection, "patient", resume, owner=None)
    shown = clinic.done("status")
    assert re.search(
        rf"\n\nThe last run began at {STAMP} and has not ended: it is at work, or it was killed\.\n"
        r"Table `patient`: a load is unfinished at 12,000 rows; the next run goes on there\.\n$",
        shown,
    )
    document = clinic.document("status")
    assert [{"hop": "warehouse", "table": "patient", "read": 12000}] == document["unfinished"]
    assert ("killed", None, None) == tuple(
        document["last_run"][key] for key in ("run_id", "finished_at", "exit_code")
    )


def test_source_is_not_asked(clinic: Any) -> None:
    """The clinic's server may be down."""
    clinic.prepared()
    clinic.done("run")
    shown = clinic.done("status", ETLKIT_SOURCE_URL="mysql://reader:secret@127.0.0.1:1/clinic")
    assert "patient" in shown


def test_unreachable_warehouse(clinic: Any) -> None:
    """A warehouse that cannot be reached is told in a sentence that names its place and no password."""
    clinic.prepared()
    result = clinic.etlkit("status", ETLKIT_WAREHOUSE_URL="postgresql://etl:canary77@127.0.0.1:1/dental")
    assert (1, "") == (result.exit_code, result.stdout)
    assert re.fullmatch(r"Error: [^\n]*127\.0\.0\.1:1[^\n]*\n", result.stderr)
    assert "canary77" not in result.stderr
