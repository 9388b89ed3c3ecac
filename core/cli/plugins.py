"""`etlkit plugins`: which plugins there are, what they provide, and whether they are locked."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import attrs
import click
from packaging.utils import canonicalize_name

from etlkit.cli import logs, options, output
from etlkit.cli.new_plugin import new_plugin
from etlkit.cli.plugin_lock import document, lock, stated, verify
from etlkit.cli.shell import Commands
from etlkit.config import SETTINGS_FILE, PluginSettings
from etlkit.errors import ConfigurationError
from etlkit.installed import Installed
from etlkit.lock_differences import Difference
from etlkit.pinned_plugins import PinnedPlugins
from etlkit.providers import PluginInfo
from etlkit.registry import Registry

_HEADINGS = [
    output.Heading(text=each)
    for each in ("plugin", "distribution", "version", "status", "locked", "provides")
]


@attrs.frozen(kw_only=True)
class _Shown:
    plugin: str
    distribution: str
    version: str
    module: str
    status: str
    locked: str
    provides: Mapping[str, Sequence[str]]
    error: str | None = None


@click.group(cls=Commands)
def plugins() -> None:
    """Show plugins, and pin them."""


@plugins.command("list")
@options.common
@options.as_json
def list_plugins(*, folder: Path, as_json: bool) -> None:
    """List every installed plugin.

    Works whatever is broken, and says what is wrong with broken plugins. Where DIR holds a deployment,
    the plugins that it disables are shown as disabled; where that has a lock, plugins are imported only
    when they are the locked ones.
    """
    deployment, chosen = _chosen(folder)
    try:
        pinned = PinnedPlugins.of(folder, deployment, chosen)
    except ConfigurationError as error:
        _show(_unimported(Installed.now(), chosen, None), [], [error.message], as_json=as_json)
        return
    if pinned.differences and pinned.installed is not None:
        shown = _unimported(pinned.installed, chosen, pinned)
        _show(shown, pinned.differences, [], as_json=as_json, pinned=pinned)
        return
    registry = pinned.inspected()
    differences = () if registry.problems else pinned.differences_of(registry)
    others = [each.message for each in registry.problems if not _is_of_a_plugin(each.message, registry)]
    shown = [
        _imported(each, _locked(each.name, each.distribution, pinned, differences))
        for each in registry.plugins
    ]
    _show(shown, differences, others, as_json=as_json, pinned=pinned)


for _command in (lock, verify, new_plugin):
    plugins.add_command(_command)


def _show(
    shown: Sequence[_Shown],
    differences: Sequence[Difference],
    problems: Sequence[str],
    *,
    as_json: bool,
    pinned: PinnedPlugins | None = None,
) -> None:
    if as_json:
        of_lock = None
        if pinned is not None and pinned.lock is not None:
            of_lock = {
                "file": str(pinned.path),
                "sha256": pinned.sha256,
                "differences": [*map(document, differences)],
            }
        output.write_json(
            {"plugins": [attrs.asdict(each) for each in shown], "lock": of_lock, "problems": [*problems]}
        )
        return
    output.write_table(
        _HEADINGS,
        (
            (
                each.plugin,
                each.distribution,
                each.version,
                each.status,
                each.locked,
                "; ".join(_provided(each)),
            )
            for each in shown
        ),
    )
    for problem in [*(each.error for each in shown if each.error), *problems]:
        output.say("", problem)
    if differences and pinned is not None:
        output.say("", f"{pinned.path}: the plugins are not those that are locked:")
        output.say(*(f"  {each.line}" for each in differences))


def _chosen(folder: Path) -> tuple[str, PluginSettings]:
    if not os.path.lexists(folder / SETTINGS_FILE):
        return "", PluginSettings()
    try:
        return stated(folder)
    except ConfigurationError as error:
        logs.tell(f"{error.message}; the plugins are shown as if the file disabled none", prefix="Warning: ")
    return "", PluginSettings()


def _imported(plugin: PluginInfo, locked: str) -> _Shown:
    return _Shown(
        plugin=plugin.name,
        distribution=plugin.distribution,
        version=plugin.version,
        module=plugin.module,
        status=plugin.status,
        locked=locked,
        provides={hook: list(names) for hook, names in plugin.provides.items()},
        error=plugin.error,
    )


def _unimported(installed: Installed, chosen: PluginSettings, pinned: PinnedPlugins | None) -> list[_Shown]:
    """Show what is announced; what it provides is known from the lock alone."""
    locked = pinned.lock.plugins if pinned is not None and pinned.lock is not None else {}
    shown = []
    for each in installed.plugins:
        before = locked.get(each.name)
        status = "disabled" if each.name in chosen.disable else "not imported"
        state = "no" if pinned is None else _locked(each.name, each.distribution, pinned, pinned.differences)
        provides = (
            {f"etlkit_{hook}": list(names) for hook, names in before.provides.items()} if before else {}
        )
        shown.append(attrs.evolve(_imported(each, state), status=status, provides=provides))
    there = {each.plugin for each in shown}
    shown.extend(
        _Shown(
            plugin=name,
            distribution=each.distribution,
            version=each.version,
            module=each.object,
            status="missing",
            locked="differs",
            provides={f"etlkit_{hook}": list(names) for hook, names in each.provides.items()},
        )
        for name, each in locked.items()
        if name not in there
    )
    return sorted(shown, key=lambda each: (each.plugin, each.distribution))


def _locked(name: str, distribution: str, pinned: PinnedPlugins, differences: Sequence[Difference]) -> str:
    if pinned.lock is None or name not in pinned.lock.plugins:
        return "no"
    key = canonicalize_name(distribution)
    return (
        "differs" if any(name == each.plugin or key == each.distribution for each in differences) else "yes"
    )


def _is_of_a_plugin(message: str, registry: Registry) -> bool:
    return any(message in (plugin.error or "") for plugin in registry.plugins)


def _provided(plugin: _Shown) -> Iterator[str]:
    for hook, names in plugin.provides.items():
        kind = hook.removeprefix("etlkit_").replace("_", " ")
        yield f"{kind}: {', '.join(names)}" if names else f"observes {kind}"
