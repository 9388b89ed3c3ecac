"""What was read for a load, and what came of it in numbers."""

from __future__ import annotations

from collections.abc import Mapping

import attrs

from etlkit.contracts import Everything, Since, Write
from etlkit.events import TableFinished
from etlkit.loading.applying import KEPT
from etlkit.loading.table_plan import TablePlan
from etlkit.transfer.chunk import Loss
from etlkit.transfer.policies import policy_of
from etlkit.wording import counted

EQUAL = "equal"
"""What `TableFinished.verified` says when every row was compared and none differed."""
REPAIRED = "equal after repair"
"""What it says when rows differed, and every row was compared and is equal now."""

_BUT_FOR = " but for "


def but_for(verified: str, kept: int) -> str:
    """Say of a table that is equal that it has more rows than its source, because they are kept when they are gone.

    Args:
        verified: `EQUAL` or `REPAIRED`.
        kept: how many rows.

    Returns:
        Such as `equal but for 3 rows kept`; as given when no row is.
    """
    return f"{verified}{_BUT_FOR}{counted(kept, 'row')} kept" if kept else verified


def is_proof(verified: str) -> bool:
    """Tell whether what is said of a table means that every row of the source was compared and is there as it is.

    Args:
        verified: as in `TableFinished`.

    Returns:
        True also where there are more rows, which are kept when they are gone.
    """
    return verified.partition(_BUT_FOR)[0] in {EQUAL, REPAIRED}


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
        counts: rows inserted, updated, deleted and kept, by these words; what did not happen may be missing.
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
        verified=_verified(what, changed=written + counts.get("deleted", 0), kept=counts.get(KEPT, 0)),
        losses=tuple(
            (columns[number].column.name, rule, count, policy_of(rule, columns[number].policy))
            for (number, rule), count in sorted(staged.losses.items())
        ),
    )


def summed_losses(*outcomes: TableFinished) -> tuple[tuple[str, str, int, str], ...]:
    """Add up what several loads of one table lost.

    Args:
        *outcomes: of the loads.

    Returns:
        As in `TableFinished.losses`, each column, rule and policy once.
    """
    sums: dict[tuple[str, str, str], int] = {}
    for column, rule, count, policy in (each for outcome in outcomes for each in outcome.losses):
        sums[column, rule, policy] = sums.get((column, rule, policy), 0) + count
    return tuple((column, rule, count, policy) for (column, rule, policy), count in sums.items())


def with_proof(load: TableFinished, proof: TableFinished) -> TableFinished:
    """Say of a load and of the proof behind it what came of both together.

    Args:
        load: the load's outcome, by a cursor.
        proof: that of comparing all rows behind it, and mending what the cursor does not show.

    Returns:
        One outcome.
    """
    counts = ("read", "inserted", "updated", "deleted", "rendered_bytes", "seconds")
    return attrs.evolve(
        proof,
        strategy=load.strategy,
        losses=summed_losses(load, proof),
        unchanged=max(0, proof.unchanged - load.inserted - load.updated),
        **{name: getattr(load, name) + getattr(proof, name) for name in counts},
    )


def _verified(what: TablePlan, *, changed: int, kept: int) -> str:
    if what.before is None:
        return "not checked: first load"
    if isinstance(what.plan.read, Since):
        return "not checked: by cursor"
    if not isinstance(what.plan.read, Everything) or what.plan.write is not Write.REPLACE:
        return "not checked: a part"
    return but_for(REPAIRED if changed else EQUAL, kept)
