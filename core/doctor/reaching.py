"""Reaching the servers of source and replica: where only the database is refused, the server is asked all the same."""

from __future__ import annotations

from typing import Literal

import attrs

from etlkit.config import Settings
from etlkit.config.urls import DatabaseUrl
from etlkit.connections import ConnectionFactory
from etlkit.doctor.mysql_facts import MySQLFacts, read_mysql_facts
from etlkit.errors import ConnectionFailed, EtlkitError
from etlkit.server_access import CLOSED_DATABASE, NO_DATABASE, ServerAccess

Role = Literal["source", "replica"]
"""Which of the two servers."""

_EVERYBODYS = "information_schema"
"""A database that every user of a MySQL or MariaDB may connect to."""


def server_facts(settings: Settings, connections: ConnectionFactory, role: Role) -> MySQLFacts:
    """Ask a server about itself, from beside the configured database where that one is refused.

    Args:
        settings: the deployment's; it has the server.
        connections: of the deployment.
        role: which server.

    Returns:
        The facts.

    Raises:
        ConnectionFailed: the server cannot be reached, refuses us, or ends the connection.
        SchemaDiscoveryError: it refuses an answer.
    """
    server = getattr(settings, role)
    url: DatabaseUrl = server.url
    try:
        return _facts(connections, role, url.database)
    except ConnectionFailed as error:
        if not (is_missing(error, url, role) or is_closed(error, url, role)):
            raise
    beside = attrs.evolve(server, url=attrs.evolve(url, database=_EVERYBODYS))
    with ConnectionFactory(attrs.evolve(settings, **{role: beside})) as others:
        return _facts(others, role, _EVERYBODYS)


def is_missing(error: EtlkitError, url: DatabaseUrl, role: Role) -> bool:
    """Tell whether an error says that the server has no such database.

    Args:
        error: what was raised.
        url: the address.
        role: which server.
    """
    return error.message == ServerAccess(section=role, url=url).refused(NO_DATABASE).message


def is_closed(error: EtlkitError, url: DatabaseUrl, role: Role) -> bool:
    """Tell whether an error says that the user must not use the database, which may not even be there.

    Args:
        error: what was raised.
        url: the address.
        role: which server.
    """
    return error.message == ServerAccess(section=role, url=url).refused(CLOSED_DATABASE).message


def _facts(connections: ConnectionFactory, role: Role, database: str) -> MySQLFacts:
    engine = connections.source() if role == "source" else connections.replica()
    return read_mysql_facts(engine, database)
