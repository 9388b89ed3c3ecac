"""What is wrong with a table's configuration, in words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import attrs

from etlkit.config.tables import TableConfig, entry_problems
from etlkit.contracts import Refusal
from etlkit.discovery.analysis import AnalysedTable
from etlkit.discovery.asking import bid
from etlkit.discovery.catalog import Catalog
from etlkit.registry import Registry
from etlkit.suggestions import suggestion
from etlkit.tables import CursorCandidate


def configuration_problems(
    config: Mapping[str, Any],
    catalog: Catalog,
    analysed: AnalysedTable,
    registry: Registry,
) -> list[str]:
    """Compare a table's configuration with the source and the plugins.

    Args:
        config: an entry as in `tables.yml`, or part of one.
        catalog: the source's tables.
        analysed: the table's analysis.
        registry: the plugins.

    Returns:
        One sentence for each problem; empty when all is well.

    Raises:
        PluginError: a strategy failed.
    """
    known = [each.name for each in attrs.fields(TableConfig)]
    problems = [f"`{key}` is no key; {suggestion(key, known)}" for key in config if key not in known]
    understood = {key: value for key, value in config.items() if key in known}
    if wrong := entry_problems(understood):
        return problems + wrong
    entry = TableConfig.from_dict(understood)
    columns = [column.name for column in analysed.facts.columns]
    conversions = [each.item.name for each in registry.conversions]
    problems += [
        f"column_overrides names `{each}`, which is no column; {suggestion(each, columns)}"
        for each in entry.column_overrides
        if each not in columns
    ]
    problems += [
        f"column_overrides gives `{column}` the conversion `{each.conversion}`, which no plugin provides; "
        f"{suggestion(each.conversion, conversions)}"
        for column, each in entry.column_overrides.items()
        if each.conversion is not None and each.conversion not in conversions
    ]
    problems += [
        f"dependencies names `{each}`: {catalog.not_found(each)}"
        for each in entry.dependencies
        if catalog.find(each) is None
    ]
    if "primary_key" in config and entry.primary_key != analysed.facts.primary_key:
        problems.append(
            f"primary_key is {_listed(entry.primary_key)}, "
            f"but the source's is {_listed(analysed.facts.primary_key)}"
        )
    if entry.schema_hash not in ("", analysed.facts.schema_hash):
        problems.append("schema_hash differs: the table changed since it was analysed; run `etlkit analyze`")
    chosen = entry.incremental_column
    if "incremental_column" not in config and analysed.analysis.cursor is not None:
        chosen = analysed.analysis.cursor.column  # What is left open stays as it was analysed.
    return problems + _cursor_and_strategy(entry.extraction_strategy, chosen, analysed, registry)


def _cursor_and_strategy(
    strategy_name: str, cursor_name: str | None, analysed: AnalysedTable, registry: Registry
) -> list[str]:
    problems = []
    cursor: CursorCandidate | None = None
    if cursor_name is not None:
        cursor = next((each for each in analysed.candidates if each.column == cursor_name), None)
        column = analysed.facts.column(cursor_name)
        if column is None:
            names = [each.name for each in analysed.facts.columns]
            said = suggestion(cursor_name, names)
            problems.append(f"incremental_column names `{cursor_name}`, which is no column; {said}")
        elif cursor is None:
            problems.append(
                f"incremental_column `{column.name}` is {column.column_type}, which orders no changes"
            )
        elif cursor.refused:
            problems.append(f"incremental_column `{column.name}` is unfit: {' '.join(cursor.reasons)}")
    strategy = registry.strategies.get(strategy_name)
    if strategy is None:
        said = suggestion(strategy_name, registry.strategies)
        return [
            *problems,
            f"extraction_strategy `{strategy_name}` is provided by no plugin; {said}",
        ]
    answer = bid(attrs.evolve(analysed.analysis, cursor=cursor), strategy)
    if isinstance(answer, Refusal):
        problems.append(f"extraction_strategy `{strategy_name}` refuses the table: {answer.reason}")
    return problems


def _listed(columns: tuple[str, ...]) -> str:
    return ", ".join(f"`{each}`" for each in columns) or "none"
