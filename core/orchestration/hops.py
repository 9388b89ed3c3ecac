"""The hops of a run, one after the other: into the replica where there is one, and into the warehouse."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING

import attrs

from etlkit.config import Settings
from etlkit.errors import ConfigurationError, EtlkitError
from etlkit.events import REPLICA, WAREHOUSE, TableFinished
from etlkit.loading.ledger_entries import LedgerSnapshot
from etlkit.loading.source_identity import LoadedFrom, SourceIdentity, require_same_source
from etlkit.orchestration.deployment import Deployment
from etlkit.orchestration.replica_hop import ReplicaHop
from etlkit.orchestration.retries import Retries
from etlkit.orchestration.warehouse_hop import WarehouseHop

if TYPE_CHECKING:
    from etlkit.orchestration.run import RunRequest

Finished = Callable[[TableFinished], None]

_log = logging.getLogger(__name__)


@attrs.frozen(kw_only=True)
class Hops:
    """Takes tables of a run from the source to the warehouse."""

    deployment: Deployment
    """Whose tables."""
    request: RunRequest
    """What the run is asked for."""
    run_id: str
    """The run."""
    retries: Retries
    """Of what is done for all tables together."""
    may_go_on: Callable[[], None] = lambda: None
    """Called before each table is written; raises when the run must write nothing more."""
    rows_read: Callable[[str, int], None] = lambda *_: None
    """Called from the tables' threads with a table's name and the rows read of it so far."""

    @property
    def names(self) -> tuple[str, ...]:
        """The hops that each table makes, as `TableFinished.hop` names them."""
        return (REPLICA, WAREHOUSE) if self._first is not None and self._copies else (WAREHOUSE,)

    def require_source(self) -> None:
        """Go on only with the source that the tables came from until now, by whichever way, and remember it.

        Raises:
            SourceChanged: it is another one, which nobody accepted.
            ConnectionFailed: the replica cannot be reached.
        """
        deployment, first = self.deployment, self._first
        now = SourceIdentity.of(deployment.discovery.catalog(), deployment.settings.source.url)
        loaded_from = LoadedFrom(database=now)
        if first is not None:
            loaded_from = self.retries.call(partial(first.require_source, now))
        require_same_source(deployment.ledger, loaded_from, accept=self.request.accept_source)

    def order(self, names: Sequence[str], known: LedgerSnapshot) -> tuple[str, ...]:
        """Order tables as they will be begun.

        Args:
            names: the tables.
            known: what the warehouse holds.

        Returns:
            The same, important ones first.
        """
        # The replica need not have the tables yet.
        return (self._first or self._last(known)).order(names)

    def carry_out(self, names: Sequence[str], known: LedgerSnapshot, finished: Finished) -> None:
        """Load tables; one table's failure leaves the others running.

        Args:
            names: the tables, ordered.
            known: what the warehouse holds.
            finished: called with each table's outcome, for each hop.

        Raises:
            EtlkitError: what a run remembers cannot be written, or the replica cannot be reached any more.
        """
        first = self._first
        if first is None:
            self._last(known).carry_out(names, finished)
            return
        arrived = self._arrived(first, names, finished)
        unseen = first.unseen(arrived)

        def loaded(outcome: TableFinished) -> None:
            if outcome.table in unseen and outcome.error is None and self._copies:
                first.ledger.followed_up(outcome.table, unseen[outcome.table])
            finished(outcome)

        # The first hop may have taken hours.
        last = self._last(self.deployment.ledger.snapshot(), frozenset(unseen))
        last.carry_out(last.order(arrived), loaded)

    def _arrived(self, first: ReplicaHop, names: Sequence[str], finished: Finished) -> list[str]:
        """Load tables into the replica, and give those that go on from there."""
        arrived = dict.fromkeys(names)

        def copied(outcome: TableFinished) -> None:
            if outcome.error is not None:
                del arrived[outcome.table]
            finished(outcome)

        if self._copies:
            first.carry_out(names, copied)
            self.retries.call(first.second.discovery.catalog)
            return list(arrived)
        _log.warning("with `--limit` the replica is left as it is; the rows are read from there")
        there = self.retries.call(first.second.discovery.catalog)
        for name in names:
            if there.find(name) is None:
                del arrived[name]
                missing = refused(self.deployment.settings, name, not_in_replica(name))
                self.deployment.ledger.record_failure(self.run_id, missing)
                finished(missing)
        return list(arrived)

    @property
    def _copies(self) -> bool:
        """Whether the first hop takes place: a part of a table is no copy of it."""
        return self.request.limit is None

    @property
    def _first(self) -> ReplicaHop | None:
        second = self.deployment.second_hop
        if second is None:
            return None
        return ReplicaHop(
            deployment=self.deployment,
            second=second,
            request=self.request,
            run_id=self.run_id,
            may_go_on=self.may_go_on,
            rows_read=self.rows_read,
        )

    def _last(self, known: LedgerSnapshot, unseen: frozenset[str] = frozenset()) -> WarehouseHop:
        return WarehouseHop(
            deployment=self.deployment.warehouse_hop(),
            request=self.request,
            run_id=self.run_id,
            known=known,
            may_go_on=self.may_go_on,
            rows_read=self.rows_read,
            reads_replica=self._first is not None,
            unseen=unseen,
        )


def refused(settings: Settings, name: str, error: EtlkitError) -> TableFinished:
    """Give the outcome of a table that is not begun.

    Args:
        settings: the deployment's.
        name: the table.
        error: why.

    Returns:
        The outcome.
    """
    return TableFinished(
        table=name,
        importance=settings.get_table_config(name).table_importance,
        verified="not checked: the load failed",
        error=error.message,
        exit_code=error.exit_code,
    )


def not_in_replica(name: str) -> ConfigurationError:
    """Word why a table cannot be tried out.

    Args:
        name: the table, which the replica does not have.

    Returns:
        The error of its outcome.
    """
    return ConfigurationError(
        f"table `{name}` is not in the replica yet, and `--limit` leaves the replica as it is; run once without it"
    )
