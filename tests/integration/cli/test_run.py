"""`etlkit run`: selection, exit codes, events, and what happens when it is interrupted."""

from __future__ import annotations

import json
import re
import signal
from typing import Any

import pytest

from etlkit.loading.ledger import Ledger
from support.terminal import Terminal

one_kind = pytest.mark.parametrize("source", ["mariadb-innodb"], indirect=True)
pytestmark = one_kind


def tables_of(output: str) -> set[str]:
    """The tables that the report at the end of a run names."""
    names = [line.split()[0] for line in output.partition("\n\n")[0].splitlines()]
    return set(names[1:-1])


def test_selection(clinic: Any) -> None:
    """Globs and importance choose tables, options given twice add up, and variables give several values."""
    clinic.prepared()
    for options, expected in (
        (["--select", "pat*"], {"patient"}),
        (["--select", "importance:critical"], {"patient"}),
        (["--select", "pat*", "--select", "def*"], {"patient", "definition"}),
        (["--exclude", "pat*"], {"definition", "scratchlog"}),
        (["--select", "*", "--exclude", "importance:critical"], {"definition", "scratchlog"}),
    ):
        assert (options, expected) == (options, tables_of(clinic.done("run", *options)))
    assert {"patient", "definition"} == tables_of(clinic.done("run", ETLKIT_SELECT="pat* def*"))


def test_pattern_that_fits_nothing(clinic: Any) -> None:
    """A pattern that fits no table is refused with the nearest name, before anything is read."""
    clinic.prepared()
    result = clinic.etlkit("run", "--select", "pateint")
    assert (2, "", "Error: --select `pateint` fits no table; did you mean `patient`?\n") == (
        result.exit_code,
        result.stdout,
        result.stderr,
    )


def test_before_analyze(clinic: Any) -> None:
    """Without an analysis there is nothing to load, and the message says which command comes first."""
    clinic.done("init")
    result = clinic.etlkit("run")
    path = clinic.folder / "tables.yml"
    assert (
        2,
        f"Error: {path}: there are no tables in it yet; `etlkit analyze -C {clinic.folder}` finds them\n",
    ) == (
        result.exit_code,
        result.stderr,
    )


def test_usage(clinic: Any) -> None:
    """An option's impossible value is a mistake of usage."""
    result = clinic.etlkit("run", "--threads", "0")
    assert (2, "") == (result.exit_code, result.stdout)
    assert (
        "Usage: etlkit run [OPTIONS]\nTry 'etlkit run --help' for help.\n\n"
        "Error: Invalid value for `--threads`: it must be a whole number from 1 to 64 (got `0`)\n"
    ) == result.stderr


def test_unreachable_source(clinic: Any) -> None:
    """A source that cannot be reached fails the run in one sentence, with the server's place."""
    clinic.prepared()
    settings = clinic.folder / "etlkit.yml"
    settings.write_text(settings.read_text().replace("\nrun:\n", "\nrun:\n  retries: 0\n"))
    result = clinic.etlkit("run", "--json", ETLKIT_SOURCE_URL="mysql://reader:secret@127.0.0.1:1/clinic")
    last = json.loads(result.stdout)
    assert (1, 1, []) == (result.exit_code, last["exit_code"], last["tables"])
    assert f"Error: {last['error']}\n" == result.stderr
    assert "127.0.0.1:1" in last["error"]
    assert "\n" not in last["error"]


def test_dry_run(clinic: Any) -> None:
    """`--dry-run` prints what `plan` prints and changes nothing."""
    clinic.prepared()
    assert clinic.done("plan") == clinic.done("run", "--dry-run")
    assert [] == clinic.warehouse.rows("select 1 from pg_namespace where nspname in ('raw', 'etlkit')")


def test_limit(clinic: Any) -> None:
    """`--limit` loads a few rows; the next run is complete."""
    clinic.prepared()
    clinic.done("run", "--limit", "1")
    assert [1, 1] == [
        clinic.warehouse.value(f"select count(*) from raw.{name}") for name in ("patient", "definition")
    ]
    clinic.done("run")
    assert [2, 3] == [
        clinic.warehouse.value(f"select count(*) from raw.{name}") for name in ("patient", "definition")
    ]


