"""The statements that one read asks the source range by range; each kind is compiled once, only its keys differ."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import attrs
from sqlalchemy import Select

from etlkit.transfer import boundary_queries as boundaries
from etlkit.transfer import chunk_queries as queries
from etlkit.transfer.keys import KeyRange, Keyset
from etlkit.transfer.rendering import RenderedTable

_Build = Callable[[Sequence[queries.Condition | None]], Select[Any]]


@attrs.define(kw_only=True)
class RangeStatements:
    """What is asked for a range of one table's key."""

    rendered: RenderedTable
    """How the rows are rendered."""
    keyset: Keyset | None
    """The key; None for a table that only has one range, all of it."""
    cursor: str | None = None
    """The column whose values are asked for as well."""
    condition: queries.Condition | None = None
    """What the plan's reading asks of rows."""
    index: str | None = None
    """The index by which rows of the condition are looked for; None for the server's own choice."""
    _compiled: dict[tuple[str, bool, bool], queries.Prepared] = attrs.field(factory=dict, init=False)

    def packed(self, within: KeyRange) -> queries.Prepared:
        """Ask for the range's rows as one value: see `packed_statement`.

        Args:
            within: the range.
        """
        return self._prepared(
            "packed", within, lambda where: queries.packed_statement(self.rendered, self.cursor, where)
        )

    def fields(self, within: KeyRange) -> queries.Prepared:
        """Ask for the range's rows field by field: see `fields_statement`.

        Args:
            within: the range.
        """
        return self._prepared(
            "fields", within, lambda where: queries.fields_statement(self.rendered, self.cursor, where)
        )

    def boundary(self, within: KeyRange, *, any_row: bool) -> queries.Prepared:
        """Ask for the key of a row of the range by its place: see `boundary_queries`.

        Args:
            within: the range.
            any_row: whether rows count that the condition leaves out.
        """
        keyset = self.keyset
        if keyset is None:
            raise ValueError(f"table `{self.rendered.source.name}` has no key that ranges could be cut by")
        kind = "any row's key" if any_row else "key"
        index = None if any_row else self.index
        return self._prepared(
            kind, within, lambda where: boundaries.boundary_statement(keyset, where, index), all_rows=any_row
        )

    def counted(self, most: int) -> queries.Prepared | None:
        """Ask how many rows the condition selects, by `index`.

        Args:
            most: count no further.

        Returns:
            The statement; None where the server chooses the index itself.
        """
        if self.index is None:
            return None
        return queries.Prepared.of(
            boundaries.counting_statement(self.rendered, [self.condition], self.index, most)
        )

    def values(self, within: KeyRange) -> dict[str, Any]:
        """Give the parameters of a range's statements.

        Args:
            within: the range.
        """
        return {} if self.keyset is None else within.values(self.keyset)

    def _prepared(
        self, kind: str, within: KeyRange, build: _Build, *, all_rows: bool = False
    ) -> queries.Prepared:
        of = (kind, within.lower is None, within.upper is None)
        if of not in self._compiled:
            ends = [] if self.keyset is None else within.conditions(self.keyset)
            self._compiled[of] = queries.Prepared.of(build([*ends, None if all_rows else self.condition]))
        return self._compiled[of]
