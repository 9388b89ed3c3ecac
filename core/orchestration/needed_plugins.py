"""Plugins that are left out: for one call as for all, and never those without which etlkit cannot keep its promises."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import attrs

from etlkit.config import SETTINGS_FILE, RunSettings, Settings, TableConfig
from etlkit.config.places import place_of
from etlkit.config.presets import read_preset
from etlkit.config.problems import Problem, report
from etlkit.config.structure import quoted
from etlkit.errors import ConfigurationError
from etlkit.providers import announced
from etlkit.registry import Registry
from etlkit.suggestions import suggestion

OPTION = "--no-plugin"
"""The option that leaves out a plugin for one call."""

_DECISIONS = ("drop", "keep")
"""The least that somebody needs who decides about the columns of a protected table."""


@attrs.frozen(kw_only=True)
class Need:
    """What some plugin must provide, whichever it is."""

    kind: str
    """What it is: `strategy`, `executor` or `conversion`."""
    names: tuple[str, ...]
    """Its names, at least one."""
    why: str
    """What it is needed for, as the end of a sentence that named it."""
    of_etlkit: bool
    """Whether etlkit itself asks for these names, and not a person who may have misspelled them."""


def without_plugins(settings: Settings, names: Sequence[str]) -> Settings:
    """Leave out plugins for one call; nothing is imported.

    Args:
        settings: the deployment's.
        names: the plugins' names.

    Returns:
        The settings, as if `plugins.disable` named them too.

    Raises:
        ConfigurationError: there is no such plugin.
    """
    if not names:
        return settings
    known = {each.info.name for each in announced()}
    unknown = [name for name in dict.fromkeys(names) if name not in known]
    if unknown:
        lines = (
            f"{OPTION} names {quoted(name)}, but no such plugin is there; {_meant(name, known)}"
            for name in unknown
        )
        raise ConfigurationError("\n".join(lines))
    plugins = settings.plugins
    # What the file gives to a plugin that is left out for once is no mistake of the file.
    options = {
        name: given for name, given in plugins.options.items() if name in plugins.disable or name not in names
    }
    disable = tuple(dict.fromkeys([*plugins.disable, *names]))
    return attrs.evolve(settings, plugins=attrs.evolve(plugins, disable=disable, options=options))


def check_needed(settings: Settings, registry: Registry) -> None:
    """Make sure that the plugins which are left out are none that the deployment cannot work without.

    Args:
        settings: as `without_plugins` gives them.
        registry: the plugins that are left.

    Raises:
        ConfigurationError: one of them is; the message says what depends on it, and what to do.
    """
    found = list(needed_problems(settings, registry))
    in_file = [each for each in found if each.line is not None]
    lines = [each.text for each in found if each.line is None]
    if in_file:
        lines.insert(0, report(settings.folder / SETTINGS_FILE, in_file).message)
    if lines:
        raise ConfigurationError("\n".join(lines))


def needed_problems(settings: Settings, registry: Registry) -> Iterator[Problem]:
    """Find what the deployment cannot work without, and no plugin provides because one is left out.

    Args:
        settings: which plugins are left out.
        registry: the plugins that are left.

    Yields:
        A problem for each need; one without a line is the option's.
    """
    provided = {
        "strategy": set(registry.strategies),
        "executor": set(registry.executors),
        "conversion": {each.item.name for each in registry.conversions},
    }
    disabled = list(dict.fromkeys(plugin.name for plugin in registry.plugins if plugin.status == "disabled"))
    for need in needs_of(settings):
        missing = [name for name in need.names if name not in provided[need.kind]]
        # A plugin that is left out is not imported, so only its name can tell what it would have provided.
        guilty = [name for name in disabled if name in missing] or (disabled if need.of_etlkit else [])
        if missing and guilty:
            yield _problem(settings, need, missing, guilty)


def needs_of(settings: Settings) -> Iterator[Need]:
    """Tell what a deployment cannot work without.

    Args:
        settings: the deployment's.

    Yields:
        Each need. Strategies and conversions that `tables` names are judged with their lines, elsewhere.
    """
    yield Need(
        kind="strategy",
        names=(TableConfig().extraction_strategy,),
        why="by which tables are loaded that nobody chose anything for, or that no other strategy can serve",
        of_etlkit=True,
    )
    yield Need(
        kind="executor",
        names=(settings.run.executor,),
        why="which loads the tables of a run (`run.executor`)",
        of_etlkit=settings.run.executor == RunSettings().executor,
    )
    if settings.masking.preset is not None:
        rules = read_preset(settings.masking.preset).rules
        yield Need(
            kind="conversion",
            names=tuple(sorted({rule.conversion for rule in rules} | {"keep"})),
            why="by which `masking.preset` decides what leaves the source",
            of_etlkit=True,
        )
    protected = [name for name, choice in settings.tables.items() if choice.protected]
    if protected:
        yield Need(
            kind="conversion",
            names=_DECISIONS,
            why=f"by which the columns of protected tables are decided about (`tables.{protected[0]}.protected`)",
            of_etlkit=True,
        )


def _problem(settings: Settings, need: Need, missing: Sequence[str], guilty: Sequence[str]) -> Problem:
    file = settings.folder / SETTINGS_FILE
    lines = {
        name: place_of(file, "plugins", "disable", settings.plugins.disable.index(name)).line
        for name in guilty
    }
    line = next((each for each in lines.values() if each is not None), None)
    begin = f"`plugins.disable` names {_listed(guilty)}"
    first = "take it off the list" if len(guilty) == 1 else "take the one that does off the list"
    if line is None:
        begin, first = f"{OPTION} leaves out {_listed(guilty)}", "do without the option"
    elif None in lines.values():
        begin = f"`plugins.disable` and {OPTION} leave out {_listed(guilty)}"
    kind = need.kind if len(missing) == 1 else {"strategy": "strategies"}.get(need.kind, f"{need.kind}s")
    them = "it" if len(missing) == 1 else "them"
    text = (
        f"{begin}, and no other plugin provides the {kind} {_listed(missing)}, {need.why}; {first}, or install "
        f"another plugin that provides {them}"
    )
    return Problem(line=line, text=text)


def _listed(names: Sequence[str]) -> str:
    *front, last = (f"`{name}`" for name in names)
    return f"{', '.join(front)} and {last}" if front else last


def _meant(name: str, known: set[str]) -> str:
    if "," in name:
        return "give the option once for each plugin (a variable, with blanks between them)"
    return suggestion(name, known)
