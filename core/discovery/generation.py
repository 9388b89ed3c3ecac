"""Generating `tables.yml` and the files beside it, so that a second analysis changes nothing but the time."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import attrs

from etlkit.config.tables import (
    TABLES_FILE,
    TableConfig,
    TablesFile,
    TablesMetadata,
    read_tables_file,
    replace_file,
    write_tables,
)
from etlkit.discovery.analysis import AnalysedTable
from etlkit.discovery.bands import batch_size
from etlkit.discovery.catalog import Catalog
from etlkit.discovery.changes import LastAnalysis, find_changes
from etlkit.discovery.column_types import Looked
from etlkit.discovery.complete import complete_schema
from etlkit.discovery.configuration import pipeline_configuration
from etlkit.discovery.describing import ANALYSIS_VERSION, moment
from etlkit.discovery.documents import AnalysisReport, CompleteSchema, PipelineConfiguration
from etlkit.discovery.exclusions import LeftOut
from etlkit.discovery.relationships import Relations
from etlkit.discovery.summary import render_summary
from etlkit.errors import ConfigurationError, ConfigurationGenerationError
from etlkit.registry import Registry

SUMMARY_FILE = "tables_summary.txt"
"""The analysis in words."""

_STEADY_WITHIN = 0.2
_MB = 1024 * 1024


@attrs.frozen(kw_only=True)
class Input:
    """What configuration is generated from."""

    catalog: Catalog
    """The snapshot."""
    analysed: tuple[AnalysedTable, ...]
    """The tables to configure."""
    relations: Relations
    """Those of the whole schema."""
    left_out: Mapping[str, LeftOut]
    """The tables that are left out by default."""
    registry: Registry
    """Whose strategies bid."""
    looked: Mapping[str, Looked] = attrs.field(factory=dict)
    """By table, which columns would not get their plain type, and what their values say of it."""


@attrs.frozen(kw_only=True)
class Generated:
    """What was generated and written."""

    configurations: dict[str, PipelineConfiguration]
    """The entries of `tables.yml`."""
    report: AnalysisReport
    """Figures, changes and paths."""
    summary: str
    """The analysis in words, as in `tables_summary.txt`."""


def generate(given: Input, folder: Path) -> Generated:
    """Decide how every table is loaded and write the three files.

    Args:
        given: the analysed schema.
        folder: where the files go, and where those of the last analysis are.

    Returns:
        What was written.

    Raises:
        ConfigurationGenerationError: no strategy can load a table, a file of the last analysis is damaged,
            or a file cannot be written.
        PluginError: a plugin failed.
    """
    earlier = _read_tables(folder / TABLES_FILE)
    last = _last_analysis(earlier, folder)
    configurations, warnings = _configured(given, earlier, last)
    complete = complete_schema(given.catalog, given.analysed, given.relations, given.left_out, configurations)
    changes = find_changes(last, complete["tables"])
    summary = render_summary(
        complete["metadata"], complete["summary_statistics"], changes, configurations, warnings
    )
    analysis_file = folder / f"schema_analysis_{given.catalog.taken_at:%Y%m%dT%H%M%SZ}.json"
    metadata = TablesMetadata(
        source_database=given.catalog.database,
        timestamp=moment(given.catalog),
        analysis_version=ANALYSIS_VERSION,
    )
    # tables.yml comes last: whoever sees a new one finds the files that explain it.
    _write(analysis_file, _as_json(complete))
    _write(folder / SUMMARY_FILE, summary)
    write_tables(
        folder / TABLES_FILE,
        {name: TableConfig.from_dict(entry) for name, entry in configurations.items()},
        metadata,
    )
    return Generated(
        configurations=configurations,
        summary=summary,
        report={
            "metadata": complete["metadata"],
            "summary_statistics": complete["summary_statistics"],
            "changes": changes,
            "warnings": warnings,
            "files": {
                "tables": str(folder / TABLES_FILE),
                "summary": str(folder / SUMMARY_FILE),
                "analysis": str(analysis_file),
            },
        },
    )


def _configured(
    given: Input, earlier: TablesFile, last: LastAnalysis
) -> tuple[dict[str, PipelineConfiguration], list[str]]:
    configurations: dict[str, PipelineConfiguration] = {}
    warnings: list[str] = []
    for each in given.analysed:
        name = each.analysis.name
        before, looked = earlier.tables.get(name), given.looked.get(name, Looked())
        types = looked.decided(name, before, last.columns(name))
        warnings += looked.warnings(types)
        configurations[name] = pipeline_configuration(
            steadied(each, before), given.registry, moment(given.catalog), types
        )
    return configurations, warnings


def steadied(table: AnalysedTable, earlier: TableConfig | None) -> AnalysedTable:
    """Keep the earlier estimates while the table is much the same, for InnoDB's estimates jitter.

    Args:
        table: its analysis.
        earlier: its entry in the last `tables.yml`.

    Returns:
        The analysis that strategies are asked about.
    """
    analysis = table.analysis
    if earlier is None or earlier.schema_hash != analysis.schema_hash:
        return table
    if not _close(analysis.row_count, earlier.estimated_rows) or not _close(
        analysis.size_mb, earlier.estimated_size_mb
    ):
        return table
    kept = attrs.evolve(
        analysis,
        row_count=earlier.estimated_rows,
        # The smallest size that is shown as the earlier one.
        data_bytes=-(-round(earlier.estimated_size_mb * 1000) * _MB // 1000),
        index_bytes=0,
    )
    kept = attrs.evolve(kept, batch_size=batch_size(kept.size_mb, kept.update_frequency))
    return attrs.evolve(table, analysis=kept)


def _close(now: float, earlier: float) -> bool:
    # A table of a few rows moves by a fifth with every row; that is still much the same.
    return abs(now - earlier) < max(_STEADY_WITHIN * earlier, 0.001)


def _read_tables(path: Path) -> TablesFile:
    if not path.exists():
        return TablesFile()
    try:
        return read_tables_file(path)
    except ConfigurationError as error:
        raise ConfigurationGenerationError(
            f"{error}\nThis file of the last analysis is damaged: move it away and analyse again."
        ) from error


def _last_analysis(earlier: TablesFile, folder: Path) -> LastAnalysis:
    return LastAnalysis(
        made_at=earlier.metadata.timestamp,
        hashes={name: entry.schema_hash for name, entry in earlier.tables.items()},
        tables=_newest_definitions(folder),
    )


def _newest_definitions(folder: Path) -> Mapping[str, Any]:
    files = sorted(folder.glob("schema_analysis_*.json"))
    if not files:
        return {}
    try:
        document = json.loads(files[-1].read_text(encoding="utf-8"))
        tables = document["tables"]
    except (OSError, ValueError, KeyError, TypeError):
        return {}  # The changes say that the last analysis's columns are not at hand.
    return tables if isinstance(tables, dict) else {}


def _as_json(complete: CompleteSchema) -> str:
    return json.dumps(complete, ensure_ascii=False, indent=1) + "\n"


def _write(path: Path, text: str) -> None:
    try:
        replace_file(path, text)
    except OSError as error:
        raise ConfigurationGenerationError(
            f"{path}: cannot be written ({error.strerror}); make the folder writable and try again"
        ) from error
