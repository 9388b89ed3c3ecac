"""What the ledger keeps of a run besides its rows: who asked for what, where, with which versions and policies."""

from __future__ import annotations

import getpass
import hashlib
import importlib.metadata
import os
import platform
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import attrs

from etlkit.config import TABLES_FILE, TableChoice
from etlkit.config.urls import DatabaseUrl
from etlkit.orchestration.deployment import Deployment

if TYPE_CHECKING:
    from etlkit.orchestration.run import RunRequest

_LIBRARIES = ("pluggy", "psycopg2-binary", "PyMySQL", "SQLAlchemy")
# By name, since texts that a plugin understands (`options`) may hold anything.
_OF_A_TABLE = (
    "exclude",
    "extraction_strategy",
    "incremental_column",
    "deletes",
    "max_deleted_share",
    "reconcile",
)


def audit_of(deployment: Deployment, request: RunRequest) -> dict[str, Any]:
    """Describe a run that begins, without any secret.

    Args:
        deployment: whose tables.
        request: what was asked for.

    Returns:
        `who`, `where`, `versions`, `plugins`, `request` and `policies`, of what JSON knows.

    Raises:
        SchemaDiscoveryError: the source's catalog was not read yet, and cannot be.
    """
    settings = deployment.settings
    source, replica, warehouse = settings.source, settings.replica, settings.warehouse
    return {
        "who": {
            "system_user": _system_user(),
            "source_user": source.url.user,
            **({"replica_user": replica.url.user} if replica else {}),
            "warehouse_user": warehouse.url.user,
        },
        "where": {
            "machine": platform.node(),
            "folder": str(settings.folder.resolve()),
            "source": _place(source.url),
            **({"replica": _place(replica.url)} if replica else {}),
            "warehouse": _place(warehouse.url),
            "schema": warehouse.schema,
        },
        "versions": {
            "etlkit": importlib.metadata.version("etlkit-core"),
            "python": platform.python_version(),
            **{name: importlib.metadata.version(name) for name in _LIBRARIES},
            "source": str(deployment.discovery.catalog().server),
            "plugin_lock": deployment.plugin_lock,
        },
        "plugins": [
            {name: getattr(each, name) for name in ("name", "distribution", "version", "status")}
            for each in deployment.registry.plugins
        ],
        "request": {
            name: list(value) if isinstance(value, tuple) else value
            for name, value in attrs.asdict(request).items()
        },
        "policies": {
            "drift": attrs.asdict(settings.drift),
            "max_deleted_share": settings.run.max_deleted_share,
            "allowed_hours": str(source.allowed_hours) if source.allowed_hours else None,
            "insecure": [
                name
                for name in ("source", "replica", "warehouse")
                if (section := getattr(settings, name)) is not None and section.insecure
            ],
            "tables": _chosen(settings.tables),
            "tables_file": _digest(settings.folder / TABLES_FILE),
        },
    }


def _system_user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        # A container may run as a number that no file knows.
        return str(os.getuid())


def _place(url: DatabaseUrl) -> str:
    return f"{url.place}, database {url.database}"


def _chosen(tables: Mapping[str, TableChoice]) -> dict[str, dict[str, Any]]:
    """List the choices of etlkit.yml that say what is loaded and what becomes of it; columns have their own record."""
    chosen = {
        table: {name: getattr(choice, name) for name in _OF_A_TABLE} for table, choice in tables.items()
    }
    said = {
        table: {name: value for name, value in choices.items() if value is not None and value is not False}
        for table, choices in chosen.items()
    }
    return {table: choices for table, choices in said.items() if choices}


def _digest(path: os.PathLike[str]) -> str | None:
    try:
        with open(path, "rb") as file:  # noqa: PTH123 - a path of any kind
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        return None  # read before, and gone by now
