"""Examining a deployment: asking one thing after the other, and going on where something fails."""

from __future__ import annotations

import datetime as dt
import os
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path

import attrs

from etlkit.config import Secret, Settings
from etlkit.config.secret_files import ENV_FILE
from etlkit.config.urls import DatabaseUrl
from etlkit.discovery.analysis import as_in_catalog
from etlkit.discovery.catalog import Catalog
from etlkit.doctor import checks, source_server, source_tables, warehouse_server
from etlkit.doctor.accounts import grant_select
from etlkit.doctor.configuration import (
    judge_env_file,
    judge_plugins,
    judge_settings,
    judge_tables_file,
    mode_of,
)
from etlkit.doctor.encryption import judge_encryption
from etlkit.doctor.findings import Finding, exit_code
from etlkit.doctor.grants import judge_grants
from etlkit.doctor.masking import judge_masking
from etlkit.doctor.mysql_facts import MySQLFacts
from etlkit.doctor.plugin_lock import examine_plugins
from etlkit.doctor.reaching import is_closed, server_facts
from etlkit.doctor.replica_examination import examine_replica
from etlkit.doctor.warehouse_facts import WarehouseFacts, read_warehouse_facts
from etlkit.errors import ConfigurationError, EtlkitError, TargetConflict
from etlkit.loading.last_loads import read_past
from etlkit.loading.target import target_name
from etlkit.lock import LOCK_FILE
from etlkit.orchestration.choices import choice_problems
from etlkit.orchestration.deployment import Deployment
from etlkit.orchestration.needed_plugins import needed_problems
from etlkit.registry import Registry
from etlkit.transfer.manners import Manners


@attrs.frozen(kw_only=True)
class Examination:
    """All findings about a deployment."""

    findings: tuple[Finding, ...]
    """Source, replica where there is one, warehouse, plugins, configuration, in this order."""
    exit_code: int
    """0 without a problem, 1 with one, 2 when the configuration cannot be read."""


def examine(folder: Path, env: Mapping[str, str] | None = None) -> Examination:
    """Examine a deployment; nothing is changed anywhere.

    Args:
        folder: the deployment's folder.
        env: the environment; by default the process's own.

    Returns:
        What was found; whatever is wrong with the deployment is a finding.
    """
    env_file = folder / ENV_FILE
    secrets = judge_env_file(env_file, mode_of(env_file))
    try:
        settings = Settings.load(folder, env)
    except ConfigurationError as error:
        findings = (
            *checks.unseen(checks.checks_of("source"), "the configuration cannot be read"),
            *checks.unseen(checks.checks_of("warehouse"), "the configuration cannot be read"),
            *_plugins_alone(folder),
            judge_settings(folder, error),
            secrets,
            *checks.unseen([checks.TABLES_FILE, checks.MASKING], "the configuration cannot be read"),
        )
        return Examination(findings=findings, exit_code=error.exit_code)
    registry, plugins = examine_plugins(settings)
    # Where plugins were not imported, nobody knows what they would provide.
    unknown = (
        [*needed_problems(settings, registry), *choice_problems(settings, registry)]
        if registry.plugins
        else ()
    )
    with Deployment.of(settings, registry) as deployment:
        source, facts, catalog = _source(deployment)
        found = (
            *source,
            *examine_replica(deployment, facts, catalog),
            *_warehouse(deployment, catalog),
            *plugins,
            judge_settings(folder, settings, unknown),
            secrets,
            judge_tables_file(settings),
            *_masking(deployment, catalog),
        )
    return Examination(findings=found, exit_code=exit_code(found))


def _plugins_alone(folder: Path) -> list[Finding]:
    """Look at the plugins without a configuration; which of a lock's are wanted, it alone would tell."""
    why = "the configuration cannot be read"
    if os.path.lexists(folder / LOCK_FILE):
        return checks.unseen(checks.checks_of("plugins"), why)
    return [*judge_plugins(Registry.inspect(), None), *checks.unseen([checks.PLUGIN_LOCK], why)]