def test_allow_deletes(clinic: Any) -> None:
    """A table that would lose most of its rows fails, until the option or its variable lets the rows go."""
    clinic.source.execute(
        "insert into definition (ItemName) values " + ", ".join(f"('{n}')" for n in range(197))
    )
    clinic.prepared()
    clinic.done("run")
    clinic.source.execute("delete from definition where DefNum > 10")
    result = clinic.etlkit("run", "--select", "definition")
    assert 3 == result.exit_code
    assert "190 of the 200 rows in the warehouse would be removed" in result.stdout
    clinic.done("run", "--select", "definition", ETLKIT_ALLOW_DELETES="1")
    assert 10 == clinic.warehouse.value("select count(*) from raw.definition")
    clinic.source.execute("insert into definition (ItemName) select LName from patient")
    clinic.done("run", "--allow-deletes")


def test_accept_source(clinic: Any) -> None:
    """A run that finds another source ends with 1, and as JSON with one event, until the source is accepted."""
    clinic.prepared()
    clinic.done("run")
    clinic.warehouse.execute("update etlkit.sources set server = 'other'")
    result = clinic.etlkit("run", "--json")
    last = json.loads(result.stdout)
    assert (1, 1, []) == (result.exit_code, last["exit_code"], last["tables"])
    assert last["error"].startswith(
        "schema `raw` was loaded from another source: the server was `other` and is `"
    )
    assert {2, 3, 1} == {each["read"] for each in clinic.loaded("--accept-source").values()}
    clinic.done("run")


def test_some_failed(clinic: Any) -> None:
    """One table's failure leaves the others running; the exit code is 3 and its sentence stands at the end."""
    clinic.prepared()
    clinic.warehouse.execute("create schema raw", "create table raw.definition (x int)")
    result = clinic.etlkit("run")
    sentence = (
        "warehouse table `raw.definition` exists, but etlkit did not make it; rename or drop it, or set another "
        "`warehouse.schema` in etlkit.yml"
    )
    assert 3 == result.exit_code
    assert {"patient", "definition", "scratchlog"} == tables_of(result.stdout)
    assert result.stdout.endswith(f"\n\nNot loaded:\n  {sentence}\n")
    assert result.stderr.endswith("\nError: 1 of 3 tables was not loaded\n")
    assert 2 == clinic.warehouse.value("select count(*) from raw.patient")

    status = {each["table"]: each for each in clinic.document("status")["tables"]}
    assert ("failed, never loaded", sentence) == (
        status["definition"]["state"],
        status["definition"]["error"],
    )
    assert ("loaded", None) == (status["patient"]["state"], status["patient"]["error"])
    assert re.search(
        rf"\n\nLast load of `definition` failed at [-0-9]+ [:0-9]+: {re.escape(sentence)}\n$",
        clinic.done("status"),
    )


def test_drift_refused(clinic: Any) -> None:
    """A table that is gone where the policy refuses it gives exit code 5."""
    clinic.prepared("drift: {drop_table: refuse}\n")
    clinic.source.execute("drop table definition")
    result = clinic.etlkit("run")
    assert 5 == result.exit_code
    assert result.stdout.endswith(
        "\n\nNot loaded:\n  table `definition` is gone in the source, and `drift.drop_table` in etlkit.yml is "
        "`refuse`; the warehouse keeps its last rows; run `etlkit analyze` to take it off the list\n"
    )


def test_losses(clinic: Any) -> None:
    """What PostgreSQL cannot hold is counted by column and rule."""
    clinic.source.execute(
        "set statement sql_mode = '' for create table visit (VisitNum bigint primary key, Day date)",
        "set statement sql_mode = '' for insert into visit values (1, '0000-00-00'), (2, '2024-05-00'), "
        "(3, '2024-05-01')",
    )
    clinic.prepared()
    assert re.search(
        r"\n\nValues that PostgreSQL cannot hold:\n  visit\.Day: invalid_date, \d values? became NULL\n$",
        clinic.done("run", "--select", "visit"),
    )


