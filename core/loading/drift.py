"""How a table in the warehouse differs from what its source asks for, and which changes of a type keep every value."""

from __future__ import annotations

import re
from collections.abc import Mapping

import attrs

from etlkit.loading.shapes import Shape

_INTEGERS = ("smallint", "integer", "bigint", "numeric(20,0)")
_FLOATS = ("real", "double precision")
_SIZED = re.compile(r"^(?P<head>[a-z ]+)\((?P<first>\d+)(?:,(?P<second>\d+))?\)(?P<tail>.*)$")


@attrs.frozen(kw_only=True)
class Drift:
    """The difference between a table's shape and the one that the source asks for."""

    now: Shape
    """The warehouse's table as it is."""
    wanted: Shape
    """What the source asks for."""
    renamed: Mapping[str, str] = attrs.field(factory=dict)
    """By their names in the warehouse, columns that have another name in the source, with that."""

    @property
    def there(self) -> Shape:
        """The warehouse's table, its columns under the names that they have in the source."""
        return Shape(
            types={self.renamed.get(name, name): kind for name, kind in self.now.types.items()},
            key=tuple(self.renamed.get(name, name) for name in self.now.key),
            kind=self.now.kind,
        )

    @property
    def added(self) -> Mapping[str, str]:
        """Columns that only the source has, with their types."""
        there = self.there.types
        return {name: kind for name, kind in self.wanted.types.items() if name not in there}

    @property
    def dropped(self) -> tuple[str, ...]:
        """Columns that the source no longer has."""
        return tuple(name for name in self.there.types if name not in self.wanted.types)

    @property
    def widened(self) -> Mapping[str, str]:
        """Columns whose type must become wider, with the new types."""
        return {
            name: kind for name, kind in self._other_types().items() if holds(kind, self.there.types[name])
        }

    @property
    def narrowed(self) -> Mapping[str, str]:
        """Columns whose type in the source became narrower, with that; values still fit."""
        return {
            name: kind for name, kind in self._other_types().items() if holds(self.there.types[name], kind)
        }

    @property
    def retyped(self) -> Mapping[str, str]:
        """Columns of another type altogether, with the new types."""
        there = self.there.types
        return {
            name: kind
            for name, kind in self._other_types().items()
            if not holds(kind, there[name]) and not holds(there[name], kind)
        }

    @property
    def rekeyed(self) -> bool:
        """Whether the primary key is another one."""
        return self.there.key != self.wanted.key

    @property
    def same(self) -> bool:
        """Whether there is no difference; the order of columns is none."""
        return self.there.types == self.wanted.types and not self.rekeyed

    @property
    def types(self) -> Mapping[str, str]:
        """The types that the table's columns have once the difference is settled; narrower ones stay wide."""
        return {**self.there.types, **self.added, **self.widened, **self.retyped}

    @property
    def needs_every_row(self) -> bool:
        """Whether the difference can only be settled by a load that reads every row."""
        return bool(self.widened or self.retyped or self.rekeyed or self.renamed)

    @property
    def changed(self) -> tuple[str, ...]:
        """What keeps the rows from meaning the same, one phrase each."""
        phrases = [
            f"column `{name}` is {self.there.types[name]} there and would be {kind}"
            for name, kind in self.retyped.items()
        ]
        if self.rekeyed:
            phrases.append(
                f"the key is {listed(self.there.key)} there and would be {listed(self.wanted.key)}"
            )
        return tuple(phrases)

    def _other_types(self) -> Mapping[str, str]:
        there = self.there.types
        return {
            name: kind for name, kind in self.wanted.types.items() if name in there and there[name] != kind
        }


def holds(wider: str, narrower: str) -> bool:
    """Tell whether every value of one type is, unchanged, a value of another.

    Args:
        wider: a type as `format_type` prints it.
        narrower: another.

    Returns:
        True for widenings such as smallint to bigint, character varying(10) to text, numeric(8,2) to numeric(10,2).
    """
    for ladder in (_INTEGERS, _FLOATS):
        if wider in ladder and narrower in ladder:
            return ladder.index(wider) >= ladder.index(narrower)
    if wider == "text" and narrower.startswith("character varying"):
        return True
    one, other = _SIZED.match(wider), _SIZED.match(narrower)
    if one is None or other is None or (one["head"], one["tail"]) != (other["head"], other["tail"]):
        return False
    if one["head"] == "numeric":
        scale, old_scale = int(one["second"] or 0), int(other["second"] or 0)
        return scale >= old_scale and int(one["first"]) - scale >= int(other["first"]) - old_scale
    return one["head"] != "bit" and int(one["first"]) >= int(other["first"])


def listed(names: tuple[str, ...]) -> str:
    """Name columns in a sentence.

    Args:
        names: the columns.

    Returns:
        Such as "`id`, `b`"; "nothing" for none.
    """
    return ", ".join(f"`{name}`" for name in names) or "nothing"
