"""Every extension point of etlkit. A plugin is a module, named by an entry point in the group `etlkit.plugins`.

Registration hooks yield frozen objects of `etlkit.contracts`; observers are told what happened. The kernel calls
each plugin on its own, so one plugin's failure is always told apart from another's. Every hook is given its plugin's
`options` as well, if its implementation takes an argument of this name.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import pluggy

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
from etlkit.events import RunFinished, RunStarting, TableFinished

PROJECT = "etlkit"
"""Prefix of the hooks (`etlkit_`) and the name of pluggy's markers."""

GROUP = "etlkit.plugins"
"""The entry point group."""

hookspec = pluggy.HookspecMarker(PROJECT)
hookimpl = pluggy.HookimplMarker(PROJECT)


@hookspec
def etlkit_options() -> Iterator[Option]:
    """Name the options that the plugin takes from `plugins.options` in `etlkit.yml`; others are refused.

    They are checked before any other hook of the plugin is called, and handed to those that take an argument `options`.

    Example:
        from etlkit import Option, hookimpl

        def problem(options):
            return None if options["days"].isdecimal() else "must be a number of days"

        @hookimpl
        def etlkit_options():
            yield Option(name="days", summary="How far back to look; without it, 30 days.", problem=problem)

    Returns:
        Options; a name must not be provided twice by one plugin.
    """
    raise NotImplementedError


@hookspec
def etlkit_strategies(options: Mapping[str, str]) -> Iterator[Strategy]:
    """Provide ways to load a table.

    Example:
        from etlkit import Everything, Fit, LoadPlan, Strategy, Write, hookimpl

        def fits(table):
            return Fit(cost=500, reason="reads everything, every time")

        def plan(table, state):
            return LoadPlan(table=table.name, strategy="always_all", read=Everything(),
                            write=Write.REPLACE, reason="reads everything, every time")

        @hookimpl
        def etlkit_strategies():
            yield Strategy(name="always_all", summary="Reads every row in each run.", fits=fits, plan=plan)

    Returns:
        Strategies; a name must not be provided twice.
    """
    raise NotImplementedError


@hookspec
def etlkit_classifiers(options: Mapping[str, str]) -> Iterator[Classifier]:
    """Provide judgements of how much a table matters.

    The chain is asked in the order of `plugins.order.classifiers`, then by name; the first answer wins.

    Example:
        from etlkit import Classifier, hookimpl

        def classify(table):
            return "critical" if table.name.startswith("claim") else None

        @hookimpl
        def etlkit_classifiers():
            yield Classifier(name="claims_first", classify=classify)

    Returns:
        Classifiers; a name must not be provided twice.
    """
    raise NotImplementedError


@hookspec
def etlkit_conversions(options: Mapping[str, str]) -> Iterator[Conversion]:
    """Provide changes of a column's value and type that the source computes inside its SELECT.

    A conversion is used where `column_overrides` names it, else where the first one `matches`.

    Example:
        from sqlalchemy import func
        from etlkit import Conversion, hookimpl

        @hookimpl
        def etlkit_conversions():
            yield Conversion(name="upper", summary="Upper-case text.", target_type=lambda column: "text",
                             source_sql=lambda value, column: func.upper(value), lossless=False)

    Returns:
        Conversions; a name must not be provided twice.
    """
    raise NotImplementedError


@hookspec
def etlkit_relationships(options: Mapping[str, str]) -> Iterator[RelationshipRule]:
    """Provide rules that tell which column points to which table; all rules are asked.

    A foreign key that the source declares wins over what rules say of its column.

    Example:
        from etlkit import Relationship, RelationshipRule, hookimpl

        def approvers(tables):
            for table in tables.values():
                if table.column("ApprovedBy") and "userod" in tables:
                    yield Relationship(table=table.name, column="ApprovedBy",
                                       referenced_table="userod", referenced_column="UserNum")

        @hookimpl
        def etlkit_relationships():
            yield RelationshipRule(name="approvers", summary="ApprovedBy is a user.", relationships=approvers)

    Returns:
        Rules; a name must not be provided twice.
    """
    raise NotImplementedError


@hookspec
def etlkit_exclusions(options: Mapping[str, str]) -> Iterator[Exclusion]:
    """Provide judgements which tables are left out by default; one that says yes is enough.

    Example:
        from etlkit import Exclusion, hookimpl

        def excludes(table):
            return table.name.startswith("scratch")

        @hookimpl
        def etlkit_exclusions():
            yield Exclusion(name="scratch", summary="Tables to try things out.", excludes=excludes)

    Returns:
        Exclusions; a name must not be provided twice.
    """
    raise NotImplementedError


@hookspec
def etlkit_habits(options: Mapping[str, str]) -> Iterator[Habit]:
    """Provide knowledge of how a program uses its tables: which only grow, and what is to be read again.

    Habits are asked in the order of their names; to each question the first answer holds. What the catalog itself
    shows, such as a column that the server stamps at every change, wins over them.

    Example:
        from etlkit import Habit, TableHabit, hookimpl

        def habit(table):
            if table.name == "doorlog":
                return TableHabit(only_added=True, reason="the door only adds to it")
            return None

        @hookimpl
        def etlkit_habits():
            yield Habit(name="doors", summary="The log of our doors only grows.", habit=habit)

    Returns:
        Habits; a name must not be provided twice.
    """
    raise NotImplementedError


@hookspec
def etlkit_executors(options: Mapping[str, str]) -> Iterator[Executor]:
    """Provide ways to load several tables of a run; the configuration's `run.executor` names the one to use.

    Example:
        from etlkit import Executor, hookimpl

        def run(load, tables, workers):
            for table in tables:
                yield load(table)

        @hookimpl
        def etlkit_executors():
            yield Executor(name="one_by_one", summary="Loads one table after the other.", run=run)

    Returns:
        Executors; a name must not be provided twice.
    """
    raise NotImplementedError


@hookspec
def etlkit_run_starting(event: RunStarting, options: Mapping[str, str]) -> None:
    """Be told that a run begins, before the first row is read.

    Example:
        from etlkit import hookimpl

        @hookimpl
        def etlkit_run_starting(event):
            print(f"{event.deployment}: {len(event.tables)} tables")
    """


@hookspec
def etlkit_table_finished(event: TableFinished, options: Mapping[str, str]) -> None:
    """Be told how a table's load ended, as soon as it did.

    Example:
        from etlkit import hookimpl

        @hookimpl
        def etlkit_table_finished(event):
            if event.error:
                print(f"{event.table} failed")
    """


@hookspec
def etlkit_run_finished(event: RunFinished, options: Mapping[str, str]) -> None:
    """Be told how a run ended.

    Example:
        from etlkit import hookimpl

        @hookimpl
        def etlkit_run_finished(event):
            print(f"exit code {event.exit_code}")
    """
