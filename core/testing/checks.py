"""Checks that a plugin keeps its contracts, as pure functions: no server, no installation, no test runner."""

from __future__ import annotations

import math
import pickle
from collections.abc import Iterable, Mapping
from types import MappingProxyType, ModuleType
from typing import Any

import attrs
from sqlalchemy import ColumnElement
from sqlalchemy import column as sql_column
from sqlalchemy.dialects import mysql

from etlkit.contracts import (
    Classifier,
    Conversion,
    Exclusion,
    Executor,
    Fit,
    Habit,
    LoadPlan,
    Refusal,
    Relationship,
    RelationshipRule,
    Since,
    Strategy,
    TableHabit,
    TableState,
    Where,
    Write,
)
from etlkit.discovery.exclusions import find_left_out
from etlkit.discovery.relationships import find_relations
from etlkit.errors import PlanRefused, PluginError
from etlkit.events import TableFinished
from etlkit.executing import outcomes
from etlkit.providers import PluginInfo, Provided
from etlkit.registry import Registry
from etlkit.tables import INTEGER_TYPES, TableAnalysis
from etlkit.testing.contract import registry_of
from etlkit.testing.tables import TABLES


def check_plugin(
    module: ModuleType,
    *,
    tables: Iterable[TableAnalysis] = (),
    options: Mapping[str, str] = MappingProxyType({}),
) -> Registry:
    """Check a plugin, with everything that it provides.

    Args:
        module: the plugin.
        tables: tables of your own to show it, beside `TABLES`.
        options: what a person would choose for it under `plugins.options`.

    Returns:
        A registry of this plugin alone, to ask for what it provides.

    Raises:
        AssertionError: something breaks its contract.
        EtlkitError: the plugin could not be loaded, or one of its functions failed.
    """
    registry = registry_of(module, options)
    shown = (*tables, *TABLES)
    for strategy in registry.strategies.values():
        check_strategy(strategy.item, tables=shown)
    for classifier in registry.classifiers:
        check_classifier(classifier.item, tables=shown)
    for conversion in registry.conversions:
        check_conversion(conversion.item, tables=shown)
    for executor in registry.executors.values():
        check_executor(executor.item)
    for exclusion in registry.exclusions:
        check_exclusion(exclusion.item, tables=shown)
    for rule in registry.relationships:
        check_relationships(rule.item, tables=shown)
    for habit in registry.habits:
        check_habit(habit.item, tables=shown)
    # The kernel's own code checks what these answer together.
    by_name = {each.name: each for each in reversed(shown)}
    find_relations(by_name, registry.relationships, find_left_out(by_name, registry.exclusions))
    return registry


def check_strategy(strategy: Strategy, *, tables: Iterable[TableAnalysis] = TABLES) -> None:
    """Check that a strategy bids and plans by its contract: without side effects, and only what can be done.

    Args:
        strategy: the strategy.
        tables: the tables to show it.

    Raises:
        AssertionError: it does not.
    """
    for each in tables:
        where = f"strategy `{strategy.name}`, table `{each.name}`"
        bid = strategy.fits(each)
        _hold(isinstance(bid, Fit | Refusal), f"{where}: `fits` must return a Fit or a Refusal (got {bid!r})")
        _hold(bool(bid.reason.strip()), f"{where}: `fits` must give a reason")
        _hold(strategy.fits(each) == bid, f"{where}: `fits` must answer the same question in the same way")
        if isinstance(bid, Refusal):
            _hold(_refuses(strategy, each), f"{where}: `plan` must raise PlanRefused where `fits` refuses")
            continue
        _hold(math.isfinite(bid.cost), f"{where}: the cost must be a finite number (got {bid.cost})")
        for state in _states(each):
            plan = strategy.plan(each, state)
            then = "on a first load" if state is None else f"after a load by `{state.cursor_column}`"
            _check_plan(plan, strategy, each, state, f"{where}, {then}")
            again = strategy.plan(each, state)
            _hold(_plain(again) == _plain(plan), f"{where}, {then}: `plan` must make the same plan again")


def check_classifier(classifier: Classifier, *, tables: Iterable[TableAnalysis] = TABLES) -> None:
    """Check that a classifier answers with a level or None, and each time the same.

    Args:
        classifier: the classifier.
        tables: the tables to show it.

    Raises:
        AssertionError: it does not.
    """
    for each in tables:
        where = f"classifier `{classifier.name}`, table `{each.name}`"
        level = classifier.classify(each)
        fine = level is None or str(level).strip() == level != ""
        _hold(fine, f"{where}: the answer must be a level or None (got {level!r})")
        _hold(classifier.classify(each) == level, f"{where}: the answer must be the same each time")


