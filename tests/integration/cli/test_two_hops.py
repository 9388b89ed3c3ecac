"""What the commands show of a deployment with a replica: both hops, for people and for programs."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

import pytest

from etlkit.config import MySQLUrl
from support.clinic import Clinic
from support.databases import SourceDatabase

pytestmark = pytest.mark.parametrize("source", ["mariadb-myisam"], indirect=True)

STAMP = r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d"
NAMES = ["definition", "patient", "scratchlog"]


@pytest.fixture
def replica(make_source: Callable[[str], SourceDatabase]) -> SourceDatabase:
    """An empty database for the copy."""
    return make_source("mariadb-innodb")


@pytest.fixture
def two_hops(clinic: Clinic, replica: SourceDatabase, monkeypatch: pytest.MonkeyPatch) -> Clinic:
    """The clinic with a replica, analysed."""
    monkeypatch.setenv("ETLKIT_REPLICA_URL", replica.url)
    clinic.prepared('replica: {url: "${ETLKIT_REPLICA_URL}"}\n')
    return clinic


def place(replica: SourceDatabase) -> str:
    """Where the replica is, as it is told."""
    return MySQLUrl.parse(replica.url).place


def hops(document: Any) -> list[tuple[str, str]]:
    """The tables of a document with their hops, in its order."""
    return [(each["hop"], each["table"]) for each in document["tables"]]


def both(names: list[str]) -> list[tuple[str, str]]:
    """Names in both hops."""
    return [(hop, name) for hop in ("replica", "warehouse") for name in names]


def lines_of(output: str, table: str) -> list[str]:
    """The lines of an output's tables that begin with a name."""
    return [line for line in output.splitlines() if re.match(rf"{table} ", line)]


def test_run(two_hops: Clinic) -> None:
    """The table at the end has a row for each table and hop; so does the last event."""
    shown = two_hops.done("run")
    rows = lines_of(shown, "patient")
    assert ["replica", "warehouse"] == [row.split()[1] for row in rows]
    assert ["2", "2"] == [row.split()[3] for row in rows]
    assert "3 tables" == lines_of(shown, "3")[0][:8]
    events = [json.loads(line) for line in two_hops.done("run", "--json").splitlines()]
    assert ["replica", "warehouse"] == events[0]["hops"]
    assert sorted(both(NAMES)) == sorted(hops(events[-1]))


def test_plan_before_and_after_the_first_run(two_hops: Clinic, replica: SourceDatabase) -> None:
    """Before the first run both hops load everything; later each goes by its own state."""
    shown = two_hops.done("plan")
    assert shown.startswith(
        f"From the source to the replica, database `{replica.name}` at {place(replica)}:\n\n"
    )
    assert "\n\nFrom the replica to the warehouse, schema `raw`:\n\n" in shown
    assert ["everything", "everything"] == [line.split()[4] for line in lines_of(shown, "patient")]
    first = two_hops.document("plan")
    assert sorted(both(NAMES)) == sorted(hops(first))
    assert {(2, "everything", None)} == {
        (each["predicted_rows"], each["read"], each["error"])
        for each in first["tables"]
        if each["table"] == "patient"
    }
    assert [f"{replica.name}.patient", "raw.patient"] == [
        each["target"] for each in first["tables"] if each["table"] == "patient"
    ]
    assert [["engine MyISAM -> InnoDB"]] == [
        [text for text in each["adapted"] if text.startswith("engine")]
        for each in first["tables"]
        if each["table"] == "patient" and each["hop"] == "replica"
    ]
    assert [] == replica.rows("SHOW TABLES")
    two_hops.loaded()
    assert sorted(both(NAMES)) == sorted(hops(two_hops.document("plan")))
    assert "With `--limit` the replica is left as it is; the rows are read from there." in two_hops.done(
        "plan", "--limit", "1"
    )


