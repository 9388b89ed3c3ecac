"""The watch of the whole suite sees a canary by every way out."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import psycopg2
import pytest

from support import canary_watch
from support.canaries import CANARIES
from support.databases import WarehouseDatabase

LEAKS = """
import logging, subprocess, sys, tempfile
import click, pytest
from click.testing import CliRunner
from etlkit.errors import EtlkitError
from support.canaries import CANARIES

BIRD = "CAN" + "ARY"
CANARIES.add_password("pass word/1")
CANARIES.add_statement("clinic", "insert into t values (1, 'Mary Quite Contrary', 'ordinary')", ())

@click.command()
@click.option("--show-values", is_flag=True)
@click.argument("what")
def tell(what, show_values):
    click.echo(what)

def test_printed(): print(BIRD)
def test_logged(): logging.getLogger("etlkit").warning("%s", BIRD)
def test_command(): CliRunner().invoke(tell, [BIRD])
def test_password_of_command(): CliRunner().invoke(tell, ["--show-values", "x pass%20word%2F1 y"])
def test_value_of_row(): CliRunner().invoke(tell, ["Error: Mary Quite Contrary"])
def test_base64(): CliRunner().invoke(tell, ["cGFzcyB3b3JkLzE="])
def test_output(): subprocess.run([sys.executable, "-c", "print('CAN' + 'ARY')"], capture_output=True)
def test_command_line(): subprocess.run([sys.executable, "-c", "pass", BIRD])
def test_message(): EtlkitError(BIRD)
def test_file(tmp_path): (tmp_path / "tables.yml").write_text(BIRD)
def test_temporary_file(): tempfile.NamedTemporaryFile(delete=False, mode="w").write(BIRD)
def test_context():
    with pytest.raises(EtlkitError):
        try:
            raise ValueError(BIRD)
        except ValueError:
            raise EtlkitError("no more") from None

def test_asked_for(): CliRunner().invoke(tell, ["--show-values", BIRD])
def test_ordinary(): CliRunner().invoke(tell, ["ordinary"])
def test_file_of_passwords(tmp_path): (tmp_path / ".env").write_text("pass word/1")
@pytest.mark.shows_canaries(reason="on purpose")
def test_on_purpose(): print(BIRD)
"""
SILENT = {"asked_for", "ordinary", "file_of_passwords", "on_purpose"}


@pytest.mark.shows_canaries(reason="it runs tests that show some")
def test_every_way_out(tmp_path: Path) -> None:
    """Each test that shows a canary fails, at its call or its end; one that shows none, or says so, does not."""
    (tmp_path / "test_leaks.py").write_text(LEAKS)
    (tmp_path / "conftest.py").write_text(
        "from support import canary_watch\ndef pytest_configure(config): canary_watch.register(config)\n"
    )
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-rA", "-p", "no:cacheprovider", "-c", os.devnull, str(tmp_path)],
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(Path(__file__).parents[1]), *sys.path])},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        cwd=tmp_path,
    ).stdout
    caught = {
        line.partition("::test_")[2].split()[0]
        for line in done.splitlines()
        if line.startswith(("FAILED", "ERROR")) and "::test_" in line
    }
    known = {line.partition("(")[0][9:] for line in LEAKS.splitlines() if line.startswith("def test_")}
    assert known - SILENT == caught, done


def test_the_ledger(warehouse: WarehouseDatabase) -> None:
    """The ledger's columns are looked at, but for positions."""
    warehouse.execute(
        "create schema etlkit",
        "create table etlkit.runs (error text, watermark text)",
        "insert into etlkit.runs values (null, 'CANARY')",
    )
    canary_watch.look_at_ledger(warehouse.server, warehouse.name)
    assert [] == CANARIES.taken()
    warehouse.execute("update etlkit.runs set error = 'CANARY'")
    canary_watch.look_at_ledger(warehouse.server, warehouse.name)
    assert 1 == len(CANARIES.taken())
    warehouse.execute("drop schema etlkit cascade")


def test_the_servers_log(warehouse: WarehouseDatabase) -> None:
    """What a session of etlkit makes PostgreSQL log is looked at; what others make it log is not."""
    for name, expected in (("psql", 0), ("etlkit", 1)):
        connection = psycopg2.connect(warehouse.url, application_name=name)
        with pytest.raises(psycopg2.Error), connection.cursor() as cursor:
            cursor.execute("select 'CANARY'::integer")
        connection.close()
        canary_watch.WATCH.look_at_logs()
        assert expected == len(CANARIES.taken())
