"""The watermark of a read: the greatest cursor that was read, never later than the read's own beginning.

A row that is stamped while later chunks are read may lie in a range that was read before. Its stamp is later than
the beginning, so as long as the watermark is not, the next read finds it.
"""

from __future__ import annotations

import attrs

from etlkit.tables import Column
from etlkit.transfer.chunk_queries import cursor_is_number


@attrs.define(kw_only=True)
class Watermark:
    """What was read of a cursor so far."""

    column: Column | None = None
    """The cursor; None when the plan has none."""
    began: str | None = None
    """Where the cursor stood when the read began: the time, or the greatest number; None when that is not known."""
    value: str | None = None
    """The watermark as the server printed it; None before the first value."""

    def take(self, stamp: str | None) -> None:
        """Learn the greatest cursor of some rows.

        Args:
            stamp: as the server printed it; None when they have none.
        """
        if stamp is None or self.column is None:
            return
        # The beginning of a read is known to the microsecond, whatever the precision of the cursor.
        number = cursor_is_number(self.column)
        began = self.began if self.began is None or number else self.began[: len(stamp)]
        bounded = stamp if began is None else min(stamp, began, key=self._order)
        self.value = bounded if self.value is None else max(self.value, bounded, key=self._order)

    def _order(self, stamp: str) -> int | str:
        # Times are printed with fixed width, so their order as text is their order in time.
        return int(stamp) if self.column is not None and cursor_is_number(self.column) else stamp
