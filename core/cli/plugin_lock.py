"""`etlkit plugins lock` and `etlkit plugins verify`: writing a deployment's lock, and comparing with it."""

from __future__ import annotations

import os
import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from etlkit.cli import options, output
from etlkit.config import SETTINGS_FILE, PluginSettings
from etlkit.config.environment import expand, read_dotenv
from etlkit.config.problems import Problem, ProblemsFound, report
from etlkit.config.secret_files import ENV_FILE
from etlkit.config.structure import structure
from etlkit.config.tables import replace_file
from etlkit.config.yaml_reader import Scalar, read_yaml
from etlkit.errors import ConfigurationError, EtlkitError, LockMismatch
from etlkit.lock import PluginLock, file_digest
from etlkit.lock_differences import Difference
from etlkit.pinned_plugins import PinnedPlugins
from etlkit.wording import counted


def stated(folder: Path) -> tuple[str, PluginSettings]:
    """Read what a deployment says of plugins, and nothing else: the rest may be broken, or wait for variables.

    Args:
        folder: the deployment's.

    Returns:
        Its name, empty when it is not told, and its choices about plugins.

    Raises:
        ConfigurationError: `etlkit.yml` cannot be read, or its section `plugins` cannot be meant or names a variable
            that is not set.
    """
    path = folder / SETTINGS_FILE
    root = read_yaml(path)
    values = read_dotenv(folder / ENV_FILE) | dict(os.environ)
    name, plugins = root.entries.get("deployment"), root.entries.get("plugins")
    problems: Sequence[Problem] = ()
    if name is not None:
        name, _ = expand(name, values)
    if plugins is not None:
        plugins, problems = expand(plugins, values)
    if problems:
        raise report(path, problems)
    try:
        chosen = PluginSettings() if plugins is None else structure(plugins, PluginSettings, folder)
    except ProblemsFound as found:
        problems = found.problems
    else:
        return name.text if isinstance(name, Scalar) else "", chosen
    raise report(path, problems)


def document(difference: Difference) -> dict[str, str]:
    """Say for a program what differs.

    Args:
        difference: from the lock.

    Returns:
        `subject`, `locked` and `there`.
    """
    return {name: getattr(difference, name) for name in ("subject", "locked", "there")}


@click.command()
@options.common
@options.as_json
@options.option(
    "--check", is_flag=True, help="Write nothing; exit with 6 when the lock is not what would be written."
)
def lock(*, folder: Path, as_json: bool, check: bool) -> None:
    """Write which plugins are installed.

    Written to plugins.lock.yml in the deployment's folder; from then on every run uses exactly these plugins, or ends
    with exit code 6 before it reads anything. Refuses when a plugin cannot be used.
    """
    pinned = _pinned(folder)
    if check:
        _check(pinned, as_json=as_json)
        return
    new = pinned.new_lock()
    text = new.text()
    if _there(pinned) == text:
        _tell(pinned, [], f"{_summary(new)}, as before", as_json=as_json)
        return
    try:
        replace_file(pinned.path, text)
    except OSError as error:
        reason = error.strerror
    else:
        changes = pinned.differences
        if pinned.lock is not None and not changes:
            changes = pinned.differences_of(pinned.inspected())
        _tell(pinned, changes, _summary(new), as_json=as_json)
        return
    raise EtlkitError(f"{pinned.path}: cannot be written ({reason}); make the folder writable and try again")


@click.command()
@options.common
@options.as_json
def verify(*, folder: Path, as_json: bool) -> None:
    """Compare the installed plugins with the lock.

    Exits with 6 when anything differs, before any plugin is imported, and with 2 when the plugins are those that are
    locked and one of them cannot be used.
    """
    pinned = _pinned(folder)
    if pinned.lock is None:
        raise pinned.missing("there is nothing to compare with")
    problems: tuple[EtlkitError, ...] = ()
    differences: Sequence[Difference] = pinned.differences
    registry = None if differences else pinned.inspected()
    if registry is not None:
        problems = registry.problems
        differences = () if problems else pinned.differences_of(registry)
    if as_json:
        output.write_json(_document(pinned, differences, problems))
    pinned.refuse(differences)
    if registry is not None:
        registry.checked()
    if not as_json:
        output.say(f"{pinned.path}: {_summary(pinned.lock)}, and so they are installed")


def _pinned(folder: Path) -> PinnedPlugins:
    if not os.path.lexists(folder / SETTINGS_FILE):
        init = f"etlkit init -C {shlex.quote(str(folder))}"
        raise ConfigurationError(f"{folder / SETTINGS_FILE}: is not there; `{init}` writes one")
    return PinnedPlugins.of(folder, *stated(folder))


def _check(pinned: PinnedPlugins, *, as_json: bool) -> None:
    if pinned.lock is None:
        raise pinned.missing("--check asks for one")
    pinned.refuse(pinned.differences)
    pinned.refuse(pinned.differences_of(pinned.inspected().checked()))
    if _there(pinned) != pinned.new_lock().text():
        raise LockMismatch(
            f"{pinned.path}: says what is installed, but is not as `etlkit plugins lock` writes it; write it anew by "
            "that command"
        )
    _tell(pinned, [], f"{_summary(pinned.lock)}, as `etlkit plugins lock` would write it", as_json=as_json)


def _tell(pinned: PinnedPlugins, changes: Sequence[Difference], said: str, *, as_json: bool) -> None:
    if as_json:
        output.write_json(
            {
                "file": str(pinned.path),
                "sha256": file_digest(pinned.path),
                "changes": [document(each) for each in changes],
            }
        )
        return
    output.say(f"{pinned.path}: {said}", *(f"  {each.line}" for each in changes))


def _there(pinned: PinnedPlugins) -> str | None:
    return None if pinned.lock is None else pinned.path.read_text(encoding="utf-8")


def _summary(lock: PluginLock) -> str:
    of = counted(len(lock.all_distributions()), "distribution")
    return f"{counted(len(lock.plugins), 'plugin')} of {of} locked"


def _document(
    pinned: PinnedPlugins, differences: Sequence[Difference], problems: Sequence[EtlkitError]
) -> dict[str, Any]:
    return {
        "file": str(pinned.path),
        "sha256": pinned.sha256,
        "differences": [document(each) for each in differences],
        "problems": [each.message for each in problems],
    }
