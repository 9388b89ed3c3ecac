"""What the replica's ledger remembers of tables, as values."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping
from typing import Any

import attrs
import sqlalchemy as sa

from etlkit.contracts import TableState
from etlkit.loading.source_identity import SourceIdentity


@attrs.frozen(kw_only=True)
class ReplicaEntry:
    """What is remembered of a table's last load into the replica."""

    state: TableState
    """What a strategy may know."""
    loaded_at: dt.datetime | None
    """When it was committed, by the replica's clock; None when none was yet."""
    run_id: str
    """The run that wrote this."""
    strategy: str = ""
    """The strategy of that load, or of the one that failed."""
    first_loaded_at: dt.datetime | None = None
    """When its first load was committed."""
    proven_at: dt.datetime | None = None
    """When it was last proven equal to the source; None for never."""
    compared_at: dt.datetime | None = None
    """When every row was last compared for that, not only checksums."""
    checksum: int | None = None
    """Of the source at that time; None when rows were written since."""
    read: int = 0
    """Rows read by the last load that was committed."""
    inserted: int = 0
    """Rows inserted by it."""
    updated: int = 0
    """Rows changed by it."""
    deleted: int = 0
    """Rows removed by it."""
    unchanged: int = 0
    """Rows read by it that were there already."""
    seconds: float = 0.0
    """How long it took."""
    verified: str = ""
    """As in `TableFinished`."""
    adapted: tuple[str, ...] = ()
    """What of the table's definition was adapted for the replica, in words."""
    error: str | None = None
    """Why the last load failed; None when it was committed."""
    exit_code: int = 0
    """The exit code of that failure."""
    failed_at: dt.datetime | None = None
    """When it failed."""
    gone: bool = False
    """Whether the source no longer has the table, whose rows are kept."""
    follow_up: int = 0
    """The generation that changed rows which no cursor shows; 0 when the next hop has compared them since."""

    @property
    def written(self) -> int:
        """Rows inserted, changed and removed by the last load that was committed."""
        return self.inserted + self.updated + self.deleted


@attrs.frozen(kw_only=True)
class ReplicaSnapshot:
    """What the replica held at one moment."""

    entries: Mapping[str, ReplicaEntry] = attrs.field(factory=dict)
    """By the table's name; tables that were never tried have none."""
    source: SourceIdentity | None = None
    """Which source it copies; None before the first run."""
    taken_at: dt.datetime | None = None
    """That moment, by the replica's clock; None where there is no ledger."""

    def loaded(self, table: str) -> ReplicaEntry | None:
        """Find what is remembered of a table that is there.

        Args:
            table: its name.

        Returns:
            The entry; None when no load of it was ever committed.
        """
        entry = self.entries.get(table)
        return None if entry is None or entry.loaded_at is None else entry


@attrs.frozen(kw_only=True)
class Reading:
    """A load that is not finished: what of it lies aside, and where it goes on."""

    plan: str
    """Digest of the plan; a read only goes on under the same one."""
    side: str
    """The table that holds what was read."""
    last_key: str | None = None
    """The key behind which to go on, as `etlkit.transfer.keys.to_json` writes it; None before the first chunk."""
    watermark: str | None = None
    """The watermark of the chunks so far."""
    began: str | None = None
    """Where the cursor stood when the read began."""
    read: int = 0
    """Rows so far."""
    rendered_bytes: int = 0
    """Bytes so far."""
    complete: bool = False
    """Whether everything was read, so that only putting it in place is left."""


def entry_of(row: sa.RowMapping) -> ReplicaEntry:
    """Make an entry from a row of `etlkit_state`.

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
    others = [each.name for each in attrs.fields(ReplicaEntry) if each.name not in {"state", "adapted"}]
    known = {name: utc(row[name]) for name in others}
    return ReplicaEntry(state=state, adapted=tuple(json.loads(row["adapted"])), **known)


def utc(value: Any) -> Any:
    """Say of a time that it is UTC, as all times in the replica's ledger are.

    Args:
        value: any value.

    Returns:
        The same; with its zone when it is a time.
    """
    return value.replace(tzinfo=dt.UTC) if isinstance(value, dt.datetime) else value
