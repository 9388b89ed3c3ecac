"""What the ledger remembers of tables, as values."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import attrs
import sqlalchemy as sa

from etlkit.contracts import TableState
from etlkit.loading.kept import Kept
from etlkit.loading.shapes import Shape


@attrs.frozen(kw_only=True)
class LedgerEntry:
    """What is remembered of a table's last committed load."""

    state: TableState
    """What a strategy may know."""
    mapping_hash: str
    """How values became columns then."""
    target_name: str
    """What the table is called in the warehouse."""
    loaded_at: Any
    """When it was committed, by the warehouse's clock."""
    read: int
    """Rows read then."""
    written: int
    """Rows inserted, updated and deleted then."""
    run_id: str
    """The run that committed it."""
    first_loaded_at: Any = None
    """When its first load was committed; None in the ledger of an older etlkit."""
    proven_at: Any = None
    """When it was last proven equal to the source; None for never."""
    compared_at: Any = None
    """When every row was last compared for that, not only checksums."""
    checksum: int | None = None
    """CHECKSUM TABLE of the source at that time; None when rows were written since."""


@attrs.frozen(kw_only=True)
class LedgerSnapshot:
    """What the warehouse held at one moment."""

    entries: Mapping[str, LedgerEntry] = attrs.field(factory=dict)
    """By the table's name in the source; tables that were never loaded have none."""
    tables: Mapping[str, Shape] = attrs.field(factory=dict)
    """The tables that are there, by their names in the warehouse."""
    kept: Mapping[str, Mapping[str, Kept]] = attrs.field(factory=dict)
    """By the table's name in the source and by column, what is there although the source has it no longer."""
    taken_at: Any = None
    """That moment, by the warehouse's clock; None where there are no entries."""


def entry_of(row: sa.RowMapping) -> LedgerEntry:
    """Make an entry from a row of `table_state`.

    Args:
        row: all of its columns.

    Returns:
        The entry.
    """
    state = TableState(
        table=row["table_name"],
        cursor_column=row["cursor_column"],
        watermark=row["watermark"],
        schema_hash=row["schema_hash"],
        strategy=row["strategy"],
        generation=row["generation"],
    )
    known = {each.name: row[each.name] for each in attrs.fields(LedgerEntry) if each.name != "state"}
    return LedgerEntry(state=state, **known)