def _source(deployment: Deployment) -> tuple[list[Finding], MySQLFacts | None, Catalog | None]:
    settings = deployment.settings.source
    hours = source_server.judge_allowed_hours(settings.allowed_hours, dt.datetime.now().astimezone().time())
    try:
        facts = server_facts(deployment.settings, deployment.connections, "source")
    except EtlkitError as error:
        unseen = [each for each in checks.checks_of("source")[1:] if each is not checks.ALLOWED_HOURS]
        why = "the source cannot be reached"
        return [checks.SOURCE_CONNECTION.failed(error), *checks.unseen(unseen, why), hours], None, None
    catalog: Catalog | None = None
    tables: Iterable[Finding]
    try:
        catalog = deployment.discovery.catalog()
    except EtlkitError as error:
        unseen = [checks.ENGINES, checks.DAMAGED_TABLES, checks.PACKET_SIZE]
        long_reads = checks.unseen([checks.LONG_READS], "the database cannot be read")
        tables = [
            _no_database(error, facts, settings.url),
            *checks.unseen(unseen, "the database cannot be read"),
        ]
    else:
        tables = [
            source_tables.judge_database(catalog),
            source_tables.judge_engines(catalog),
            source_tables.judge_damaged_tables(catalog),
            source_tables.judge_packet_size(catalog, facts.max_allowed_packet),
        ]
        long_reads = [source_tables.judge_long_reads(catalog)]
    database = catalog.database if catalog is not None else settings.url.database
    findings = [
        checks.SOURCE_CONNECTION.ok(f"{settings.url.place} answers."),
        source_server.judge_version(checks.SOURCE_VERSION, facts.version),
        judge_encryption(checks.SOURCE_ENCRYPTION, settings.url, facts.cipher, insecure=settings.insecure),
        source_server.judge_read_only(read_only=facts.read_only),
        judge_grants(facts.account, facts.grants, database),
        *tables,
        source_server.judge_clock(facts.time_zone, facts.clock_ahead),
        source_server.judge_statement_limit(
            facts.version, facts.statement_seconds, settings.statement_seconds + settings.silence_seconds
        ),
        *long_reads,
        source_server.judge_pauses(
            Manners(settings),
            {each.engine for each in catalog.tables.values()} if catalog else (),
            facts.threads_running,
        ),
        hours,
    ]
    return findings, facts, catalog


def _masking(deployment: Deployment, catalog: Catalog | None) -> list[Finding]:
    settings = deployment.settings
    key: Secret | ConfigurationError | None
    try:
        key = deployment.connections.masking_key()
    except ConfigurationError as error:
        key = error
    if catalog is None:
        return judge_masking(settings, key, None)
    left_out = {name for name, each in settings.tables.items() if each.exclude}
    wanted = [each for name, each in catalog.tables.items() if name in (settings.analyzed or catalog.tables)]
    return judge_masking(settings, key, [as_in_catalog(each) for each in wanted if each.name not in left_out])


def _no_database(error: EtlkitError, facts: MySQLFacts, url: DatabaseUrl) -> Finding:
    if not is_closed(error, url, "source"):
        return checks.DATABASE.failed(error)
    return checks.DATABASE.problem(
        f"{url.place} does not let the user {facts.account} use a database `{url.database}`, and does not tell "
        "whether there is one.",
        f"Check the name in `source.url`, and let an administrator run: {grant_select(facts.account, url.database)}",
    )


def _warehouse(deployment: Deployment, catalog: Catalog | None) -> list[Finding]:
    settings = deployment.settings.warehouse
    engine, schema = deployment.connections.warehouse(), settings.schema
    try:
        facts = read_warehouse_facts(engine, schema, local=settings.url.is_local)
    except EtlkitError as error:
        why = "the warehouse cannot be reached"
        unseen = checks.checks_of("warehouse")[1:]
        return [checks.WAREHOUSE_CONNECTION.failed(error), *checks.unseen(unseen, why)]
    return [
        checks.WAREHOUSE_CONNECTION.ok(f"{settings.url.place} answers."),
        warehouse_server.judge_version(facts),
        warehouse_server.judge_encoding(facts),
        judge_encryption(checks.WAREHOUSE_ENCRYPTION, settings.url, facts.cipher, insecure=settings.insecure),
        warehouse_server.judge_writable(facts),
        *_ledger(deployment, facts, catalog),
        warehouse_server.judge_disk(facts, catalog),
        warehouse_server.judge_server_log(facts),
    ]


def _ledger(deployment: Deployment, facts: WarehouseFacts, catalog: Catalog | None) -> list[Finding]:
    """Judge what depends on the ledger; without it nobody knows which tables are etlkit's."""
    schema = deployment.settings.warehouse.schema
    wanted = _target_names(deployment.settings.list_tables() or (catalog.tables if catalog else ()))
    try:
        past = read_past(deployment.ledger)
        entries = deployment.ledger.snapshot().entries
    except EtlkitError as error:
        return [
            warehouse_server.judge_rights(facts, schema, ()),
            *checks.unseen([checks.TARGET_TABLES], "the ledger cannot be read"),
            checks.LEDGER.failed(error),
        ]
    known = {entry.target_name for entry in entries.values()}
    target_tables = warehouse_server.judge_target_tables(facts, schema, wanted, known)
    if not wanted:
        [target_tables] = checks.unseen([checks.TARGET_TABLES], "no table to load is known yet")
    return [
        warehouse_server.judge_rights(facts, schema, known),
        target_tables,
        warehouse_server.judge_last_run(past.run),
    ]


def _target_names(tables: Iterable[str]) -> set[str]:
    found = set()
    for table in tables:
        # A name that PostgreSQL cannot hold is told when the table is analysed; nothing can have it there.
        with suppress(TargetConflict):
            found.add(target_name(table))
    return found
