"""What was read for a load, and what came of it in numbers."""

from __future__ import annotations

from collections.abc import Mapping

import attrs

from etlkit.contracts import Everything, Since, Write
from etlkit.events import TableFinished
from etlkit.loading.table_plan import TablePlan
from etlkit.transfer.chunk import Loss
from etlkit.transfer.policies import policy_of

EQUAL = "equal"
"""What `TableFinished.verified` says when every row was compared and none differed."""
REPAIRED = "equal after repair"
"""What it says when rows differed, and every row was compared and is equal now."""


@attrs.frozen(kw_only=True)
class Staged:
    """What was read into a table, before it is applied."""

    rows: int = 0
    """Rows."""
    size: int = 0
    """Bytes of COPY text."""
    losses: Mapping[Loss, int] = attrs.field(factory=dict)
    """By column and rule, values that are not there as they are."""
    watermark: str | None = None
    """The watermark of what was read."""


def outcome_of(what: TablePlan, staged: Staged, counts: Mapping[str, int], seconds: float) -> TableFinished:
    """Say what came of a load.

    Args:
        what: its plan.
        staged: what was read.
        counts: rows inserted, updated and deleted, by these words; what did not happen may be missing.
        seconds: how long it took.

    Returns:
        The outcome of a load that is committed.
    """
    written = counts.get("inserted", 0) + counts.get("updated", 0)
    columns = what.rendered.columns
    return TableFinished(
        table=what.analysis.name,
        strategy=what.plan.strategy,
        importance=what.analysis.importance,
        read=staged.rows,
        inserted=counts.get("inserted", 0),
        updated=counts.get("updated", 0),
        deleted=counts.get("deleted", 0),
        unchanged=max(0, staged.rows - written),
        rendered_bytes=staged.size,
        seconds=seconds,
        verified=_verified(what, changed=written + counts.get("deleted", 0)),
        losses=tuple(
            (columns[number].column.name, rule, count, policy_of(rule, columns[number].policy))
            for (number, rule), count in sorted(staged.losses.items())
        ),
    )


def _verified(what: TablePlan, *, changed: int) -> str:
    if what.before is None:
        return "not checked: first load"
    if isinstance(what.plan.read, Since):
        return "not checked: by cursor"
    if not isinstance(what.plan.read, Everything) or what.plan.write is not Write.REPLACE:
        return "not checked: a part"
    return REPAIRED if changed else EQUAL
