"""What reads the replica: settings, connections and schema of the second hop."""

from __future__ import annotations

from pathlib import Path

import attrs

from etlkit.config import (
    AllowedHours,
    MySQLUrl,
    PostgresUrl,
    ReplicaSettings,
    RunSettings,
    Settings,
    SourceSettings,
    WarehouseSettings,
)
from etlkit.connections import ConnectionFactory
from etlkit.orchestration.deployment import Deployment
from etlkit.orchestration.second_hop import behind_replica
from etlkit.registry import Registry

CLINIC = MySQLUrl.parse("mysql://reader:x@clinic/opendental")
COPY = MySQLUrl.parse("mysql://copier:y@office:3307/copy")
SETTINGS = Settings(
    deployment="north",
    source=SourceSettings(
        url=CLINIC, allowed_hours=AllowedHours.parse("20:00-06:00"), insecure=True, duty_cycle=0.1
    ),
    replica=ReplicaSettings(url=COPY, ca_file=Path("ca.pem"), statement_seconds=7, silence_seconds=8),
    warehouse=WarehouseSettings(url=PostgresUrl.parse("postgresql://etl:z@warehouse/dental")),
    run=RunSettings(threads=3),
)


def test_settings() -> None:
    """The replica is the source, reached as its own section says, and spared in no way."""
    behind = behind_replica(SETTINGS)
    source = behind.source
    assert (None, None, 1) == (behind.replica, source.allowed_hours, source.duty_cycle)
    assert (COPY, Path("ca.pem"), False, 7, 8, 3) == (
        source.url,
        source.ca_file,
        source.insecure,
        source.statement_seconds,
        source.silence_seconds,
        source.connections,
    )
    assert SETTINGS == attrs.evolve(behind, source=SETTINGS.source, replica=SETTINGS.replica)


def test_settings_without_a_replica() -> None:
    """There is nothing to change."""
    direct = attrs.evolve(SETTINGS, replica=None)
    assert direct == behind_replica(direct)


def test_most_connections() -> None:
    """There are as many as a section `source` may have."""
    many = attrs.evolve(SETTINGS, run=RunSettings(threads=64))
    assert 16 == behind_replica(many).source.connections


def test_connections() -> None:
    """Warehouse and writing replica are those of the first hop; the source is the replica, by sessions of its own."""
    with ConnectionFactory(SETTINGS) as connections:
        behind = connections.behind_replica(behind_replica(SETTINGS))
        assert connections.warehouse() is behind.warehouse()
        assert connections.replica() is behind.replica()
        assert connections.replica() is not behind.source()
        assert ("copy", "office", 3307) == (
            behind.source().url.database,
            behind.source().url.host,
            behind.source().url.port,
        )
        pool = behind.source().pool
    # Closed together: an engine that is disposed of has another pool.
    assert pool is not behind.source().pool


def test_deployment() -> None:
    """A deployment with a replica offers both hops, with one ledger; one without is its own second hop."""
    with Deployment.of(SETTINGS, Registry.of()) as deployment:
        hop = deployment.warehouse_hop()
        assert (CLINIC, COPY) == (deployment.settings.source.url, hop.settings.source.url)
        assert ("opendental", "copy") == (deployment.discovery.source_db, hop.discovery.source_db)
        assert deployment.ledger is hop.ledger
        assert "copy" == deployment.replica_ledger().database
        assert hop is hop.warehouse_hop()
    with Deployment.of(attrs.evolve(SETTINGS, replica=None), Registry.of()) as deployment:
        assert deployment is deployment.warehouse_hop()
