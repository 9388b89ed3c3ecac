"""Tables that a load which was killed left aside, and that no load goes on with, are removed."""

from __future__ import annotations

import logging

import sqlalchemy as sa

from etlkit.discovery import SchemaDiscovery
from etlkit.errors import LoadError
from etlkit.replication.ends import Replica
from etlkit.replication.plan import OLD, SIDE
from etlkit.replication.statements import Drop
from etlkit.replication.trouble import replica_table, replica_trouble

_log = logging.getLogger(__name__)


def remove_left_overs(replica: Replica, discovery: SchemaDiscovery) -> None:
    """Remove what killed loads left; what one of them can go on with stays.

    Args:
        replica: whose tables.
        discovery: of the replica, as it is now.

    Raises:
        LoadError: the replica's ledger cannot be read.
        SchemaDiscoveryError: the replica's catalog cannot be read.
    """
    left = [name for name in discovery.catalog().tables if name.startswith((SIDE, OLD))]
    if not left:
        return
    needed = replica.ledger.sides()
    for name in sorted(set(left).difference(needed)):
        table = sa.table(
            sa.quoted_name(name, quote=True), schema=sa.quoted_name(replica.database, quote=True)
        )
        try:
            with (
                replica_trouble(replica_table(replica.database, name)),
                replica.engine.begin() as connection,
            ):
                connection.execute(Drop(table))
        except LoadError as error:
            # It is in nobody's way; the next run tries again.
            _log.info("%s", error)
