"""Importing one plugin and calling its hooks, so that whatever goes wrong is told with its name."""

from __future__ import annotations

import inspect
from collections import defaultdict
from collections.abc import Iterable, Mapping
from types import FunctionType, MethodType, ModuleType
from typing import Any

import attrs
import pluggy

from etlkit import hookspecs
from etlkit.contracts import (
    Classifier,
    Conversion,
    Exclusion,
    Executor,
    Habit,
    Option,
    RelationshipRule,
    Strategy,
)
from etlkit.errors import EtlkitError, PluginConflict, RegistrationFailed
from etlkit.events import RunFinished, RunStarting, TableFinished
from etlkit.plugin_options import refused
from etlkit.providers import Candidate, PluginInfo, told
from etlkit.suggestions import suggestion

OPTIONS = "etlkit_options"
"""The hook by which a plugin names its options; it is called before the others."""

REGISTRATIONS: Mapping[str, type[Any]] = {
    OPTIONS: Option,
    "etlkit_strategies": Strategy,
    "etlkit_classifiers": Classifier,
    "etlkit_conversions": Conversion,
    "etlkit_relationships": RelationshipRule,
    "etlkit_exclusions": Exclusion,
    "etlkit_habits": Habit,
    "etlkit_executors": Executor,
}
"""Per registration hook, the class of what it yields."""

OBSERVERS: Mapping[type[Any], str] = {
    RunStarting: "etlkit_run_starting",
    TableFinished: "etlkit_table_finished",
    RunFinished: "etlkit_run_finished",
}
"""Per event, the hook that is told of it."""

_TEXTS = ("name", "summary")
_FUNCTIONS = (
    "accepts",
    "classify",
    "excludes",
    "fits",
    "habit",
    "matches",
    "plan",
    "problem",
    "relationships",
    "run",
    "source_sql",
    "target_type",
)


@attrs.frozen(kw_only=True)
class Loaded:
    """What loading one plugin brought, good and bad."""

    info: PluginInfo
    """The plugin, as it was announced."""
    items: Mapping[str, tuple[Any, ...]] = attrs.field(factory=dict)
    """Per registration hook, what it yielded."""
    observers: Mapping[str, pluggy.HookImpl] = attrs.field(factory=dict)
    """Per observer's hook, its implementation."""
    problems: tuple[EtlkitError, ...] = ()
    """All that is wrong; nothing of a plugin with problems may be used."""


class _Hooks(pluggy.PluginManager):
    """pluggy's manager; it looks closely at each name of a module, so what can be no hook is kept from it."""

    def parse_hookimpl_opts(self, plugin: Any, name: str) -> pluggy.HookimplOpts | None:
        return super().parse_hookimpl_opts(plugin, name) if _may_be_hook(plugin, name) else None

    def parse_hookspec_opts(self, module_or_class: Any, name: str) -> pluggy.HookspecOpts | None:
        return (
            super().parse_hookspec_opts(module_or_class, name)
            if _may_be_hook(module_or_class, name)
            else None
        )


def _may_be_hook(module: ModuleType, name: str) -> bool:
    return isinstance(vars(module).get(name), FunctionType | MethodType | staticmethod | classmethod)


def load(candidate: Candidate) -> Loaded:
    """Import a plugin and collect what it provides.

    Args:
        candidate: the plugin.

    Returns:
        What it provides, or its problems. Only an exception that is meant to end the program, such as
        `KeyboardInterrupt`, passes.
    """
    info = candidate.info
    try:
        module = candidate.load()
    except (Exception, SystemExit) as failure:  # noqa: BLE001 - becomes an error that names the plugin
        text = f"cannot be imported: {told(failure, info.options)}"
        return Loaded(info=info, problems=(_problem(info, text, info.options.cause(failure)),))
    if not isinstance(module, ModuleType):
        text = f"`{info.module}` is an object of class {_a(module)}, expected a module"
        return Loaded(info=info, problems=(_problem(info, text),))
    # A manager of its own: what a broken plugin leaves behind cannot touch another one.
    manager = _Hooks(hookspecs.PROJECT)
    manager.add_hookspecs(hookspecs)
    problems = _misunderstandings(manager, module, info)
    if not problems:
        try:
            manager.register(module, name=info.name)
            manager.check_pending()
        except pluggy.PluginValidationError as failure:
            problems = [_invalid(manager, info, failure)]
    if problems:
        return Loaded(info=info, problems=tuple(problems))
    items: dict[str, tuple[Any, ...]] = {}
    observers: dict[str, pluggy.HookImpl] = {}
    implementations = _implementations(manager)
    wrong = _options(implementations, info, items)
    if wrong:
        # What the other hooks would do with such options, nobody can have meant.
        return Loaded(info=info, items=items, problems=tuple(wrong))
    for hook, implementation in implementations:
        if hook not in REGISTRATIONS:
            observers[hook] = implementation
            continue
        try:
            items[hook] = items.get(hook) or _collected(hook, implementation, info)
        except RegistrationFailed as problem:
            problems.append(problem)
    return Loaded(info=info, items=items, observers=observers, problems=tuple(problems))


def call(implementation: pluggy.HookImpl, **arguments: object) -> object:
    """Call one implementation of a hook, with the arguments it asks for.

    Args:
        implementation: as pluggy registered it.
        **arguments: all arguments of the hook; hooks grow by arguments that older plugins do not take.

    Returns:
        Its answer.
    """
    return implementation.function(*(arguments[name] for name in implementation.argnames))


