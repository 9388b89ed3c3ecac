"""The first hop of a run with a replica: from the source into the replica, all tables before any goes on from there."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

import attrs

from etlkit.events import REPLICA, TableFinished
from etlkit.loading.source_identity import LoadedFrom, SourceIdentity, refuse_other_source
from etlkit.orchestration.deployment import Deployment
from etlkit.orchestration.kept_names import require_kept_names
from etlkit.orchestration.own_database import require_own_database
from etlkit.orchestration.priority_processor import PriorityProcessor
from etlkit.orchestration.replica_planning import ReplicaPlanner
from etlkit.orchestration.replica_unchanged import UnchangedCopies
from etlkit.orchestration.second_hop import SecondHop
from etlkit.orchestration.table_processor import TableProcessor
from etlkit.replication.ends import Replica, Source
from etlkit.replication.ledger import ReplicaLedger
from etlkit.replication.ledger_entries import ReplicaSnapshot
from etlkit.replication.loader import ReplicaLoader
from etlkit.replication.tidying import remove_left_overs

if TYPE_CHECKING:
    from etlkit.orchestration.run import RunRequest


@attrs.frozen(kw_only=True)
class ReplicaHop:
    """Loads tables of a run into the replica."""

    deployment: Deployment
    """Whose tables; it has a replica."""
    second: SecondHop
    """What reads the replica."""
    request: RunRequest
    """What the run is asked for."""
    run_id: str
    """The run."""
    may_go_on: Callable[[], None] = lambda: None
    """Called before each table is written; raises when the run must write nothing more."""
    rows_read: Callable[[str, int], None] = lambda *_: None
    """Called from the tables' threads with a table's name and the rows read of it so far."""

    @property
    def ledger(self) -> ReplicaLedger:
        """The replica's own record."""
        return self.deployment.replica_ledger()

    def require_source(self, now: SourceIdentity) -> LoadedFrom:
        """Make sure that the replica copies this source, and the warehouse is of this source, before anything is read.

        Args:
            now: the source.

        Returns:
            Where the warehouse's rows come from.

        Raises:
            SourceChanged: one of them is of another source, which nobody accepted.
            ConfigurationError: the replica is the source itself, or does not keep the tables' names.
            LoadError: the replica refuses etlkit's own tables.
            ConnectionFailed: it cannot be reached.
        """
        # What an earlier run left there may have changed since, by whomever.
        self.second.discovery.clear_cache()
        require_own_database(self.deployment.discovery.catalog(), self.second.discovery.catalog())
        require_kept_names(self.deployment.settings.list_tables(), self.second.discovery.catalog().server)
        loaded_from = loaded_through(self.deployment, self.second, now)
        if not self.request.accept_source:
            refuse_other_source(self.deployment.ledger, loaded_from)
        self.ledger.ensure()
        self.ledger.require_source(now, accept=self.request.accept_source)
        return loaded_from

    def order(self, names: Sequence[str]) -> tuple[str, ...]:
        """Order tables as they will be begun.

        Args:
            names: the tables.

        Returns:
            The same, important ones first.
        """
        return tuple(self._processor(names, ReplicaSnapshot(), lambda _: None).order())

    def carry_out(self, names: Sequence[str], finished: Callable[[TableFinished], None]) -> None:
        """Load the tables; one table's failure leaves the others running.

        Args:
            names: the tables.
            finished: called with each table's outcome.

        Raises:
            EtlkitError: the replica's own record cannot be written.
            PluginError: the executor failed.
        """
        known = self.ledger.snapshot()
        catalog = self.deployment.discovery.catalog()
        gone = {name for name in known.entries if catalog.find(name) is None}
        if gone != {name for name, each in known.entries.items() if each.gone}:
            self.ledger.mark_gone(gone)
        remove_left_overs(self._replica, self.second.discovery)
        outcomes: list[TableFinished] = []

        def tell(outcome: TableFinished) -> None:
            outcomes.append(outcome)
            finished(outcome)

        unchanged = self._unchanged_copies(known)
        equal = [] if unchanged is None else unchanged.find(names)
        for outcome in equal:
            tell(outcome)
        left = sorted(set(names).difference(each.table for each in equal))
        self._processor(left, known, tell).process_by_priority(force_full=self.request.full_refresh)
        if unchanged is not None:
            unchanged.keep(outcomes)
        # It has other tables now, and others of their columns.
        self.second.discovery.clear_cache()

    def unseen(self, names: Sequence[str]) -> Mapping[str, int]:
        """Find tables that changed in the replica in a way that no cursor shows.

        Args:
            names: the tables of a run.

        Returns:
            By name, the generation that changed them so.
        """
        known = self.ledger.snapshot().entries
        return {name: known[name].follow_up for name in names if name in known and known[name].follow_up}

    @property
    def _replica(self) -> Replica:
        ledger, settings = self.ledger, self.deployment.settings.replica
        return Replica(
            engine=ledger.engine,
            database=ledger.database,
            ledger=ledger,
            storage_engine=settings.engine if settings else "InnoDB",
        )

    def _planner(self, known: ReplicaSnapshot) -> ReplicaPlanner:
        return replica_planner(
            self.deployment, self.second, known=known, allow_drift=self.request.allow_drift
        )

    def _unchanged_copies(self, known: ReplicaSnapshot) -> UnchangedCopies | None:
        """Give what finds the tables that need not be read; None where nothing is proven anyway."""
        if self.request.accept_source:
            return None
        return UnchangedCopies(
            planner=self._planner(known),
            known=known,
            connections=self.deployment.connections,
            run_id=self.run_id,
            proves_all=self.request.full_refresh or self.request.reconcile,
        )

    def _processor(
        self, names: Sequence[str], known: ReplicaSnapshot, finished: Callable[[TableFinished], None]
    ) -> PriorityProcessor:
        deployment = self.deployment
        settings, connections, discovery = deployment.settings, deployment.connections, deployment.discovery
        loader = ReplicaLoader(
            settings=settings,
            planner=self._planner(known),
            connections=connections,
            source=Source(
                discovery=discovery,
                database=discovery.catalog().database,
                lent=connections.source_raw,
                governor=connections.governor,
            ),
            replica=self._replica,
            run_id=self.run_id,
            allow_deletes=self.request.allow_deletes,
            reconcile=self.request.reconcile,
            rows_read=self.rows_read,
            may_go_on=self.may_go_on,
        )
        return PriorityProcessor(
            discovery,
            settings,
            processor=TableProcessor(discovery, loader, hop=REPLICA),
            executor=deployment.registry.executor(settings.run.executor),
            tables=names,
            finished=finished,
        )


