"""Importing one plugin and calling its hooks, so that whatever goes wrong is told with its name."""

from __future__ import annotations

import inspect
from collections import defaultdict
from collections.abc import Iterable, Mapping
from types import ModuleType
from typing import Any

import attrs
import pluggy

from etlkit import hookspecs
from etlkit.contracts import Classifier, Conversion, Exclusion, Executor, RelationshipRule, Strategy
from etlkit.errors import PluginConflict, RegistrationFailed
from etlkit.events import RunFinished, RunStarting, TableFinished
from etlkit.providers import Candidate, PluginInfo, told
from etlkit.suggestions import suggestion

REGISTRATIONS: Mapping[str, type[Any]] = {
    "etlkit_strategies": Strategy,
    "etlkit_classifiers": Classifier,
    "etlkit_conversions": Conversion,
    "etlkit_relationships": RelationshipRule,
    "etlkit_exclusions": Exclusion,
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
    "matches",
    "plan",
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
    problems: tuple[RegistrationFailed, ...] = ()
    """All that is wrong; nothing of a plugin with problems may be used."""


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
        return Loaded(info=info, problems=(_problem(info, f"cannot be imported: {told(failure)}", failure),))
    if not isinstance(module, ModuleType):
        text = f"`{info.module}` is an object of class {_a(module)}, expected a module"
        return Loaded(info=info, problems=(_problem(info, text),))
    # A manager of its own: what a broken plugin leaves behind cannot touch another one.
    manager = pluggy.PluginManager(hookspecs.PROJECT)
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
    for hook, implementation in _implementations(manager):
        if hook not in REGISTRATIONS:
            observers[hook] = implementation
            continue
        try:
            items[hook] = _collected(hook, implementation, info)
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


def _collected(hook: str, implementation: pluggy.HookImpl, info: PluginInfo) -> tuple[Any, ...]:
    expected = REGISTRATIONS[hook]
    wanted = f"`etlkit.{expected.__name__}`"
    try:
        answer = call(implementation)
        # Exhausted here, because a generator's code runs while it is read.
        items = tuple(answer) if isinstance(answer, Iterable) else None
    except (Exception, SystemExit) as failure:
        raise _problem(info, told(failure), failure, hook=hook) from failure
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
