"""Tables that are left out unless a person asks for them, as plugins say, each with who said so."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import attrs

from etlkit.contracts import Exclusion
from etlkit.providers import Provided
from etlkit.tables import TableAnalysis


@attrs.frozen(kw_only=True)
class LeftOut:
    """Who says that a table is left out."""

    exclusion: str
    """The exclusion's name."""
    plugin: str
    """The plugin that provides it."""


def find_left_out(
    tables: Mapping[str, TableAnalysis], exclusions: Iterable[Provided[Exclusion]]
) -> Mapping[str, LeftOut]:
    """Ask which tables are left out by default.

    Args:
        tables: all tables by name, as the catalog has them.
        exclusions: in the order to ask; the first one that leaves out a table is recorded.

    Returns:
        The tables that are left out, in the order given.

    Raises:
        PluginError: an exclusion failed.
    """
    asked = tuple(exclusions)
    found: dict[str, LeftOut] = {}
    for name, table in tables.items():
        for each in asked:
            if each.call("excludes", table, expecting=bool):
                found[name] = LeftOut(exclusion=each.item.name, plugin=each.plugin.name)
                break
    return found
