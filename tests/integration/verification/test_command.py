"""`etlkit verify` as a person or a program runs it: output, JSON, exit codes, privacy, and being asked to end."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import time
from collections.abc import Callable
from typing import Any

import psycopg2
import pytest

from support.clinic import Clinic
from support.left_overs import left_overs, sessions

ONE_KIND = pytest.mark.parametrize("source", ["mariadb-innodb"], indirect=True)

KEYS = [
    "table",
    "hop",
    "verified",
    "way",
    "rows",
    "checked",
    "missing_in_warehouse",
    "missing_in_source",
    "different",
    "kept",
    "newer_than_last_load",
    "examined",
    "columns",
    "not_compared",
    "differences",
    "seconds",
]


def planted(clinic: Clinic) -> None:
    """Make some rows wrong in the warehouse."""
    clinic.warehouse.execute(
        'UPDATE raw.patient SET "LName" = \'CANARY smith\' WHERE "PatNum" = 1',
        'DELETE FROM raw.patient WHERE "PatNum" = 2',
        "UPDATE raw.definition SET \"Note\" = 'CANARY other' WHERE \"Name\" = 'CANARY key'",
        "INSERT INTO raw.scratchlog VALUES ('CANARY more')",
    )


def without_times(output: str) -> list[str]:
    """The lines of a report, seconds as `0.00`."""
    return re.sub(r"\b\d+\.\d\d\b", "0.00", output).splitlines()


def test_equal_after_a_load(clinic: Clinic) -> None:
    """After a run every table is equal, whole or by a sample, and the command ends with 0."""
    clinic.prepared()
    clinic.loaded()
    tables = clinic.document("verify")["tables"]
    assert [("definition", "equal", 2), ("patient", "equal", 2), ("scratchlog", "equal", 1)] == [
        (each["table"], each["verified"], each["checked"]) for each in tables
    ]
    sampled = clinic.document("verify", "--sample", "1", "--select", "patient")["tables"]
    assert [("equal", "sample of 1 row", 1, 2)] == [
        (each["verified"], each["way"], each["checked"], each["rows"]) for each in sampled
    ]
    assert [
        "table    way           checked  missing in warehouse  missing in source  different  seconds  verified",
        "patient  every column        2                     0                  0          0     0.00  equal",
    ] == without_times(clinic.done("verify", "--exclude", "definition", "--exclude", "scr*"))


@ONE_KIND
def test_differences_for_people(clinic: Clinic) -> None:
    """The report lists rows by key and columns by name, counts what it must not show, and ends with 4."""
    clinic.prepared()
    clinic.loaded()
    planted(clinic)
    result = clinic.etlkit("verify")
    assert 4 == result.exit_code
    assert "Error: 3 of 3 tables differ" == result.stderr.splitlines()[-1]
    assert [
        "table       way           checked  missing in warehouse  missing in source  different  seconds  verified",
        "definition  every column        2                     0                  0          1     0.00  1 row differs",
        "patient     every column        2                     1                  0          1     0.00  2 rows differ",
        "scratchlog  every column        1                     0                  1          0     0.00  1 row differs",
        "",
        "definition:",
        "  column `Note` differs in 1 row",
        "",
        "patient:",
        "  column `LName` differs in 1 row",
        "  `PatNum` 1: `LName`",
        "  `PatNum` 2: missing in the warehouse",
    ] == without_times(result.stdout)


@ONE_KIND
def test_values_are_shown_to_who_asks(clinic: Clinic) -> None:
    """With --show-values the report has the values of both sides, and keys of every type."""
    clinic.prepared()
    clinic.loaded()
    planted(clinic)
    result = clinic.etlkit("verify", "--show-values", "--exclude", "scratchlog")
    assert [
        "definition:",
        "  column `Note` differs in 1 row",
        "  `Name` CANARY key: `Note` is 'CANARY note' in the source, 'CANARY other' in the warehouse",
        "",
        "patient:",
        "  column `LName` differs in 1 row",
        "  `PatNum` 1: `LName` is 'CANARY Smith' in the source, 'CANARY smith' in the warehouse",
        "  `PatNum` 2: missing in the warehouse",
    ] == result.stdout.splitlines()[4:]


@ONE_KIND
@pytest.mark.parametrize("more", [[], ["--json"], ["--sample", "5"], ["--verbose", "--log-format", "json"]])
def test_no_value_is_shown_unasked(clinic: Clinic, more: list[str]) -> None:
    """Without --show-values neither output nor log holds a value, not even that of a key."""
    clinic.prepared()
    clinic.loaded()
    planted(clinic)
    result = clinic.etlkit("verify", *more)
    assert 4 == result.exit_code
    assert "CANARY" not in result.output
    shown = clinic.etlkit("verify", *more, "--show-values")
    assert "CANARY smith" in shown.output


def test_the_document(clinic: Clinic) -> None:
    """`--json` prints one document with every table, each difference by key and columns, and the exit code."""
    clinic.prepared()
    clinic.loaded()
    planted(clinic)
    result = clinic.etlkit("verify", "--json")
    document = json.loads(result.stdout)
    assert (4, 4, ["tables", "exit_code"]) == (result.exit_code, document["exit_code"], list(document))
    tables: dict[str, dict[str, Any]] = {each["table"]: each for each in document["tables"]}
    assert [KEYS] * 3 == [list(each) for each in tables.values()]
    patient = tables["patient"]
    assert ("2 rows differ", 1, 0, 1, {"LName": 1}) == (
        patient["verified"],
        patient["missing_in_warehouse"],
        patient["missing_in_source"],
        patient["different"],
        patient["columns"],
    )
    assert [
        {"kind": "different", "key": {"PatNum": "1"}, "columns": ["LName"]},
        {"kind": "missing in the warehouse", "key": {"PatNum": "2"}, "columns": []},
    ] == patient["differences"]
    assert ([], 1) == (tables["definition"]["differences"], tables["definition"]["different"])
    shown = json.loads(clinic.etlkit("verify", "--json", "--show-values", "--select", "definition").stdout)
    assert [
        {
            "kind": "different",
            "key": {"Name": "CANARY key"},
            "columns": ["Note"],
            "values": {"Note": {"source": "CANARY note", "warehouse": "CANARY other"}},
        }
    ] == shown["tables"][0]["differences"]


@ONE_KIND
def test_exit_codes(clinic: Clinic) -> None:
    """3 when a table was not checked, 4 as soon as one differs, 2 for a pattern that fits nothing."""
    clinic.prepared()
    result = clinic.etlkit("verify", "--json")
    assert (3, 3) == (result.exit_code, json.loads(result.stdout)["exit_code"])
    assert "Error: 3 of 3 tables were not checked" == result.stderr.splitlines()[-1]
    clinic.loaded("--select", "patient")
    assert 3 == clinic.etlkit("verify").exit_code
    clinic.warehouse.execute('DELETE FROM raw.patient WHERE "PatNum" = 2')
    result = clinic.etlkit("verify")
    assert 4 == result.exit_code
    assert "Error: 1 of 3 tables differs; 2 of 3 tables were not checked" == result.stderr.splitlines()[-1]
    assert 2 == clinic.etlkit("verify", "--select", "none").exit_code


@ONE_KIND
def test_the_source_moved_on(clinic: Clinic) -> None:
    """Rows that were stamped after the last load are told; the next run carries them over."""
    clinic.prepared("tables: {patient: {extraction_strategy: incremental, incremental_column: DateTStamp}}\n")
    clinic.loaded()
    clinic.source.execute("insert into patient (LName) values ('Miller')")
    result = clinic.etlkit("verify")
    assert 4 == result.exit_code
    assert "  newer than the last load: 1 row; the next run reads it" in result.stdout.splitlines()
    clinic.loaded()
    assert 0 == clinic.etlkit("verify").exit_code


@ONE_KIND
def test_the_ways(clinic: Clinic) -> None:
    """Each table is said to be checked by the way that it was; `--deep` checks every column of all."""
    clinic.prepared("tables: {patient: {extraction_strategy: reconcile}}\n")
    clinic.loaded()
    clinic.warehouse.execute('UPDATE raw.patient SET "LName" = \'CANARY smith\' WHERE "PatNum" = 1')
    fast = clinic.document("verify")["tables"]
    assert [("definition", "every column"), ("patient", "by digests"), ("scratchlog", "every column")] == [
        (each["table"], each["way"]) for each in fast
    ]
    deep = clinic.etlkit("verify", "--deep", "--json")
    assert 4 == deep.exit_code
    assert [("definition", "every column"), ("patient", "every column"), ("scratchlog", "every column")] == [
        (each["table"], each["way"]) for each in json.loads(deep.stdout)["tables"]
    ]
    both = clinic.etlkit("verify", "--deep", "--sample", "5")
    assert (2, "Error: --deep compares every row and --sample only some: give one of them.") == (
        both.exit_code,
        both.stderr.splitlines()[-1],
    )


@ONE_KIND
def test_differences_by_digests(clinic: Clinic) -> None:
    """By digests rows are listed by key and column as well; of many the report tells how many were looked at."""
    clinic.prepared("tables: {patient: {extraction_strategy: reconcile}}\n")
    clinic.source.execute(
        "insert into patient (LName) select concat(a.LName, b.Note) from patient a, scratchlog b"
    )
    clinic.loaded()
    clinic.source.execute(
        "update patient set LName = 'CANARY smith', DateTStamp = DateTStamp where PatNum <> 2"
    )
    clinic.warehouse.execute('DELETE FROM raw.patient WHERE "PatNum" = 2')
    result = clinic.etlkit("verify", "--select", "patient")
    assert (4, False) == (result.exit_code, "CANARY" in result.output)
    assert [
        "table    way         checked  missing in warehouse  missing in source  different  seconds  verified",
        "patient  by digests        4                     1                  0          3     0.00  4 rows differ",
        "",
        "patient:",
        "  column `LName` differs in 3 rows",
        "  `PatNum` 1: `LName`",
        "  `PatNum` 2: missing in the warehouse",
        "  `PatNum` 3: `LName`",
        "  `PatNum` 4: `LName`",
    ] == without_times(result.stdout)
    shown = clinic.etlkit("verify", "--select", "patient", "--show-values")
    assert "`LName` is 'CANARY smith' in the source, 'CANARY Smith' in the warehouse" in shown.stdout

    clinic.source.execute(*["insert into patient (LName) select LName from patient"] * 3)
    result = clinic.etlkit("verify", "--select", "patient", "--json")
    [found] = json.loads(result.stdout)["tables"]
    assert (29, 3, 20) == (found["missing_in_warehouse"], found["different"], found["examined"])
    result = clinic.etlkit("verify", "--select", "patient")
    assert "  compared column by column: 20 of 32 rows" in result.stdout.splitlines()
    assert "  and 12 rows more" == result.stdout.splitlines()[-1]


@ONE_KIND
def test_nothing_is_shown_of_a_text_key_by_digests(clinic: Clinic) -> None:
    """Neither output nor log holds a key of text, or any value, unless values are asked for."""
    clinic.prepared("tables: {definition: {extraction_strategy: reconcile}}\n")
    clinic.loaded()
    clinic.source.execute("update definition set Note = 'CANARY x'")
    result = clinic.etlkit("verify", "--select", "definition", "--verbose", "--log-format", "json")
    assert (4, False) == (result.exit_code, "CANARY" in result.output)
    assert "definition  by digests" in result.stdout
    assert "`Name` CANARY key" in clinic.etlkit("verify", "--select", "definition", "--show-values").stdout


def reached(process: subprocess.Popen[str], what: Callable[[], bool]) -> None:
    """Wait until a process has come to something."""
    until = time.monotonic() + 60
    while not what():
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < until
        time.sleep(0.01)


@ONE_KIND
@pytest.mark.parametrize(("strategy", "statement"), [("full_table", "differing"), ("reconcile", "bit_xor")])
def test_being_asked_to_end(clinic: Clinic, strategy: str, statement: str) -> None:
    """While the warehouse keeps a comparison waiting, SIGTERM ends it at once, also where tables have not begun."""
    clinic.prepared(f"tables: {{patient: {{extraction_strategy: {strategy}}}}}\n")
    path = clinic.folder / "etlkit.yml"
    one_by_one = path.read_text().replace("  threads: 2", "  threads: 1")
    assert "  threads: 1" in one_by_one
    path.write_text(one_by_one)
    clinic.loaded()
    holder = psycopg2.connect(clinic.warehouse.url)
    try:
        with holder.cursor() as cursor:
            cursor.execute("LOCK TABLE raw.patient IN ACCESS EXCLUSIVE MODE")
        process = clinic.started("verify", "--json")
        reached(process, lambda: any(statement in each for each in sessions(clinic.warehouse)))
        process.send_signal(signal.SIGTERM)
        output, errors = process.communicate(timeout=25)
    finally:
        holder.close()
    assert (1, "", "interrupted") == (process.returncode, output, errors.splitlines()[-1])
    assert {} == left_overs(clinic.source, clinic.warehouse)
    assert 0 == clinic.etlkit("verify").exit_code
