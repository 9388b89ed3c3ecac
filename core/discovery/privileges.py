"""What the catalog hides from a user who may read only parts of a database.

The catalog shows no table and no column that the user has no privilege on, and says nothing of having left
them out. Without the questions asked here, a lack of rights would look like a table without those columns,
or like no table at all.
"""

from __future__ import annotations

from sqlalchemy import Connection, literal, literal_column, select, table
from sqlalchemy.exc import DBAPIError
from sqlalchemy.sql.elements import ColumnElement

from etlkit.discovery import spelling, statements
from etlkit.discovery.ddl import Place
from etlkit.discovery.trouble import NO_PRIVILEGE, code_of, told_plainly

_EVERY_COLUMN: ColumnElement[object] = literal_column("*")


def partly_hidden_tables(connection: Connection, database: str) -> frozenset[str]:
    """Tell of which tables the user sees some columns only.

    One statement, and one more for each table whose columns were granted one by one.

    Args:
        connection: to the source.
        database: the database's name.

    Returns:
        Names of tables.
    """
    rows = connection.execute(statements.column_grants(database))
    granted = sorted({spelling.text_of(name) for (name,) in rows})
    return frozenset(name for name in granted if not _may_select(connection, database, name, _EVERY_COLUMN))


def may_be_hidden(place: Place, name: str) -> bool:
    """Tell whether a table that the catalog does not show may be there all the same.

    Args:
        place: where it would be.
        name: its name.

    Returns:
        True when the server refuses to tell this user; False when there is nothing of that name.

    Raises:
        ConnectionFailed: the server cannot be reached.
    """
    doing = f"looking for {place.database}.{name}"
    with told_plainly(place.engine, place.database, doing), place.engine.connect() as connection:
        return not _may_select(connection, place.database, name, literal(1))


def _may_select(
    connection: Connection, database: str, name: str, what: ColumnElement[object] | ColumnElement[int]
) -> bool:
    try:
        connection.execute(select(what).select_from(table(name, schema=database)).limit(0))
    except DBAPIError as error:
        if error.connection_invalidated:
            raise
        return code_of(error) not in NO_PRIVILEGE
    return True
