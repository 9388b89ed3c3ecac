"""A plugin in which everything is wrong on purpose, each in one way that authors happen upon."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any

from sqlalchemy import ColumnElement, and_, func, literal, or_

from etlkit import (
    Chunks,
    Classifier,
    Column,
    Conversion,
    Everything,
    Exclusion,
    Executor,
    Fit,
    Habit,
    LoadPlan,
    PlanRefused,
    Refusal,
    Relationship,
    RelationshipRule,
    Strategy,
    TableAnalysis,
    TableFinished,
    TableHabit,
    TableState,
    Where,
    Write,
    hookimpl,
)

STAMP = "DateTStamp"
Of = Callable[[str], ColumnElement[Any]]

COUNTER = itertools.count()
PLANNED: set[str] = set()
"""What a strategy remembers that must not remember anything."""


def lacking(table: TableAnalysis) -> Fit | Refusal:
    """Bid where there is a key and a time."""
    if not table.primary_key or table.column(STAMP) is None:
        return Refusal(reason="A key or a time is lacking.")
    return Fit(cost=1, reason="Why not.")


def strategy(
    name: str,
    condition: Callable[[str | None, Of], ColumnElement[bool]],
    *,
    first: bool = False,
    **changes: Any,
) -> Strategy:
    """Make a strategy that reads everything at first, unless told otherwise, and from then on by a condition."""

    def plan(table: TableAnalysis, state: TableState | None) -> LoadPlan:
        if isinstance(lacking(table), Refusal):
            raise PlanRefused("A key or a time is lacking.")
        watermark = state.watermark if state is not None else None
        by_condition = Where(condition=partial(condition, watermark), text="By a condition.")
        everything = state is None and not first
        values: dict[str, Any] = {
            "table": table.name,
            "strategy": name,
            "read": Everything() if everything else by_condition,
            "write": Write.REPLACE if everything else Write.MERGE,
            "reason": "By a condition.",
            "cursor": STAMP,
        }
        return LoadPlan(**(values | changes))

    return Strategy(name=name, summary="Wrong.", fits=lacking, plan=plan)


def _since(watermark: str | None, of: Of) -> ColumnElement[bool]:
    return or_(of(STAMP) >= literal(watermark), of(STAMP).is_(None))


def _strictly(watermark: str | None, of: Of) -> ColumnElement[bool]:
    return or_(of(STAMP) > literal(watermark), of(STAMP).is_(None))


def _stamped(watermark: str | None, of: Of) -> ColumnElement[bool]:
    return of(STAMP) >= literal(watermark)


def _by_its_clock(_: str | None, of: Of) -> ColumnElement[bool]:
    return or_(of(STAMP) > func.now(), of(STAMP).is_(None))


def _most(_: str | None, of: Of) -> ColumnElement[bool]:
    return of("PatNum") > literal(2)


def _new_keys(watermark: str | None, of: Of) -> ColumnElement[bool]:
    return and_(_since(watermark, of), of("AptNum") > literal(200))


def _forgetful(table: TableAnalysis, state: TableState | None) -> LoadPlan:
    """Take what was planned for what was loaded."""
    new = table.name not in PLANNED
    PLANNED.add(table.name)
    made = strategy("remembers", _since).plan(table, state)
    if new or state is not None:
        return made
    return strategy("remembers", _new_keys, first=True).plan(table, state)


def _doubling(table: TableAnalysis, _: TableState | None) -> LoadPlan:
    """Add whatever is read, whether it is there or not."""
    return LoadPlan(
        table=table.name, strategy="doubles", read=Everything(), write=Write.APPEND, reason="All of it."
    )


def _picky(_: TableAnalysis) -> Refusal:
    return Refusal(reason="It is Monday.")


def _refusing(_: TableAnalysis, __: TableState | None) -> LoadPlan:
    raise PlanRefused("It is Monday.")


def _not_of_two(table: TableAnalysis) -> Fit | Refusal:
    """Refuse keys of several columns, while `plan` does not know of it."""
    return Refusal(reason="Its key has two columns.") if len(table.primary_key) > 1 else lacking(table)


@hookimpl
def etlkit_strategies() -> Iterator[Strategy]:
    """Provide strategies that lose, double, forget or hold rows."""
    yield strategy("loses_the_boundary", _strictly)
    yield strategy("skips_null", _stamped)
    yield strategy(
        "holds_the_table", _since, chunks=Chunks(rows=10**9, max_bytes=10**12, seconds=600, queue=1)
    )
    yield strategy("holds_a_queue", _since, chunks=Chunks(queue=100))
    yield strategy("trusts_its_clock", _by_its_clock)
    yield strategy("reads_most", _most, first=True)
    yield strategy("reads_new_keys", _new_keys)
    yield strategy("compares_with_nothing", lambda watermark, of: of(STAMP) >= literal(watermark))
    yield Strategy(name="picky", summary="Wrong.", fits=_picky, plan=_refusing)
    right = strategy("refuses_half", _since)
    yield Strategy(name="refuses_half", summary="Wrong.", fits=_not_of_two, plan=right.plan)
    yield Strategy(name="remembers", summary="Wrong.", fits=lacking, plan=_forgetful)
    yield Strategy(
        name="doubles", summary="Wrong.", fits=lambda _: Fit(cost=1, reason="Always."), plan=_doubling
    )
    wrong: Any = lambda table, _: {"table": table.name}  # noqa: E731 - of a type that no plan has
    yield Strategy(name="no_plan", summary="Wrong.", fits=lambda _: Fit(cost=1, reason="Always."), plan=wrong)


@hookimpl
def etlkit_classifiers() -> Iterator[Classifier]:
    """Provide classifiers that are moody or speak of levels that nobody knows."""
    yield Classifier(name="moody", classify=lambda _: f"level{next(COUNTER)}")
    wrong: Any = lambda _: 3  # noqa: E731 - of a type that no level has
    yield Classifier(name="no_level", classify=wrong)
    yield Classifier(name="misspelt", classify=lambda _: "criticl")


def _boolean(_: Column) -> str:
    return "boolean"


def _text(_: Column) -> str:
    return "text"


def _as_it_is(value: ColumnElement[Any], _: Column) -> ColumnElement[Any]:
    return value


def _raising(of: Column) -> str:
    if of.data_type != "varchar":
        raise ValueError(of.data_type)
    return "text"


@hookimpl
def etlkit_conversions() -> Iterator[Conversion]:
    """Provide conversions that lose values, or break where they should refuse."""
    yield Conversion(
        name="upper", summary="Wrong.", target_type=_text, source_sql=lambda value, _: func.upper(value)
    )
    yield Conversion(name="no_boolean", summary="Wrong.", target_type=_text, source_sql=_as_it_is)
    yield Conversion(name="any_boolean", summary="Wrong.", target_type=_boolean, source_sql=_as_it_is)
    yield Conversion(
        name="sign",
        summary="Wrong.",
        target_type=_boolean,
        source_sql=lambda value, _: func.abs(func.sign(value)),
    )
    yield Conversion(
        name="empty",
        summary="Wrong.",
        target_type=_text,
        source_sql=lambda value, _: func.coalesce(value, literal("")),
    )
    yield Conversion(name="raises", summary="Wrong.", target_type=_raising, source_sql=_as_it_is)
    wrong: Any = lambda *_: "upper(x)"  # noqa: E731 - of a type that no expression has
    yield Conversion(name="no_sql", summary="Wrong.", target_type=_text, source_sql=wrong)


def _stray(tables: Mapping[str, TableAnalysis]) -> Iterator[Relationship]:
    for name in tables:
        yield Relationship(
            table=name, column="PatNum", referenced_table="patients", referenced_column="PatNum"
        )


@hookimpl
def etlkit_relationships() -> Iterator[RelationshipRule]:
    """Provide a rule that names a table which is not there."""
    yield RelationshipRule(name="stray", summary="Wrong.", relationships=_stray)


@hookimpl
def etlkit_exclusions() -> Iterator[Exclusion]:
    """Provide an exclusion that says neither yes nor no."""
    wrong: Any = lambda _: None  # noqa: E731 - of a type that no answer has
    yield Exclusion(name="undecided", summary="Wrong.", excludes=wrong)


def _early(table: TableAnalysis) -> TableHabit | None:
    return TableHabit(lookback_seconds=-1, reason="rows come early") if table.name == "patient" else None


@hookimpl
def etlkit_habits() -> Iterator[Habit]:
    """Provide a habit that looks ahead instead of back."""
    yield Habit(name="early", summary="Wrong.", habit=_early)


def _twice(load: Callable[[str], TableFinished], tables: Sequence[str], _: int) -> Iterator[TableFinished]:
    for each in tables:
        load(each)
        yield load(each)


@hookimpl
def etlkit_executors() -> Iterator[Executor]:
    """Provide an executor that loads each table twice."""
    yield Executor(name="twice", summary="Wrong.", run=_twice)