def replica_planner(
    deployment: Deployment,
    second: SecondHop,
    *,
    known: ReplicaSnapshot | None = None,
    allow_drift: bool = False,
) -> ReplicaPlanner:
    """Make what decides how tables are loaded into the replica.

    Args:
        deployment: whose tables.
        second: what reads the replica.
        known: what the replica's record held at one moment; by default it is asked at each table.
        allow_drift: whether tables may be defined anew in every way.

    Returns:
        The planner.
    """
    return ReplicaPlanner(
        settings=deployment.settings,
        discovery=deployment.discovery,
        registry=deployment.registry,
        ledger=deployment.replica_ledger(),
        replica=second.discovery,
        known=known,
        allow_drift=allow_drift,
    )


def loaded_through(deployment: Deployment, second: SecondHop | None, now: SourceIdentity) -> LoadedFrom:
    """Say where the rows of a deployment's warehouse come from.

    Args:
        deployment: whose warehouse.
        second: what reads its replica; None without one.
        now: the source.

    Returns:
        The source, or the replica and what it copies.

    Raises:
        SchemaDiscoveryError: the replica's catalog cannot be read.
    """
    if second is None:
        return LoadedFrom(database=now)
    url = deployment.warehouse_hop().settings.source.url
    return LoadedFrom(database=SourceIdentity.of(second.discovery.catalog(), url), origin=now)
