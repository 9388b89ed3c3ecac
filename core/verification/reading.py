"""How a table is read to be compared: as a load reads it, but all of it, and only what comes from the source."""

from __future__ import annotations

import attrs

from etlkit.contracts import Commit, Everything, Write
from etlkit.loading.table_plan import TablePlan
from etlkit.transfer.digests import DIGEST


def to_compare(planned: TablePlan) -> TablePlan:
    """Make of a load's plan one that reads what is compared.

    Args:
        planned: how the table would be loaded.

    Returns:
        The same table, every row of it, without the digests that etlkit keeps beside rows: they say whether a row
        must be read again, not what is in it, and change with the configuration.
    """
    plan = attrs.evolve(
        planned.plan,
        read=Everything(),
        write=Write.REPLACE,
        cursor=None,
        commit=Commit.ONCE,
        reason="every row is compared",
    )
    rendered = tuple(each for each in planned.rendered.columns if each.column.name != DIGEST.name)
    there = tuple(each for each in planned.target.columns if each.source != DIGEST.name)
    return attrs.evolve(
        planned,
        plan=plan,
        rendered=attrs.evolve(planned.rendered, columns=rendered, salt=None),
        target=attrs.evolve(planned.target, columns=there),
    )
