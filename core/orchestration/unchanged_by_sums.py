"""Tables that are as they were when they were last proven equal need not be read: the source's checksums say so.

A checksum is taken before a table is proven and again afterwards, and is only kept where both are the same, so that it
belongs to what was compared.
"""

from __future__ import annotations

import datetime as dt
import logging
from abc import ABC, abstractmethod
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Generic, Protocol, TypeVar

import attrs

from etlkit.connections import ConnectionFactory
from etlkit.contracts import TableState
from etlkit.errors import ConnectionFailed, EtlkitError, ExtractionError, OutsideAllowedHours
from etlkit.events import WAREHOUSE, TableFinished
from etlkit.loading.proofs import BY_CHECKSUM, PROVEN
from etlkit.loading.staged import EQUAL
from etlkit.transfer.checksums import checksums, may_be_summed
from etlkit.transfer.planned import Planned
from etlkit.transfer.source_queries import SourceQueries
from etlkit.transfer.trouble import read_trouble

LARGE_BYTES = 50 * 1024 * 1024
"""Tables with more, that change from run to run, would be summed up in vain."""

_log = logging.getLogger(__name__)


class Remembered(Protocol):
    """What is remembered of a table's last load."""

    @property
    def state(self) -> TableState:
        """What a strategy may know."""

    @property
    def checksum(self) -> int | None:
        """Of the source when the table was last proven equal; None when rows were written since."""

    @property
    def compared_at(self) -> dt.datetime | None:
        """When every row was last compared."""

    @property
    def written(self) -> int:
        """Rows that the last load wrote."""


Plan = TypeVar("Plan", bound=Planned)


@attrs.define(kw_only=True)
class UnchangedBySums(ABC, Generic[Plan]):
    """Finds such tables before a run's are loaded, and keeps checksums afterwards; where to, others say."""

    connections: ConnectionFactory
    """Lends the source's connection."""
    run_id: str
    """The run."""
    proves_all: bool = False
    """Whether the run compares every table as it was asked to, so that none is passed over."""
    hop: str = WAREHOUSE
    """Where tables are loaded into."""
    _plans: dict[str, Plan] = attrs.field(factory=dict)
    _before: Mapping[str, int] = attrs.field(factory=dict)
    _equal: frozenset[str] = frozenset()

    def find(self, names: Sequence[str]) -> list[TableFinished]:
        """Find the tables that need not be loaded, and record that they are proven equal.

        Args:
            names: the run's tables.

        Returns:
            The outcomes of those tables.

        Raises:
            EtlkitError: the ledger cannot be written.
        """
        broken = self.broken()
        self._plans = {
            name: plan for name in names if name not in broken and (plan := self._plan(name)) is not None
        }
        self._before = self._sums(self._plans)
        as_they_were = [self._outcome(plan) for plan in self._plans.values() if self._is_as_it_was(plan)]
        equal = self.renewed([] if self.proves_all else as_they_were, self._before)
        self._equal = frozenset(each.table for each in equal)
        return equal

    def keep(self, outcomes: Iterable[TableFinished]) -> None:
        """Keep the checksums of the tables that were proven equal, where they did not change meanwhile.

        Args:
            outcomes: of the tables that were loaded.

        Raises:
            EtlkitError: the ledger cannot be written.
        """
        compared = (each.table for each in outcomes if each.verified in PROVEN)
        proven = [name for name in compared if name in self._before and name not in self._equal]
        try:
            after = self._sums({name: self._plans[name] for name in proven})
        except ConnectionFailed as error:
            # Everything is loaded by now.
            _log.info("the source gave no checksums: %s", error.message)
            return
        self.kept({name: said for name, said in after.items() if said == self._before[name]})

    @abstractmethod
    def broken(self) -> Collection[str]:
        """Name the tables with a load that is not finished."""

    @abstractmethod
    def planned(self, name: str) -> Plan:
        """Plan a table's load."""

    @abstractmethod
    def remembered(self, plan: Plan) -> Remembered | None:
        """Give what is remembered of a table, where the plan builds upon it."""

    def is_wanted(self, plan: Plan) -> bool:
        """Tell whether a checksum of a table would say anything of what was loaded.

        Args:
            plan: of the table, of which something is remembered.

        Returns:
            True where nothing else stands in its way.
        """
        del plan
        return True

    @abstractmethod
    def proof_comes(self, plan: Plan) -> bool:
        """Tell whether a plan's load, or what follows it, proves the table equal."""

    @abstractmethod
    def taken_at(self) -> dt.datetime | None:
        """Give the moment that things were remembered at."""

    @abstractmethod
    def renewed(self, outcomes: Sequence[TableFinished], sums: Mapping[str, int]) -> list[TableFinished]:
        """Record that tables are proven equal, and give the outcomes that still hold."""

    @abstractmethod
    def kept(self, sums: Mapping[str, int]) -> None:
        """Keep checksums."""

    def sealed(self, plan: Plan, checksum: int) -> int:
        """Hide a checksum that must not be kept as it is.

        Args:
            plan: of the table.
            checksum: as the source gave it.

        Returns:
            What is kept and compared.
        """
        del plan
        return checksum

    def _plan(self, name: str) -> Plan | None:
        try:
            plan = self.planned(name)
        except EtlkitError:
            return None  # its load tells why
        before = self.remembered(plan)
        if before is None or not may_be_summed(plan.analysis):
            return None
        if plan.analysis.data_bytes > LARGE_BYTES and (before.written or self.proves_all):
            return None  # a large table that changes from run to run would be summed up in vain
        if not self.is_wanted(plan):
            return None
        # Without a checksum to compare with, one is only wanted where a proof is coming.
        return plan if before.checksum is not None or self.proves_all or self.proof_comes(plan) else None

    def _is_as_it_was(self, plan: Plan) -> bool:
        before, now = self.remembered(plan), self.taken_at()
        if before is None or now is None or before.checksum is None or before.compared_at is None:
            return False
        return (
            self._before.get(plan.analysis.name) == before.checksum
            and before.state.schema_hash == plan.analysis.schema_hash
            and now - before.compared_at < BY_CHECKSUM
        )

    def _sums(self, plans: Mapping[str, Plan]) -> Mapping[str, int]:
        if not plans:
            return {}
        try:
            with self.connections.source_raw() as raw, read_trouble("checksums"):
                found = checksums(
                    SourceQueries(raw, governor=self.connections.governor),
                    {name: plan.rendered.source for name, plan in plans.items()},
                    {name: plan.analysis for name, plan in plans.items()},
                )
        except (ExtractionError, OutsideAllowedHours) as error:
            # They only save work: without them every table is read.
            _log.info("the source gave no checksums: %s", error.message)
            return {}
        return {name: self.sealed(plans[name], said) for name, said in found.items()}

    def _outcome(self, plan: Plan) -> TableFinished:
        return TableFinished(
            table=plan.analysis.name,
            hop=self.hop,
            strategy=plan.plan.strategy,
            importance=plan.analysis.importance,
            verified=EQUAL,
        )
