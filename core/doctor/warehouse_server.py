"""Judging the warehouse: the server, our rights, what is in our schemas, the disk."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from etlkit.discovery.catalog import Catalog
from etlkit.doctor import checks
from etlkit.doctor.accounts import postgres_name
from etlkit.doctor.findings import Finding
from etlkit.doctor.warehouse_facts import WarehouseFacts
from etlkit.loading.last_loads import LastRun
from etlkit.loading.ledger_tables import SCHEMA
from etlkit.warehouse_session import QUIET
from etlkit.wording import names, size

OLDEST_POSTGRES = 13
"""The oldest PostgreSQL that etlkit writes to."""
COMFORT = 2
"""How many times the space that is needed should be free."""

_NUMBERS_PER_VERSION = 10_000


def judge_version(facts: WarehouseFacts) -> Finding:
    """Judge which server answers.

    Args:
        facts: of the warehouse.

    Returns:
        A problem when it is too old.
    """
    version = facts.version.partition(" ")[0]
    if facts.version_number < OLDEST_POSTGRES * _NUMBERS_PER_VERSION:
        return checks.WAREHOUSE_VERSION.problem(
            f"The server is PostgreSQL {version}, and {OLDEST_POSTGRES} is the oldest that etlkit writes to.",
            f"Update the server to PostgreSQL {OLDEST_POSTGRES} or later.",
        )
    return checks.WAREHOUSE_VERSION.ok(f"The server is PostgreSQL {version}.")


def judge_encoding(facts: WarehouseFacts) -> Finding:
    """Judge whether the database can hold every character.

    Args:
        facts: of the warehouse.

    Returns:
        A problem when it cannot.
    """
    if facts.encoding == "UTF8":
        return checks.ENCODING.ok("The database's encoding is UTF8.")
    return checks.ENCODING.problem(
        f"The database's encoding is {facts.encoding}, which cannot hold every character of the source.",
        "Make a database with UTF8 and name it in `warehouse.url`: CREATE DATABASE "
        f"{postgres_name(f'{facts.database}_utf8')} ENCODING 'UTF8' TEMPLATE template0;",
    )


def judge_writable(facts: WarehouseFacts) -> Finding:
    """Judge whether the server can be written to at all.

    Args:
        facts: of the warehouse.

    Returns:
        A problem when it is a copy of another one, or read-only.
    """
    if facts.standby:
        return checks.WRITABLE.problem(
            "The server is a standby, which only follows its primary server.",
            "Name the primary server in `warehouse.url`.",
        )
    if facts.read_only:
        return checks.WRITABLE.problem(
            "Transactions are read-only by default.",
            f"Let an administrator run: ALTER ROLE {postgres_name(facts.role)} IN DATABASE "
            f"{postgres_name(facts.database)} SET default_transaction_read_only = off;",
        )
    return checks.WRITABLE.ok("The server accepts changes.")


def judge_rights(facts: WarehouseFacts, schema: str, known: Collection[str]) -> Finding:
    """Judge whether we may do in the warehouse what a run does.

    Args:
        facts: of the warehouse.
        schema: the schema that receives the tables.
        known: tables that etlkit loaded, by their names in the warehouse.

    Returns:
        A problem with all statements that are missing.
    """
    role, database = postgres_name(facts.role), postgres_name(facts.database)
    missing: list[str] = []
    statements: list[str] = []
    if not facts.may_create_temporary:
        missing.append("create temporary tables")
        statements.append(f"GRANT TEMPORARY ON DATABASE {database} TO {role};")
    for name in (schema, SCHEMA):
        if name not in facts.schemas and not facts.may_create_schemas:
            missing.append(f"create the schema `{name}`")
            statements.append(f"CREATE SCHEMA {postgres_name(name)} AUTHORIZATION {role};")
        elif name in facts.schemas and not facts.schemas[name]:
            missing.append(f"create tables in the schema `{name}`")
            statements.append(f"GRANT USAGE, CREATE ON SCHEMA {postgres_name(name)} TO {role};")
    foreign = [name for name in sorted(known) if name in facts.relations and not facts.relations[name].own]
    if foreign:
        missing.append(f"change {names(foreign)} in the schema `{schema}`, which others own")
        statements.extend(
            f"ALTER TABLE {postgres_name(schema)}.{postgres_name(name)} OWNER TO {role};" for name in foreign
        )
    if missing:
        return checks.RIGHTS.problem(
            f"The user `{facts.role}` may not {'; not '.join(missing)}.",
            f"Let an administrator run in the database `{facts.database}`: {' '.join(statements)}",
        )
    return checks.RIGHTS.ok(
        f"The user `{facts.role}` may write the schemas `{schema}` and `{SCHEMA}`, and create temporary tables."
    )


def judge_target_tables(
    facts: WarehouseFacts, schema: str, wanted: Iterable[str], known: Collection[str]
) -> Finding:
    """Judge whether something else has the name of a table to load.

    Args:
        facts: of the warehouse.
        schema: the schema that receives the tables.
        wanted: tables to load, by their names in the warehouse.
        known: tables that etlkit loaded, by their names in the warehouse.

    Returns:
        A problem when a run would refuse to touch it.
    """
    there = [name for name in sorted(wanted) if name in facts.relations]
    taken = [name for name in there if name not in known or not facts.relations[name].is_table]
    if taken:
        return checks.TARGET_TABLES.problem(
            f"The schema `{schema}` holds {names(taken)}, which etlkit did not make; it does not write to them.",
            "Rename or drop them, or set another `warehouse.schema` in etlkit.yml.",
        )
    return checks.TARGET_TABLES.ok(f"Nothing in the schema `{schema}` is in the way of a table to load.")


def judge_last_run(run: LastRun | None) -> Finding:
    """Judge how the last run ended.

    Args:
        run: the last one; None before the first.

    Returns:
        A warning when it did not end well.
    """
    if run is None:
        return checks.LEDGER.ok("There is no ledger yet; the first `etlkit run` makes it.")
    began = f"The last run began at {run.started_at.astimezone():%Y-%m-%d %H:%M:%S}"
    if run.finished_at is None:
        return checks.LEDGER.warning(
            f"{began} and has not ended.",
            "If no run is at work it was killed: run again, which goes on where it was.",
        )
    if run.exit_code:
        return checks.LEDGER.warning(
            f"{began} and ended with exit code {run.exit_code}.", "`etlkit status` shows what failed."
        )
    return checks.LEDGER.ok(f"{began} and loaded every table.")


def judge_disk(facts: WarehouseFacts, catalog: Catalog | None) -> Finding:
    """Judge whether the source fits onto the warehouse's disk.

    Args:
        facts: of the warehouse.
        catalog: of the source; None when it could not be read.

    Returns:
        A problem when it does not fit, a warning when it hardly does. A load needs room for what the warehouse does
        not hold yet, and once more for the largest table while it is staged.
    """
    free = None if facts.free_bytes is None else size(facts.free_bytes)
    if catalog is None:
        seen = f", and {free} are free in the warehouse" if free else ""
        return checks.DISK.skipped(f"The size of the source is not known{seen}.")
    sizes = [table.total_bytes for table in catalog.tables.values()]
    held = sum(relation.bytes for relation in facts.relations.values())
    needed = max(0, sum(sizes) - held) + max(sizes, default=0)
    said = f"The source has {size(sum(sizes))}, the warehouse holds {size(held)} of it"
    if facts.free_bytes is None:
        return checks.DISK.skipped(
            f"{said}; the free space of its server cannot be seen from here.",
            f"Look on the server (`df -h`) that about {size(needed)} are free.",
        )
    room = f"{said}, and {free} are free there"
    if facts.free_bytes < needed:
        return checks.DISK.problem(
            f"{room}; a run needs about {size(needed)}.", "Make room before the first run."
        )
    if facts.free_bytes < COMFORT * needed:
        return checks.DISK.warning(
            f"{room}; a run needs about {size(needed)}.", "Make room soon: the source grows."
        )
    return checks.DISK.ok(f"{room}.")


def judge_server_log(facts: WarehouseFacts) -> Finding:
    """Judge whether the server's log would hold values of rows.

    Args:
        facts: of the warehouse.

    Returns:
        A warning when it would, with the statements that end it.
    """
    if not facts.logs_errors:
        return checks.SERVER_LOG.ok("The server's log repeats nothing of what it refuses of this user.")
    role = postgres_name(facts.role)
    statements = " ".join(f"ALTER ROLE {role} SET {name} = {value};" for name, value in QUIET.items())
    return checks.SERVER_LOG.warning(
        f"When the server refuses a row of the user `{facts.role}`, it writes the row into its own log.",
        f"If others read that log, let a superuser run: {statements}",
    )
