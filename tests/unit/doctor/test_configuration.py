"""Judging a deployment's folder and plugins, and how errors become findings."""

from __future__ import annotations

from pathlib import Path

import attrs
import pytest

from etlkit.config import MySQLUrl, PostgresUrl, Settings, SourceSettings, TableConfig, WarehouseSettings
from etlkit.config.problems import Problem
from etlkit.doctor import Finding, checks
from etlkit.doctor import configuration as judging
from etlkit.doctor.findings import exit_code
from etlkit.errors import ConfigurationError, ConnectionFailed, EtlkitError, LoadError, PluginError
from etlkit.registry import Registry

SETTINGS = Settings(
    deployment="north",
    source=SourceSettings(url=MySQLUrl.parse("mysql://u@localhost/d")),
    warehouse=WarehouseSettings(url=PostgresUrl.parse("postgresql://u@localhost/d")),
    folder=Path("a b"),
)


def said(finding: Finding) -> tuple[str, str, str, str]:
    """A finding without its section."""
    return finding.check, finding.level, finding.message, finding.remedy


def test_settings() -> None:
    """A configuration that cannot be read is a problem."""
    expected = ("settings", "ok", "a b/etlkit.yml describes the deployment `north`.", "")
    assert expected == said(judging.judge_settings(Path("a b"), SETTINGS))
    expected = (
        "settings",
        "problem",
        "a b/etlkit.yml:3: `source` is missing.",
        "Mend this first; the servers can only be checked then.",
    )
    error = ConfigurationError("a b/etlkit.yml:3: `source` is missing")
    assert expected == said(judging.judge_settings(Path("a b"), error))


def test_unknown_names() -> None:
    """Names in a configuration that nothing provides are a problem, with their lines."""
    expected = (
        "settings",
        "problem",
        "a b/etlkit.yml:3: `x` is wrong\na b/etlkit.yml:9: `y` is wrong.",
        "Correct these names; no command works before.",
    )
    unknown = [Problem(line=9, text="`y` is wrong"), Problem(line=3, text="`x` is wrong")]
    assert expected == said(judging.judge_settings(Path("a b"), SETTINGS, unknown))


@pytest.mark.parametrize(
    ("mode", "level", "message", "remedy"),
    [
        (None, "ok", "There is no a b/.env; addresses come from the environment or from etlkit.yml.", ""),
        (0o100600, "ok", "a b/.env can be read by its owner only.", ""),
        (0o100640, "warning", "a b/.env holds passwords and is open to a group of users.", "Run"),
        (0o100604, "problem", "a b/.env holds passwords and is open to every user of this machine.", "Run"),
    ],
)
def test_env_file(mode: int | None, level: str, message: str, remedy: str) -> None:
    """Passwords are for the owner."""
    whole = "Run `chmod 600 'a b/.env'`; if others had access, change the passwords too." if remedy else ""
    found = judging.judge_env_file(Path("a b/.env"), mode)
    assert ("env_file", level, message, whole) == said(found)


def test_tables_file() -> None:
    """Before the first analysis, the next step is told."""
    expected = (
        "tables_file",
        "warning",
        "a b/tables.yml is not there yet, or names no table.",
        "When there is no problem left, run `etlkit analyze -C 'a b'`, which writes it.",
    )
    assert expected == said(judging.judge_tables_file(SETTINGS))
    expected = ("tables_file", "ok", "a b/tables.yml names 1 table.", "")
    analyzed = attrs.evolve(SETTINGS, analyzed={"patient": TableConfig()})
    assert expected == said(judging.judge_tables_file(analyzed))


def test_plugins() -> None:
    """Every plugin that cannot be used is a problem of its own."""
    broken = PluginError("plugin `a` (b 1): raised ValueError: x; y; update or uninstall b")
    stray = ConfigurationError("`plugins.disable` names `c`, which is no plugin; did you mean `a`?")
    registry = Registry(problems=(broken, stray))
    first = ("plugins", "problem", "Plugin `a` (b 1): raised ValueError: x; y.", "Update or uninstall b.")
    second = ("plugins", "problem", "`plugins.disable` names `c`, which is no plugin.", "Did you mean `a`?")
    assert [first, second] == [said(each) for each in judging.judge_plugins(registry, "threads")]
    assert [first] == [said(each) for each in judging.judge_plugins(registry, None)]


def test_executor() -> None:
    """An executor that nobody provides is a problem before a run finds out."""
    expected = ("plugins", "ok", "All plugins can be used; 0 are active.", "")
    assert [expected] == [said(each) for each in judging.judge_plugins(Registry(), None)]
    [found] = judging.judge_plugins(Registry.inspect(), "threats")
    expected = (
        "plugins",
        "problem",
        "No plugin provides an executor `threats`; did you mean `threads`?",
        "Correct `run.executor` in etlkit.yml.",
    )
    assert expected == said(found)


@pytest.mark.parametrize(
    ("error", "message", "remedy"),
    [
        (
            ConnectionFailed("source: h:1 has no connection left; try again later"),
            "h:1 has no connection left.",
            "Try again later.",
        ),
        (
            LoadError("x: the user lacks a privilege; grant it; nothing was written (sqlstate 42501)"),
            "x: the user lacks a privilege.",
            "Grant it; nothing was written (sqlstate 42501).",
        ),
        (
            EtlkitError("The server at h:1 failed while reading. Run again."),
            "The server at h:1 failed while reading.",
            "Run again.",
        ),
        (EtlkitError("h:1 is closed"), "h:1 is closed.", ""),
    ],
)
def test_errors_become_problems(error: EtlkitError, message: str, remedy: str) -> None:
    """What happened is the message, what to do next the remedy."""
    found = checks.SOURCE_CONNECTION.failed(error)
    assert ("connection", "problem", message, remedy) == said(found)


def test_exit_code() -> None:
    """Only a problem fails."""
    check = checks.GRANTS
    fine = (check.ok("a"), check.warning("b", "c"), check.skipped("d"))
    assert 0 == exit_code(fine)
    assert 1 == exit_code((*fine, check.problem("e", "f")))
