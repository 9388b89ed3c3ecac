"""How a table is read to be compared: as a load reads it, but all of it."""

from __future__ import annotations

import attrs

from etlkit.contracts import Commit, Everything, Write
from etlkit.loading.table_plan import TablePlan
from etlkit.transfer.digests import DIGEST


def to_compare(planned: TablePlan, *, digests: bool = False) -> TablePlan:
    """Make of a load's plan one that reads what is compared.

    Args:
        planned: how the table would be loaded.
        digests: whether the digests that etlkit keeps beside rows are compared as well. They are not the source's,
            say nothing of what is in a row now, and change with the configuration.

    Returns:
        The same table, every row of it.
    """
    plan = attrs.evolve(
        planned.plan,
        read=Everything(),
        write=Write.REPLACE,
        cursor=None,
        commit=Commit.ONCE,
        reason="every row is compared",
    )
    if digests:
        return attrs.evolve(planned, plan=plan)
    rendered = tuple(each for each in planned.rendered.columns if each.column.name != DIGEST.name)
    there = tuple(each for each in planned.target.columns if each.source != DIGEST.name)
    return attrs.evolve(
        planned,
        plan=plan,
        rendered=attrs.evolve(planned.rendered, columns=rendered, salt=None),
        target=attrs.evolve(planned.target, columns=there),
    )
