"""`etlkit plan` predicts what a run reads, says how sure it is, and why."""

from __future__ import annotations

import json
from typing import Any

import pytest

CHOICES = """
tables:
  patient: {extraction_strategy: incremental, incremental_column: DateTStamp, lookback_seconds: 0}
  visit: {extraction_strategy: incremental, incremental_column: DateTStamp}
"""


@pytest.fixture
def grown(clinic: Any) -> Any:
    """The clinic with a cursor that has an index and one that has none, both loaded once."""
    clinic.source.execute(
        "create table visit (VisitNum bigint not null auto_increment primary key, "
        "DateTStamp timestamp not null default current_timestamp on update current_timestamp)",
        "insert into patient (LName, DateTStamp) select 'x', date_add('2020-01-01', interval seq hour) "
        "from seq_1_to_2000",
        "insert into visit (DateTStamp) select date_add('2020-01-01', interval seq hour) from seq_1_to_500",
        "analyze table patient, visit, definition, scratchlog",
    )
    clinic.prepared(CHOICES)
    return clinic


def planned(clinic: Any, *options: str) -> dict[str, dict[str, Any]]:
    """What `plan --json` says of each table."""
    return {each["table"]: each for each in clinic.document("plan", *options)["tables"]}


KEYS = [
    "table",
    "hop",
    "target",
    "importance",
    "strategy",
    "cursor",
    "read",
    "watermark",
    "lookback",
    "condition",
    "write",
    "deletes",
    "commit",
    "predicted_rows",
    "predicted_bytes",
    "certainty",
    "reason",
    "proof_follows",
    "drift",
    "error",
]


@pytest.mark.parametrize("source", ["mariadb-innodb", "mariadb-myisam"], indirect=True)
def test_predictions(grown: Any) -> None:
    """A first load reads the table; later ones what EXPLAIN estimates, or at most the table without an index."""
    exact = grown.source.storage_engine == "MyISAM"
    first = planned(grown)
    assert {"definition", "patient", "scratchlog", "visit"} == set(first)
    assert [KEYS] * 4 == [list(each) for each in first.values()]
    assert {"everything"} == {each["read"] for each in first.values()}
    assert {"exact" if exact else "estimate"} == {each["certainty"] for each in first.values()}
    if exact:
        assert (2002, 500) == (first["patient"]["predicted_rows"], first["visit"]["predicted_rows"])
    grown.done("run")

    second = planned(grown)
    patient, visit = second["patient"], second["visit"]
    assert ("since", "2024-01-02 00:00:00", 0, "merge", "once") == tuple(
        patient[key] for key in ("read", "watermark", "lookback", "write", "commit")
    )
    assert "estimate" == patient["certainty"]
    assert 0 < patient["predicted_rows"] < 10
    assert 0 < patient["predicted_bytes"] < first["patient"]["predicted_bytes"]
    assert "at most" == visit["certainty"]
    assert first["visit"]["predicted_rows"] == visit["predicted_rows"]

    # The count of an InnoDB table is an estimate itself, so a limit below it is only an upper bound.
    limited = planned(grown, "--limit", "2", "--full-refresh")["patient"]
    assert (2, "exact" if exact else "at most") == (limited["predicted_rows"], limited["certainty"])
    refreshed = planned(grown, "--full-refresh", "--select", "patient")
    assert ["patient"] == list(refreshed)
    assert "everything" == refreshed["patient"]["read"]

    lines = {line.split()[0]: line for line in grown.done("plan").splitlines() if line}
    assert lines["table"].split() == [
        "table",
        "importance",
        "strategy",
        "cursor",
        "reads",
        "rows",
        "size",
        "why",
    ]
    assert "since 2024-01-02 00:00:00" in lines["patient"]
    assert " about " in lines["patient"]
    assert f" at most {visit['predicted_rows']} " in lines["visit"]
    due = f"{visit['reason']} Then compares the digests of all rows, whose proof is due."
    assert (True, True) == (visit["proof_follows"], lines["visit"].endswith(due))


