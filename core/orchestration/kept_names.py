"""Whether a replica's server keeps the names of tables: some write every name in lower case, or tell no cases apart."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from etlkit.discovery.catalog import SourceServer
from etlkit.errors import ConfigurationError
from etlkit.wording import names

WAY_ON = (
    "name a server in `replica.url` whose `lower_case_table_names` is 0 (it is chosen when a server is set up), or "
    "exclude the tables"
)
"""What to do about it."""


def names_not_kept(tables: Iterable[str], server: SourceServer) -> list[str]:
    """Find the tables that would have another name on a server, or the same one as another table.

    Args:
        tables: their names in the source.
        server: the replica's.

    Returns:
        The names, in the given order.
    """
    if not server.lower_case_table_names:
        return []
    given = list(tables)
    folded = Counter(name.lower() for name in given)
    lowered = server.lower_case_table_names == 1
    return [name for name in given if folded[name.lower()] > 1 or (lowered and name != name.lower())]


def require_kept_names(tables: Iterable[str], server: SourceServer) -> None:
    """Refuse a replica that cannot have the tables by their names.

    Args:
        tables: their names in the source.
        server: the replica's.

    Raises:
        ConfigurationError: some would be called otherwise there.
    """
    if lost := names_not_kept(tables, server):
        raise ConfigurationError(
            f"the replica's server does not keep the names of {names(lost)} (its `lower_case_table_names` is "
            f"{server.lower_case_table_names}); {WAY_ON}"
        )
