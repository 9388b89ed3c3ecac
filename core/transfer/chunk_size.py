"""How many rows the next chunk gets: by the time and the bytes of the last one."""

from __future__ import annotations

import attrs

SECONDS_TABLE_LOCKS = 0.25
"""Seconds a chunk may take on engines whose readers hold up writers: MyISAM, Aria, MEMORY and all but InnoDB."""
SECONDS_ROW_LOCKS = 0.5
"""Seconds a chunk may take on InnoDB."""

_ROW_LOCKS = frozenset({"InnoDB"})
_GROWTH = 4.0
_MAX_ROWS = 1_000_000
_UNKNOWN_BYTES = 256 * 1024  # a quarter of a second over 8 Mbit/s
_TELLING_BYTES = 32 * 1024


def holds_up_writers(engine: str) -> bool:
    """Tell whether a statement that reads a table keeps everybody from writing it, and who comes behind those waits.

    Args:
        engine: the table's storage engine.

    Returns:
        False for InnoDB only.
    """
    return engine not in _ROW_LOCKS


def chunk_seconds(engine: str) -> float:
    """Give the time that a chunk may take on the source where a plan does not say.

    Args:
        engine: the table's storage engine.

    Returns:
        Seconds.
    """
    return SECONDS_TABLE_LOCKS if holds_up_writers(engine) else SECONDS_ROW_LOCKS


@attrs.define
class Pace:
    """How fast a source gave chunks lately, network included: what a first chunk may weigh follows from it."""

    bytes_per_second: float | None = None
    """Rendered bytes; None before the first chunk that tells anything."""

    def learn(self, *, rendered_bytes: int, seconds: float) -> None:
        """Learn from a chunk.

        Args:
            rendered_bytes: what it weighed; small ones tell nothing.
            seconds: what it took on the source.
        """
        if rendered_bytes >= _TELLING_BYTES and seconds > 0:
            self.bytes_per_second = rendered_bytes / seconds

    def first_bytes(self, seconds: float) -> int:
        """Give what the first chunk of a table may weigh, whose own pace is not known yet.

        Args:
            seconds: what it may take on the source.

        Returns:
            Bytes.
        """
        return _UNKNOWN_BYTES if self.bytes_per_second is None else int(self.bytes_per_second * seconds)


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
    limit = seconds if seconds is not None else chunk_seconds(engine)
    return ChunkSize(
        rows=max(1, min(rows, max_bytes // max(1, average_row))), seconds=limit, max_bytes=max_bytes
    )
