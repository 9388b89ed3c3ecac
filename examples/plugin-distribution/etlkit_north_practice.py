"""What the North practice adds to etlkit: the schedule's last days, front desk tables, and masked SSNs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

from sqlalchemy import ColumnElement, case, func, literal, or_

from etlkit import (
    Chunks,
    Classifier,
    Column,
    Conversion,
    Everything,
    Fit,
    LoadPlan,
    PlanRefused,
    Refusal,
    Strategy,
    TableAnalysis,
    TableState,
    Where,
    Write,
    hookimpl,
)

VISIBLE = 4  # characters of a masked number


def fits(table: TableAnalysis) -> Fit | Refusal:
    """Bid only for tables that a person gave a `date_column`; nobody else knows which date counts."""
    name = table.options.get("date_column")
    if name is None:
        return Refusal(reason="No option `date_column` says which date counts.")
    if not table.primary_key:
        return Refusal(reason="The table has no primary key to merge by.")
    if table.column(name) is None:
        return Refusal(reason=f"The table has no column {name}.")
    return Fit(cost=0.5, reason=f"{name} says which rows are recent.")


def plan(table: TableAnalysis, state: TableState | None) -> LoadPlan:
    """Plan to read everything once, and from then on the rows of the last days and of all days to come."""
    answer = fits(table)
    if isinstance(answer, Refusal):
        raise PlanRefused(f"table {table.name}: strategy recent_by_date cannot serve it. {answer.reason}")
    name, days = table.options["date_column"], int(table.options.get("days", "30"))
    first = state is None
    return LoadPlan(
        table=table.name,
        strategy="recent_by_date",
        # A function of a module (not a lambda) can be sent to another machine, with what it is called with.
        read=Everything()
        if first
        else Where(condition=partial(recent, name, days), text=f"{name}: {days} days"),
        write=Write.REPLACE if first else Write.MERGE,
        reason="First load: reads every row."
        if first
        else f"Reads rows whose {name} is at most {days} days ago.",
        chunks=Chunks(rows=table.batch_size),
    )


def recent(name: str, days: int, column: Callable[[str], ColumnElement[Any]]) -> ColumnElement[bool]:
    """Build the condition by the source's clock, which wrote the rows."""
    return column(name) >= func.adddate(func.curdate(), -days)


def front_desk(table: TableAnalysis) -> str | None:
    """Give the tables of our own front desk program a level of their own."""
    return "front_desk" if table.name.lower().startswith(("walkin", "kiosk")) else None


def is_ssn(table: TableAnalysis, column: Column) -> bool:
    """Tell whether a column holds social security numbers."""
    return column.name.lower() == "ssn" and column.data_type in {"char", "varchar"}


def masked(value: ColumnElement[Any], column: Column) -> ColumnElement[Any]:
    """Keep the last four digits; the others never leave the practice."""
    return case(
        (or_(value.is_(None), value == literal("")), value),
        (func.char_length(value) > VISIBLE, func.concat(literal("***-**-"), func.right(value, VISIBLE))),
        else_=literal("***"),
    )


def text_type(column: Column) -> str:
    """Give the type of a masked number."""
    return "text"


@hookimpl
def etlkit_strategies() -> Iterator[Strategy]:
    """Provide `recent_by_date`."""
    yield Strategy(
        name="recent_by_date", summary="Reads the last days by a date of the business.", fits=fits, plan=plan
    )


@hookimpl
def etlkit_classifiers() -> Iterator[Classifier]:
    """Provide `front_desk`."""
    yield Classifier(name="front_desk", classify=front_desk)


@hookimpl
def etlkit_conversions() -> Iterator[Conversion]:
    """Provide `mask_ssn`, which applies by itself wherever a column is named SSN."""
    yield Conversion(
        name="mask_ssn",
        summary="Keeps the last four digits of a social security number.",
        target_type=text_type,
        source_sql=masked,
        matches=is_ssn,
        lossless=False,
    )
