"""What is told of the definition of a replica's tables: how they are made, what is adapted, what differs."""

from __future__ import annotations

from typing import Literal

import attrs

DifferenceKind = Literal[
    "column_added",
    "column_gone",
    "column_widened",
    "column_narrowed",
    "column_retyped",
    "column_changed",
    "column_moved",
    "key",
    "index",
    "check",
    "foreign_key",
    "table",
]
"""What differs, as the source sees it.

- `column_added`, `column_gone`: new in the source; no more in the source.
- `column_widened`: every value of the replica's type is one of the source's; `column_narrowed`: the other way
  round; `column_retyped`: neither.
- `column_changed`: the same values as before (default, ON UPDATE, comment, collation, what computes it).
- `column_moved`: stands elsewhere.
- `key`: the primary key; `index`: another one; `check`, `foreign_key`: constraints.
- `table`: engine, comment, default collation, partitions.
"""


@attrs.frozen(kw_only=True)
class Adaptation:
    """One thing that is not on the replica as it is in the source."""

    what: str
    """Such as `engine`, `collation`, `default`, `foreign key`, `table option`."""
    source: str
    """What it is in the source."""
    target: str | None
    """What it is on the replica; None where it is left out."""
    column: str | None = None
    """The column that it is about; None for the table."""
    reason: str = ""
    """Why, where that is not plain."""

    def __str__(self) -> str:
        said = f"{self.what} {self.source}".rstrip()
        if self.target is None:
            said += ": left out"
        elif self.target == self.source:
            said += ": kept"
        else:
            said += f" -> {self.target}"
        where = "" if self.column is None else f"column `{self.column}`: "
        return f"{where}{said}{f' ({self.reason})' if self.reason else ''}"


@attrs.frozen(kw_only=True)
class ReplicaDefinition:
    """How a table is made on a replica."""

    statement: str
    """The CREATE TABLE statement for the replica's server, with the full name of the table there."""
    adaptations: tuple[Adaptation, ...]
    """What is not as in the source; empty when nothing is."""


@attrs.frozen(kw_only=True)
class DefinitionDifference:
    """One difference between a replica's table and what it is to be."""

    kind: DifferenceKind
    """What differs; `column_added` is new in the source, `column_gone` is no more in the source."""
    column: str | None
    """The column that it is about; None for the table."""
    words: str
    """The same for people, with names and definitions only."""

    def __str__(self) -> str:
        return self.words
