"""An analysis in words: `tables_summary.txt`, and what `etlkit analyze` prints."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from etlkit.discovery.documents import (
    AnalysisMetadata,
    ChangesDocument,
    PipelineConfiguration,
    SummaryStatistics,
    TableChange,
)

_LARGEST = 10


def render_summary(
    metadata: AnalysisMetadata,
    statistics: SummaryStatistics,
    changes: ChangesDocument,
    configurations: Mapping[str, PipelineConfiguration],
    warnings: Sequence[str] = (),
) -> str:
    """Put an analysis into words.

    Args:
        metadata: of which source, and when.
        statistics: its figures.
        changes: what changed since the last one.
        configurations: the entry of each table.
        warnings: what a person should look at.

    Returns:
        Lines of text, the last one ended.
    """
    left_out = f"{len(metadata['excluded_tables'])} excluded, {len(metadata['views'])} views left out"
    without_key = f"{statistics['tables_without_primary_key']} have no primary key"
    lines = [
        f"Source      {metadata['source_database']} on {metadata['source_server']}",
        f"Analysed    {metadata['timestamp']}",
        f"Tables      {statistics['total_tables']:,} of {statistics['total_columns']:,} columns; {left_out}",
        f"Size        {statistics['total_size_mb']:,.1f} MB, about {statistics['total_rows']:,} rows",
        f"Importance  {_counts(statistics['tables_by_importance'])}",
        f"Strategies  {_counts(statistics['tables_by_strategy'])}",
        f"Cursors     {statistics['tables_with_cursor']} tables have one; {without_key}",
        f"Monitored   {statistics['monitored_tables']} tables",
        f"Relations   {_counts(statistics['relations_by_origin'])}",
        "",
        *change_lines(changes),
        "",
        "Largest tables",
        *_table_lines(configurations),
        *(["", "To look at", *(f"  ! {each}" for each in warnings)] if warnings else []),
    ]
    return "\n".join(lines) + "\n"


def change_lines(changes: ChangesDocument) -> list[str]:
    """Put what changed since the last analysis into lines.

    Args:
        changes: the changes.

    Returns:
        At least one line.
    """
    if changes["compared_with"] is None:
        return ["This is the first analysis."]
    lines = [f"Since the analysis of {changes['compared_with']}"]
    lines += [f"  + {table}: new table" for table in changes["tables_added"]]
    lines += [f"  - {table}: table is gone (breaking)" for table in changes["tables_removed"]]
    for change in changes["tables_changed"]:
        lines.append(
            f"  ~ {change['table']}: {'; '.join(_words(change))}{' (breaking)' * change['breaking']}"
        )
    return lines if len(lines) > 1 else [f"Nothing changed since the analysis of {changes['compared_with']}."]


def _words(change: TableChange) -> Iterable[str]:
    if change["columns_added"]:
        yield f"columns added: {', '.join(change['columns_added'])}"
    if change["columns_removed"]:
        yield f"columns removed: {', '.join(change['columns_removed'])}"
    yield from (f"{column}: {words}" for column, words in change["columns_changed"].items())
    yield from change["other"]


def _counts(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{count} {name}" for name, count in counts.items()) or "none"


def _table_lines(configurations: Mapping[str, PipelineConfiguration]) -> list[str]:
    largest = sorted(configurations.items(), key=lambda each: (-each[1]["estimated_size_mb"], each[0]))[
        :_LARGEST
    ]
    width = max((len(name) for name, _ in largest), default=0)
    return [
        f"  {name:<{width}}  {entry['estimated_size_mb']:>9,.1f} MB  {entry['estimated_rows']:>11,} rows  "
        f"{entry['table_importance']:<9}  {entry['extraction_strategy']}"
        for name, entry in largest
    ]
