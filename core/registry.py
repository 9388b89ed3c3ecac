"""The registry: every plugin of the deployment, what each provides, and who provided what."""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType, ModuleType
from typing import Any, TypeVar

import attrs
import pluggy

from etlkit.contracts import Classifier, Conversion, Exclusion, Executor, RelationshipRule, Strategy
from etlkit.errors import ConfigurationError, EtlkitError, PluginConflict, RegistrationFailed
from etlkit.events import RunFinished, RunStarting, TableFinished
from etlkit.plugin_conflicts import conflicting_items, conflicting_names, unknown
from etlkit.plugin_loading import OBSERVERS, REGISTRATIONS, Loaded, call, load
from etlkit.providers import Candidate, EntryPoints, PluginInfo, Provided, Status, announced, given, told
from etlkit.suggestions import suggestion

__all__ = ["PluginInfo", "Provided", "Registry"]

Item = TypeVar("Item", Strategy, Classifier, Conversion, RelationshipRule, Exclusion, Executor)

logger = logging.getLogger(__name__)


@attrs.frozen(kw_only=True)
class _Observer:
    hook: str
    plugin: PluginInfo
    implementation: pluggy.HookImpl


@attrs.frozen(kw_only=True, eq=False)
class Registry:
    """The plugins of one deployment, loaded and checked. It does not change after it was made."""

    plugins: tuple[PluginInfo, ...] = ()
    """Every plugin that is announced, active or not, by name."""
    strategies: Mapping[str, Provided[Strategy]] = attrs.field(factory=dict)
    """By name, in the order of the names."""
    classifiers: tuple[Provided[Classifier], ...] = ()
    """In the order to ask: as configured, then by name."""
    conversions: tuple[Provided[Conversion], ...] = ()
    """In the order to ask: as configured, then by name."""
    relationships: tuple[Provided[RelationshipRule], ...] = ()
    """In the order of their names; all are asked."""
    exclusions: tuple[Provided[Exclusion], ...] = ()
    """In the order of their names; all are asked."""
    executors: Mapping[str, Provided[Executor]] = attrs.field(factory=dict)
    """By name, in the order of the names."""
    problems: tuple[EtlkitError, ...] = ()
    """All that is wrong; empty in a registry that `load` returned."""
    _observers: tuple[_Observer, ...] = attrs.field(default=(), repr=False)

    @classmethod
    def load(
        cls,
        *,
        disable: Iterable[str] = (),
        order_classifiers: Sequence[str] = (),
        order_conversions: Sequence[str] = (),
        entry_points: EntryPoints | None = None,
    ) -> Registry:
        """Load every plugin that an installed distribution announces, or none.

        Args:
            disable: names of plugins that must not even be imported.
            order_classifiers: names of the classifiers to ask first.
            order_conversions: names of the conversions to ask first.
            entry_points: entry points to use instead of those of the installed distributions.

        Returns:
            A registry without problems.

        Raises:
            PluginConflict: two plugins provide the same name, and nothing else is wrong.
            ConfigurationError: `disable` or an order names what is not there, and nothing else is wrong.
            RegistrationFailed: one or several plugins cannot be used; the message holds every problem, one a line.
        """
        return cls.inspect(
            disable=disable,
            order_classifiers=order_classifiers,
            order_conversions=order_conversions,
            entry_points=entry_points,
        ).checked()

    @classmethod
    def of(
        cls,
        *modules: ModuleType,
        order_classifiers: Sequence[str] = (),
        order_conversions: Sequence[str] = (),
    ) -> Registry:
        """Make a registry of some modules, without looking for installed distributions.

        Args:
            *modules: plugin modules.
            order_classifiers: names of the classifiers to ask first.
            order_conversions: names of the conversions to ask first.

        Returns:
            A registry without problems.

        Raises:
            EtlkitError: as `load`.
        """
        return _assembled(given(modules), (), order_classifiers, order_conversions).checked()

    @classmethod
    def inspect(
        cls,
        *,
        disable: Iterable[str] = (),
        order_classifiers: Sequence[str] = (),
        order_conversions: Sequence[str] = (),
        entry_points: EntryPoints | None = None,
    ) -> Registry:
        """Load every plugin that can be loaded, and say what is wrong with the others.

        Only for showing plugins: a run with part of its plugins would write other data.

        Args:
            disable: as for `load`.
            order_classifiers: as for `load`.
            order_conversions: as for `load`.
            entry_points: as for `load`.

        Returns:
            A registry whose `problems` and `PluginInfo.error` hold what `load` would raise.
        """
        return _assembled(announced(entry_points), tuple(disable), order_classifiers, order_conversions)

    def checked(self) -> Registry:
        """Make sure that nothing is wrong.

        Returns:
            This registry.

        Raises:
            EtlkitError: as `load`.
        """
        problems = self.problems
        if not problems:
            return self
        if len(problems) == 1:
            raise problems[0]
        kind: type[EtlkitError] = RegistrationFailed
        for each in (ConfigurationError, PluginConflict):
            if all(isinstance(problem, each) for problem in problems):
                kind = each
        every = "\n".join(problem.message for problem in problems)
        raise kind(every) from ExceptionGroup("problems of plugins", list(problems))

    def strategy(self, name: str) -> Provided[Strategy]:
        """Find a strategy by its name.

        Args:
            name: the name used in `tables.yml` and `etlkit.yml`.

        Returns:
            The strategy and its plugin.

        Raises:
            ConfigurationError: no active plugin provides it.
        """
        return self._find("strategy", name, self.strategies)

    def conversion(self, name: str) -> Provided[Conversion]:
        """Find a conversion by its name.

        Args:
            name: the name used in `column_overrides`.

        Returns:
            The conversion and its plugin.

        Raises:
            ConfigurationError: no active plugin provides it.
        """
        return self._find("conversion", name, {each.item.name: each for each in self.conversions})

    def executor(self, name: str) -> Provided[Executor]:
        """Find an executor by its name; `etlkit.executing.outcomes` runs it.

        Args:
            name: the name used in `run.executor`.

        Returns:
            The executor and its plugin.

        Raises:
            ConfigurationError: no active plugin provides it.
        """
        return self._find("executor", name, self.executors)

    def notify(self, event: RunStarting | TableFinished | RunFinished) -> None:
        """Tell every observer what happened; an observer's failure is logged and stops nothing.

        Args:
            event: what happened; its class chooses the hook.
        """
        hook = OBSERVERS[type(event)]
        for observer in self._observers:
            if observer.hook != hook:
                continue
            try:
                call(observer.implementation, event=event)
            except (Exception, SystemExit) as failure:
                logger.error(  # noqa: TRY400 - the traceback is for those who ask for details
                    "plugin %s, hook `%s`: %s; the run goes on without it",
                    observer.plugin.origin,
                    hook,
                    told(failure),
                )
                logger.debug("plugin %s, hook `%s`", observer.plugin.origin, hook, exc_info=failure)

    def hint(self, name: str, provided: Iterable[str]) -> str:
        """Word which name may have been meant by one that no active plugin provides.

        Args:
            name: what is there.
            provided: what could be there.

        Returns:
            A phrase for the end of a sentence.
        """
        disabled = [f"`{plugin.name}`" for plugin in self.plugins if plugin.status == "disabled"]
        also = f" (disabled plugins: {', '.join(disabled)})" if disabled else ""
        return f"{suggestion(name, provided)}{also}"

    def _find(self, kind: str, name: str, provided: Mapping[str, Provided[Item]]) -> Provided[Item]:
        try:
            return provided[name]
        except KeyError:
            article = "an" if kind[0] in "aeiou" else "a"
            raise ConfigurationError(
                f"no plugin provides {article} {kind} `{name}`; {self.hint(name, provided)}"
            ) from None


