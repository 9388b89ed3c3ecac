"""Tables that are left out unless a person asks for them, each with who said so: etlkit itself, or a plugin."""

from __future__ import annotations

import importlib.metadata
from collections.abc import Iterable, Mapping

import attrs

from etlkit.contracts import Exclusion
from etlkit.providers import PluginInfo, Provided
from etlkit.tables import TableAnalysis

OWN_PREFIX = "etlkit_"
"""What the names of etlkit's own tables begin with, on whichever server; they are no tables of a practice."""

_DISTRIBUTION = "etlkit-core"


def is_own(table: TableAnalysis) -> bool:
    """Tell whether a table is one of etlkit's own: its record in a replica, or a table that it fills aside.

    Args:
        table: the table.
    """
    # Windows spells the names of tables in lower case, and a person may not.
    return table.name.casefold().startswith(OWN_PREFIX)


def all_exclusions(exclusions: Iterable[Provided[Exclusion]]) -> tuple[Provided[Exclusion], ...]:
    """Put etlkit's own exclusion before those of plugins; no configuration turns it off.

    Args:
        exclusions: of plugins, in the order to ask.
    """
    own = Exclusion(name="etlkit", summary="Tables that etlkit itself keeps in a replica.", excludes=is_own)
    kernel = PluginInfo(
        name="etlkit",
        distribution=_DISTRIBUTION,
        version=importlib.metadata.version(_DISTRIBUTION),
        module=__name__,
    )
    return (Provided(item=own, plugin=kernel), *exclusions)


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
        exclusions: of plugins, in the order to ask after etlkit's own; the first one that leaves out a table is
            recorded.

    Returns:
        The tables that are left out, in the order given.

    Raises:
        PluginError: an exclusion failed.
    """
    asked = all_exclusions(exclusions)
    found: dict[str, LeftOut] = {}
    for name, table in tables.items():
        for each in asked:
            if each.call("excludes", table, expecting=bool):
                found[name] = LeftOut(exclusion=each.item.name, plugin=each.plugin.name)
                break
    return found
