"""`etlkit report --audit`: who ran what, where, with which versions and policies, and which columns left the source."""

from __future__ import annotations

import getpass
import hashlib
import platform
import re
from typing import Any

import pytest

from etlkit.config.urls import MySQLUrl, PostgresUrl

pytestmark = pytest.mark.parametrize("source", ["mariadb-innodb"], indirect=True)

MOMENT = r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d"
PATIENT = [
    {"source": "PatNum", "name": "PatNum", "type": "bigint", "conversion": None, "policy": None},
    {
        "source": "LName",
        "name": "LName",
        "type": "character varying(100)",
        "conversion": None,
        "policy": "quarantine",
    },
    {
        "source": "DateTStamp",
        "name": "DateTStamp",
        "type": "timestamp(0) with time zone",
        "conversion": None,
        "policy": None,
    },
]


def test_the_audit_of_a_run(clinic: Any) -> None:
    """The record names persons, places, versions, plugins, what was asked for, policies, tables and columns."""
    clinic.prepared()
    clinic.choose(
        {
            "patient": {"max_deleted_share": "0", "column_overrides": {"LName": {"policy": "quarantine"}}},
            "definition": {"column_overrides": {"DefNum": {"conversion": "zero_to_null"}}},
        }
    )
    clinic.done("run", "--select", "patient", "--full-refresh")
    found = clinic.document("report", "--audit")
    audit = found["audit"]
    source, warehouse = MySQLUrl.parse(clinic.source.reader_url), PostgresUrl.parse(clinic.warehouse.url)
    assert {
        "system_user": getpass.getuser(),
        "source_user": source.user,
        "warehouse_user": warehouse.user,
    } == audit["who"]
    assert {
        "machine": platform.node(),
        "folder": str(clinic.folder),
        "source": f"{source.place}, database {source.database}",
        "warehouse": f"{warehouse.place}, database {warehouse.database}",
        "schema": "raw",
    } == audit["where"]
    versions = audit["versions"]
    assert (platform.python_version(), f"PostgreSQL {clinic.warehouse.value('SHOW server_version')}") == (
        versions["python"],
        versions["warehouse"],
    )
    assert re.fullmatch(r"MariaDB \d+\.\d+\.\d+", versions["source"])
    assert {
        "name": "full_table",
        "distribution": "etlkit-core",
        "version": versions["etlkit"],
    }.items() <= next(each.items() for each in audit["plugins"] if each["name"] == "full_table")
    assert {
        "select": ["patient"],
        "exclude": [],
        "full_refresh": True,
        "limit": None,
        "reconcile": False,
        "allow_deletes": False,
        "accept_source": False,
    }.items() <= audit["request"].items()
    policies = audit["policies"]
    assert {"patient": {"max_deleted_share": 0.0}} == policies["tables"]
    assert ("evolve", 0.5, []) == (
        policies["drift"]["add_column"],
        policies["max_deleted_share"],
        policies["insecure"],
    )
    digest = hashlib.sha256((clinic.folder / "tables.yml").read_bytes()).hexdigest()
    assert digest == policies["tables_file"]
    [table] = found["tables"]
    assert ("patient", 2, 2, PATIENT, None) == (
        table["table"],
        table["counts"]["read"],
        table["counts"]["inserted"],
        table["columns"],
        table["error"],
    )


def test_a_run_is_found_by_its_number(clinic: Any) -> None:
    """Without a number the last run is shown; a table that was not read, since it did not change, has no columns."""
    clinic.prepared()
    clinic.choose({"definition": {"column_overrides": {"DefNum": {"conversion": "zero_to_null"}}}})
    for _ in range(3):
        clinic.done("run")
    first, _, third = [
        row[0] for row in clinic.warehouse.rows("SELECT run_id FROM etlkit.runs ORDER BY started_at")
    ]
    lines = clinic.done("report", "--audit", "--run-id", first[:9]).splitlines()
    assert re.fullmatch(f"run {first} of `north`: began {MOMENT}, ended {MOMENT} with exit code 0", lines[0])
    parts = ["who", "where", "versions", "plugins", "request", "policies"]
    assert parts == [line.partition(":")[0] for line in lines[1:7]]
    assert [
        "table       strategy    read  inserted  updated  deleted  columns  converted",
        "definition  full_table     3         3        0        0        2  DefNum (zero_to_null)",
        "patient     full_table     2         2        0        0        3",
        "scratchlog  full_table     1         1        0        0        1",
    ] == sorted(lines[8:], key=lambda line: (not line.startswith("table "), line))
    last = clinic.document("report", "--audit")
    assert third == last["run_id"]
    assert {("definition", 0), ("patient", 0)} <= {
        (each["table"], len(each["columns"])) for each in last["tables"]
    }


def test_a_failed_table_in_the_audit(clinic: Any) -> None:
    """A table whose load failed shows that it did, and no columns."""
    clinic.prepared()
    clinic.choose({"definition": {"column_overrides": {"ItemName": {"pg_type": "int"}}}})
    assert 3 == clinic.etlkit("run").exit_code
    failed = [line for line in clinic.done("report", "--audit").splitlines() if line.startswith("definition")]
    assert ["definition  full_table  failed"] == failed


def test_no_such_run(clinic: Any) -> None:
    """What the ledger does not know is said in a sentence, before the first run and behind it."""
    clinic.prepared()
    more = "; the first line that `etlkit run` logs gives a run's number\n"
    before = clinic.etlkit("report", "--audit")
    assert (2, f"Error: the ledger of schema `raw` knows no run yet{more}") == (
        before.exit_code,
        before.stderr,
    )
    clinic.done("run", "--select", "patient")
    after = clinic.etlkit("report", "--run-id", "100%")
    assert (2, f"Error: the ledger of schema `raw` knows no run whose number begins with `100%`{more}") == (
        after.exit_code,
        after.stderr,
    )
