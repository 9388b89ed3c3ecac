"""What is written to standard output."""

from __future__ import annotations

import datetime as dt
import io
import json

import pytest

from etlkit.cli import output
from etlkit.cli.output import Heading
from etlkit.cli.report import ENTRY, entry, fields, write_report
from etlkit.events import RunFinished, RunStarting, TableFinished


def test_table(capsys: pytest.CaptureFixture[str]) -> None:
    """Columns are as wide as what they hold, numbers stand at the right, and nothing is cut or wrapped."""
    name = "a_table_with_a_name_" * 10
    output.write_table(
        [Heading(text="table"), Heading(text="rows", number=True)], [(name, "1"), ("[b]", "1,000")]
    )
    expected = [f"{'table':<200}   rows", f"{name}      1", f"{'[b]':<200}  1,000"]
    assert expected == capsys.readouterr().out.splitlines()


def test_names_beyond_the_encoding(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the output's encoding does not have is escaped."""
    shown = io.BytesIO()
    monkeypatch.setattr("sys.stdout", io.TextIOWrapper(shown, encoding="ascii"))
    output.say("pat\xefent")
    assert b"pat\\xefent\n" == shown.getvalue()


def test_json_times(capsys: pytest.CaptureFixture[str]) -> None:
    """Times in JSON are ISO 8601 in UTC."""
    output.write_json({"when": dt.datetime(2026, 3, 1, 20, tzinfo=dt.timezone(dt.timedelta(hours=-5)))})
    assert {"when": "2026-03-02T01:00:00+00:00"} == json.loads(capsys.readouterr().out)


def test_json_of_anything_else() -> None:
    """What has no form in JSON is a defect, not a text of its own making."""
    with pytest.raises(TypeError) as caught:
        output.write_json({"bytes": b"x"})
    assert "bytes has no form in JSON" == str(caught.value)


OUTCOMES = (
    TableFinished(
        table="patient",
        strategy="incremental",
        read=2000,
        inserted=1,
        updated=2,
        unchanged=1997,
        seconds=0.5,
        losses=(("Birthdate", "invalid_date", 3, "null"), ("Note", "nul_character", 1, "replace")),
    ),
    TableFinished(
        table="claim", verified="not checked: the load failed", error="table `claim`: it is gone", exit_code=1
    ),
)
END = RunFinished(run_id="r", deployment="north", exit_code=3, tables=OUTCOMES, seconds=1.0)


def test_report(capsys: pytest.CaptureFixture[str]) -> None:
    """A run ends with a row for each table and one for all, the losses, and each failure's sentence."""
    write_report(END)
    assert (
        """\
table     strategy      read  inserted  updated  deleted  unchanged  seconds  rows/s  verified
patient   incremental  2,000         1        2        0      1,997     0.50   4,000  not checked
claim     -                0         0        0        0          0     0.00       -  not checked: the load failed
2 tables               2,000         1        2        0      1,997     1.00   2,000

Values that PostgreSQL cannot hold:
  patient.Birthdate: invalid_date, 3 values became NULL
  patient.Note: nul_character, 1 value replaced

Not loaded:
  table `claim`: it is gone
"""
        == capsys.readouterr().out
    )


def test_report_of_two_hops(capsys: pytest.CaptureFixture[str]) -> None:
    """With a replica each row says where it went, and a failure on the way into the replica is told as one."""
    into = TableFinished(
        table="patient", hop="replica", strategy="incremental", read=5, inserted=5, seconds=0.5
    )
    on = TableFinished(
        table="patient", strategy="incremental", read=5, inserted=5, seconds=0.5, verified="equal"
    )
    lost = TableFinished(table="claim", hop="replica", error="table `claim`: it is gone", exit_code=1)
    write_report(
        RunFinished(run_id="r", deployment="north", exit_code=3, tables=(into, lost, on), seconds=2.0)
    )
    assert (
        """\
table     hop        strategy     read  inserted  updated  deleted  unchanged  seconds  rows/s  verified
patient   replica    incremental     5         5        0        0          0     0.50      10  not checked
claim     replica    -               0         0        0        0          0     0.00       -  not checked
patient   warehouse  incremental     5         5        0        0          0     0.50      10  equal
2 tables                            10        10        0        0          0     2.00       5

Not loaded:
  on the way into the replica: table `claim`: it is gone
"""
        == capsys.readouterr().out
    )


def test_entry() -> None:
    """The last event says of each table exactly what is agreed."""
    expected = [
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
    assert expected == list(ENTRY) == list(entry(OUTCOMES[0]))
    assert ("claim", "table `claim`: it is gone") == (
        entry(OUTCOMES[1])["table"],
        entry(OUTCOMES[1])["error"],
    )


def test_fields() -> None:
    """An event in JSON is named by its kind and holds all of its fields."""
    event = RunStarting(run_id="r", deployment="north", tables=("patient",))
    expected = {"event": "run_starting", "run_id": "r", "deployment": "north", "tables": ("patient",)}
    assert expected | {"hops": ("warehouse",)} == fields(event)
    assert "table_finished" == fields(OUTCOMES[0])["event"]
