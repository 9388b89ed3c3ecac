"""From the catalog to `TableAnalysis`: facts, relations, cursor and importance of each table, in one pass."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Any

import attrs

from etlkit.contracts import Classifier
from etlkit.discovery.asking import Importance, importance_of
from etlkit.discovery.bands import batch_size
from etlkit.discovery.catalog import TableFacts
from etlkit.discovery.cursors import best_cursor, cursor_candidates
from etlkit.discovery.history import Usage, usage_of
from etlkit.discovery.relationships import Relations
from etlkit.providers import Provided
from etlkit.tables import CursorCandidate, TableAnalysis


@attrs.frozen(kw_only=True)
class AnalysedTable:
    """A table's analysis, with what led to it."""

    analysis: TableAnalysis
    """What classifiers and strategies decide upon."""
    facts: TableFacts
    """What the catalog says."""
    candidates: tuple[CursorCandidate, ...]
    """All cursors that were judged, best first."""
    usage: Usage
    """What is known of how the table is used, and who says so."""
    importance: Importance
    """The level and who gave it."""


def as_in_catalog(facts: TableFacts) -> TableAnalysis:
    """Make the analysis that exclusions, relationship rules and habits are shown.

    Args:
        facts: the table.

    Returns:
        What follows from the catalog's entry alone: no cursor, no relations, the level `standard`.
    """
    analysis = TableAnalysis(
        name=facts.name,
        engine=facts.engine,
        columns=facts.columns,
        primary_key=facts.primary_key,
        indexes=facts.indexes,
        foreign_keys=facts.foreign_keys,
        row_count=facts.row_count,
        row_count_exact=facts.row_count_exact,
        data_bytes=facts.data_bytes,
        index_bytes=facts.index_bytes,
        schema_hash=facts.schema_hash,
    )
    return used(analysis, usage_of(analysis))


def used(analysis: TableAnalysis, usage: Usage) -> TableAnalysis:
    """Lay what is known of how a table is used over its analysis.

    Args:
        analysis: the table.
        usage: what is known.

    Returns:
        The analysis with what follows from it: how often rows change, rows of a chunk, what is read again.
    """
    frequency = usage.frequency(analysis)
    return attrs.evolve(
        analysis,
        update_frequency=frequency,
        batch_size=batch_size(analysis.size_mb, frequency),
        lookback_seconds=usage.lookback_seconds,
    )


def analyse_table(
    facts: TableFacts,
    relations: Relations,
    classifiers: Iterable[Provided[Classifier]],
    usage: Usage,
    options: Mapping[str, Any] = MappingProxyType({}),
) -> AnalysedTable:
    """Complete what the catalog says of a table.

    Args:
        facts: the table.
        relations: those of the whole schema.
        classifiers: in the order to ask.
        usage: what is known of how the table is used.
        options: a person's further choices for the table, by which strategies may bid.

    Returns:
        The table's analysis.

    Raises:
        PluginError: a classifier failed.
    """
    candidates = cursor_candidates(facts, usage)
    analysis = used(without_importance(facts, relations, best_cursor(candidates)), usage)
    analysis = attrs.evolve(analysis, options=options)
    importance = importance_of(analysis, classifiers)
    return AnalysedTable(
        analysis=attrs.evolve(analysis, importance=importance.level),
        facts=facts,
        candidates=candidates,
        usage=usage,
        importance=importance,
    )


def without_importance(
    facts: TableFacts, relations: Relations, cursor: CursorCandidate | None
) -> TableAnalysis:
    """Make the analysis that classifiers are shown.

    Args:
        facts: the table.
        relations: those of the whole schema.
        cursor: the one to use.

    Returns:
        The analysis, with the level `standard`.
    """
    return attrs.evolve(
        as_in_catalog(facts),
        cursor=cursor,
        depends_on=relations.depends_on(facts.name),
        referenced_by=relations.referenced_by(facts.name),
    )
