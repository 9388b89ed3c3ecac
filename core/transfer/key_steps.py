"""Cutting chunks by arithmetic where the key is one integer, instead of asking the source for each chunk's last key.

Asking walks the keys of the whole chunk once more, a twentieth of the read. Guessing can fetch more or fewer rows
than asked for, where keys are dense or sparse all of a sudden, so it is only for engines whose readers hold nobody up.
"""

from __future__ import annotations

import attrs

from etlkit.contracts import Everything, LoadPlan
from etlkit.tables import INTEGER_TYPES, TableAnalysis
from etlkit.transfer.keys import Key, Keyset

WORTH_IT = 1000
"""Rows of a chunk from which on asking for its end takes longer than a guess that is off."""

_GROWTH = 4.0


@attrs.define(kw_only=True)
class KeySteps:
    """How many keys there are to a row, learnt from the last chunk."""

    last: int
    """The greatest key when the read began."""
    _keys_per_row: float | None = None

    def guess(self, lower: Key | None, rows: int) -> Key | None:
        """Guess the last key of the next chunk.

        Args:
            lower: the key that the chunk lies behind; None at the beginning.
            rows: how many rows the chunk is to have.

        Returns:
            The key; None where nothing is known yet, or for a small chunk, and the source must be asked.
        """
        if lower is None or self._keys_per_row is None or rows < WORTH_IT:
            return None
        return (str(min(self.last, int(lower[0]) + max(1, int(rows * self._keys_per_row)))),)

    def learn(self, lower: Key | None, upper: Key | None, rows: int) -> None:
        """Learn from a chunk.

        Args:
            lower: the key that it lay behind.
            upper: its last key.
            rows: the rows that it had; none means a gap, whose end the source must be asked for.
        """
        if lower is None or upper is None or not rows:
            self._keys_per_row = None
            return
        keys_per_row = (int(upper[0]) - int(lower[0])) / rows
        limit = _GROWTH * self._keys_per_row if self._keys_per_row else keys_per_row
        self._keys_per_row = min(keys_per_row, limit)

    def reach(self, upper: Key) -> bool:
        """Tell whether nothing is left behind a chunk.

        Args:
            upper: its last key.

        Returns:
            True from the greatest key on.
        """
        return int(upper[0]) >= self.last


def serves(analysis: TableAnalysis, plan: LoadPlan, keyset: Keyset) -> bool:
    """Tell whether a read can be cut by steps.

    Args:
        analysis: the table.
        plan: what is read of it.
        keyset: the key that it is read by.

    Returns:
        True for whole InnoDB tables by one integer: their readers wait for nobody and hold nobody up, and in their
        snapshot no key is added meanwhile.
    """
    by_one_integer = len(keyset.columns) == 1 and keyset.columns[0].data_type in INTEGER_TYPES
    return by_one_integer and analysis.engine == "InnoDB" and isinstance(plan.read, Everything)
