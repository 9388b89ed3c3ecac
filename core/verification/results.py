"""What a verification says of tables, whichever way they were compared: plain frozen values.

Values of rows are only in here when a person asked for them; a key's column is one as well, unless it is a number
or a uuid.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Self

import attrs

from etlkit.errors import DifferencesFound, NotChecked
from etlkit.events import WAREHOUSE
from etlkit.loading.staged import EQUAL, but_for
from etlkit.wording import counted

MISSING_IN_WAREHOUSE = "missing in the warehouse"
"""The source has a row that the warehouse lacks."""
MISSING_IN_SOURCE = "missing in the source"
"""The warehouse has a row that the source lacks."""
DIFFERENT = "different"
"""Both have a row of that key, and a column of it differs."""

BY_DIGESTS = "by digests"
"""A way to check: the source's digests of ranges of rows against the stored ones."""
EVERY_COLUMN = "every column"
"""A way to check: every column of every row."""


def sample_of(rows: int) -> str:
    """Name a way to check: every column of some rows.

    Args:
        rows: how many.

    Returns:
        Its name.
    """
    return f"sample of {counted(rows, 'row')}"


@attrs.frozen(kw_only=True)
class Difference:
    """One row that is not the same on both sides."""

    kind: str
    """`MISSING_IN_WAREHOUSE`, `MISSING_IN_SOURCE` or `DIFFERENT`."""
    key: Mapping[str, str | None]
    """The row's key by column, as text; None where a value is not to be shown (or is NULL)."""
    columns: tuple[str, ...] = ()
    """The columns that differ; empty unless the kind is `DIFFERENT`."""
    values: Mapping[str, tuple[str | None, str | None]] | None = None
    """By differing column, the beginnings of the source's and the warehouse's values; None unless asked for."""


@attrs.frozen(kw_only=True)
class TableVerification:
    """What came of comparing one table."""

    table: str
    """The table's name in the source."""
    hop: str = WAREHOUSE
    """Which copy was compared: `replica`, with the source; else `warehouse`, with what it is loaded from."""
    definition: tuple[str, ...] = ()
    """In which ways the replica's table is defined in another way than it should be; of the hop `replica` only."""
    reason: str | None = None
    """Why it was not compared; None when it was."""
    way: str | None = None
    """How it was compared: `BY_DIGESTS`, `EVERY_COLUMN` or `sample_of(rows)`; None when it was not."""
    rows: int = 0
    """Rows that the source has; of the hop `warehouse` with a replica, those that the replica has."""
    checked: int = 0
    """Rows of the source that were compared; fewer than `rows` in a sample."""
    missing_in_warehouse: int = 0
    """Rows that only the source has, and that are missing in this hop's copy; in a sample, at least so many."""
    missing_in_source: int = 0
    """Rows that only the copy has, though it should not; in a sample, at least so many."""
    kept: int = 0
    """Rows that only the warehouse has, and that are meant to stay when they are gone; no difference."""
    different: int = 0
    """Rows that both have, and that differ in a column."""
    newer: int | None = None
    """Differing rows that the source stamped after the last load; None when the table has no cursor to tell by."""
    columns: Mapping[str, int] = attrs.field(factory=dict)
    """By column, the rows that differ in it; columns without a difference are not in here."""
    examined: int | None = None
    """Differing rows that `newer`, `columns` and `differences` tell of; None for all."""
    differences: tuple[Difference, ...] = ()
    """Some of the differing rows, the first ones by key."""
    not_compared: Mapping[str, str] = attrs.field(factory=dict)
    """By column, why it was not compared."""
    seconds: float = 0.0
    """How long it took."""

    @property
    def differing(self) -> int:
        """Rows that are not the same on both sides."""
        return self.missing_in_warehouse + self.missing_in_source + self.different

    @property
    def differs(self) -> bool:
        """Whether rows or definition are not the same on both sides."""
        return bool(self.differing or self.definition)

    @property
    def verified(self) -> str:
        """`equal`, `equal but for n rows kept`, `n rows differ`, `definition differs`, or `not checked: reason`."""
        if self.reason is not None:
            return f"not checked: {self.reason}"
        if not self.differing:
            return "definition differs" if self.definition else but_for(EQUAL, self.kept)
        also = " (and the definition)" if self.definition else ""
        return self._rows_differ + also

    @property
    def _rows_differ(self) -> str:
        return f"{counted(self.differing, 'row')} {'differs' if self.differing == 1 else 'differ'}"


@attrs.frozen(kw_only=True)
class Verification:
    """What came of comparing the tables of a deployment."""

    tables: tuple[TableVerification, ...]
    """Hop by hop, in the order of their names."""
    seconds: float = 0.0
    """How long it took."""

    @classmethod
    def of(cls, tables: Sequence[TableVerification], seconds: float) -> Self:
        """Put the outcomes of tables together.

        Args:
            tables: in any order.
            seconds: how long it took.

        Returns:
            The whole.
        """
        return cls(tables=tuple(sorted(tables, key=lambda each: (each.hop, each.table))), seconds=seconds)

    @property
    def exit_code(self) -> int:
        """4 when a table differs, else 3 when one was not checked, else 0."""
        if any(each.differs for each in self.tables):
            return DifferencesFound.exit_code
        if any(each.reason is not None for each in self.tables):
            return NotChecked.exit_code
        return 0
