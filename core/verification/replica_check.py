"""Comparing the replica with the source: definition, count and digests of each table."""

from __future__ import annotations

import time
from typing import Self

import attrs

from etlkit.errors import NotChecked, SourceChanged
from etlkit.events import REPLICA
from etlkit.loading.source_identity import SourceIdentity
from etlkit.orchestration.deployment import Deployment
from etlkit.orchestration.second_hop import SecondHop
from etlkit.replication.comparing import Comparing
from etlkit.replication.ledger import ReplicaLedger
from etlkit.replication.ledger_entries import ReplicaSnapshot
from etlkit.stopping import StopSignal
from etlkit.verification.results import BY_DIGESTS, TableVerification

GONE = "it is gone in the source; `etlkit analyze` takes it off the list"
"""Why a table is not compared that the source no longer has."""


@attrs.frozen(kw_only=True)
class ReplicaCheck:
    """Compares tables of a deployment's replica with its source; writes nothing."""

    comparing: Comparing
    """Both servers."""
    ledger: ReplicaLedger
    """The replica's own record; only read."""
    known: ReplicaSnapshot
    """What it held when the verification began."""

    @classmethod
    def of(cls, deployment: Deployment, second: SecondHop, now: SourceIdentity, stop: StopSignal) -> Self:
        """Prepare; the replica's record is read.

        Args:
            deployment: whose tables.
            second: what reads its replica.
            now: the source.
            stop: when it is set, comparing ends by `RunInterrupted`.

        Returns:
            The check.

        Raises:
            SourceChanged: the replica copies another source.
            ConnectionFailed: it cannot be reached.
        """
        ledger, connections = deployment.replica_ledger(), deployment.connections
        known = ledger.snapshot()
        differences = [] if known.source is None else now.differences(known.source)
        if differences:
            raise SourceChanged(
                f"the replica `{ledger.database}` copies another source: {'; '.join(differences)}. Nothing was read"
            )
        replica = deployment.settings.replica
        return cls(
            comparing=Comparing(
                source=deployment.discovery,
                lent_source=connections.source_raw,
                replica=second.discovery,
                lent_replica=second.connections.source_raw,
                storage_engine=replica.engine if replica else "InnoDB",
                governor=connections.governor,
                stop=stop,
            ),
            ledger=ledger,
            known=known,
        )

    def is_gone(self, table: str) -> bool:
        """Tell whether the source no longer has a table that the replica keeps.

        Args:
            table: its name.
        """
        return self.comparing.source.catalog().find(table) is None

    def carry_out(self, table: str) -> TableVerification:
        """Compare one table.

        Args:
            table: its name.

        Returns:
            What was found.

        Raises:
            NotChecked: it was never loaded, or was loaded meanwhile.
            EtlkitError: one of the servers refused something.
        """
        began = time.monotonic()
        before = self.known.loaded(table)
        if before is None:
            raise NotChecked("never loaded")
        if self.is_gone(table):
            raise NotChecked(GONE)
        compared = self.comparing.table(table)
        found = TableVerification(
            table=table,
            hop=REPLICA,
            way=BY_DIGESTS,
            rows=compared.source_rows,
            checked=compared.source_rows,
            missing_in_warehouse=compared.missing,
            missing_in_source=compared.extra,
            different=compared.changed,
            definition=compared.definition,
            seconds=time.monotonic() - began,
        )
        if found.differs:
            after = self.ledger.snapshot().loaded(table)
            if after is None or after.state.generation != before.state.generation:
                raise NotChecked("a run loaded it while it was compared; verify again")
        return found
