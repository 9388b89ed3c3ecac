"""The watermark of a read: the greatest cursor that was read, never later than the read's own beginning.

A row that is stamped while later chunks are read may lie in a range that was read before. Its stamp is later than
the beginning, so as long as the watermark is not, the next read finds it.
"""

from __future__ import annotations

from typing import Any

import attrs

from etlkit.tables import Column
from etlkit.transfer.chunk_queries import cursor_is_number


class CursorBehind(Exception):
    """A read since a watermark found that the greatest cursor of the table lies before it; rows may be other ones."""


def behind_words(table: str, cursor: str | None) -> str:
    """Say that a table's cursor is behind, and what follows.

    Args:
        table: its name.
        cursor: its cursor.

    Returns:
        A sentence.
    """
    return (
        f"table `{table}`: its cursor `{cursor}` is behind the last load: the source was restored from an older copy, "
        "or the newest rows were deleted; every row is read once"
    )


@attrs.define(kw_only=True)
class Watermark:
    """What was read of a cursor so far."""

    column: Column | None = None
    """The cursor; None when the plan has none."""
    began: str | None = None
    """Where the cursor stood when the read began: the time, or the greatest number; None when that is not known."""
    value: str | None = None
    """The watermark as the server printed it; None before the first value."""
    _greatest: str | None = None

    def take(self, stamp: str | None) -> None:
        """Learn the greatest cursor of some rows.

        Args:
            stamp: as the server printed it; None when they have none.
        """
        if stamp is None or self.column is None:
            return
        # The beginning of a read is known to the microsecond, whatever the precision of the cursor.
        number = cursor_is_number(self.column)
        self._greatest = stamp if self._greatest is None else max(self._greatest, stamp, key=self._order)
        began = self.began if self.began is None or number else self.began[: len(stamp)]
        bounded = stamp if began is None else min(stamp, began, key=self._order)
        self.value = bounded if self.value is None else max(self.value, bounded, key=self._order)

    def behind(self, before: str) -> bool:
        """Tell whether the greatest cursor that was read lies before an earlier watermark.

        It cannot, as long as the row that gave the watermark is there: the row is read again at each read since it.

        Args:
            before: the watermark that the read began from.

        Returns:
            True as well when no cursor was read.
        """
        # What an earlier, broken part of the read found is only known by the watermark it left.
        known = [self._order(each) for each in (self._greatest, self.value) if each is not None]
        return not known or max(known) < self._order(before)

    def _order(self, stamp: str) -> Any:
        # Times are printed with fixed width, so their order as text is their order in time.
        return int(stamp) if self.column is not None and cursor_is_number(self.column) else stamp
