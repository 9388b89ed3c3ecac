"""What differs between a lock and what is there, each difference in one line of words."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence

import attrs
from packaging.utils import canonicalize_name

from etlkit.installed import Installed, InstalledDistribution
from etlkit.lock import LockedDistribution, LockedFile, LockedPlugin, PluginLock, chains, in_order, provided
from etlkit.providers import PluginInfo
from etlkit.registry import Registry
from etlkit.wording import names

_DIGITS = 12
_NOTHING = "nothing"
_EDITABLE = "an editable installation"


@attrs.frozen(kw_only=True)
class Difference:
    """One thing that is not as it was locked."""

    subject: str
    """What it is, such as a plugin or a distribution."""
    locked: str
    """What is locked, in words."""
    there: str
    """What is there instead, in words."""
    plugin: str = ""
    """The plugin's name, when it is about one."""
    distribution: str = ""
    """The distribution's normalised name, when it is about one."""
    by: str = "locked is"
    """Who says what should be there."""

    @property
    def line(self) -> str:
        """All of it."""
        return f"{self.subject}: {self.by} {self.locked}, there is {self.there}"


def differences_before_import(
    lock: PluginLock,
    installed: Installed,
    *,
    pylock: LockedFile | None,
    disable: Collection[str],
    orders: Mapping[str, Sequence[str]],
) -> tuple[Difference, ...]:
    """Compare all that can be told without importing a plugin.

    Args:
        lock: what is locked.
        installed: what is installed.
        pylock: the deployment's list of packages, where there is one.
        disable: names of the plugins that are disabled.
        orders: per chain, such as `classifiers`, the names that are asked first.

    Returns:
        Everything that differs.
    """
    return (
        *_python(lock, installed),
        *_pylock(lock, pylock),
        *_distributions(lock, installed),
        *_plugins(lock, installed, disable),
        *_dependencies(lock, installed),
        *_orders(
            lock.order, {name: in_order(lock.order.get(name, ()), first) for name, first in orders.items()}
        ),
    )


def differences_after_import(lock: PluginLock, registry: Registry) -> tuple[Difference, ...]:
    """Compare what the plugins provide, once nothing else differs.

    Args:
        lock: what is locked.
        registry: the plugins, loaded and without problems.

    Returns:
        Everything that differs.
    """
    found = []
    for plugin in registry.plugins:
        locked, there = dict(lock.plugins[plugin.name].provides), provided(plugin)
        if locked != there:
            found.append(_of_plugin(plugin.name, _hooks(locked), _hooks(there)))
    return tuple(found) or tuple(_orders(lock.order, chains(registry)))


def editable(installed: Installed) -> tuple[Difference, ...]:
    """Find the distributions whose files nothing compares.

    Args:
        installed: what is installed.

    Returns:
        A difference for each: `--locked` asks for files that were installed.
    """
    return tuple(
        Difference(
            subject=name,
            by="--locked asks for",
            locked="an installed copy",
            there=_EDITABLE,
            distribution=name,
        )
        for name, each in installed.distributions.items()
        if each.files.kind == "editable"
    )


def unlockable(installed: Installed) -> tuple[str, ...]:
    """Find what a lock could not hold: it would differ at once, or nobody knows what was locked.

    Args:
        installed: what is installed.

    Returns:
        One line each.
    """
    lines = []
    for name, each in installed.distributions.items():
        files, of = each.files, f"{name} {each.version}"
        if files.kind == "unlisted":
            lines.append(f"{of}: no RECORD lists its files")
        lines.extend(f"{of}: `{path}` was changed since it was installed" for path in files.changed)
        lines.extend(f"{of}: `{path}` is gone" for path in files.gone)
        lines.extend(f"{of}: `{path}` was added since it was installed" for path in files.stray)
    lines.extend(
        f"plugin `{name}`: an import would take {path}" for name, path in installed.elsewhere.items()
    )
    return tuple(lines)


def _python(lock: PluginLock, installed: Installed) -> Iterator[Difference]:
    if lock.python != installed.python:
        yield Difference(subject="Python", locked=lock.python, there=installed.python)


def _pylock(lock: PluginLock, there: LockedFile | None) -> Iterator[Difference]:
    if lock.pylock != there:
        yield Difference(
            subject=(lock.pylock or there or LockedFile(file="", sha256="")).file,
            locked=_content(lock.pylock.sha256) if lock.pylock else "no such file",
            there=_content(there.sha256) if there else "no such file",
        )