def _misunderstandings(
    manager: pluggy.PluginManager, module: ModuleType, info: PluginInfo
) -> list[RegistrationFailed]:
    """Find what pluggy would accept in silence and the plugin's author cannot have meant."""
    problems: list[RegistrationFailed] = []
    functions: defaultdict[str, list[str]] = defaultdict(list)
    for attribute, value in sorted(vars(module).items()):
        options = manager.parse_hookimpl_opts(module, attribute)
        if options is not None:
            hook = options.get("specname") or attribute
            functions[hook].append(attribute)
            if not hasattr(manager.hook, hook) and not options.get("optionalhook"):
                known = suggestion(hook, _known(manager), otherwise="hooks")
                problems.append(_problem(info, f"etlkit has no such hook; {known}", hook=hook))
            if any(options.get(each) for each in ("wrapper", "hookwrapper", "tryfirst", "trylast")):
                text = "wrappers, `tryfirst` and `trylast` are not supported; order is set by `plugins.order`"
                problems.append(_problem(info, text, hook=hook))
        elif attribute.startswith(f"{hookspecs.PROJECT}_") and inspect.isfunction(value):
            problems.append(_problem(info, "the function lacks the decorator `@hookimpl`", hook=attribute))
    for hook, names in functions.items():
        if len(names) > 1:
            text = f"is implemented more than once: by {' and by '.join(f'`{name}`' for name in names)}"
            problems.append(_problem(info, text, hook=hook, kind=PluginConflict))
    if not functions and not problems:
        problems.append(_problem(info, f"`{info.module}` implements no hook of etlkit"))
    return problems


def _options(
    implementations: Iterable[tuple[str, pluggy.HookImpl]],
    info: PluginInfo,
    items: dict[str, tuple[Any, ...]],
) -> list[EtlkitError]:
    """Collect the options that a plugin takes, and give what is wrong with them or with those it was given."""
    by_hook = dict(implementations)
    taking = [hook for hook, each in by_hook.items() if "options" in each.argnames]
    if taking and OPTIONS not in by_hook:
        text = f"takes `options`, but no hook `{OPTIONS}` of the plugin names any"
        return [_problem(info, text, hook=taking[0])]
    try:
        if OPTIONS in by_hook:
            items[OPTIONS] = _collected(OPTIONS, by_hook[OPTIONS], info)
        return list(refused(info.name, info.options, items.get(OPTIONS, ())))
    except RegistrationFailed as problem:
        return [problem]
    except (Exception, SystemExit) as failure:  # noqa: BLE001 - what an option's function raised
        text = told(failure, info.options)
        return [_problem(info, text, info.options.cause(failure), hook=OPTIONS)]


def _collected(hook: str, implementation: pluggy.HookImpl, info: PluginInfo) -> tuple[Any, ...]:
    expected = REGISTRATIONS[hook]
    wanted = f"`etlkit.{expected.__name__}`"
    try:
        answer = call(implementation, options=info.options.reveal())
        # Exhausted here, because a generator's code runs while it is read.
        items = tuple(answer) if isinstance(answer, Iterable) else None
    except (Exception, SystemExit) as failure:  # noqa: BLE001 - becomes an error that names the plugin
        text = told(failure, info.options)
        raise _problem(info, text, hook=hook) from info.options.cause(failure)
    if items is None:
        raise _problem(info, f"returned {_a(answer)}, expected an iterable of {wanted}", hook=hook)
    for item in items:
        if not isinstance(item, expected):
            raise _problem(info, f"yielded {_a(item)}, expected {wanted}", hook=hook)
        wrong = _wrong_part(item)
        if wrong is not None:
            raise _problem(info, f"yielded {wanted} {wrong}", hook=hook)
    return items


def _wrong_part(item: Any) -> str | None:
    for name in attrs.fields_dict(type(item)):
        value = getattr(item, name)
        if name in _TEXTS and (not isinstance(value, str) or not value.strip()):
            return f"whose `{name}` is {_a(value) if value != '' else 'empty'}, expected text"
        if name in _FUNCTIONS and not callable(value) and not (name == "accepts" and value is None):
            return f"whose `{name}` is {_a(value)}, expected a function"
    return None


def _invalid(
    manager: pluggy.PluginManager, info: PluginInfo, failure: pluggy.PluginValidationError
) -> RegistrationFailed:
    text = " ".join(str(failure).split())
    hook = next((each for each in _known(manager) if f"'{each}'" in text), None)
    return _problem(info, text, failure, hook=hook)


def _implementations(manager: pluggy.PluginManager) -> list[tuple[str, pluggy.HookImpl]]:
    return [
        (hook, implementation)
        for hook in _known(manager)
        for implementation in getattr(manager.hook, hook).get_hookimpls()
    ]


def _known(manager: pluggy.PluginManager) -> list[str]:
    return sorted(name for name, caller in vars(manager.hook).items() if caller.has_spec())


def _a(value: object) -> str:
    return "None" if value is None else f"`{type(value).__name__}`"


def _problem(
    info: PluginInfo,
    text: str,
    cause: BaseException | None = None,
    *,
    hook: str | None = None,
    kind: type[RegistrationFailed] = RegistrationFailed,
) -> RegistrationFailed:
    place = f", hook `{hook}`" if hook else ""
    problem = kind(f"plugin {info.origin}{place}: {text}; {info.remedy}")
    problem.__cause__ = cause
    return problem