def _assembled(
    candidates: Sequence[Candidate],
    disable: Sequence[str],
    order_classifiers: Sequence[str],
    order_conversions: Sequence[str],
) -> Registry:
    names = {candidate.info.name for candidate in candidates}
    stray = [unknown("plugins.disable", "plugin", name, names) for name in disable if name not in names]
    wrong: dict[int, list[RegistrationFailed]] = defaultdict(list)
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
    provided = {hook: _provided(hook, loaded, infos) for hook in REGISTRATIONS}
    orders = [
        ("plugins.order.classifiers", "classifier", order_classifiers, provided["etlkit_classifiers"]),
        ("plugins.order.conversions", "conversion", order_conversions, provided["etlkit_conversions"]),
    ]
    if not problems:
        # What a broken plugin would have provided is not known, so nothing can be called unknown then.
        for key, kind, order, there in orders:
            present = {each.item.name for each in there}
            stray.extend(unknown(key, kind, name, present) for name in order if name not in present)
    return Registry(
        plugins=tuple(sorted(infos, key=lambda info: (info.name, info.distribution))),
        strategies=_by_name(provided["etlkit_strategies"]),
        classifiers=_ordered(provided["etlkit_classifiers"], order_classifiers),
        conversions=_ordered(provided["etlkit_conversions"], order_conversions),
        relationships=_ordered(provided["etlkit_relationships"], ()),
        exclusions=_ordered(provided["etlkit_exclusions"], ()),
        executors=_by_name(provided["etlkit_executors"]),
        problems=(*problems, *stray),
        observers=_observing(loaded, infos),
    )


def _judged(loaded: Loaded, problems: Sequence[RegistrationFailed]) -> PluginInfo:
    provides = {hook: tuple(item.name for item in items) for hook, items in loaded.items.items()}
    provides.update((hook, ()) for hook in loaded.observers)
    if not problems:
        return attrs.evolve(loaded.info, provides=provides)
    status: Status = "broken"
    error = "\n".join(problem.message for problem in problems)
    return attrs.evolve(loaded.info, provides=provides, status=status, error=error)


def _provided(hook: str, loaded: Sequence[Loaded], infos: Sequence[PluginInfo]) -> list[Provided[Any]]:
    return [
        Provided(item=item, plugin=info)
        for each, info in zip(loaded, infos, strict=True)
        if info.status == "active"
        for item in each.items.get(hook, ())
    ]


def _observing(loaded: Sequence[Loaded], infos: Sequence[PluginInfo]) -> tuple[_Observer, ...]:
    observers = [
        _Observer(hook=hook, plugin=info, implementation=implementation)
        for each, info in zip(loaded, infos, strict=True)
        if info.status == "active"
        for hook, implementation in each.observers.items()
    ]
    return tuple(sorted(observers, key=lambda observer: observer.plugin.name))


def _by_name(provided: Iterable[Provided[Item]]) -> Mapping[str, Provided[Item]]:
    return MappingProxyType({each.item.name: each for each in _ordered(provided, ())})


def _ordered(provided: Iterable[Provided[Item]], order: Sequence[str]) -> tuple[Provided[Item], ...]:
    places = {name: place for place, name in reversed(list(enumerate(order)))}
    return tuple(sorted(provided, key=lambda each: (places.get(each.item.name, len(order)), each.item.name)))
