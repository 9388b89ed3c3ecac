"""The documents that `SchemaDiscovery` returns: plain dicts that can be written as JSON.

Sizes are bytes where a key ends in `_bytes` and MB of 1024 * 1024 bytes where it ends in `_mb`; counts are
rows. Times are ISO 8601 in UTC. A key is NULL in JSON where the catalog says nothing.
"""

from __future__ import annotations

from typing import Any, TypedDict


class ColumnDocument(TypedDict):
    """One column."""

    name: str
    type: str
    """The full type as this server prints it, such as `bigint(20) unsigned`."""
    data_type: str
    """The bare type, such as `bigint`; JSON is `json` on MariaDB too."""
    is_nullable: bool
    default: str | None
    extra: str
    comment: str
    key_type: str
    """`PRI`, `UNI`, `MUL` or empty."""


class IndexDocument(TypedDict):
    """One index, the primary key's included."""

    name: str
    columns: list[str]
    is_unique: bool
    type: str
    """`BTREE`, `HASH`, `FULLTEXT` or `SPATIAL`."""


class ForeignKeyDocument(TypedDict):
    """One column of a declared foreign key."""

    name: str
    column: str
    referenced_table: str
    referenced_column: str


class TableMetadata(TypedDict):
    """What the catalog says of a table as a whole."""

    engine: str
    charset: str | None
    collation: str | None
    auto_increment: int | None
    row_count: int
    """An estimate on InnoDB; `get_table_size_info` says whether it is exact."""


class TableSchema(TypedDict):
    """What `get_table_schema` returns."""

    table_name: str
    create_statement: str | None
    """None in `analyze_complete_schema`, which asks for none."""
    metadata: TableMetadata
    columns: list[ColumnDocument]
    primary_key_columns: list[str]
    indexes: list[IndexDocument]
    foreign_keys: list[ForeignKeyDocument]
    schema_hash: str
    analysis_timestamp: str
    analysis_version: str


class TableSizeInfo(TypedDict):
    """What `get_table_size_info` returns."""

    table_name: str
    row_count: int
    row_count_exact: bool
    data_size_bytes: int
    data_size_mb: float
    index_size_bytes: int
    index_size_mb: float
    total_size_bytes: int
    total_size_mb: float


class Fitness(TypedDict):
    """How fit a column is as a cursor."""

    score: float
    """0 (never) to 1 (the server itself stamps every change)."""
    refused: bool
    reasons: list[str]
    indexed: bool


class IncrementalColumn(TypedDict):
    """One candidate of `get_incremental_columns`."""

    column_name: str
    data_type: str
    default: str | None
    extra: str
    comment: str
    priority: int
    """1 is the best; refused candidates come last."""
    chosen: bool
    """Whether it is the one that `tables.yml` names."""
    fitness: Fitness


class RelationDocument(TypedDict):
    """One relation with its origin."""

    column: str
    referenced_table: str
    referenced_column: str
    origin: str
    """`declared`, or the name of the rule that found it."""
    plugin: str
    """The plugin that provides the rule; empty when the source declares the relation."""


class TableRelationships(TypedDict):
    """One table of `analyze_table_relationships`."""

    dependencies: list[str]
    """Tables it points to, itself left out."""
    referenced_by: list[str]
    """Tables that point to it, itself left out."""
    dependency_count: int
    reference_count: int
    is_lookup_table: bool
    is_standalone: bool
    """No relation in either direction."""
    relations: list[RelationDocument]
    """The relations behind `dependencies`, those to the table itself included."""


class UsagePatterns(TypedDict):
    """One table of `analyze_table_usage_patterns`."""

    size_mb: float
    row_count: int
    column_count: int
    timestamp_columns: list[str]
    """Columns of the types `datetime` and `timestamp`."""
    boolean_columns: list[str]
    """Columns declared `tinyint(1)` or `bit(1)`; a hint: nine booleans in ten are declared otherwise."""
    text_columns: list[str]
    """Columns of the character types, `enum` and `set` left out."""
    update_frequency: str
    """`append_only`, `rare` or `frequent`."""
    table_type: str
    """`log`, `hub`, `lookup`, `link`, `transaction` or `other`."""
    has_auto_increment: bool
    has_primary_key: bool