def test_status(two_hops: Clinic, replica: SourceDatabase, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both hops are shown; of a replica that is down it is told, after what the warehouse knows."""
    before = two_hops.document("status")
    assert (both(NAMES), {"never loaded"}) == (hops(before), {each["state"] for each in before["tables"]})
    two_hops.loaded()
    shown = two_hops.done("status")
    assert [1, 1] == [len(re.findall(STAMP, line)) for line in lines_of(shown, "patient")]
    document = two_hops.document("status")
    assert {"database": replica.name, "place": place(replica), "error": None} == document["replica"]
    assert both(NAMES) == hops(document)
    assert {"loaded"} == {each["state"] for each in document["tables"]}
    two_hops.choose({"patient": {"extraction_strategy": "incremental", "incremental_column": "DateTStamp"}})
    two_hops.loaded()
    two_hops.source.execute("insert into patient (LName) values ('CANARY Miller')")
    outcome = two_hops.done("run", "--json")
    assert '"verified": "equal"' in outcome
    # What a run read by a cursor, and what it read for the proof behind that, are one load.
    assert {(2, 1)} == {
        (each["read"], each["written"])
        for each in two_hops.document("status")["tables"]
        if each["table"] == "patient"
    }

    monkeypatch.setenv("ETLKIT_REPLICA_URL", re.sub(r":\d+/", ":1/", replica.url))
    down = two_hops.etlkit("status")
    assert 1 == down.exit_code
    assert 1 == len(lines_of(down.stdout, "patient"))
    assert "It tells nothing: " in down.stdout
    assert "; what the warehouse knows is told" in down.stderr
    asked = two_hops.etlkit("status", "--json")
    told = json.loads(asked.stdout)
    assert (1, [("warehouse", name) for name in NAMES]) == (asked.exit_code, hops(told))
    assert told["replica"]["error"] in asked.stderr


def test_verify(two_hops: Clinic, replica: SourceDatabase) -> None:
    """A difference in either hop is found, is told of that hop, and is mended by a reconcile."""
    two_hops.loaded()
    equal = two_hops.document("verify")
    assert (both(NAMES), {"equal"}, 0) == (
        hops(equal),
        {each["verified"] for each in equal["tables"]},
        equal["exit_code"],
    )
    replica.execute(
        "UPDATE patient SET LName = 'CANARY other', DateTStamp = DateTStamp WHERE PatNum = 1",
        "ALTER TABLE definition MODIFY ItemName VARCHAR(99)",
    )
    two_hops.warehouse.execute("UPDATE raw.scratchlog SET \"Note\" = 'CANARY other'")
    found = two_hops.etlkit("verify", "--json")
    document = json.loads(found.stdout)
    assert 4 == found.exit_code == document["exit_code"]
    differing = {
        (each["hop"], each["table"]): each for each in document["tables"] if each["verified"] != "equal"
    }
    # The warehouse holds the patient that the replica no longer has.
    assert [
        ("replica", "definition"),
        ("replica", "patient"),
        ("warehouse", "patient"),
        ("warehouse", "scratchlog"),
    ] == list(differing)
    assert ("definition differs", 0) == tuple(
        differing["replica", "definition"][name] for name in ("verified", "missing_in_replica")
    )
    assert differing["replica", "definition"]["definition"]
    assert (1, []) == tuple(differing["replica", "patient"][name] for name in ("different", "definition"))
    shown = two_hops.etlkit("verify")
    assert shown.stdout.startswith("The replica against the source:\n\n")
    assert "\n\nThe warehouse against the replica:\n\n" in shown.stdout
    assert "3 of 3 tables differ" in shown.stderr
    two_hops.done("reconcile")
    assert 0 == two_hops.etlkit("verify").exit_code


def test_report(two_hops: Clinic, replica: SourceDatabase) -> None:
    """What the replica holds in another way is told before what the warehouse cannot hold."""
    two_hops.loaded()
    shown = two_hops.done("report")
    assert shown.startswith(f"What the replica `{replica.name}` holds in another way than the source:\n")
    assert "\n  patient: engine MyISAM -> InnoDB" in shown
    document = two_hops.document("report")
    assert NAMES == sorted(document["replica"]["adapted"])
    audit = two_hops.document("report", "--audit")["audit"]
    assert f"{place(replica)}, database {replica.name}" == audit["where"]["replica"]


def test_explain(two_hops: Clinic, replica: SourceDatabase) -> None:
    """The way into the replica has a section of its own, also before the first run."""
    shown = two_hops.done("plan", "--explain", "patient")
    assert f"\nInto the replica `{replica.name}`, exactly as it is and without conversions:\n" in shown
    assert "\n  adapted: engine MyISAM -> InnoDB" in shown
    told = two_hops.document("plan", "--explain", "patient")["replica"]
    assert (replica.name, None, []) == (told["database"], told["problem"], told["differences"])
