"""What is installed and could be used as a plugin, told without importing any of it."""

from __future__ import annotations

import importlib.metadata
import sys
from collections.abc import Iterable, Iterator, Mapping

import attrs
from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from etlkit.installed_files import InstalledFiles, imported_from, installed_files
from etlkit.providers import PluginInfo, announced

ETLKIT = "etlkit-core"
"""The distribution of etlkit itself."""


@attrs.frozen(kw_only=True)
class InstalledDistribution:
    """A distribution that announces plugins."""

    name: str
    """Its normalised name."""
    version: str
    """Its version."""
    files: InstalledFiles
    """What is there of it."""
    dependencies: Mapping[str, str]
    """The version of each distribution that it needs, directly or not, by normalised name; without etlkit itself and
    what only etlkit needs."""


@attrs.frozen(kw_only=True)
class Installed:
    """All that a lock is compared with before anything is imported."""

    python: str
    """The running Python, such as `3.11`."""
    plugins: tuple[PluginInfo, ...]
    """Every plugin that is announced; two may have the same name."""
    distributions: Mapping[str, InstalledDistribution]
    """Those that announce plugins, by normalised name."""
    elsewhere: Mapping[str, str]
    """By a plugin's name the file that an import would take instead of the distribution's own."""

    @classmethod
    def now(cls) -> Installed:
        """Look at what is installed; nothing of it is imported."""
        plugins = tuple(each.info for each in announced())
        found = {
            name: importlib.metadata.distribution(name)
            for name in sorted({canonicalize_name(each.distribution) for each in plugins} | {ETLKIT})
        }
        distributions = {
            name: InstalledDistribution(
                name=name,
                version=str(each.version),
                files=installed_files(each),
                dependencies=dict(sorted(_dependencies(each))),
            )
            for name, each in found.items()
        }
        elsewhere = {}
        for plugin in plugins:
            name = canonicalize_name(plugin.distribution)
            files = distributions[name].files
            if files.kind != "files":
                continue
            other = imported_from(_module(plugin), found[name], files)
            if other is not None:
                elsewhere[plugin.name] = str(other)
        return cls(
            python=f"{sys.version_info.major}.{sys.version_info.minor}",
            plugins=plugins,
            distributions=distributions,
            elsewhere=elsewhere,
        )


def _module(plugin: PluginInfo) -> str:
    return plugin.module.partition("[")[0].partition(":")[0].strip()


def _dependencies(distribution: importlib.metadata.Distribution) -> Iterator[tuple[str, str]]:
    """Follow what a distribution needs, and what that needs, as far as it is installed."""
    start: str = canonicalize_name(distribution.name)
    waiting = [(start, "")]
    seen = {(start, ""), (ETLKIT, "")}
    versions: dict[str, str] = {}
    while waiting:
        name, extra = waiting.pop()
        try:
            found = importlib.metadata.distribution(name)
        except importlib.metadata.PackageNotFoundError:
            continue  # pip tells that it is missing; here it has no version
        if name not in (start, ETLKIT):
            versions[name] = str(found.version)
        for needed in _needed(found.requires or (), extra):
            if needed not in seen:
                seen.add(needed)
                waiting.append(needed)
    yield from versions.items()


def _needed(requirements: Iterable[str], extra: str) -> Iterator[tuple[str, str]]:
    for text in requirements:
        try:
            requirement = Requirement(text)
        except InvalidRequirement:
            continue  # an old distribution's own spelling
        marker = requirement.marker
        applies = marker is None or marker.evaluate({"extra": extra})
        # An extra adds to what is needed without it, which is followed on its own.
        if not applies or (extra and (marker is None or marker.evaluate({"extra": ""}))):
            continue
        name = canonicalize_name(requirement.name)
        yield name, ""
        yield from ((name, canonicalize_name(each)) for each in requirement.extras)