def test_log_lines(clinic: Any) -> None:
    """Off a terminal a line tells of each table that is done."""
    clinic.prepared()
    lines = [line[20:] for line in clinic.etlkit("run", "--threads", "1").stderr.splitlines()]
    assert re.fullmatch(r"INFO run [0-9a-f]{32} of `north` begins: 3 tables", lines[0])
    assert re.fullmatch(
        r"INFO 1/3 table `patient` \(full_table\): 2 rows read, 2 inserted, 0 updated, 0 deleted in \d\.\d s",
        lines[1],
    )
    assert 4 == len(lines)


def test_lock_held(clinic: Any) -> None:
    """While another run of the deployment is at work, a run ends with 7; with JSON as its one last event."""
    clinic.prepared()
    with Ledger(clinic.warehouse.engine, "raw").run_lock():
        result = clinic.etlkit("run", "--json")
    last = json.loads(result.stdout)
    assert (7, "run_finished", 7, []) == (result.exit_code, last["event"], last["exit_code"], last["tables"])
    assert (
        "another run is loading into schema `raw` of this warehouse; wait until it is done (`etlkit status` shows it) "
        "and run again"
    ) == last["error"]
    clinic.done("run")


BIG = """
tables:
  zbig: {extraction_strategy: chunked_incremental, incremental_column: Id, table_importance: audit}
run: {threads: 1}
"""


@pytest.fixture
def big(clinic: Any) -> Any:
    """The clinic with a table that takes some seconds and is loaded last, by resumable chunks."""
    clinic.source.execute(
        "create table zbig (Id bigint primary key, Note varchar(100))",
        "insert into zbig select seq, repeat('x', 90) from seq_1_to_600000",
    )
    clinic.done("init")
    config = clinic.folder / "etlkit.yml"
    config.write_text(config.read_text().replace("\nrun:\n", "\n_run:\n").partition("_run:")[0] + BIG)
    clinic.done("analyze")
    return clinic


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_interrupted(big: Any, number: signal.Signals) -> None:
    """SIGTERM and Ctrl-C end a run in order; the next run goes on where the broken load stood and is complete."""
    process = big.started("run", "--json")
    for line in process.stderr:
        if " 3/4 table " in line:
            break
    process.send_signal(number)
    output, errors = process.communicate(timeout=60)
    words = "interrupted: 3 tables were loaded, 1 was not; run again to go on"
    assert 1 == process.returncode
    assert words == errors.splitlines()[-1]
    assert "Traceback" not in errors
    last = json.loads(output.splitlines()[-1])
    assert ("run_finished", 1, words) == (last["event"], last["exit_code"], last["error"])

    status = big.document("status")
    assert 1 == status["last_run"]["exit_code"]
    end = json.loads(big.done("run", "--json").splitlines()[-1])
    assert 600000 == {each["table"]: each for each in end["tables"]}["zbig"]["inserted"]
    assert 600000 == big.warehouse.value("select count(*) from raw.zbig")
    assert [] == big.document("status")["unfinished"]


def test_concurrent(big: Any) -> None:
    """Of two runs at the same time one loads and the other ends with 7."""
    process = big.started("run")
    for line in process.stderr:
        if " 3/4 table " in line:
            break
    assert 7 == big.etlkit("run").exit_code
    process.communicate(timeout=60)
    assert 0 == process.returncode


@pytest.mark.parametrize("no_color", [None, "1"])
def test_terminal(clinic: Any, no_color: str | None) -> None:
    """On a terminal bars count the tables, and the report follows; NO_COLOR takes the colours out."""
    clinic.prepared()
    env = {**clinic.env, "NO_COLOR": no_color}
    with Terminal("run", "-C", str(clinic.folder), env=env) as screen:
        screen.expect("3/3")
        screen.expect("3 tables")
        assert 0 == screen.ended()
    clinic.check(screen.text)
    coloured = re.search(r"\x1b\[[0-9;]*(3[0-9]|38;[0-9;]*)m", screen.text) is not None
    assert (no_color is None) == coloured


def test_closed_output(clinic: Any) -> None:
    """Who stops reading early is not told about it, and the run goes on to its end."""
    clinic.prepared()
    process = clinic.started("run", "--json")
    process.stdout.close()
    errors = process.stderr.read()
    assert 0 == process.wait(60)
    assert "rror" not in errors
    assert 3 == clinic.warehouse.value("select count(*) from raw.definition")
