"""The plugin lock of a deployment: which plugins its runs use, kept beside its `etlkit.yml`."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import attrs
import yaml
from packaging.utils import canonicalize_name

from etlkit.config.problems import ProblemsFound, problem, report
from etlkit.config.structure import structure
from etlkit.config.types import frozen_mapping
from etlkit.config.yaml_reader import Scalar, read_yaml
from etlkit.errors import ConfigurationError
from etlkit.installed import ETLKIT, Installed, InstalledDistribution
from etlkit.providers import PluginInfo
from etlkit.registry import Registry

LOCK_FILE = "plugins.lock.yml"
"""The file's name in a deployment's folder."""

VERSION = 1
"""The form of the file."""

_HEAD = """\
# The plugins that the runs of this deployment use. Written by `etlkit plugins lock`; every run compares it with what
# is installed. Keep it under version control, and change it by that command only.
"""
_PREFIX = "etlkit_"


def _lists(given: Mapping[str, Sequence[str]]) -> Mapping[str, tuple[str, ...]]:
    return frozen_mapping({name: tuple(each) for name, each in given.items()})


@attrs.frozen(kw_only=True)
class LockedPlugin:
    """One plugin as it was locked."""

    distribution: str
    """The normalised name of the distribution that announces it."""
    version: str
    """The distribution's version."""
    object: str
    """What its entry point names."""
    disabled: bool = False
    """Whether the deployment disables it; it is not imported then, and what it provides is not known."""
    provides: Mapping[str, tuple[str, ...]] = attrs.field(factory=dict, converter=_lists)
    """Per hook, without the prefix, the names it provides; an observer's hook provides none."""


@attrs.frozen(kw_only=True)
class LockedDistribution:
    """One distribution as it was locked."""

    version: str
    """Its version."""
    sha256: str | None = None
    """The digest of its files; None when it is editable."""
    editable: bool = False
    """Whether its files are a developer's, which nothing compares."""
    dependencies: Mapping[str, str] = attrs.field(factory=dict, converter=frozen_mapping)
    """The versions of what it needs, directly or not, by normalised name."""


@attrs.frozen(kw_only=True)
class LockedFile:
    """A file beside the lock, as it was."""

    file: str
    """Its name."""
    sha256: str
    """Its digest."""


@attrs.frozen(kw_only=True)
class PluginLock:
    """What the file says."""

    lock_version: int = VERSION
    """The form of the file."""
    python: str
    """The version of Python, such as `3.11`."""
    etlkit: LockedDistribution
    """etlkit itself, which the built-in plugins come with."""
    pylock: LockedFile | None = None
    """The list of packages to install, where there is one for this deployment."""
    order: Mapping[str, tuple[str, ...]] = attrs.field(factory=dict, converter=_lists)
    """Per chain, the names in the order in which they are asked."""
    plugins: Mapping[str, LockedPlugin] = attrs.field(factory=dict, converter=frozen_mapping)
    """By name."""
    distributions: Mapping[str, LockedDistribution] = attrs.field(factory=dict, converter=frozen_mapping)
    """By normalised name, those beside etlkit itself that announce plugins."""

    @classmethod
    def of(cls, installed: Installed, registry: Registry, pylock: LockedFile | None) -> PluginLock:
        """Lock what is there.

        Args:
            installed: what is installed.
            registry: the same, loaded and without problems.
            pylock: the list of packages, where there is one.

        Returns:
            The lock.
        """
        distributions = {name: _locked(each) for name, each in installed.distributions.items()}
        return cls(
            python=installed.python,
            etlkit=distributions.pop(ETLKIT),
            pylock=pylock,
            order=chains(registry),
            plugins={each.name: _plugin(each) for each in registry.plugins},
            distributions=distributions,
        )

    def all_distributions(self) -> dict[str, LockedDistribution]:
        """Give every distribution that is locked, etlkit itself first."""
        return {ETLKIT: self.etlkit, **self.distributions}

    def text(self) -> str:
        """Give the file's content: the same for the same lock, on every machine."""
        body = yaml.safe_dump(_plain(self), sort_keys=False, allow_unicode=True, width=1000)
        return _HEAD + body


def read_lock(path: Path) -> tuple[PluginLock, str]:
    """Read a lock.

    Args:
        path: the file, which is there.

    Returns:
        The lock, and the sha256 of the file.

    Raises:
        ConfigurationError: it cannot be read, or cannot be meant.
    """
    try:
        root = read_yaml(path)
        version = root.entries.get("lock_version")
        if isinstance(version, Scalar) and version.text.isdigit() and int(version.text) > VERSION:
            text = f"was written by a newer etlkit (`lock_version` {version.text}); install that version"
            raise problem(version.line, text)
        return structure(root, PluginLock, path.parent), file_digest(path)
    except ProblemsFound as found:
        error = report(path, found.problems)
    except ConfigurationError as failure:
        error = failure
    raise ConfigurationError(
        f"{error.message}; mend it, or take it away and write it by `etlkit plugins lock`"
    )


def file_digest(path: Path) -> str:
    """Give the sha256 of a file.

    Args:
        path: the file.

    Returns:
        64 hexadecimal digits.
    """
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def chains(registry: Registry) -> dict[str, tuple[str, ...]]:
    """Tell in which order a registry asks.

    Args:
        registry: the plugins.

    Returns:
        Per chain of the registry, such as `classifiers`, the names in its order.
    """
    return {
        field.name: tuple(each.item.name for each in getattr(registry, field.name))
        for field in attrs.fields(Registry)
        if str(field.type).startswith("tuple[Provided[")
    }


def provided(plugin: PluginInfo) -> dict[str, tuple[str, ...]]:
    """Tell what a plugin provides, as a lock says it.

    Args:
        plugin: as it was loaded.

    Returns:
        Names by hook, in the order of the hooks.
    """
    return {
        hook.removeprefix(_PREFIX): tuple(sorted(names)) for hook, names in sorted(plugin.provides.items())
    }


def in_order(names: Iterable[str], first: Sequence[str]) -> tuple[str, ...]:
    """Put names into the order in which a registry asks.

    Args:
        names: of a chain.
        first: those that the configuration puts first.

    Returns:
        Those of `first` in their order, then the others by name.
    """
    places = {name: place for place, name in reversed(list(enumerate(first)))}
    return tuple(sorted(names, key=lambda name: (places.get(name, len(first)), name)))


def _plugin(plugin: PluginInfo) -> LockedPlugin:
    return LockedPlugin(
        distribution=canonicalize_name(plugin.distribution),
        version=plugin.version,
        object=plugin.module,
        disabled=plugin.status == "disabled",
        provides=provided(plugin),
    )


def _locked(distribution: InstalledDistribution) -> LockedDistribution:
    return LockedDistribution(
        version=distribution.version,
        sha256=distribution.files.digest,
        editable=distribution.files.kind == "editable",
        dependencies=distribution.dependencies,
    )


def _plain(value: Any) -> Any:
    if attrs.has(type(value)):
        given = {field.name: getattr(value, field.name) for field in attrs.fields(type(value))}
        # What is not there is left out.
        shown = {
            name: each for name, each in given.items() if each is not None and (each or name != "editable")
        }
        return {name: _plain(each) for name, each in shown.items()}
    if isinstance(value, Mapping):
        return {name: _plain(each) for name, each in value.items()}
    if isinstance(value, tuple):
        return list(value)
    return value
