"""A table's load into the replica, decided but not begun."""

from __future__ import annotations

import hashlib

import attrs

from etlkit.config import TableConfig
from etlkit.contracts import Commit, Differences, Everything, LoadPlan, Since, Write
from etlkit.discovery.replica import DefinitionDifference
from etlkit.replication.ledger_entries import ReplicaEntry
from etlkit.tables import TableAnalysis
from etlkit.transfer.rendering import RenderedTable

SIDE = "etlkit_new_"
"""What the names of tables begin with that are filled aside."""
OLD = "etlkit_old_"
"""What the names of tables begin with whose place was taken."""


@attrs.frozen(kw_only=True)
class ReplicaPlan:
    """One table's load into the replica."""

    analysis: TableAnalysis
    """The table in the source, with the choices of configuration in it."""
    there: TableAnalysis | None
    """The table in the replica; None when there is none of that name."""
    config: TableConfig
    """Those choices."""
    rendered: RenderedTable
    """How its rows leave the source."""
    plan: LoadPlan
    """What to read, how to apply it."""
    entry: ReplicaEntry | None
    """What the replica's ledger held when the plan was made; None for a table that was never loaded."""
    generation: int = 0
    """The generation that the load builds upon."""
    adaptations: tuple[str, ...] = ()
    """What of the definition is adapted for the replica, in words."""
    differences: tuple[DefinitionDifference, ...] = ()
    """In which ways the replica's table is defined in another way than the source's."""
    proof_due: bool = False
    """Whether the table is to be proven equal now, whatever the plan reads."""

    @property
    def name(self) -> str:
        """The table's name, on both servers."""
        return self.analysis.name

    @property
    def side(self) -> str:
        """The name of the table that is filled aside; the same in every run."""
        return SIDE + hashlib.sha256(self.name.encode()).hexdigest()[:24]

    @property
    def first(self) -> bool:
        """Whether the table is not in the replica yet."""
        return self.entry is None or self.there is None

    @property
    def reshape(self) -> bool:
        """Whether the replica's table must be defined anew."""
        return not self.first and bool(self.differences)

    @property
    def replaced(self) -> bool:
        """Whether the load fills a table aside that takes the place of the one that is there.

        Changes in place are seen half done where the engine knows no transactions, and without a key nothing tells
        which rows they are.
        """
        if self.first or self.reshape:
            return True
        in_place = (
            self.there is not None and self.there.engine == "InnoDB" and bool(self.analysis.primary_key)
        )
        return self.plan.write is Write.REPLACE and not in_place

    @property
    def proof_follows(self) -> bool:
        """Whether all rows are compared by digests behind the load, which does not look at all of them itself."""
        return self.proof_due and isinstance(self.plan.read, Since) and bool(self.analysis.primary_key)

    @property
    def resumable(self) -> bool:
        """Whether what was read stays aside when the load breaks, and the next one goes on behind it."""
        reads = not isinstance(self.plan.read, Differences) and not self.reshape
        return reads and self.plan.commit is Commit.PER_CHUNK

    @property
    def whole(self) -> bool:
        """Whether every row is read, so that rows which were not are gone."""
        return isinstance(self.plan.read, Everything) and self.plan.write is Write.REPLACE

    @property
    def digest(self) -> str:
        """sha256 over what a broken read must share with a later one to be gone on with."""
        said = [
            self.plan.strategy,
            repr(self.plan.read),
            repr(self.plan.write),
            repr(self.plan.cursor),
            self.analysis.schema_hash,
            str(self.generation),
            str(self.replaced),
        ]
        return hashlib.sha256("\0".join(said).encode()).hexdigest()
