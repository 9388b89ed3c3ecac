"""The second hop of a deployment with a replica: from there into the warehouse, as if the replica was the source."""

from __future__ import annotations

import attrs

from etlkit.config import ReplicaSettings, Settings, SourceSettings
from etlkit.connections import ConnectionFactory
from etlkit.discovery import SchemaDiscovery

_MOST_CONNECTIONS = 16
_ANY = 1_000_000


@attrs.frozen(kw_only=True)
class SecondHop:
    """What reads the replica."""

    connections: ConnectionFactory
    """Makes the connections: the source is the replica."""
    discovery: SchemaDiscovery
    """Answers every question about the replica's schema."""


def behind_replica(settings: Settings) -> Settings:
    """Give the settings of the second hop.

    The replica is nobody's front desk: it is read at any hour, without rests, by as many connections as there are
    tables in work.

    Args:
        settings: of a deployment with a replica.

    Returns:
        The same, with the replica as the source and none behind it.
    """
    replica = settings.replica
    if replica is None:
        return settings
    return attrs.evolve(settings, source=_as_source(replica, settings.run.threads), replica=None)


def _as_source(replica: ReplicaSettings, threads: int) -> SourceSettings:
    return SourceSettings(
        url=replica.url,
        password_file=replica.password_file,
        password_command=replica.password_command,
        insecure=replica.insecure,
        ca_file=replica.ca_file,
        statement_seconds=replica.statement_seconds,
        silence_seconds=replica.silence_seconds,
        connections=min(_MOST_CONNECTIONS, threads),
        max_threads_running=_ANY // 10,
        max_table_lock_waits=_ANY,
        duty_cycle=1,
    )
