"""What strategies are asked: a table with a deployment's choices in it, and the plan that they make of it."""

from __future__ import annotations

import attrs

from etlkit.config import Settings, TableConfig
from etlkit.contracts import Differences, LoadPlan, Strategy, TableState, Write
from etlkit.discovery import SchemaDiscovery
from etlkit.errors import ConfigurationError, PlanRefused, PluginError
from etlkit.providers import Provided
from etlkit.suggestions import suggestion
from etlkit.tables import TableAnalysis


def table_analysis(
    settings: Settings, discovery: SchemaDiscovery, table: str, config: TableConfig
) -> TableAnalysis:
    """Lay a table's configuration over what discovery found.

    Args:
        settings: the deployment's.
        discovery: what is known of the source.
        table: the table's name in the source.
        config: its configuration.

    Returns:
        The table as strategies see it.

    Raises:
        SchemaDiscoveryError: the source has no such table or column, or it may not be read.
        ConfigurationError: a person chose a cursor that is no column.
    """
    found = discovery.analysis(table)
    choice = settings.choice(table)
    name = config.incremental_column
    chosen, names = choice.incremental_column, [column.name for column in found.columns]
    if chosen is not None and chosen not in names:
        raise ConfigurationError(
            f"`tables.{table}.incremental_column` names the column `{chosen}`, which the table does not have; "
            f"{suggestion(chosen, names)}"
        )
    return attrs.evolve(
        found,
        cursor=discovery.cursor(table, name) if name else None,
        importance=config.table_importance,
        batch_size=config.batch_size,
        lookback_seconds=(
            found.lookback_seconds if choice.lookback_seconds is None else choice.lookback_seconds
        ),
        options=choice.options,
    )


def asked_plan(provided: Provided[Strategy], analysis: TableAnalysis, state: TableState | None) -> LoadPlan:
    """Ask a strategy for its plan, and refuse one that the table cannot be loaded by.

    Args:
        provided: the strategy.
        analysis: the table as it sees it.
        state: the end of the table's last load; None to read everything.

    Returns:
        The plan.

    Raises:
        PlanRefused: the plan asks for something that the table does not have.
        PluginError: the strategy failed.
    """
    where = f"plugin {provided.plugin.origin}, strategy `{provided.item.name}`, table `{analysis.name}`"
    try:
        plan: LoadPlan = provided.call("plan", analysis, state, expecting=LoadPlan)
    except PluginError as error:
        raise PluginError(f"table `{analysis.name}`: {error}") from error
    if plan.table != analysis.name:
        raise PluginError(f"{where}: the plan must be for `{analysis.name}` (got `{plan.table}`)")
    if plan.write is not Write.REPLACE and not analysis.primary_key:
        raise PlanRefused(
            f"{where}: rows can only be merged or appended by a primary key, which the table lacks; use full_table"
        )
    if isinstance(plan.read, Differences) and (not analysis.hidden.isdisjoint(analysis.primary_key)):
        raise PlanRefused(
            f"{where}: differences are found key by key, and a conversion masks the table's key; use full_table"
        )
    if plan.cursor in analysis.hidden:
        raise PlanRefused(
            f"{where}: a conversion masks the plan's cursor `{plan.cursor}`, and the ledger would keep a value"
        )
    if plan.cursor is not None and analysis.column(plan.cursor) is None:
        raise PlanRefused(f"{where}: the plan's cursor `{plan.cursor}` is no column of the table")
    return plan
