"""Putting loaded plugins together: what each hook was given, in which order, and what is wrong."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Any

import attrs
import pluggy

from etlkit.errors import EtlkitError
from etlkit.plugin_conflicts import conflicting_items, conflicting_names, kind_of, unknown
from etlkit.plugin_loading import REGISTRATIONS, Loaded, load
from etlkit.plugin_options import NO_OPTIONS, GivenOptions, Options, without_plugin
from etlkit.providers import Candidate, PluginInfo, Provided, Status


@attrs.frozen(kw_only=True)
class Observer:
    """A plugin's function that is told what happened."""

    hook: str
    """The hook it implements."""
    plugin: PluginInfo
    """Who provides it."""
    implementation: pluggy.HookImpl
    """The function, as pluggy registered it."""


@attrs.frozen(kw_only=True)
class Assembly:
    """What all plugins of a deployment provide together."""

    plugins: tuple[PluginInfo, ...]
    """Every plugin that is announced, active or not, by name."""
    provided: Mapping[str, tuple[Provided[Any], ...]]
    """Per registration hook what active plugins yielded: as configured, then by name."""
    observers: tuple[Observer, ...]
    """By the name of their plugin."""
    problems: tuple[EtlkitError, ...]
    """All that is wrong."""

    def by_name(self, hook: str) -> Mapping[str, Provided[Any]]:
        """Give what one hook was given.

        Args:
            hook: a registration hook.

        Returns:
            By name, in the order of `provided`; it cannot be changed.
        """
        return MappingProxyType({each.item.name: each for each in self.provided[hook]})


def assembled(
    candidates: Sequence[Candidate],
    disable: Sequence[str],
    orders: Mapping[str, Sequence[str]],
    options: Options = NO_OPTIONS,
) -> Assembly:
    """Load plugins and put together what they provide.

    Args:
        candidates: the plugins.
        disable: names of plugins that must not even be imported.
        orders: per hook that has an order in `plugins.order`, the names to ask first.
        options: by a plugin's name its options.

    Returns:
        What they provide, and all that is wrong.
    """
    names = {candidate.info.name for candidate in candidates}
    stray: list[EtlkitError] = [
        unknown("plugins.disable", "plugin", name, names) for name in disable if name not in names
    ]
    stray.extend(without_plugin(options, names, disable))
    candidates = [_with_options(each, options) for each in candidates]
    wrong: dict[int, list[EtlkitError]] = defaultdict(list)
    twins = conflicting_names(
        [None if candidate.info.name in disable else candidate.info for candidate in candidates]
    )
    loaded: list[Loaded] = []
    for number, candidate in enumerate(candidates):
        if candidate.info.name in disable:
            loaded.append(Loaded(info=attrs.evolve(candidate.info, status="disabled")))
        elif number in twins:
            loaded.append(Loaded(info=candidate.info))
            wrong[number].append(twins[number])
        else:
            loaded.append(load(candidate))
            wrong[number].extend(loaded[-1].problems)
    for hook in REGISTRATIONS:
        for conflict, numbers in conflicting_items(hook, loaded):
            for number in numbers:
                wrong[number].append(conflict)
    infos = [_judged(each, wrong[number]) for number, each in enumerate(loaded)]
    problems: list[EtlkitError] = list(dict.fromkeys(problem for each in wrong.values() for problem in each))
    provided = {hook: _provided(hook, loaded, infos, orders.get(hook, ())) for hook in REGISTRATIONS}
    if not problems:
        # What a broken plugin would have provided is not known, so nothing can be called unknown then.
        for hook, order in orders.items():
            present = {each.item.name for each in provided[hook]}
            key = f"plugins.order.{hook.removeprefix('etlkit_')}"
            stray.extend(unknown(key, kind_of(hook), name, present) for name in order if name not in present)
    return Assembly(
        plugins=tuple(sorted(infos, key=lambda info: (info.name, info.distribution))),
        provided=provided,
        observers=_observing(loaded, infos),
        problems=(*problems, *stray),
    )


def _with_options(candidate: Candidate, options: Options) -> Candidate:
    given = GivenOptions(options.get(candidate.info.name, {}))
    return attrs.evolve(candidate, info=attrs.evolve(candidate.info, options=given))


def _judged(loaded: Loaded, problems: Sequence[EtlkitError]) -> PluginInfo:
    provides = {hook: tuple(item.name for item in items) for hook, items in loaded.items.items()}
    provides.update((hook, ()) for hook in loaded.observers)
    if not problems:
        return attrs.evolve(loaded.info, provides=provides)
    status: Status = "broken"
    error = "\n".join(problem.message for problem in problems)
    return attrs.evolve(loaded.info, provides=provides, status=status, error=error)


def _provided(
    hook: str, loaded: Sequence[Loaded], infos: Sequence[PluginInfo], order: Sequence[str]
) -> tuple[Provided[Any], ...]:
    provided = [
        Provided(item=item, plugin=info)
        for each, info in zip(loaded, infos, strict=True)
        if info.status == "active"
        for item in each.items.get(hook, ())
    ]
    return _ordered(provided, order)


def _observing(loaded: Sequence[Loaded], infos: Sequence[PluginInfo]) -> tuple[Observer, ...]:
    observers = [
        Observer(hook=hook, plugin=info, implementation=implementation)
        for each, info in zip(loaded, infos, strict=True)
        if info.status == "active"
        for hook, implementation in each.observers.items()
    ]
    return tuple(sorted(observers, key=lambda observer: observer.plugin.name))


def _ordered(provided: Iterable[Provided[Any]], order: Sequence[str]) -> tuple[Provided[Any], ...]:
    places = {name: place for place, name in reversed(list(enumerate(order)))}
    return tuple(sorted(provided, key=lambda each: (places.get(each.item.name, len(order)), each.item.name)))
