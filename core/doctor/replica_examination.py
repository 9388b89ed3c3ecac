"""Examining the replica of a deployment, if it has one."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from etlkit.config import ReplicaSettings
from etlkit.discovery import SchemaDiscovery
from etlkit.discovery.catalog import Catalog
from etlkit.discovery.exclusions import OWN_PREFIX
from etlkit.discovery.replica import Adaptation
from etlkit.doctor import checks, replica_server, replica_tables
from etlkit.doctor.accounts import create_database, grant
from etlkit.doctor.encryption import judge_encryption
from etlkit.doctor.findings import Finding
from etlkit.doctor.mysql_facts import MySQLFacts
from etlkit.doctor.reaching import is_closed, is_missing, server_facts
from etlkit.doctor.replica_grants import judge_replica_grants
from etlkit.doctor.source_server import judge_version
from etlkit.errors import EtlkitError, SchemaAnalysisError
from etlkit.loading.source_identity import SourceIdentity
from etlkit.orchestration.deployment import Deployment
from etlkit.server_access import REPLICA_RIGHTS
from etlkit.wording import counted

_OF_DATABASE = (
    checks.SERVER,
    checks.DEFINITIONS,
    checks.NAMES,
    checks.REPLICA_TABLES,
    checks.RECORD,
    checks.REPLICA_DISK,
)


def examine_replica(
    deployment: Deployment, source: MySQLFacts | None, source_catalog: Catalog | None
) -> list[Finding]:
    """Examine the replica: the server, our rights there, and what is in its database.

    Args:
        deployment: whose.
        source: the source's server; None when it cannot be reached.
        source_catalog: the source's catalog; None when it could not be read.

    Returns:
        A finding for each check of the section; nothing when the deployment has no replica.
    """
    settings = deployment.settings.replica
    if settings is None:
        return []
    try:
        facts = server_facts(deployment.settings, deployment.connections, "replica")
    except EtlkitError as error:
        rest = checks.checks_of("replica")[1:]
        return [
            checks.REPLICA_CONNECTION.failed(error),
            *checks.unseen(rest, "the replica cannot be reached"),
        ]
    found = [
        checks.REPLICA_CONNECTION.ok(f"{settings.url.place} answers."),
        judge_version(checks.REPLICA_VERSION, facts.version),
        judge_encryption(checks.REPLICA_ENCRYPTION, settings.url, facts.cipher, insecure=settings.insecure),
        replica_server.judge_writable(facts),
        judge_replica_grants(facts.account, facts.grants, settings.url.database),
        replica_server.judge_engine(facts, settings.engine, source_catalog),
        replica_server.judge_local_infile(facts),
        replica_server.judge_packet_size(facts, source),
        *_database(deployment, settings, facts, source_catalog),
    ]
    order = [check.name for check in checks.checks_of("replica")]
    return sorted(found, key=lambda each: order.index(each.check))


def _database(
    deployment: Deployment, settings: ReplicaSettings, facts: MySQLFacts, source: Catalog | None
) -> list[Finding]:
    """Judge what depends on the database itself."""
    hop = deployment.second_hop
    try:
        catalog = hop.discovery.catalog() if hop is not None else None
    except EtlkitError as error:
        return [
            _no_database(error, facts, settings),
            *checks.unseen(_OF_DATABASE, "the database cannot be read"),
        ]
    if hop is None or catalog is None:
        return []
    count = counted(sum(not name.startswith(OWN_PREFIX) for name in catalog.tables), "table")
    wanted = deployment.settings.list_tables() or sorted(source.tables if source else ())
    return [
        checks.REPLICA_DATABASE.ok(f"The database `{catalog.database}` is there, and holds {count}."),
        replica_server.judge_server(source, catalog),
        _definitions(deployment.discovery, hop.discovery, settings, source, wanted),
        replica_tables.judge_names(catalog, wanted),
        *_ledger(deployment, catalog, source, wanted),
        replica_tables.judge_disk(source, catalog, wanted),
    ]


def _definitions(
    discovery: SchemaDiscovery,
    replica: SchemaDiscovery,
    settings: ReplicaSettings,
    source: Catalog | None,
    wanted: Iterable[str],
) -> Finding:
    if source is None:
        [finding] = checks.unseen([checks.DEFINITIONS], "the source's database cannot be read")
        return finding
    adapted: dict[str, tuple[Adaptation, ...]] = {}
    refused: dict[str, str] = {}
    tables = [source.tables[name] for name in wanted if name in source.tables]
    # What cannot be opened or seen in the source has no definition to read; the checks of the source tell.
    for name in (
        each.name for each in tables if each.engine and not each.unreadable and not each.partly_hidden
    ):
        try:
            definition = discovery.replica_definition(name, replica, storage_engine=settings.engine)
        except SchemaAnalysisError as error:
            refused[name] = error.message
        except EtlkitError as error:
            return checks.DEFINITIONS.failed(error)
        else:
            adapted[name] = definition.adaptations
    return replica_tables.judge_definitions(adapted, refused)


def _no_database(error: EtlkitError, facts: MySQLFacts, settings: ReplicaSettings) -> Finding:
    url = settings.url
    make = f"{create_database(url.database)} {grant(REPLICA_RIGHTS, facts.account, url.database)}"
    if is_missing(error, url, "replica"):
        return checks.REPLICA_DATABASE.problem(
            f"{url.place} has no database `{url.database}`.",
            f"Check the name in `replica.url`, or let an administrator run: {make}",
        )
    if is_closed(error, url, "replica"):
        return checks.REPLICA_DATABASE.problem(
            f"{url.place} does not let the user {facts.account} use a database `{url.database}`, and does not tell "
            "whether there is one.",
            f"Check the name in `replica.url`, and let an administrator run, the first only if it is not there: {make}",
        )
    return checks.REPLICA_DATABASE.failed(error)


def _ledger(
    deployment: Deployment, catalog: Catalog, source: Catalog | None, wanted: Collection[str]
) -> list[Finding]:
    """Judge what depends on the ledger; without it nobody knows which tables are etlkit's."""
    try:
        there = deployment.replica_ledger().snapshot()
    except EtlkitError as error:
        return [
            *checks.unseen([checks.REPLICA_TABLES], "the ledger cannot be read"),
            checks.RECORD.failed(error),
        ]
    now = SourceIdentity.of(source, deployment.settings.source.url) if source is not None else None
    known = {name for name in there.entries if there.loaded(name)}
    tables = replica_tables.judge_target_tables(catalog, wanted, known)
    if not wanted:
        [tables] = checks.unseen([checks.REPLICA_TABLES], "no table to copy is known yet")
    return [tables, replica_tables.judge_record(there.source, now, catalog.database)]
