"""Whether a table of the warehouse can be compared with what its source is now, and which columns are left out."""

from __future__ import annotations

from collections.abc import Mapping

import attrs
import sqlalchemy as sa

from etlkit.errors import NotChecked
from etlkit.loading.drift import Drift
from etlkit.loading.shapes import Shape, shape_of
from etlkit.loading.table_plan import TablePlan
from etlkit.loading.target import OWN_COLUMNS

IGNORED = "new in the source, and left out by `drift.add_column: ignore`"
"""Why a column that only the source has is not compared."""
LEFT_OUT = "not loaded, as a conversion in etlkit.yml says"
"""Why a column that a conversion leaves out is not compared."""
DROPPED = "gone in the source; the warehouse keeps its last values"
"""Why a column that only the warehouse has is not compared."""


@attrs.frozen(kw_only=True)
class Fit:
    """How a table of the warehouse can be compared."""

    types: Mapping[str, str]
    """The types that its columns have there, some wider than what is read."""
    not_compared: Mapping[str, str]
    """By column, why it is left out."""


def fit_of(connection: sa.Connection, what: TablePlan, read: sa.Table, now: Shape) -> Fit:
    """Compare the shape of what is read with that of the table.

    Args:
        connection: in a transaction, which holds the table for what is read.
        what: the table's plan.
        read: the table for what is read.
        now: the warehouse's table.

    Returns:
        How to compare.

    Raises:
        NotChecked: the source's table has another shape than the one that was loaded.
    """
    # PostgreSQL is asked how it spells the types: `pg_type` may say int4 for integer.
    wanted = shape_of(connection, read)
    if wanted is None:
        raise NotChecked("the rows that were read are gone; verify again")
    drift = Drift(now=now, wanted=attrs.evolve(wanted, key=what.target.key))
    unfit = _unfit(drift)
    if unfit:
        raise NotChecked(
            f"its shape changed since the last load ({'; '.join(unfit)}); run `etlkit run` first"
        )
    rendered = {each.column.name for each in what.rendered.columns}
    left_out = {
        each.name: LEFT_OUT if each.name in what.left_out else IGNORED
        for each in what.analysis.columns
        if each.name not in rendered
    }
    dropped = {name: DROPPED for name in drift.dropped if name not in OWN_COLUMNS}
    return Fit(types=now.types, not_compared={**left_out, **dropped})


def _unfit(drift: Drift) -> list[str]:
    return [
        *(f"column `{name}` is new" for name in drift.added),
        *(f"column `{name}` became wider" for name in drift.widened),
        *drift.changed,
    ]
