"""How many rows the next chunk gets: by the time and the bytes of the last one."""

from __future__ import annotations

import attrs

SECONDS = {"MyISAM": 0.25, "Aria": 0.25, "MEMORY": 0.25}
"""Seconds a chunk may take on engines whose readers block writers; elsewhere `SECONDS_ROW_LOCKS`."""
SECONDS_ROW_LOCKS = 0.5
"""Seconds a chunk may take on InnoDB."""

_GROWTH = 4.0
_MAX_ROWS = 1_000_000


@attrs.define(kw_only=True)
class ChunkSize:
    """The number of rows to ask for, adapted after each chunk."""

    rows: int
    """Rows of the next chunk."""
    seconds: float
    """What a chunk may take on the source."""
    max_bytes: int
    """Rendered bytes that a chunk should not exceed."""

    def took(self, *, seconds: float, rows: int, rendered_bytes: int) -> None:
        """Learn from a chunk.

        Args:
            seconds: what it took on the source.
            rows: rows it was asked for.
            rendered_bytes: what it weighed.
        """
        by_time = self.seconds / seconds if seconds > 0 else _GROWTH
        by_bytes = self.max_bytes / rendered_bytes if rendered_bytes else _GROWTH
        factor = min(_GROWTH, by_time, by_bytes)
        self.rows = max(1, min(_MAX_ROWS, int(rows * factor)))

    def too_large(self, rows: int) -> bool:
        """Learn that a chunk did not fit into one value.

        Args:
            rows: rows it was asked for.

        Returns:
            Whether fewer rows can be asked for.
        """
        self.rows = max(1, rows // 4)
        return rows > 1


def first_size(
    *, engine: str, rows: int, average_row: int, max_bytes: int, seconds: float | None
) -> ChunkSize:
    """Choose the size of the first chunk.

    Args:
        engine: the table's storage engine.
        rows: what the plan proposes.
        average_row: bytes of a row, as the engine estimates it.
        max_bytes: rendered bytes that a chunk should not exceed.
        seconds: what a chunk may take; None for the engine's default.

    Returns:
        A size to begin with.
    """
    limit = seconds if seconds is not None else SECONDS.get(engine, SECONDS_ROW_LOCKS)
    return ChunkSize(
        rows=max(1, min(rows, max_bytes // max(1, average_row))), seconds=limit, max_bytes=max_bytes
    )
