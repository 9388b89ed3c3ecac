"""Sizes of tables in bands, and what follows from a band: batch sizes, patience, kinds of tables.

The figures come from a clinic of 446 tables, 20.5 million rows and 4 GB: 219 tables were empty, none was
over 1 GB.
"""

from __future__ import annotations

from typing import Literal

from etlkit.tables import TableAnalysis

SMALL_MB = 1
"""Below it, reading everything costs less than finding out what changed."""
MEDIUM_MB = 100
"""Below it, an incremental load fits in one go."""
LARGE_MB = 1000
"""Below it, chunks that are committed one by one; from it on, a stream."""

_BATCHES = ((SMALL_MB, 5000, 5000), (MEDIUM_MB, 3000, 2000), (LARGE_MB, 2000, 1000))
_BATCHES_ABOVE = (1000, 500)
_LOOKUP_ROWS = 1000
_HUB_REFERENCES = 5

TableType = Literal["log", "hub", "lookup", "link", "transaction", "other"]
"""What a table is for.

`log`: rows are only added. `hub`: at least 5 tables point to it. `lookup`: others point to it, it points to
none, and it has at most 1000 rows. `link`: it points to two tables or more and has no columns besides keys.
`transaction`: it has points in time.
"""


def batch_size(size_mb: float, update_frequency: str) -> int:
    """Give the rows of a table's first chunk: fewer for large tables, and for those that change often.

    Args:
        size_mb: rows and indexes in MB.
        update_frequency: as `TableAnalysis.update_frequency`.

    Returns:
        Rows.
    """
    frequent = update_frequency == "frequent"
    for below, usual, when_frequent in _BATCHES:
        if size_mb < below:
            return when_frequent if frequent else usual
    return _BATCHES_ABOVE[frequent]


def max_extraction_minutes(size_mb: float) -> int:
    """Give the minutes that a load may take before it is worth a look: 1 for each 10 MB, 5 to 180.

    Args:
        size_mb: rows and indexes in MB.

    Returns:
        Minutes.
    """
    return int(min(180, max(5, size_mb / 10)))


def is_lookup(table: TableAnalysis) -> bool:
    """Tell whether a table is a short list that others point to, and that points to none.

    Args:
        table: with its relations.
    """
    return bool(table.referenced_by) and not table.depends_on and table.row_count <= _LOOKUP_ROWS


def table_type(table: TableAnalysis) -> TableType:
    """Tell what kind of table it is; the first kind of `TableType` that fits.

    Args:
        table: with its relations.
    """
    if table.update_frequency == "append_only":
        return "log"
    if len(table.referenced_by) >= _HUB_REFERENCES:
        return "hub"
    if is_lookup(table):
        return "lookup"
    if len(table.depends_on) > 1 and len(table.columns) <= len(table.depends_on) + 1:
        return "link"
    if any(column.data_type in ("datetime", "timestamp", "date") for column in table.columns):
        return "transaction"
    return "other"
