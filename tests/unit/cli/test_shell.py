"""Every failure becomes one sentence and an exit code."""

from __future__ import annotations

import json
import logging
import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import click
import pytest
from click.testing import CliRunner, Result

from etlkit.cli import logs, main, options
from etlkit.cli.shell import CommandLine, explained
from etlkit.errors import ConfigurationError, DriftRefused, EtlkitError, LockHeld, SomeTablesFailed


def outcome(act: Callable[[], Any], *arguments: str) -> Result:
    """What a command that does something ends with."""

    @click.group(cls=CommandLine)
    def program() -> None:
        pass

    @program.command()
    @options.common
    def do(**_: Any) -> None:
        act()

    return CliRunner().invoke(program, ["do", *arguments])


def raising(failure: BaseException) -> Callable[[], Any]:
    """A function that raises."""

    def act() -> None:
        raise failure

    return act


@pytest.mark.parametrize(
    ("kind", "code"),
    [(EtlkitError, 1), (ConfigurationError, 2), (SomeTablesFailed, 3), (DriftRefused, 5), (LockHeld, 7)],
)
def test_own_errors(kind: type[EtlkitError], code: int) -> None:
    """An error of etlkit's own is told by its message and leaves with its exit code."""
    result = outcome(raising(kind("This is wrong; do that.")))
    assert (code, "", "Error: This is wrong; do that.\n") == (result.exit_code, result.stdout, result.stderr)


def test_own_errors_as_json() -> None:
    """With a log of JSON, every line on standard error is a JSON object, errors included."""
    result = outcome(raising(EtlkitError("This is wrong.")), "--log-format", "json")
    record = json.loads(result.stderr)
    assert ("error", "This is wrong.") == (record["level"], record["message"])


def test_defect() -> None:
    """An unexpected error is told by kind and place; its message, which may hold a row's value, is not told."""
    result = outcome(raising(ValueError("Mary Smith")))
    assert 1 == result.exit_code
    assert re.fullmatch(
        r"Error: ValueError at test_shell\.py:\d+; this is a defect of etlkit or of a plugin, please report it with "
        r"this line\n",
        result.stderr,
    )


def test_verbose_defect() -> None:
    """`--verbose` adds the lines that led to an unexpected error, still without its message."""
    result = outcome(raising(ValueError("Mary Smith")), "--verbose")
    assert 1 == result.exit_code
    assert re.search(r"^  .*test_shell\.py:\d+ in act$", result.stderr, re.MULTILINE)
    assert result.stderr.endswith("\n  builtins.ValueError\n")
    assert "Mary" not in result.stderr


@pytest.mark.parametrize("failure", [KeyboardInterrupt(), click.Abort()])
def test_interrupted(failure: BaseException) -> None:
    """An interrupted command says so and leaves with 1."""
    result = outcome(raising(failure))
    assert (1, "interrupted") == (result.exit_code, result.stderr.strip())


def test_terminated() -> None:
    """SIGTERM ends a command as Ctrl-C does, and means afterwards what it meant before."""
    before = signal.getsignal(signal.SIGTERM)
    result = outcome(lambda: os.kill(os.getpid(), signal.SIGTERM))
    assert (1, "interrupted") == (result.exit_code, result.stderr.strip())
    assert before is signal.getsignal(signal.SIGTERM)


def test_unknown_command() -> None:
    """A misspelt command is answered with the nearest."""
    result = CliRunner().invoke(main, ["analyse"])
    assert 2 == result.exit_code
    assert (
        "Usage: etlkit [OPTIONS] COMMAND [ARGS]...\nTry 'etlkit --help' for help.\n\n"
        "Error: There is no command `analyse`; did you mean `analyze`?\n"
    ) == result.stderr


def test_log_is_taken_down() -> None:
    """The logger `etlkit` is left as it was found."""
    outcome(lambda: None)
    assert (None, True) == (logs.current(), logging.getLogger("etlkit").propagate)


def test_log_lines() -> None:
    """A record is one line with time and level; only the logger `etlkit` is shown, and DEBUG on request only."""

    def act() -> None:
        logging.getLogger("etlkit.here").warning("watch %s", "out")
        logging.getLogger("etlkit.here").debug("a detail")
        logging.getLogger("sqlalchemy.engine").warning("a statement")

    stamp = r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d"
    assert re.fullmatch(rf"{stamp} WARNING watch out\n", outcome(act).stderr)
    assert re.fullmatch(
        rf"{stamp} WARNING watch out\n{stamp} DEBUG a detail\n", outcome(act, "--verbose").stderr
    )


@pytest.mark.parametrize("form", ["text", "json"])
def test_log_without_messages_of_exceptions(form: str) -> None:
    """A record with an exception shows where it came from, never what it says."""

    def act() -> None:
        try:
            int("Mary Smith")
        except ValueError:
            logging.getLogger("etlkit.here").exception("it failed")

    shown = outcome(act, "--log-format", form).stderr
    assert "it failed" in shown
    assert "builtins.ValueError" in shown
    assert "Mary" not in shown


def test_json_log() -> None:
    """A record as JSON has time, level, logger and message."""
    shown = outcome(lambda: logging.getLogger("etlkit.here").info("hello"), "--log-format", "json").stderr
    record = json.loads(shown)
    assert ["time", "level", "logger", "message"] == list(record)
    assert ("info", "etlkit.here", "hello") == (record["level"], record["logger"], record["message"])


def test_explained_interruption() -> None:
    """What is written into the last event of an interrupted run is the word for it."""
    assert ("interrupted", 1) == explained(KeyboardInterrupt())


def test_module() -> None:
    """`python -m etlkit --version` prints the version."""
    done = subprocess.run(
        [sys.executable, "-m", "etlkit", "--version"], capture_output=True, text=True, check=True
    )
    assert re.fullmatch(r"etlkit \d+\.\d+\.\d+\n", done.stdout)


@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_behind_the_work(sent: signal.Signals) -> None:
    """A program that is asked to end while it leaves has done its work, and says so by its exit code."""
    script = (
        f"import atexit, os, sys; atexit.register(os.kill, os.getpid(), {sent.value}); "
        "from etlkit.cli import program; sys.argv[1:] = ['--version']; program()"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert (0, "") == (done.returncode, done.stderr)
