"""One table's entry in `tables.yml`: which strategy, which cursor, how important, and why each."""

from __future__ import annotations

from etlkit.discovery.analysis import AnalysedTable
from etlkit.discovery.asking import Choice, choose_strategy, matching_conversion
from etlkit.discovery.bands import max_extraction_minutes
from etlkit.discovery.cursors import why_no_cursor
from etlkit.discovery.describing import ANALYSIS_VERSION, megabytes
from etlkit.discovery.documents import MonitoringDocument, PipelineConfiguration
from etlkit.discovery.proving import Proving, proving_of
from etlkit.registry import Registry
from etlkit.tables import TableAnalysis

_MODELED = frozenset({"critical", "important"})
_QUALITY_OF_CRITICAL = 0.99
_QUALITY = 0.95


def pipeline_configuration(
    table: AnalysedTable, registry: Registry, analysed_at: str
) -> PipelineConfiguration:
    """Decide how a table is loaded.

    Args:
        table: its analysis.
        registry: whose strategies bid and whose conversions may match.
        analysed_at: when, as ISO 8601.

    Returns:
        The entry.

    Raises:
        PluginError: a plugin failed.
        ConfigurationGenerationError: no strategy can load the table.
    """
    analysis = table.analysis
    choice = choose_strategy(analysis, registry.strategies)
    proving = proving_of(analysis, registry.strategy(choice.strategy).item)
    conversions = {
        column.name: provided.item.name
        for column in analysis.columns
        if (provided := matching_conversion(analysis, column, registry.conversions)) is not None
    }
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
        "column_overrides": {column: {"conversion": name} for column, name in conversions.items()},
        "monitoring": monitoring(analysis),
        "primary_key": list(analysis.primary_key),
        "reconcile": proving.schedule,
        "reasons": _reasons(table, choice, proving, conversions),
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
    table: AnalysedTable, choice: Choice, proving: Proving, conversions: dict[str, str]
) -> dict[str, str]:
    cursor = table.analysis.cursor
    reasons = {
        "strategy": f"{choice.strategy}: {_line(choice.reason)}",
        "cursor": _line(" ".join(cursor.reasons) if cursor else why_no_cursor(table.candidates)),
        "importance": _line(table.importance.reason),
        "reconcile": proving.reason,
    }
    if conversions:
        said = ", ".join(f"{column} by {name}" for column, name in conversions.items())
        reasons["types"] = f"Converted because they match: {said}."
    return reasons


def _line(text: str) -> str:
    return " ".join(text.split())