class MonitoringDocument(TypedDict):
    """How a table's loads are watched."""

    alert_on_failure: bool
    max_extraction_time_minutes: int
    data_quality_threshold: float


class PipelineConfiguration(TypedDict):
    """One table's entry in `tables.yml`."""

    incremental_column: str | None
    batch_size: int
    extraction_strategy: str
    table_importance: str
    estimated_size_mb: float
    estimated_rows: int
    dependencies: list[str]
    schema_hash: str
    last_analyzed: str
    analysis_version: str
    is_modeled: bool
    column_overrides: dict[str, dict[str, str]]
    monitoring: MonitoringDocument
    primary_key: list[str]
    reconcile: str
    reasons: dict[str, str]


class ExclusionDocument(TypedDict):
    """Who says that a table is left out by default."""

    exclusion: str
    plugin: str


class AnalysisMetadata(TypedDict):
    """Of which source and when an analysis was made."""

    timestamp: str
    total_tables: int
    source_database: str
    source_server: str
    analysis_version: str
    excluded_tables: list[str]
    """Left out by default: temporary copies and what upgrades leave behind."""
    excluded_by: dict[str, ExclusionDocument]
    """For each of them who says so."""
    views: list[str]
    """Never analysed or loaded."""


class SummaryStatistics(TypedDict):
    """The figures of an analysis."""

    total_tables: int
    total_size_mb: float
    total_rows: int
    total_columns: int
    tables_by_importance: dict[str, int]
    tables_by_strategy: dict[str, int]
    monitored_tables: int
    """Tables whose failure calls for attention."""
    modeled_tables: int
    tables_with_cursor: int
    tables_without_primary_key: int
    relations_by_origin: dict[str, int]


class CompleteSchema(TypedDict):
    """What `analyze_complete_schema` returns, and `schema_analysis_<timestamp>.json` holds."""

    metadata: AnalysisMetadata
    tables: dict[str, TableSchema]
    relationships: dict[str, TableRelationships]
    usage_patterns: dict[str, UsagePatterns]
    importance_scores: dict[str, str]
    """The level of each table."""
    pipeline_configs: dict[str, PipelineConfiguration]
    summary_statistics: SummaryStatistics


class CompleteConfiguration(TypedDict):
    """What `generate_complete_configuration` returns."""

    tables: dict[str, PipelineConfiguration]


class DependencyTree(TypedDict, total=False):
    """What `get_table_dependencies_recursive` returns, and each branch of it."""

    table: str
    dependencies: list[DependencyTree]
    cycle: bool
    """The table stands above itself already; its branch ends here."""
    repeated: bool
    """The table's own dependencies are shown at another place of the tree."""
    cut: bool
    """The table has dependencies that lie deeper than asked for."""


class TableChange(TypedDict):
    """What changed in one table since the last analysis."""

    table: str
    columns_added: list[str]
    columns_removed: list[str]
    columns_changed: dict[str, str]
    """By column, in words."""
    other: list[str]
    """Changes of key, indexes, or, where the last analysis has no columns, of anything; in words."""
    breaking: bool
    """Whether the warehouse's table cannot follow without losing something, or a person should look."""


class ChangesDocument(TypedDict):
    """What changed since the last analysis."""

    compared_with: str | None
    """When the last analysis was made; None when there was none."""
    tables_added: list[str]
    tables_removed: list[str]
    tables_changed: list[TableChange]
    breaking: list[str]
    """Tables with a breaking change, removed ones included."""


class AnalysisReport(TypedDict):
    """What `OpenDentalSchemaAnalyzer.analyze` returns."""

    metadata: AnalysisMetadata
    summary_statistics: SummaryStatistics
    changes: ChangesDocument
    warnings: list[str]
    """What a person should look at, such as values that a conversion does not accept; a sentence each."""
    files: dict[str, str]
    """Paths of what was written: `tables`, `summary`, `analysis`."""


Document = dict[str, Any]
"""A document read back from JSON."""
