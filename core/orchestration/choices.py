"""What can be told of a deployment's choices before any server is asked."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping
from pathlib import Path

from etlkit.config import SETTINGS_FILE, TABLES_FILE, ColumnOverride, Settings
from etlkit.config.places import place_of
from etlkit.config.problems import Problem, report
from etlkit.config.yaml_reader import shown_path
from etlkit.plugin_options import OptionRefused
from etlkit.registry import Registry
from etlkit.suggestions import suggestion

_LEVELS = ("critical", "important", "reference", "audit", "standard")
_SLIP = 0.8  # how much a level must resemble a known one to be taken for a slip and not for one of its own


def check_choices(settings: Settings, registry: Registry) -> None:
    """Make sure that plugins provide what `etlkit.yml` names.

    Args:
        settings: the deployment's.
        registry: its plugins.

    Raises:
        ConfigurationError: with every name that nothing provides, and its line.
    """
    file = settings.folder / SETTINGS_FILE
    problems = [
        *_executor_problems(settings, registry, file),
        *_replica_problems(settings, file),
        *choice_problems(settings, registry),
    ]
    if problems:
        raise report(file, problems)


def choice_problems(settings: Settings, registry: Registry) -> Iterator[Problem]:
    """Find the names under `tables` in `etlkit.yml` that nothing provides.

    Args:
        settings: the deployment's.
        registry: its plugins.

    Yields:
        A problem for each.
    """
    file = settings.folder / SETTINGS_FILE
    known_levels = {*_LEVELS, *(each.table_importance for each in settings.analyzed.values())}
    for table, choice in settings.tables.items():
        if choice.extraction_strategy is not None:
            yield from _strategy_problems(file, table, choice.extraction_strategy, registry)
        yield from _conversion_problems(file, table, choice.column_overrides, registry)
        level = choice.table_importance
        close = difflib.get_close_matches(level or "", known_levels, n=1, cutoff=_SLIP)
        if level is not None and level not in known_levels and close:
            place = place_of(file, "tables", table, "table_importance")
            named = shown_path("tables", table, "table_importance")
            text = f"`{named}` is {place.shown(level)}, a level that no table has"
            yield Problem(line=place.line, text=f"{text}; did you mean `{close[0]}`?")


def check_tables(settings: Settings, registry: Registry) -> None:
    """Make sure that plugins provide what `tables.yml` names, and that `etlkit.yml` names tables of it.

    Args:
        settings: of a deployment that was analysed.
        registry: its plugins.

    Raises:
        ConfigurationError: with every name of the first of the two files that holds a wrong one, and its line.
    """
    chosen, analysed = settings.folder / SETTINGS_FILE, settings.folder / TABLES_FILE
    problems = [
        Problem(
            line=(place := place_of(chosen, "tables", table)).line,
            text=f"`tables` names {place.shown(table)}, which {TABLES_FILE} does not have "
            f"({suggestion(table, settings.analyzed)}); correct the name, or run `etlkit analyze` if the table is new",
        )
        for table in settings.tables
        if table not in settings.analyzed
    ]
    if problems:
        raise report(chosen, problems)
    for table, config in settings.analyzed.items():
        choice = settings.choice(table)
        if choice.exclude:
            continue
        if choice.extraction_strategy is None:
            problems.extend(_strategy_problems(analysed, table, config.extraction_strategy, registry))
        own = {
            name: override
            for name, override in config.column_overrides.items()
            if choice.column_overrides.get(name, ColumnOverride()).conversion is None
        }
        problems.extend(_conversion_problems(analysed, table, own, registry))
    if problems:
        raise report(analysed, problems)


def plugin_problems(settings: Settings, registry: Registry) -> Iterator[Problem]:
    """Find the names under `plugins` in `etlkit.yml` that nothing provides.

    Args:
        settings: the deployment's.
        registry: its plugins, none of them broken but by its options.

    Yields:
        A problem for each.
    """
    plugins, file = settings.plugins, settings.folder / SETTINGS_FILE
    for each in registry.problems:
        if isinstance(each, OptionRefused):
            yield Problem(line=place_of(file, "plugins", "options", *each.keys).line, text=each.message)
    # What a broken plugin would have provided is not known.
    complete = all(each.status != "broken" for each in registry.plugins)
    lists = (
        (("disable",), "plugin", plugins.disable, {each.name for each in registry.plugins}),
        (
            ("order", "classifiers"),
            "classifier",
            plugins.order.classifiers,
            {each.item.name for each in registry.classifiers},
        ),
        (
            ("order", "conversions"),
            "conversion",
            plugins.order.conversions,
            {each.item.name for each in registry.conversions},
        ),
    )
    for keys, kind, names, known in lists:
        for number, name in enumerate(names):
            if name not in known and (complete or keys == ("disable",)):
                place = place_of(file, "plugins", *keys, number)
                text = f"`plugins.{'.'.join(keys)}` names {place.shown(name)}, but no such {kind} is there"
                yield Problem(line=place.line, text=f"{text}; {suggestion(name, known)}")


def _executor_problems(settings: Settings, registry: Registry, file: Path) -> Iterator[Problem]:
    name = settings.run.executor
    if name not in registry.executors:
        place = place_of(file, "run", "executor")
        text = f"`run.executor` is {place.shown(name)}, which no plugin provides"
        yield Problem(line=place.line, text=f"{text}; {registry.hint(name, registry.executors)}")


def _replica_problems(settings: Settings, file: Path) -> Iterator[Problem]:
    source, replica = settings.source.url, settings.replica.url if settings.replica else None
    if replica is not None and (replica.place, replica.database) == (source.place, source.database):
        text = "`replica.url` is the source itself, which must not be written; name another database, or leave it out"
        yield Problem(line=place_of(file, "replica", "url").line, text=text)


def _strategy_problems(file: Path, table: str, name: str, registry: Registry) -> Iterator[Problem]:
    if name not in registry.strategies:
        place = place_of(file, "tables", table, "extraction_strategy")
        named = shown_path("tables", table, "extraction_strategy")
        text = f"`{named}` is {place.shown(name)}, which no plugin provides"
        yield Problem(line=place.line, text=f"{text}; {registry.hint(name, registry.strategies)}")


def _conversion_problems(
    file: Path, table: str, overrides: Mapping[str, ColumnOverride], registry: Registry
) -> Iterator[Problem]:
    known = {each.item.name: each for each in registry.conversions}
    for column, override in overrides.items():
        name = override.conversion
        if name is not None and name not in known:
            place = place_of(file, "tables", table, "column_overrides", column, "conversion")
            named = shown_path("tables", table, "column_overrides", column, "conversion")
            text = f"`{named}` is {place.shown(name)}, which no plugin provides"
            yield Problem(line=place.line, text=f"{text}; {registry.hint(name, known)}")
