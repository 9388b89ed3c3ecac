"""`etlkit plugins`: which plugins there are, and what they provide."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from etlkit.cli import logs, options, output
from etlkit.cli.shell import Commands
from etlkit.config import SETTINGS_FILE, PluginSettings
from etlkit.config.problems import ProblemsFound, report
from etlkit.config.structure import structure
from etlkit.config.yaml_reader import read_yaml
from etlkit.errors import ConfigurationError
from etlkit.providers import PluginInfo
from etlkit.registry import Registry

_HEADINGS = [
    output.Heading(text=each) for each in ("plugin", "distribution", "version", "status", "provides")
]


@click.group(cls=Commands)
def plugins() -> None:
    """Show plugins."""


@plugins.command("list")
@options.common
@options.as_json
def list_plugins(*, folder: Path, as_json: bool) -> None:
    """List every installed plugin.

    Works whatever is broken, and says what is wrong with broken plugins. Where DIR holds a deployment,
    the plugins that it disables are shown as disabled.
    """
    chosen = _chosen(folder)
    registry = Registry.inspect(
        disable=chosen.disable,
        order_classifiers=chosen.order.classifiers,
        order_conversions=chosen.order.conversions,
    )
    others = [each.message for each in registry.problems if not _is_of_a_plugin(each.message, registry)]
    if as_json:
        output.write_json({"plugins": [_document(each) for each in registry.plugins], "problems": others})
        return
    output.write_table(
        _HEADINGS,
        (
            (each.name, each.distribution, each.version, each.status, "; ".join(_provided(each)))
            for each in registry.plugins
        ),
    )
    for problem in [*(each.error for each in registry.plugins if each.error), *others]:
        output.say("", problem)


def _chosen(folder: Path) -> PluginSettings:
    """Read what a deployment says of plugins, and nothing else: the rest may be broken, or wait for variables."""
    path = folder / SETTINGS_FILE
    if not os.path.lexists(path):
        return PluginSettings()
    try:
        node = read_yaml(path).entries.get("plugins")
        return PluginSettings() if node is None else structure(node, PluginSettings, folder)
    except ProblemsFound as found:
        error = report(path, found.problems)
    except ConfigurationError as failure:
        error = failure
    logs.tell(f"{error.message}; the plugins are shown as if the file disabled none", prefix="Warning: ")
    return PluginSettings()


def _is_of_a_plugin(message: str, registry: Registry) -> bool:
    return any(message in (plugin.error or "") for plugin in registry.plugins)


def _document(plugin: PluginInfo) -> dict[str, Any]:
    return {
        "plugin": plugin.name,
        "distribution": plugin.distribution,
        "version": plugin.version,
        "module": plugin.module,
        "status": plugin.status,
        "provides": {hook: list(names) for hook, names in plugin.provides.items()},
        "error": plugin.error,
    }


def _provided(plugin: PluginInfo) -> Iterator[str]:
    for hook, names in plugin.provides.items():
        kind = hook.removeprefix("etlkit_").replace("_", " ")
        yield f"{kind}: {', '.join(names)}" if names else f"observes {kind}"
