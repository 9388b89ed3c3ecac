"""What is wrong between plugins that are fine alone: names provided twice, and names that nobody provides."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence

from etlkit.config.structure import quoted
from etlkit.errors import ConfigurationError, PluginConflict
from etlkit.plugin_loading import OPTIONS, Loaded
from etlkit.providers import PluginInfo
from etlkit.suggestions import suggestion

_KINDS = {
    "etlkit_options": "option",
    "etlkit_strategies": "strategy",
    "etlkit_classifiers": "classifier",
    "etlkit_conversions": "conversion",
    "etlkit_relationships": "relationship rule",
    "etlkit_exclusions": "exclusion",
    "etlkit_habits": "habit",
    "etlkit_executors": "executor",
}


def conflicting_names(plugins: Sequence[PluginInfo | None]) -> dict[int, PluginConflict]:
    """Find plugins that share a name; pluggy would drop all but the first without a word.

    Args:
        plugins: the plugins; None in the place of one that is disabled.

    Returns:
        Per place in `plugins` the conflict it has a part in.
    """
    by_name: dict[str, list[int]] = defaultdict(list)
    for number, info in enumerate(plugins):
        if info is not None:
            by_name[info.name].append(number)
    conflicts: dict[int, PluginConflict] = {}
    for name, numbers in by_name.items():
        if len(numbers) > 1:
            infos = [info for number in numbers if (info := plugins[number]) is not None]
            by = " and by ".join(f"{info.source} (`{info.module}`)" for info in infos)
            conflict = PluginConflict(
                f"plugin `{name}` is provided more than once: by {by}; uninstall one of them, "
                f"or name `{name}` under `plugins.disable` in etlkit.yml, which disables all of them"
            )
            conflicts.update(dict.fromkeys(numbers, conflict))
    return conflicts


def conflicting_items(hook: str, loaded: Sequence[Loaded]) -> list[tuple[PluginConflict, list[int]]]:
    """Find names that a hook was given more than once.

    Args:
        hook: a registration hook.
        loaded: what the plugins provide.

    Returns:
        The conflicts by name, each with the places in `loaded` that have a part in it.
    """
    providers: dict[tuple[str, int], list[int]] = defaultdict(list)
    for number, each in enumerate(loaded):
        for item in each.items.get(hook, ()):
            # An option belongs to its plugin; others may have one of the same name.
            providers[item.name, number if hook == OPTIONS else -1].append(number)
    conflicts = []
    for (name, _), numbers in sorted(providers.items()):
        if len(numbers) > 1:
            infos = [loaded[number].info for number in numbers]
            by = " and by ".join(f"plugin {info.origin}" for info in infos)
            either = " or ".join(dict.fromkeys(f"`{info.name}`" for info in infos))
            conflict = PluginConflict(
                f"{_KINDS[hook]} `{name}` is provided more than once, in hook `{hook}`: by {by}; "
                f"uninstall one of them, or name {either} under `plugins.disable` in etlkit.yml"
            )
            conflicts.append((conflict, list(dict.fromkeys(numbers))))
    return conflicts


def kind_of(hook: str) -> str:
    """Name what a hook is given.

    Args:
        hook: a registration hook.

    Returns:
        A word or two, such as `relationship rule`.
    """
    return _KINDS[hook]


def unknown(key: str, kind: str, name: str, known: Iterable[str]) -> ConfigurationError:
    """Word that a setting names something which no plugin provides.

    Args:
        key: the setting, such as `plugins.disable`.
        kind: what it names, such as `plugin`.
        name: the name it gives.
        known: the names it could give.

    Returns:
        The error.
    """
    return ConfigurationError(
        f"`{key}` in etlkit.yml names {quoted(name)}, but no such {kind} is there; {suggestion(name, known)}"
    )
