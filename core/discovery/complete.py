"""The whole of an analysis as one document, and its figures."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from etlkit.discovery import describing
from etlkit.discovery.analysis import AnalysedTable
from etlkit.discovery.catalog import Catalog
from etlkit.discovery.documents import CompleteSchema, PipelineConfiguration, SummaryStatistics
from etlkit.discovery.exclusions import LeftOut
from etlkit.discovery.relationships import Relations

LEVELS = ("critical", "important", "reference", "audit", "standard")
"""The levels that etlkit itself knows, most important first; those of plugins follow by name."""


def complete_schema(
    catalog: Catalog,
    analysed: Sequence[AnalysedTable],
    relations: Relations,
    left_out: Mapping[str, LeftOut],
    configurations: Mapping[str, PipelineConfiguration],
) -> CompleteSchema:
    """Put the analyses of many tables into one document.

    Args:
        catalog: where the tables stand.
        analysed: the tables.
        relations: those of the whole schema.
        left_out: the tables that are left out by default.
        configurations: the entry of each table in `tables.yml`.

    Returns:
        The document.
    """
    return {
        "metadata": {
            "timestamp": describing.moment(catalog),
            "total_tables": len(analysed),
            "source_database": catalog.database,
            "source_server": str(catalog.server),
            "analysis_version": describing.ANALYSIS_VERSION,
            "excluded_tables": list(left_out),
            "excluded_by": {
                name: {"exclusion": each.exclusion, "plugin": each.plugin} for name, each in left_out.items()
            },
            "views": list(catalog.views),
        },
        "tables": {
            each.analysis.name: describing.table_schema(each.facts, catalog, None) for each in analysed
        },
        "relationships": {each.analysis.name: describing.relationships(each, relations) for each in analysed},
        "usage_patterns": {each.analysis.name: describing.usage_patterns(each) for each in analysed},
        "importance_scores": {each.analysis.name: each.analysis.importance for each in analysed},
        "pipeline_configs": dict(configurations),
        "summary_statistics": _statistics(analysed, relations, configurations.values()),
    }


def by_importance(level: str) -> tuple[int, str]:
    """Give what orders levels: those that etlkit knows by their rank, then the others by name.

    Args:
        level: any level.
    """
    return (LEVELS.index(level) if level in LEVELS else len(LEVELS), level)


def _statistics(
    analysed: Sequence[AnalysedTable], relations: Relations, configurations: Iterable[PipelineConfiguration]
) -> SummaryStatistics:
    entries = list(configurations)
    tables = [each.analysis for each in analysed]
    levels = Counter(entry["table_importance"] for entry in entries)
    strategies = Counter(entry["extraction_strategy"] for entry in entries)
    origins = Counter(each.origin for table in tables for each in relations.outgoing[table.name])
    return {
        "total_tables": len(tables),
        "total_size_mb": describing.megabytes(sum(table.total_bytes for table in tables)),
        "total_rows": sum(table.row_count for table in tables),
        "total_columns": sum(len(table.columns) for table in tables),
        "tables_by_importance": {level: levels[level] for level in sorted(levels, key=by_importance)},
        "tables_by_strategy": {name: strategies[name] for name in sorted(strategies)},
        "monitored_tables": sum(entry["monitoring"]["alert_on_failure"] for entry in entries),
        "modeled_tables": sum(entry["is_modeled"] for entry in entries),
        "tables_with_cursor": sum(entry["incremental_column"] is not None for entry in entries),
        "tables_without_primary_key": sum(not table.primary_key for table in tables),
        "relations_by_origin": {origin: origins[origin] for origin in sorted(origins)},
    }