def _distributions(lock: PluginLock, installed: Installed) -> Iterator[Difference]:
    for name, locked in lock.all_distributions().items():
        there = installed.distributions.get(name)
        if there is None:
            continue  # each of its plugins is missing, and told
        if locked.version != there.version:
            yield Difference(
                subject=name,
                locked=f"version {locked.version}",
                there=f"version {there.version}",
                distribution=name,
            )
        if (locked.editable, locked.sha256) != (there.files.kind == "editable", there.files.digest):
            yield Difference(
                subject=name, locked=_locked_files(locked), there=_files(there), distribution=name
            )
        for path in there.files.stray:
            yield Difference(
                subject=f"{name}, `{path}`",
                locked="no such file",
                there="one that was added since the installation",
                distribution=name,
            )


def _plugins(lock: PluginLock, installed: Installed, disable: Collection[str]) -> Iterator[Difference]:
    by_name: defaultdict[str, list[PluginInfo]] = defaultdict(list)
    for each in installed.plugins:
        by_name[each.name].append(each)
    for name in sorted({*lock.plugins, *by_name}):
        locked, there = lock.plugins.get(name), by_name[name]
        if locked is None or len(there) != 1 or _origin(locked) != _origin(there[0]):
            yield _of_plugin(name, _locked_plugin(locked), _announced(there))
        elif locked.disabled != (name in disable):
            state = {True: "disabled", False: "active"}
            yield _of_plugin(
                name, f"a plugin that is {state[locked.disabled]}", f"one that is {state[name in disable]}"
            )
        elif name in installed.elsewhere:
            yield _of_plugin(
                name,
                f"a file of {locked.distribution}",
                f"{installed.elsewhere[name]}, which would be imported",
            )


def _dependencies(lock: PluginLock, installed: Installed) -> Iterator[Difference]:
    found: defaultdict[tuple[str, str, str], list[str]] = defaultdict(list)
    for name, locked in lock.all_distributions().items():
        if name not in installed.distributions:
            continue
        there = installed.distributions[name].dependencies
        for needed in sorted({*locked.dependencies, *there}):
            versions = locked.dependencies.get(needed), there.get(needed)
            if versions[0] != versions[1]:
                words = (f"version {each}" if each else _NOTHING for each in versions)
                found[needed, *words].append(name)  # type: ignore[index]
    for (needed, locked_words, there_words), by in sorted(found.items()):
        yield Difference(
            subject=f"{needed}, which {' and '.join(by)} {'needs' if len(by) == 1 else 'need'}",
            locked=locked_words,
            there=there_words,
        )


def _orders(
    locked: Mapping[str, tuple[str, ...]], there: Mapping[str, tuple[str, ...]]
) -> Iterator[Difference]:
    for chain, asked in there.items():
        if asked != locked.get(chain, ()):
            yield Difference(
                subject=f"order of {chain}",
                locked=", ".join(locked.get(chain, ())) or _NOTHING,
                there=", ".join(asked) or _NOTHING,
            )


def _of_plugin(name: str, locked: str, there: str) -> Difference:
    return Difference(subject=f"plugin `{name}`", locked=locked, there=there, plugin=name)


def _origin(plugin: LockedPlugin | PluginInfo) -> tuple[str, str]:
    value = plugin.object if isinstance(plugin, LockedPlugin) else plugin.module
    return canonicalize_name(plugin.distribution), value


def _locked_plugin(plugin: LockedPlugin | None) -> str:
    return f"`{plugin.object}` of {plugin.distribution} {plugin.version}" if plugin else _NOTHING


def _announced(plugins: Sequence[PluginInfo]) -> str:
    said = [f"`{each.module}` of {canonicalize_name(each.distribution)} {each.version}" for each in plugins]
    if len(said) > 1:
        return f"the same name twice: {' and '.join(said)}"
    return said[0] if said else _NOTHING


def _locked_files(distribution: LockedDistribution) -> str:
    if distribution.editable:
        return _EDITABLE
    return _content(distribution.sha256 or "")


def _files(distribution: InstalledDistribution) -> str:
    files = distribution.files
    if files.kind == "editable":
        return _EDITABLE
    if files.digest is None:
        return "an installation without a list of its files (RECORD)"
    since = [
        f"since the installation {word} {names(paths)}"
        for word, paths in (("changed:", files.changed), ("gone:", files.gone))
        if paths
    ]
    return _content(files.digest) + (f" ({'; '.join(since)})" if since else "")


def _content(sha256: str) -> str:
    return f"content {sha256[:_DIGITS]}"


def _hooks(provides: Mapping[str, Sequence[str]]) -> str:
    said = [f"{hook} {', '.join(each)}" if each else hook for hook, each in sorted(provides.items())]
    return "; ".join(said) or _NOTHING