def check_conversion(conversion: Conversion, *, tables: Iterable[TableAnalysis] = TABLES) -> None:
    """Check that a conversion builds SQL for the source, for every column that it does not refuse.

    Args:
        conversion: the conversion.
        tables: tables whose columns to show it.

    Raises:
        AssertionError: it does not, or refuses all columns.
    """
    accepted = 0
    for each in tables:
        for of in each.columns:
            where = f"conversion `{conversion.name}`, column `{each.name}`.`{of.name}`"
            matches = conversion.matches(each, of)
            _hold(isinstance(matches, bool), f"{where}: `matches` must return a bool (got {matches!r})")
            try:
                name = conversion.target_type(of)
            except PlanRefused:
                _hold(not matches, f"{where}: `target_type` must not refuse what `matches`")
                continue
            accepted += 1
            _hold(
                bool(name),
                f"{where}: `target_type` must name a type (got {name!r})",
            )
            value: ColumnElement[Any] = sql_column(of.name)
            built = {"source_sql": conversion.source_sql(value, of)}
            if conversion.accepts is not None:
                built["accepts"] = conversion.accepts(value, of)
            for part, expression in built.items():
                _check_sql(expression, f"{where}: `{part}`")
    _hold(
        accepted > 0,
        f"conversion `{conversion.name}` refuses every column; pass `tables` with one that it accepts",
    )


def check_executor(executor: Executor) -> None:
    """Check that an executor loads each table once, and ends with what a load raises.

    Args:
        executor: the executor.

    Raises:
        AssertionError: it does not.
        PluginError: it failed, or told wrongly what was loaded.
    """
    info = PluginInfo(name="tested", distribution="", version="", module="")
    provided = Provided(item=executor, plugin=info)
    names = [f"table{number}" for number in range(7)]
    for workers in (1, 3):
        # Refuses a table that is loaded twice, left out, or told of as it was not loaded.
        list(outcomes(provided, lambda name: TableFinished(table=name), names, workers))

    def fail(name: str) -> TableFinished:
        raise LookupError(name)

    try:
        list(outcomes(provided, fail, names, 2))
    except LookupError:
        return
    except PluginError:
        pass  # it told of tables that were not loaded
    raise AssertionError(f"executor `{executor.name}` must end with what a load raises")


def check_exclusion(exclusion: Exclusion, *, tables: Iterable[TableAnalysis] = TABLES) -> None:
    """Check that an exclusion answers with True or False, and each time the same.

    Args:
        exclusion: the exclusion.
        tables: the tables to show it.

    Raises:
        AssertionError: it does not.
    """
    for each in tables:
        where = f"exclusion `{exclusion.name}`, table `{each.name}`"
        answer = exclusion.excludes(each)
        _hold(isinstance(answer, bool), f"{where}: `excludes` must return a bool (got {answer!r})")
        _hold(exclusion.excludes(each) == answer, f"{where}: the answer must be the same each time")


def check_relationships(rule: RelationshipRule, *, tables: Iterable[TableAnalysis] = TABLES) -> None:
    """Check that a rule names tables and columns that are there, and each time the same.

    Args:
        rule: the rule.
        tables: the tables to show it, all at once.

    Raises:
        AssertionError: it does not.
    """
    by_name = {each.name: each for each in reversed(tuple(tables))}
    where = f"relationship rule `{rule.name}`"
    answers = list(rule.relationships(dict(by_name)))
    for answer in answers:
        kind = type(answer).__name__
        _hold(
            isinstance(answer, Relationship),
            f"{where}: `relationships` must yield Relationships (got {kind})",
        )
        ends = ((answer.table, answer.column), (answer.referenced_table, answer.referenced_column))
        for name, of in ends:
            _hold(name in by_name, f"{where}: it names the table `{name}`, which it was not shown")
            there = by_name[name].column(of) is not None
            _hold(there, f"{where}: it names the column `{of}`, which `{name}` does not have")
    again = sorted(rule.relationships(dict(by_name)))
    _hold(sorted(answers) == again, f"{where}: the answer must be the same each time")


