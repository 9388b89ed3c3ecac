"""The registry: every plugin of the deployment, what each provides, and who provided what."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping, Sequence
from types import ModuleType
from typing import TypeVar

import attrs

from etlkit.contracts import Classifier, Conversion, Exclusion, Executor, Habit, RelationshipRule, Strategy
from etlkit.errors import ConfigurationError, EtlkitError, PluginConflict, RegistrationFailed
from etlkit.events import RunFinished, RunStarting, TableFinished
from etlkit.plugin_assembly import Observer, assembled
from etlkit.plugin_loading import OBSERVERS, call
from etlkit.plugin_options import NO_OPTIONS, Options
from etlkit.providers import Candidate, EntryPoints, PluginInfo, Provided, announced, given, told
from etlkit.suggestions import suggestion

__all__ = ["PluginInfo", "Provided", "Registry"]

Item = TypeVar("Item", Strategy, Classifier, Conversion, RelationshipRule, Exclusion, Habit, Executor)

logger = logging.getLogger(__name__)


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
    habits: tuple[Provided[Habit], ...] = ()
    """In the order of their names; to each question the first answer holds."""
    executors: Mapping[str, Provided[Executor]] = attrs.field(factory=dict)
    """By name, in the order of the names."""
    problems: tuple[EtlkitError, ...] = ()
    """All that is wrong; empty in a registry that `load` returned."""
    _observers: tuple[Observer, ...] = attrs.field(default=(), repr=False)

    @classmethod
    def load(
        cls,
        *,
        disable: Iterable[str] = (),
        order_classifiers: Sequence[str] = (),
        order_conversions: Sequence[str] = (),
        options: Options = NO_OPTIONS,
        entry_points: EntryPoints | None = None,
    ) -> Registry:
        """Load every plugin that an installed distribution announces, or none.

        Args:
            disable: names of plugins that must not even be imported.
            order_classifiers: names of the classifiers to ask first.
            order_conversions: names of the conversions to ask first.
            options: by a plugin's name its options.
            entry_points: entry points to use instead of those of the installed distributions.

        Returns:
            A registry without problems.

        Raises:
            PluginConflict: two plugins provide the same name, and nothing else is wrong.
            ConfigurationError: `disable`, an order or `options` names what is not there, and nothing else is wrong.
            RegistrationFailed: one or several plugins cannot be used; the message holds every problem, one a line.
        """
        return cls.inspect(
            disable=disable,
            order_classifiers=order_classifiers,
            order_conversions=order_conversions,
            options=options,
            entry_points=entry_points,
        ).checked()

    @classmethod
    def of(
        cls,
        *modules: ModuleType,
        order_classifiers: Sequence[str] = (),
        order_conversions: Sequence[str] = (),
        options: Options = NO_OPTIONS,
    ) -> Registry:
        """Make a registry of some modules, without looking for installed distributions.

        Args:
            *modules: plugin modules.
            order_classifiers: names of the classifiers to ask first.
            order_conversions: names of the conversions to ask first.
            options: by the last part of a module's name its options.

        Returns:
            A registry without problems.

        Raises:
            EtlkitError: as `load`.
        """
        return cls._assembled(given(modules), (), order_classifiers, order_conversions, options).checked()

    @classmethod
    def inspect(
        cls,
        *,
        disable: Iterable[str] = (),
        order_classifiers: Sequence[str] = (),
        order_conversions: Sequence[str] = (),
        options: Options = NO_OPTIONS,
        entry_points: EntryPoints | None = None,
    ) -> Registry:
        """Load every plugin that can be loaded, and say what is wrong with the others.

        Only for showing plugins: a run with part of its plugins would write other data.

        Args:
            disable: as for `load`.
            order_classifiers: as for `load`.
            order_conversions: as for `load`.
            options: as for `load`.
            entry_points: as for `load`.

        Returns:
            A registry whose `problems` and `PluginInfo.error` hold what `load` would raise.
        """
        candidates = announced(entry_points)
        return cls._assembled(candidates, tuple(disable), order_classifiers, order_conversions, options)

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
            options = observer.plugin.options
            try:
                call(observer.implementation, event=event, options=options.reveal())
            except (Exception, SystemExit) as failure:
                logger.error(  # noqa: TRY400 - the traceback is for those who ask for details
                    "plugin %s, hook `%s`: %s; the run goes on without it",
                    observer.plugin.origin,
                    hook,
                    told(failure, options),
                )
                trace = options.cause(failure)
                logger.debug("plugin %s, hook `%s`", observer.plugin.origin, hook, exc_info=trace)

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

    @classmethod
    def _assembled(
        cls,
        candidates: Sequence[Candidate],
        disable: Sequence[str],
        order_classifiers: Sequence[str],
        order_conversions: Sequence[str],
        options: Options,
    ) -> Registry:
        orders = {"etlkit_classifiers": order_classifiers, "etlkit_conversions": order_conversions}
        assembly = assembled(candidates, disable, orders, options)
        provided = assembly.provided
        return cls(
            plugins=assembly.plugins,
            strategies=assembly.by_name("etlkit_strategies"),
            classifiers=provided["etlkit_classifiers"],
            conversions=provided["etlkit_conversions"],
            relationships=provided["etlkit_relationships"],
            exclusions=provided["etlkit_exclusions"],
            habits=provided["etlkit_habits"],
            executors=assembly.by_name("etlkit_executors"),
            problems=assembly.problems,
            observers=assembly.observers,
        )

    def _find(self, kind: str, name: str, provided: Mapping[str, Provided[Item]]) -> Provided[Item]:
        try:
            return provided[name]
        except KeyError:
            article = "an" if kind[0] in "aeiou" else "a"
            raise ConfigurationError(
                f"no plugin provides {article} {kind} `{name}`; {self.hint(name, provided)}"
            ) from None
