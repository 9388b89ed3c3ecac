"""Whether a replica is a database of its own: by what servers say of themselves, whatever the addresses are."""

from __future__ import annotations

from etlkit.discovery.catalog import Catalog
from etlkit.errors import ConfigurationError


def is_same_server(source: Catalog, replica: Catalog) -> bool:
    """Tell whether two catalogs are of one server.

    Args:
        source: the source's catalog.
        replica: the replica's.

    Returns:
        Whether product, place and number are the same; a copied data folder brings its number along, not its place.
    """
    one, other = source.server, replica.server
    known = one.uid is not None and other.uid is not None
    return one.kind == other.kind and one.machine == other.machine and (not known or one.uid == other.uid)


def is_same_database(source: Catalog, replica: Catalog) -> bool:
    """Tell whether two catalogs are of one database.

    Args:
        source: the source's catalog.
        replica: the replica's.
    """
    # Where the case of names does not matter, one database has several of them.
    folds = bool(source.server.lower_case_table_names)
    names = [each.database.lower() if folds else each.database for each in (source, replica)]
    return is_same_server(source, replica) and names[0] == names[1]


def require_own_database(source: Catalog, replica: Catalog) -> None:
    """Refuse to take the source for its own replica.

    Args:
        source: the source's catalog.
        replica: the replica's.

    Raises:
        ConfigurationError: both are one database.
    """
    if is_same_database(source, replica):
        raise ConfigurationError(
            "`replica.url` in etlkit.yml is the source itself, reached in another way, which must not be written; name "
            "another database, or leave the section `replica` out"
        )
