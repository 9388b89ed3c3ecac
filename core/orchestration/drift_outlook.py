"""What the next run would do to tables whose source changed its shape: told before, nothing is changed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

import attrs
import sqlalchemy as sa

from etlkit.config import DriftSettings
from etlkit.errors import DriftRefused
from etlkit.loading.dependents import Dependents
from etlkit.loading.drift import Drift, listed
from etlkit.loading.judging import EveryRowNeeded, Judge
from etlkit.loading.renames import looking_renamed
from etlkit.loading.shapes import Shape, numbers_of
from etlkit.loading.table_plan import TablePlan
from etlkit.loading.target import OWN_COLUMNS
from etlkit.loading.trouble import write_trouble

_STAGE = "etlkit_plan"


@attrs.frozen(kw_only=True)
class Outlook:
    """What becomes of one table's shape."""

    steps: tuple[str, ...] = ()
    """What is done, one phrase each, such as "adds column `d` (integer)"."""
    refused: DriftRefused | None = None
    """Why nothing is done, where the policy refuses a part."""


def outlooks(
    plans: Iterable[TablePlan],
    there: Mapping[str, Shape],
    warehouse: sa.Engine,
    policy: DriftSettings,
    *,
    allow: bool = False,
    limited: bool = False,
) -> dict[str, Outlook]:
    """Say what becomes of the shapes of tables.

    Args:
        plans: of the tables.
        there: the warehouse's tables by name.
        warehouse: asked for nothing, unless a table differs.
        policy: the deployment's.
        allow: whether everything is allowed.
        limited: whether only a part of the rows is read.

    Returns:
        By the table's name in the source, for tables that differ.

    Raises:
        LoadError: the warehouse cannot be asked.
    """
    found = {}
    for what in plans:
        now = there.get(what.target.name)
        if now is None or what.before is None or what.fits(now):
            continue
        judge = Judge(what=what, policy=policy, allow=allow, limited=limited)
        outlook = _outlook(judge, now, warehouse)
        if outlook is not None:
            found[what.analysis.name] = outlook
    return found


def _outlook(judge: Judge, now: Shape, warehouse: sa.Engine) -> Outlook | None:
    what = judge.what
    with write_trouble(what.target), warehouse.connect() as connection:
        # PostgreSQL spells the types of a temporary table; it is gone with the transaction, which is not committed.
        stage = what.target.table(schema=None, name=_STAGE, temporary=True)
        connection.execute(sa.schema.CreateTable(stage))
        drift = judge.between(connection, stage, now)
        if drift is None:
            return None
        try:
            judge.before(connection, stage, now)
        except EveryRowNeeded:
            pass
        except DriftRefused as error:
            return Outlook(refused=error)
        steps = [*_renames(judge, drift), *_steps(what, drift), *_dependents(connection, what, drift)]
    return Outlook(steps=tuple(steps)) if steps else None


def _renames(judge: Judge, drift: Drift) -> Iterator[str]:
    if judge.policy.rename == "keep":
        return
    for each in looking_renamed(drift, judge.what.gone_before):
        done = "it is renamed in the warehouse" if judge.allow else "the table is not loaded"
        yield f"{each.words}, and when they are the same, {done}"


def _steps(what: TablePlan, drift: Drift) -> Iterator[str]:
    there = drift.there.types
    for name, kind in drift.added.items():
        if name not in OWN_COLUMNS:
            yield f"adds column `{name}` ({kind})"
    for name, kind in drift.widened.items():
        yield f"widens column `{name}` from {there[name]} to {kind}"
    for name, kind in drift.retyped.items():
        yield f"changes the type of column `{name}` from {there[name]} to {kind} in place"
    for name, kind in drift.narrowed.items():
        if what.accepted.get(name) != kind:
            yield f"keeps column `{name}` as {there[name]}, which is {kind} in the source now"
    for name in drift.dropped:
        if name not in OWN_COLUMNS and name not in what.gone_before:
            yield f"keeps column `{name}`, which is gone in the source, and marks it"
    if drift.rekeyed:
        yield f"replaces the primary key {listed(drift.there.key)} by {listed(drift.wanted.key)}"


def _dependents(connection: sa.Connection, what: TablePlan, drift: Drift) -> Iterator[str]:
    changing = [*drift.widened, *drift.retyped]
    if not changing and not drift.rekeyed:
        return
    oid, numbers, key = numbers_of(connection, what.target.itself())
    found = Dependents.of(
        connection, oid, [numbers[name] for name in changing], key.oid if key and drift.rekeyed else 0
    )
    if found.views:
        yield f"takes down and puts back, by the same transaction: {', '.join(each.title for each in found.views)}"
