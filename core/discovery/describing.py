"""From frozen facts to the documents that `SchemaDiscovery` returns; every call makes new ones."""

from __future__ import annotations

from collections.abc import Callable

from etlkit.config.tables import TABLES_VERSION
from etlkit.discovery.analysis import AnalysedTable
from etlkit.discovery.bands import is_lookup, table_type
from etlkit.discovery.catalog import Catalog, TableFacts
from etlkit.discovery.documents import (
    DependencyTree,
    IncrementalColumn,
    TableRelationships,
    TableSchema,
    TableSizeInfo,
    UsagePatterns,
)
from etlkit.discovery.relationships import Relations
from etlkit.tables import TEXT_TYPES

ANALYSIS_VERSION = TABLES_VERSION
"""Grows when the same schema would be described differently."""

_MB = 1024 * 1024


def megabytes(size: int) -> float:
    """Give bytes as MB with three digits; cut, not rounded: what is below a threshold stays below it.

    Args:
        size: bytes.

    Returns:
        MB of 1024 * 1024 bytes.
    """
    return size * 1000 // _MB / 1000


def moment(catalog: Catalog) -> str:
    """Give the time of a catalog as ISO 8601 in UTC, to the second.

    Args:
        catalog: any.
    """
    return catalog.taken_at.isoformat(timespec="seconds")


def table_schema(facts: TableFacts, catalog: Catalog, create_statement: str | None) -> TableSchema:
    """Describe a table's definition.

    Args:
        facts: the table.
        catalog: where it stands.
        create_statement: as the server gives it, when it was asked for.

    Returns:
        The document.
    """
    return {
        "table_name": facts.name,
        "create_statement": create_statement,
        "metadata": {
            "engine": facts.engine,
            "charset": facts.charset,
            "collation": facts.collation,
            "auto_increment": facts.auto_increment,
            "row_count": facts.row_count,
        },
        "columns": [
            {
                "name": column.name,
                "type": column.declared_type,
                "data_type": column.data_type,
                "is_nullable": column.nullable,
                "default": column.default,
                "extra": column.extra,
                "comment": column.comment,
                "key_type": column.key,
            }
            for column in facts.columns
        ],
        "primary_key_columns": list(facts.primary_key),
        "indexes": [
            {"name": each.name, "columns": list(each.columns), "is_unique": each.unique, "type": each.kind}
            for each in facts.indexes
        ],
        "foreign_keys": [
            {
                "name": each.name,
                "column": each.column,
                "referenced_table": each.referenced_table,
                "referenced_column": each.referenced_column,
            }
            for each in facts.foreign_keys
        ],
        "schema_hash": facts.schema_hash,
        "analysis_timestamp": moment(catalog),
        "analysis_version": ANALYSIS_VERSION,
    }


def size_info(facts: TableFacts, exact_count: int | None) -> TableSizeInfo:
    """Describe a table's size.

    Args:
        facts: the table.
        exact_count: its rows, when they were counted.

    Returns:
        The document.
    """
    return {
        "table_name": facts.name,
        "row_count": facts.row_count if exact_count is None else exact_count,
        "row_count_exact": facts.row_count_exact or exact_count is not None,
        "data_size_bytes": facts.data_bytes,
        "data_size_mb": megabytes(facts.data_bytes),
        "index_size_bytes": facts.index_bytes,
        "index_size_mb": megabytes(facts.index_bytes),
        "total_size_bytes": facts.total_bytes,
        "total_size_mb": megabytes(facts.total_bytes),
    }


def incremental_columns(table: AnalysedTable) -> list[IncrementalColumn]:
    """Describe the columns that were judged as cursors, the best first.

    Args:
        table: its analysis.

    Returns:
        The documents.
    """
    chosen = table.analysis.cursor
    columns = {column.name: column for column in table.facts.columns}
    return [
        {
            "column_name": each.column,
            "data_type": each.data_type,
            "default": columns[each.column].default,
            "extra": columns[each.column].extra,
            "comment": columns[each.column].comment,
            "priority": priority,
            "chosen": chosen is not None and chosen.column == each.column,
            "fitness": {
                "score": each.score,
                "refused": each.refused,
                "reasons": list(each.reasons),
                "indexed": each.indexed,
            },
        }
        for priority, each in enumerate(table.candidates, start=1)
    ]


def relationships(table: AnalysedTable, relations: Relations) -> TableRelationships:
    """Describe which tables a table points to, and which point to it.

    Args:
        table: its analysis.
        relations: those of the whole schema.

    Returns:
        The document.
    """
    analysis = table.analysis
    return {
        "dependencies": list(analysis.depends_on),
        "referenced_by": list(analysis.referenced_by),
        "dependency_count": len(analysis.depends_on),
        "reference_count": len(analysis.referenced_by),
        "is_lookup_table": is_lookup(analysis),
        "is_standalone": not analysis.depends_on and not analysis.referenced_by,
        "relations": [
            {
                "column": each.column,
                "referenced_table": each.referenced_table,
                "referenced_column": each.referenced_column,
                "origin": each.origin,
                "plugin": each.plugin,
            }
            for each in relations.outgoing[analysis.name]
        ],
    }


def usage_patterns(table: AnalysedTable) -> UsagePatterns:
    """Describe how a table is used, as far as its catalog entry can tell.

    Args:
        table: its analysis.

    Returns:
        The document.
    """
    analysis = table.analysis
    columns = analysis.columns
    return {
        "size_mb": megabytes(analysis.total_bytes),
        "row_count": analysis.row_count,
        "column_count": len(columns),
        "timestamp_columns": [each.name for each in columns if each.data_type in ("datetime", "timestamp")],
        "boolean_columns": [
            each.name for each in columns if each.declared_type.lower() in ("tinyint(1)", "bit(1)")
        ],
        "text_columns": [each.name for each in columns if each.data_type in TEXT_TYPES - {"enum", "set"}],
        "update_frequency": analysis.update_frequency,
        "table_type": table_type(analysis),
        "has_auto_increment": any(each.auto_increment for each in columns),
        "has_primary_key": bool(analysis.primary_key),
    }


def dependency_tree(table: str, depth: int, points_to: Callable[[str], tuple[str, ...]]) -> DependencyTree:
    """Follow dependencies downwards; each table is followed once, where it is nearest to the beginning.

    Args:
        table: where to begin.
        depth: levels below it.
        points_to: gives the tables that a table points to.

    Returns:
        The tree; its size grows with the number of tables and not with the number of ways between them.
    """
    root: DependencyTree = {"table": table, "dependencies": []}
    level = [(root, frozenset({table}))]
    followed = {table}
    for left in range(depth, -1, -1):
        following: list[tuple[DependencyTree, frozenset[str]]] = []
        for branch, above in level:
            below = points_to(branch["table"])
            if below and not left:
                branch["cut"] = True
                continue
            for name in below:
                twig: DependencyTree = {"table": name, "dependencies": []}
                branch["dependencies"].append(twig)
                if name in above:
                    twig["cycle"] = True
                elif name in followed:
                    twig["repeated"] = True
                else:
                    followed.add(name)
                    following.append((twig, above | {name}))
        level = following
    return root
