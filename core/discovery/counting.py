"""Counting rows where the catalog only estimates them."""

from __future__ import annotations

from sqlalchemy import func, select, table

from etlkit.discovery.ddl import Place
from etlkit.discovery.trouble import told_plainly


def count_rows(place: Place, name: str) -> int:
    """Count a table's rows; InnoDB reads a whole index for it.

    Args:
        place: where the table is.
        name: its name.

    Returns:
        Rows.

    Raises:
        ConnectionFailed: the server cannot be reached.
        SchemaDiscoveryError: there is no such table any more, or this user must not read it.
    """
    query = select(func.count()).select_from(table(name, schema=place.database))
    doing = f"counting the rows of {place.database}.{name}"
    with told_plainly(place.engine, place.database, doing), place.engine.connect() as connection:
        return int(connection.execute(query).scalar_one())
