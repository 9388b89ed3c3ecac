"""The command line is complete: every command and option is documented, and every option has its variable."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from etlkit.cli import main

PAGE = (Path(__file__).parents[3] / "docs" / "command-line.md").read_text(encoding="utf-8")


def commands(group: click.Group = main, prefix: str = "etlkit") -> Iterator[tuple[str, click.Command]]:
    """Every command with its full name."""
    for name, command in group.commands.items():
        yield f"{prefix} {name}", command
        if isinstance(command, click.Group):
            yield from commands(command, f"{prefix} {name}")


LEAVES = {name: command for name, command in commands() if not isinstance(command, click.Group)}


@pytest.mark.parametrize("name", [name for name, _ in commands()])
def test_documented_command(name: str) -> None:
    """The page names every command."""
    assert f"{name}" in PAGE


def options_of(name: str) -> list[click.Option]:
    """The options of a command; what it takes without an option is named in its usage."""
    return [each for each in LEAVES[name].params if isinstance(each, click.Option)]


@pytest.mark.parametrize("name", LEAVES)
def test_documented_options(name: str) -> None:
    """The page shows every option as code."""
    options = {each for parameter in options_of(name) for each in parameter.opts}
    missing = {each for each in options if f"`{each}`" not in PAGE and f"`{each} " not in PAGE}
    assert set() == missing


@pytest.mark.parametrize("name", LEAVES)
def test_variables(name: str) -> None:
    """Every option is read from the variable of its name, `-C` from ETLKIT_DIR, and the page says so."""
    for parameter in options_of(name):
        long = next((each for each in parameter.opts if each.startswith("--")), "--dir")
        expected = "ETLKIT_" + long[2:].replace("-", "_").upper()
        assert (parameter.opts, expected) == (parameter.opts, parameter.envvar)
        assert f"`{expected}`" in PAGE


@pytest.mark.parametrize("name", LEAVES)
def test_common_options(name: str) -> None:
    """Every command takes a folder, `--json`, `--verbose` and `--log-format`."""
    options = {each for parameter in LEAVES[name].params for each in parameter.opts}
    assert options >= {"-C", "--json", "--verbose", "-v", "--log-format"}


@pytest.mark.parametrize("name", [name for name, _ in commands()])
def test_help(name: str) -> None:
    """Every command has help, whose first sentence fits the list of commands."""
    result = CliRunner().invoke(main, [*name.split()[1:], "--help"])
    assert 0 == result.exit_code
    assert result.stdout.startswith(f"Usage: {name} ")
    assert not dict(commands())[name].get_short_help_str(65).endswith("...")


def test_order_of_commands() -> None:
    """Help lists the commands in the order in which they are used."""
    order = list(main.commands)
    expected = [
        "init",
        "doctor",
        "analyze",
        "plan",
        "run",
        "status",
        "verify",
        "reconcile",
        "report",
        "plugins",
    ]
    assert [each for each in expected if each in order] == order


def test_exit_codes_documented() -> None:
    """The page explains the exit codes 0 to 7."""
    assert [] == [code for code in range(8) if f"\n| {code} | " not in PAGE]
