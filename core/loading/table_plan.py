"""A table's load, decided but not begun: everything the loader needs, and nothing of how it was decided."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

import attrs

from etlkit.config import TableConfig
from etlkit.contracts import Differences, Everything, LoadPlan, Write
from etlkit.loading.kept import GONE, NARROWER, Kept
from etlkit.loading.ledger_entries import LedgerEntry
from etlkit.loading.shapes import Shape
from etlkit.loading.target import TargetTable
from etlkit.tables import TableAnalysis
from etlkit.transfer.rendering import RenderedTable


@attrs.frozen(kw_only=True)
class TablePlan:
    """One table's load."""

    analysis: TableAnalysis
    """The table, with the choices of configuration in it."""
    config: TableConfig
    """Those choices."""
    rendered: RenderedTable
    """How its rows leave the source."""
    target: TargetTable
    """What it is in the warehouse."""
    plan: LoadPlan
    """What to read, how to apply it."""
    before: LedgerEntry | None
    """What the ledger held when the plan was made."""
    builds_upon_it: bool = False
    """Whether that is known to be equal to what the source held then, by the same mapping."""
    proof_due: bool = False
    """Whether the table is to be proven equal now, whatever the plan reads."""
    left_out: frozenset[str] = frozenset()
    """Columns that a conversion leaves out, by their names in the source."""
    kept: Mapping[str, Kept] = attrs.field(factory=dict)
    """By column, what the warehouse keeps of the table although the source has it no longer, or narrower."""

    def fits(self, now: Shape) -> bool:
        """Tell whether the warehouse's table needs no change.

        Args:
            now: what it looks like there.

        Returns:
            True for the same columns, types and key; False as well where a type is only spelled in another way.
        """
        return self.target.types == now.types and self.target.key == now.key

    @property
    def gone_before(self) -> frozenset[str]:
        """The columns that earlier loads found gone in the source."""
        return frozenset(name for name, each in self.kept.items() if each.reason == GONE)

    @property
    def accepted(self) -> Mapping[str, str]:
        """By column, the narrower type of the source that an earlier load kept it wider than."""
        return {name: each.type for name, each in self.kept.items() if each.reason == NARROWER and each.type}

    @property
    def proof_follows(self) -> bool:
        """Whether all rows are compared by digests behind the load, which does not look at all of them itself."""
        read, write = self.plan.read, self.plan.write
        proves = isinstance(read, Differences) or (isinstance(read, Everything) and write is Write.REPLACE)
        return self.proof_due and not proves and self.rendered.salt is not None

    @property
    def digest(self) -> str:
        """sha256 over what a broken read must share with a later one to be gone on with."""
        generation = self.before.state.generation if self.before else 0
        said = [
            self.plan.strategy,
            repr(self.plan.read),
            repr(self.plan.write),
            repr(self.plan.cursor),
            self.target.mapping_hash,
            # A key whose collation changed is read in another order.
            self.analysis.schema_hash,
            str(generation),
        ]
        return hashlib.sha256("\0".join(said).encode()).hexdigest()
