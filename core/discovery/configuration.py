"""One table's entry in `tables.yml`: which strategy, which cursor, how important, and why each."""

from __future__ import annotations

from collections.abc import Sequence

from etlkit.discovery.analysis import AnalysedTable
from etlkit.discovery.asking import Choice, choose_strategy
from etlkit.discovery.bands import max_extraction_minutes
from etlkit.discovery.column_types import ColumnType
from etlkit.discovery.cursors import why_no_cursor
from etlkit.discovery.describing import ANALYSIS_VERSION, megabytes
from etlkit.discovery.documents import MonitoringDocument, PipelineConfiguration
from etlkit.discovery.history import Usage
from etlkit.discovery.proving import Proving, proving_of
from etlkit.registry import Registry
from etlkit.tables import TableAnalysis

_MODELED = frozenset({"critical", "important"})
_QUALITY_OF_CRITICAL = 0.99
_QUALITY = 0.95


def pipeline_configuration(
    table: AnalysedTable, registry: Registry, analysed_at: str, types: Sequence[ColumnType] = ()
) -> PipelineConfiguration:
    """Decide how a table is loaded.

    Args:
        table: its analysis.
        registry: whose strategies bid.
        analysed_at: when, as ISO 8601.
        types: what was decided of columns that do not get their plain type.

    Returns:
        The entry.

    Raises:
        PluginError: a plugin failed.
        ConfigurationGenerationError: no strategy can load the table.
    """
    analysis = table.analysis
    choice = choose_strategy(analysis, registry.strategies)
    proving = proving_of(analysis, registry.strategy(choice.strategy).item)
    return {
        "incremental_column": analysis.cursor.column if analysis.cursor else None,
        "batch_size": analysis.batch_size,
        "extraction_strategy": choice.strategy,
        "table_importance": analysis.importance,
        "estimated_size_mb": megabytes(analysis.total_bytes),
        "estimated_rows": analysis.row_count,
        "dependencies": list(analysis.depends_on),
        "schema_hash": analysis.schema_hash,
        "last_analyzed": analysed_at,
        "analysis_version": ANALYSIS_VERSION,
        "is_modeled": analysis.importance in _MODELED,
        "column_overrides": {each.column: dict(each.override) for each in types if each.override is not None},
        "monitoring": monitoring(analysis),
        "primary_key": list(analysis.primary_key),
        "reconcile": proving.schedule,
        "reasons": _reasons(table, choice, proving, types),
    }


def monitoring(table: TableAnalysis) -> MonitoringDocument:
    """Decide how a table's loads are watched.

    Args:
        table: with its importance.

    Returns:
        The entry's part.
    """
    return {
        "alert_on_failure": table.importance in _MODELED,
        "max_extraction_time_minutes": max_extraction_minutes(table.size_mb),
        "data_quality_threshold": _QUALITY_OF_CRITICAL if table.importance == "critical" else _QUALITY,
    }


def _reasons(
    table: AnalysedTable, choice: Choice, proving: Proving, types: Sequence[ColumnType]
) -> dict[str, str]:
    cursor, usage = table.analysis.cursor, table.usage
    return {
        "strategy": f"{choice.strategy}: {_line(choice.reason)}",
        "cursor": _line(" ".join(cursor.reasons) if cursor else why_no_cursor(table.candidates)),
        "changes": _line(f"{table.analysis.update_frequency}: {usage.why}."),
        **_lookback(usage),
        "importance": _line(table.importance.reason),
        "reconcile": proving.reason,
        **{f"type {each.column}": _line(each.reason) for each in types},
    }


def _lookback(usage: Usage) -> dict[str, str]:
    if usage.lookback_why is None:
        return {}
    return {
        "lookback": _line(f"{usage.lookback_seconds} seconds behind a time cursor: {usage.lookback_why}.")
    }


def _line(text: str) -> str:
    return " ".join(text.split())
