"""A table's load, decided but not begun: everything the loader needs, and nothing of how it was decided."""

from __future__ import annotations

import hashlib

import attrs

from etlkit.config import TableConfig
from etlkit.contracts import Differences, Everything, LoadPlan, Write
from etlkit.loading.ledger_entries import LedgerEntry
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
