"""Configuration that is older than the source: what it says of columns that are gone is passed over."""

from __future__ import annotations

from collections.abc import Callable

import attrs

from etlkit.config import ColumnOverride, Settings, TableConfig
from etlkit.discovery.asking import choose_strategy
from etlkit.loading.shapes import Shape
from etlkit.loading.target import target_name
from etlkit.registry import Registry
from etlkit.tables import TableAnalysis


def brought_up_to_date(
    table: TableAnalysis,
    config: TableConfig,
    settings: Settings,
    registry: Registry,
    there: Callable[[], Shape | None],
) -> TableConfig:
    """Take out of a table's configuration what its source no longer has.

    What a person chose in `etlkit.yml` stays, and is judged elsewhere, unless the warehouse knows the column: then it
    was right once. A conversion that hides values stays even then: the column may have another name now, and its
    values would leave the source as they are.

    Args:
        table: as the source has it.
        config: its configuration.
        settings: the deployment's.
        registry: whose strategies are asked when the configured one cannot serve the table any more.
        there: gives the warehouse's table; only called when a person chose something for a column that is gone.

    Returns:
        The configuration without overrides of columns that are gone, without a cursor that is gone, and then with
        another strategy, as without a primary key.

    Raises:
        ConfigurationGenerationError: no strategy can load the table.
        PluginError: a strategy failed.
    """
    choice = settings.choice(table.name)
    gone = {name for name in config.column_overrides if table.column(name) is None}
    chosen = gone.intersection(choice.column_overrides)
    gone -= {name for name in chosen if _hides(config.column_overrides[name], registry)}
    if chosen & gone:
        known = there()
        gone -= {name for name in chosen & gone if known is None or target_name(name) not in known.types}
    if gone:
        kept = {name: each for name, each in config.column_overrides.items() if name not in gone}
        config = attrs.evolve(config, column_overrides=kept)
    cursor = config.incremental_column
    lost_cursor = cursor is not None and table.column(cursor) is None and choice.incremental_column is None
    if lost_cursor:
        config = attrs.evolve(config, incremental_column=None)
    lost_key = not table.primary_key and settings.analyzed.get(table.name, config).schema_hash not in {
        "",
        table.schema_hash,
    }
    if (lost_cursor or lost_key) and choice.extraction_strategy is None:
        config = attrs.evolve(
            config,
            extraction_strategy=choose_strategy(
                attrs.evolve(table, cursor=None), registry.strategies
            ).strategy,
        )
    return config


def _hides(override: ColumnOverride, registry: Registry) -> bool:
    return override.conversion is not None and registry.conversion(override.conversion).item.hides
