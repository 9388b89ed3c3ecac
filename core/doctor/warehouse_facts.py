"""What the warehouse says of itself, of our rights and of what is in our schemas."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from shutil import disk_usage
from typing import Any

import attrs
import sqlalchemy as sa

from etlkit.loading.ledger_tables import SCHEMA
from etlkit.loading.trouble import warehouse_trouble

_SERVER = sa.text(
    "SELECT current_setting('server_version_num')::int AS number, current_setting('server_version') AS version,"
    " current_setting('server_encoding') AS encoding, current_user::text AS role,"
    " current_database()::text AS database, pg_is_in_recovery() AS standby,"
    " current_setting('transaction_read_only') = 'on' AS read_only,"
    " has_database_privilege(current_database(), 'CREATE') AS may_create_schemas,"
    " has_database_privilege(current_database(), 'TEMPORARY') AS may_create_temporary,"
    # The levels above ERROR are log, fatal and panic.
    " current_setting('log_min_messages') NOT IN ('log', 'fatal', 'panic') AS logs_errors,"
    # Before PostgreSQL 10 there is no such role, and asking for it by name would fail.
    " EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = 'pg_read_all_settings'"
    " AND pg_has_role(current_user, oid, 'USAGE')) AS may_read_settings"
)
_SCHEMAS = sa.text(
    "SELECT nspname::text AS name, has_schema_privilege(oid, 'USAGE') AND has_schema_privilege(oid, 'CREATE')"
    " AS usable FROM pg_catalog.pg_namespace WHERE nspname IN (:schema, :ledger)"
)
_RELATIONS = sa.text(
    "SELECT c.relname::text AS name, c.relkind::text AS kind, pg_has_role(c.relowner, 'USAGE') AS own,"
    " CASE WHEN c.relkind IN ('r', 'm') THEN pg_total_relation_size(c.oid) ELSE 0 END AS bytes"
    " FROM pg_catalog.pg_class AS c JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace"
    " WHERE n.nspname = :schema AND c.relkind IN ('r', 'p', 'v', 'm', 'f', 'S', 'c', 'i', 'I')"
)
_PLACE = sa.text("SELECT current_setting('data_directory'), current_setting('port')")


@attrs.frozen(kw_only=True)
class Relation:
    """Something with a name in the schema that receives the tables."""

    is_table: bool
    """Whether rows can be loaded into it."""
    own: bool
    """Whether we own it, or are a member of who does."""
    bytes: int
    """Bytes on disk, indexes included."""


@attrs.frozen(kw_only=True)
class WarehouseFacts:
    """A warehouse and our rights in it."""

    version_number: int
    """Such as 160004."""
    version: str
    """As the server gives it."""
    encoding: str
    """The database's."""
    cipher: str
    """How the connection is encrypted; empty when it is not."""
    role: str
    """Who we are."""
    database: str
    """Where we are."""
    standby: bool
    """Whether the server only follows another one."""
    read_only: bool
    """Whether transactions are read-only."""
    logs_errors: bool
    """Whether the server's log repeats what it refuses of us, and so values of rows."""
    may_create_schemas: bool
    """Whether we may."""
    may_create_temporary: bool
    """Whether we may create temporary tables."""
    schemas: Mapping[str, bool]
    """Those of etlkit's schemas that are there, and whether we may use them and create in them."""
    relations: Mapping[str, Relation]
    """What is in the schema that receives the tables, by name."""
    free_bytes: int | None
    """Free space where the data lies; None when it cannot be seen from here."""


def read_warehouse_facts(engine: sa.Engine, schema: str, *, local: bool) -> WarehouseFacts:
    """Ask a warehouse about itself.

    Args:
        engine: the warehouse.
        schema: the schema that receives the tables.
        local: whether the server is on this machine.

    Returns:
        The facts.

    Raises:
        ConnectionFailed: the server cannot be reached, or refuses us.
        LoadError: it refuses an answer, or ends the connection.
    """
    with warehouse_trouble("the warehouse's catalog"), engine.connect() as connection:
        server = connection.execute(_SERVER).mappings().one()
        schemas = connection.execute(_SCHEMAS, {"schema": schema, "ledger": SCHEMA})
        relations = connection.execute(_RELATIONS, {"schema": schema}).mappings()
        return WarehouseFacts(
            version_number=server["number"],
            version=server["version"],
            encoding=server["encoding"],
            cipher=_cipher(connection),
            role=server["role"],
            database=server["database"],
            standby=server["standby"],
            read_only=server["read_only"],
            logs_errors=server["logs_errors"],
            may_create_schemas=server["may_create_schemas"],
            may_create_temporary=server["may_create_temporary"],
            schemas={row.name: row.usable for row in schemas},
            relations={
                each["name"]: Relation(is_table=each["kind"] in "rp", own=each["own"], bytes=each["bytes"])
                for each in relations
            },
            free_bytes=_free_bytes(connection) if local and server["may_read_settings"] else None,
        )


def _cipher(connection: sa.Connection) -> str:
    driver: Any = connection.connection.driver_connection
    return str(driver.info.ssl_attribute("cipher") or "") if driver.info.ssl_in_use else ""


def _free_bytes(connection: sa.Connection) -> int | None:
    """Look at the disk below the server's data, if these are the server's files and not another machine's."""
    folder, port = connection.execute(_PLACE).one()
    try:
        # A server in a container answers at a local address, and names a folder that is not this machine's.
        lines = (Path(folder) / "postmaster.pid").read_text().splitlines()
        if lines[1:2] != [folder] or lines[3:4] != [port]:
            return None
        return disk_usage(folder).free
    except (OSError, ValueError):
        return None
