"""Rows between reading and writing."""

from __future__ import annotations

from collections import Counter

import attrs

from etlkit.transfer.keys import Key


@attrs.frozen(kw_only=True)
class Chunk:
    """Rows on their way."""

    data: bytes
    """COPY text."""
    rows: int
    """How many rows it holds."""
    last_key: Key | None = None
    """The key behind which to go on; None when nothing is left, or when the table has no key."""
    losses: Counter[int] = attrs.field(factory=Counter)
    """By column number, values that are NULL here because PostgreSQL cannot hold them."""
    watermark: str | None = None
    """The greatest cursor up to here, never later than the beginning of the read."""
