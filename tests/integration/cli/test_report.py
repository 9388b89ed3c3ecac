"""`etlkit report`: what was lost, told by column, rule and policy."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

pytestmark = pytest.mark.parametrize("source", ["mariadb-innodb"], indirect=True)


def visits(clinic: Any) -> None:
    """A table with dates that do not exist and a text with NUL characters."""
    clinic.source.execute(
        "set statement sql_mode = '' for create table visit (VisitNum bigint primary key, Day date, Note text, "
        "DateTStamp timestamp not null default '2024-01-01' on update current_timestamp, key (DateTStamp))",
        "set statement sql_mode = '' for insert into visit values (1, '0000-00-00', 0x00, '2024-01-01'), "
        "(2, '2024-05-00', 'a', '2024-01-01'), (3, '2024-05-01', NULL, '2024-01-09')",
    )


def test_report(clinic: Any) -> None:
    """The last full read and later loads are counted apart; what was lost before the last full read is history."""
    visits(clinic)
    clinic.prepared()
    clinic.choose(
        {
            "visit": {
                "extraction_strategy": "incremental",
                "incremental_column": "DateTStamp",
                "reconcile": "never",
                "column_overrides": {"Note": {"policy": "replace"}},
            }
        }
    )
    assert f"Nothing was loaded yet; `etlkit run -C {clinic.folder}` loads the tables.\n" == clinic.done(
        "report"
    )
    assert [] == clinic.document("report")["tables"]
    clinic.done("run")
    clinic.source.execute(
        "set statement sql_mode = '' for update visit set Day = '0000-00-00', DateTStamp = now() where VisitNum = 3"
    )
    clinic.done("run")
    tables = {each["table"]: each for each in clinic.document("report")["tables"]}
    assert ["definition", "patient", "scratchlog", "visit"] == list(tables)
    assert ([], 0) == (tables["definition"]["losses"], tables["definition"]["later_loads"])
    assert (1, True) == (tables["visit"]["later_loads"], tables["visit"]["full_read_at"].endswith("+00:00"))
    assert [
        {"column": "Day", "rule": "invalid_date", "policy": "null", "full_read": 2, "later": 1},
        {"column": "Note", "rule": "nul_character", "policy": "replace", "full_read": 1, "later": 0},
    ] == tables["visit"]["losses"]
    moment = r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d"
    assert re.fullmatch(
        "table  column  rule           values       last full read  later loads  read in full\n"
        f"visit  Day     invalid_date   became NULL               2            1  {moment}\n"
        f"visit  Note    nul_character  replaced                  1            0  {moment}\n"
        "\n"
        "3 tables of 4: PostgreSQL holds every value that was read.\n",
        clinic.done("report"),
    )
    clinic.done("run", "--full-refresh")
    (visit,) = [each for each in clinic.document("report")["tables"] if each["table"] == "visit"]
    assert (0, [3, 1], [0, 0]) == (
        visit["later_loads"],
        [each["full_read"] for each in visit["losses"]],
        [each["later"] for each in visit["losses"]],
    )


def test_events(clinic: Any) -> None:
    """`run --json` tells the losses of each table with the table's event: column, rule, count and policy."""
    visits(clinic)
    clinic.prepared()
    clinic.choose({"visit": {"column_overrides": {"Note": {"policy": "replace"}}}})
    events = [json.loads(line) for line in clinic.done("run", "--json").splitlines()]
    losses = {each["table"]: each["losses"] for each in events if each["event"] == "table_finished"}
    visit = [["Day", "invalid_date", 2, "null"], ["Note", "nul_character", 1, "replace"]]
    assert {"definition": [], "patient": [], "scratchlog": [], "visit": visit} == losses


def test_failed_and_limited_loads(clinic: Any) -> None:
    """A load that failed lost nothing, and one of a few rows is no full read."""
    visits(clinic)
    clinic.prepared()
    clinic.choose({"visit": {"column_overrides": {"Note": {"policy": "null"}}}})
    clinic.done("run", "--limit", "1", "--select", "visit")
    clinic.choose({"visit": {"column_overrides": {"Day": {"policy": "fail"}, "Note": {"policy": "null"}}}})
    assert 3 == clinic.etlkit("run", "--select", "visit").exit_code
    (visit,) = clinic.document("report")["tables"]
    assert (None, 1, [("Day", 0, 1), ("Note", 0, 1)]) == (
        visit["full_read_at"],
        visit["later_loads"],
        [(each["column"], each["full_read"], each["later"]) for each in visit["losses"]],
    )


def test_a_ledger_of_an_older_etlkit(clinic: Any) -> None:
    """Losses that were recorded without a policy, by loads of which it is not known what they read, are told."""
    visits(clinic)
    clinic.prepared()
    clinic.choose({"visit": {"column_overrides": {"Note": {"policy": "null"}}}})
    clinic.done("run", "--select", "visit")
    clinic.warehouse.execute(
        """update etlkit.table_loads set losses = '[["Day", "invalid_date", 2]]', whole = null"""
    )
    (visit,) = clinic.document("report")["tables"]
    assert (
        None,
        [{"column": "Day", "rule": "invalid_date", "policy": "null", "full_read": 0, "later": 2}],
    ) == (
        visit["full_read_at"],
        visit["losses"],
    )