@pytest.mark.parametrize("source", ["mysql56"], indirect=True)
def test_oldest_server(clinic: Any) -> None:
    """The oldest server that is supported explains reads as well, also those that find no row."""
    clinic.source.execute(
        "insert into patient (LName, DateTStamp) select 'x', '2020-01-01' from information_schema.columns limit 500"
    )
    clinic.prepared(CHOICES.replace("  visit", "  # visit"))
    clinic.done("run")
    assert "estimate" == planned(clinic)["patient"]["certainty"]
    clinic.source.execute("delete from patient")
    patient = planned(clinic)["patient"]
    assert ("estimate", 0) == (patient["certainty"], patient["predicted_rows"])


@pytest.mark.parametrize("source", ["mysql56", "mariadb-myisam"], indirect=True)
def test_manners(clinic: Any) -> None:
    """A plan tells how the source is spared: pieces, rests and pauses, and when the server stops a statement."""
    clinic.prepared()
    rest = {
        "InnoDB": [],
        "MyISAM": ["Reads MyISAM in pieces of about 0.25 s, and rests so that it reads 50% of the time."],
    }
    limit = {
        "mysql56": "This server cannot stop a statement that takes too long; the connection ends after 360 seconds.",
        "mariadb-myisam": "The server stops a statement after 300 seconds.",
    }
    sentences = [
        "Reads over 1 connection in read-only sessions, at any time.",
        "Reads InnoDB in pieces of about 0.5 s, without a rest.",
        *rest[clinic.source.storage_engine],
        (
            "Pauses while more than 10 statements are at work on the server (Threads_running), or while there are more "
            "than 20 waits for table locks a second (Table_locks_waited); gives up after 10 minutes."
        ),
        limit[clinic.source.kind],
    ]
    expected = "\n".join(["", "How the source is read:", *(f"  {each}" for each in sentences), "", ""])
    assert expected in clinic.done("plan")
    assert 10 == clinic.document("plan")["source"]["max_threads_running"]


@pytest.mark.parametrize("source", ["mariadb-innodb"], indirect=True)
def test_refused(clinic: Any) -> None:
    """A table that cannot be planned is told with its reason; the others are planned, and the exit code is 3."""
    clinic.prepared("tables: {scratchlog: {extraction_strategy: incremental}}\n")
    result = clinic.etlkit("plan")
    sentence = (
        "table scratchlog: strategy incremental cannot serve it. The table has no primary key, so a row that changed "
        "cannot be told from a new one. Choose another `extraction_strategy` in etlkit.yml, such as full_table"
    )
    assert (3, "") == (result.exit_code, result.stderr)
    assert result.stdout.endswith(f"\n\n{sentence}\n")
    assert "\npatient " in result.stdout

    document = json.loads(clinic.etlkit("plan", "--json").stdout)
    refused = document["tables"][-1]
    assert (sorted(KEYS), "scratchlog", sentence) == (sorted(refused), refused["table"], refused["error"])


@pytest.mark.parametrize("source", ["mariadb-innodb"], indirect=True)
def test_gone_table(clinic: Any) -> None:
    """A table that is gone is left out with a warning where the policy keeps its rows, as `run` does."""
    clinic.prepared()
    clinic.source.execute("drop table definition")
    result = clinic.etlkit("plan")
    words = "table `definition` is gone in the source; the warehouse keeps its last rows"
    assert (0, f"WARNING {words}\n") == (result.exit_code, result.stderr[20:])
    assert "definition" not in result.stdout


@pytest.mark.parametrize("source", ["mariadb-innodb"], indirect=True)
def test_unreachable_source(clinic: Any) -> None:
    """A source that does not answer is one failure, told once."""
    clinic.prepared()
    result = clinic.etlkit("plan", ETLKIT_SOURCE_URL="mysql://reader:canary77@127.0.0.1:1/clinic")
    assert (
        1,
        "",
        "Error: source: no server answers at 127.0.0.1:1 (connection refused); start it, or correct `source.url`\n",
    ) == (result.exit_code, result.stdout, result.stderr)