def check_habit(habit: Habit, *, tables: Iterable[TableAnalysis] = TABLES) -> None:
    """Check that a habit tells of a table what can be, or passes, and each time the same.

    Args:
        habit: the habit.
        tables: the tables to show it.

    Raises:
        AssertionError: it does not.
    """
    for each in tables:
        where = f"habit `{habit.name}`, table `{each.name}`"
        answer = habit.habit(each)
        _hold(habit.habit(each) == answer, f"{where}: the answer must be the same each time")
        if answer is None:
            continue
        _hold(
            isinstance(answer, TableHabit),
            f"{where}: `habit` must return a TableHabit or None (got {answer!r})",
        )
        _hold(bool(answer.reason.strip()), f"{where}: the answer must give a reason")
        for name in sorted(answer.entered | answer.edited):
            there = each.column(name) is not None
            _hold(there, f"{where}: it names the column `{name}`, which the table does not have")
        seconds = answer.lookback_seconds
        _hold(
            seconds is None or seconds >= 0, f"{where}: `lookback_seconds` must be 0 or more (got {seconds})"
        )


def _check_plan(
    plan: LoadPlan, strategy: Strategy, shown: TableAnalysis, state: TableState | None, where: str
) -> None:
    _hold(isinstance(plan, LoadPlan), f"{where}: `plan` must return a LoadPlan (got {type(plan).__name__})")
    _hold(plan.table == shown.name, f"{where}: the plan must be for the table (got `{plan.table}`)")
    _hold(plan.strategy == strategy.name, f"{where}: the plan must name the strategy (got `{plan.strategy}`)")
    _hold(bool(plan.reason.strip()), f"{where}: the plan must give a reason")
    keyed = bool(shown.primary_key) or plan.write is Write.REPLACE
    _hold(keyed, f"{where}: rows can be merged or appended by a primary key only, which the table lacks")
    known = [each.name for each in shown.columns]
    read = plan.read
    for name in filter(None, (plan.cursor, read.column if isinstance(read, Since) else None)):
        _hold(name in known, f"{where}: the plan names `{name}`, which is no column of the table")
    if isinstance(read, Since):
        _hold(plan.write is not Write.REPLACE, f"{where}: Since with REPLACE would remove all other rows")
        mine = state is not None and (state.cursor_column, state.watermark) == (read.column, read.watermark)
        _hold(mine, f"{where}: the watermark must be the committed one of the same column")
    if isinstance(read, Where):
        _hold(bool(read.text.strip()), f"{where}: a condition must be told in words, too")
        asked: list[str] = []

        def ask(name: str) -> ColumnElement[Any]:
            asked.append(name)
            return sql_column(name)

        _check_sql(read.condition(ask), f"{where}: the condition")
        for name in asked:
            _hold(name in known, f"{where}: the condition names `{name}`, which is no column of the table")
    try:
        pickle.dumps(plan)
    except (pickle.PicklingError, AttributeError, TypeError) as failure:
        text = f"{where}: the plan must be data that can be sent; use functions of a module, no lambdas"
        raise AssertionError(text) from failure


def _states(shown: TableAnalysis) -> Iterable[TableState | None]:
    yield None
    yield TableState(table=shown.name)
    cursor = shown.cursor
    if cursor is not None:
        watermark = "1000" if cursor.data_type in INTEGER_TYPES else "2024-05-01 10:00:00"
        for name in (cursor.column, "AnotherCursor"):
            yield TableState(table=shown.name, cursor_column=name, watermark=watermark, generation=1)


def _refuses(strategy: Strategy, shown: TableAnalysis) -> bool:
    try:
        strategy.plan(shown, None)
    except PlanRefused:
        return True
    return False


def _plain(plan: LoadPlan) -> tuple[object, ...]:
    # Conditions are functions, which cannot be compared; their words can.
    read = plan.read.text if isinstance(plan.read, Where) else plan.read
    return (read, *attrs.astuple(plan, recurse=False, filter=lambda field, _: field.name != "read"))


def _check_sql(expression: ColumnElement[Any], what: str) -> None:
    _hold(
        isinstance(expression, ColumnElement), f"{what} must be a SQLAlchemy expression (got {expression!r})"
    )
    expression.compile(dialect=mysql.dialect())


def _hold(fact: bool, otherwise: str) -> None:
    if not fact:
        raise AssertionError(otherwise)