def test_quarantine(clinic: Any) -> None:
    """`--keys` lists the rows in quarantine; keys are shown whole, on one line, and never a value."""
    clinic.source.execute(
        "set statement sql_mode = '' for create table visit (Code varchar(40) collate utf8mb4_bin, Num bigint, "
        "Day date, Note text, primary key (Num, Code))",
        "set statement sql_mode = '' for insert into visit values ('a', 1, '2024-02-31', 'Ottilie'), "
        "(concat('ü\"', char(10), 0xC29B, 0xE280AE), 18, '2024-02-01', concat('Ottilie', char(0)))",
    )
    clinic.prepared()
    policies = {"Day": {"policy": "quarantine"}, "Note": {"policy": "quarantine"}}
    clinic.choose({"visit": {"column_overrides": policies}})
    end = clinic.done("run")
    assert (
        "Values that PostgreSQL cannot hold:\n"
        "  visit.Day: invalid_date, 1 value quarantined\n"
        "  visit.Note: nul_character, 1 value quarantined\n"
        "  `etlkit report --keys` lists the rows of those in quarantine.\n"
    ) in end
    assert "\n2 values in quarantine; `--keys` lists their rows.\n\n3 tables of 4:" in clinic.done("report")
    moment = r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d"
    listed = clinic.done("report", "--keys")
    assert re.search(
        "\ntable  key                          column  rule           in quarantine since\n"
        rf'visit  \["1", "a"\]                   Day     invalid_date   {moment}\n'
        rf'visit  \["18", "ü\\"\\n\\u009b\\u202e"\]  Note    nul_character  {moment}\n\n',
        listed,
    ), listed
    assert [None, None] == [
        each["key"] for table in clinic.document("report")["tables"] for each in table["quarantined"]
    ]
    tables = {each["table"]: each for each in clinic.document("report", "--keys")["tables"]}
    assert [
        (["1", "a"], "Day", "invalid_date"),
        (["18", 'ü"\n\x9b\u202e'], "Note", "nul_character"),
    ] == [(tuple(each.values())[:3]) for each in tables["visit"]["quarantined"]]
    assert all(each["since"].endswith("+00:00") for each in tables["visit"]["quarantined"])
    assert [] == tables["patient"]["quarantined"]
    assert "Ottilie" not in listed + end + json.dumps(tables)
    clinic.source.execute("update visit set Day = '2024-02-28', Note = ''")
    clinic.done("run", "--select", "visit")
    assert "quarantine" not in clinic.done("report", "--keys")
    clinic.warehouse.execute("drop table etlkit.quarantine")
    assert "quarantine" not in clinic.done("report", "--keys")


def test_refused_values(clinic: Any) -> None:
    """A load that failed by a value tells how many it met: at the run's end, in JSON and in the ledger."""
    visits(clinic)
    clinic.prepared()
    ended = clinic.etlkit("run", "--select", "visit")
    assert 3 == ended.exit_code
    assert (
        "Values that PostgreSQL cannot hold:\n  visit.Note: nul_character, 1 value refused\n" in ended.stdout
    )
    events = [
        json.loads(line) for line in clinic.etlkit("run", "--select", "visit", "--json").stdout.splitlines()
    ]
    assert [[["Note", "nul_character", 1, "fail"]]] == [
        each["losses"] for each in events if each["event"] == "table_finished"
    ]
    assert ['[["Note", "nul_character", 1, "fail"]]'] * 2 == [
        losses for (losses,) in clinic.warehouse.rows("select losses from etlkit.table_loads")
    ]


def test_losses_of_a_proof(clinic: Any) -> None:
    """What a cursor's load and the proof behind it lost is one count, and in quarantine both."""
    visits(clinic)
    clinic.source.execute(
        "update visit set Day = '2024-05-01', Note = '', DateTStamp = if(VisitNum = 1, '2023-01-01', '2024-01-09')"
    )
    clinic.prepared()
    choice = {
        "extraction_strategy": "incremental",
        "incremental_column": "DateTStamp",
        "reconcile": "every_run",
        "column_overrides": {"Day": {"policy": "quarantine"}},
    }
    clinic.choose({"visit": choice})
    clinic.done("run", "--select", "visit")
    clinic.source.execute(
        "set statement sql_mode = '' for update visit set Day = 0, DateTStamp = DateTStamp where VisitNum = 1",
        "set statement sql_mode = '' for update visit set Day = 0, DateTStamp = now() where VisitNum = 3",
    )
    events = [json.loads(line) for line in clinic.done("run", "--select", "visit", "--json").splitlines()]
    (visit,) = [each for each in events if each["event"] == "table_finished"]
    assert ("equal after repair", [["Day", "invalid_date", 2, "quarantine"]]) == (
        visit["verified"],
        visit["losses"],
    )
    (table,) = clinic.document("report", "--keys")["tables"]
    assert [["1"], ["3"]] == sorted(each["key"] for each in table["quarantined"])
