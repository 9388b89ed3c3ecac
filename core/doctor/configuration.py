"""Judging the deployment's folder and its plugins."""

from __future__ import annotations

import shlex
import stat
from collections.abc import Iterable
from pathlib import Path

from etlkit.config import SETTINGS_FILE, TABLES_FILE, Settings
from etlkit.config.problems import Problem, report
from etlkit.doctor import checks
from etlkit.doctor.findings import Finding, ended, sentence
from etlkit.errors import ConfigurationError
from etlkit.registry import Registry
from etlkit.wording import counted


def judge_settings(
    folder: Path, settings: Settings | ConfigurationError, unknown: Iterable[Problem] = ()
) -> Finding:
    """Judge whether the configuration can be read, and means something.

    Args:
        folder: the deployment's folder.
        settings: what was read, or why it was not.
        unknown: names under `tables` that nothing provides.

    Returns:
        A problem when it was not, or when there are such names.
    """
    if named := list(unknown):
        return checks.SETTINGS.problem(
            ended(report(folder / SETTINGS_FILE, named).message),
            "Correct these names; no command works before.",
        )
    if isinstance(settings, ConfigurationError):
        return checks.SETTINGS.problem(
            ended(settings.message), "Mend this first; the servers can only be checked then."
        )
    return checks.SETTINGS.ok(f"{folder / SETTINGS_FILE} describes the deployment `{settings.deployment}`.")


def judge_env_file(path: Path, mode: int | None) -> Finding:
    """Judge who may read `.env`.

    Args:
        path: the file.
        mode: its permissions; None when it is not there.

    Returns:
        A problem when everybody on this machine may, a warning when a group may.
    """
    if mode is None:
        return checks.ENV_FILE.ok(
            f"There is no {path}; addresses come from the environment or from etlkit.yml."
        )
    remedy = f"Run `chmod 600 {shlex.quote(str(path))}`; if others had access, change the passwords too."
    if mode & stat.S_IRWXO:
        return checks.ENV_FILE.problem(
            f"{path} holds passwords and is open to every user of this machine.", remedy
        )
    if mode & stat.S_IRWXG:
        return checks.ENV_FILE.warning(f"{path} holds passwords and is open to a group of users.", remedy)
    return checks.ENV_FILE.ok(f"{path} can be read by its owner only.")


def mode_of(path: Path) -> int | None:
    """Read a file's permissions.

    Args:
        path: the file.

    Returns:
        Its mode; None when it is not there, or hidden.
    """
    try:
        return path.stat().st_mode
    except OSError:
        return None


def judge_tables_file(settings: Settings) -> Finding:
    """Judge whether the source was analysed.

    Args:
        settings: the deployment's.

    Returns:
        A warning when it was not.
    """
    path = settings.folder / TABLES_FILE
    if not settings.analyzed:
        return checks.TABLES_FILE.warning(
            f"{path} is not there yet, or names no table.",
            f"When there is no problem left, run `etlkit analyze -C {shlex.quote(str(settings.folder))}`, which "
            "writes it.",
        )
    return checks.TABLES_FILE.ok(f"{path} names {counted(len(settings.analyzed), 'table')}.")


def judge_plugins(registry: Registry, executor: str | None) -> list[Finding]:
    """Judge whether every plugin can be used.

    Args:
        registry: as `Registry.inspect` gives it.
        executor: `run.executor`; None when the configuration cannot be read.

    Returns:
        One problem for each that is wrong.
    """
    # Without a configuration, it is not known which plugins are wanted; broken ones are broken in any case.
    known = executor is not None
    wrong = [
        _unusable(each.message)
        for each in registry.problems
        if known or not isinstance(each, ConfigurationError)
    ]
    if executor is not None and not wrong:
        try:
            registry.executor(executor)
        except ConfigurationError as error:
            wrong = [checks.PLUGINS.problem(sentence(error.message), "Correct `run.executor` in etlkit.yml.")]
    active = sum(plugin.status == "active" for plugin in registry.plugins)
    return wrong or [checks.PLUGINS.ok(f"All plugins can be used; {active} are active.")]


def _unusable(message: str) -> Finding:
    # What a plugin raised may hold anything; what to do about it comes last.
    found, _, remedy = message.rpartition("; ")
    return checks.PLUGINS.problem(sentence(found or remedy), sentence(remedy) if found else "")
