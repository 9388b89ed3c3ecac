"""What must change in a warehouse table before new rows fit, and whether the policy allows it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import attrs
import sqlalchemy as sa
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.schema import DDLElement

from etlkit.config import DriftSettings
from etlkit.errors import DriftRefused
from etlkit.loading.shapes import Shape
from etlkit.loading.target import OWN_COLUMNS, TargetTable

_INTEGERS = ("smallint", "integer", "bigint", "numeric(20,0)")
_FLOATS = ("real", "double precision")
_SIZED = re.compile(r"^(?P<head>[a-z ]+)\((?P<first>\d+)(?:,(?P<second>\d+))?\)(?P<tail>.*)$")


@attrs.frozen(kw_only=True)
class Drift:
    """The difference between a table's shape and the one that the source asks for."""

    added: Mapping[str, str]
    """Columns to add, with their types."""
    widened: Mapping[str, str]
    """Columns whose type must become wider, with the new types."""
    narrowed: tuple[str, ...]
    """Columns whose type in the source became narrower; values still fit."""
    dropped: tuple[str, ...]
    """Columns that the source no longer has."""
    changed: tuple[str, ...]
    """What cannot be done in place, one phrase each."""


class AlterColumns(DDLElement):
    """`ALTER TABLE ... ADD COLUMN ..., ALTER COLUMN ... TYPE ...` in one statement."""

    def __init__(self, table: sa.Table, drift: Drift) -> None:
        """Prepare.

        Args:
            table: the table.
            drift: what to add and to widen.
        """
        self.table = table
        self.drift = drift


@compiles(AlterColumns, "postgresql")
def _compile(element: AlterColumns, compiler: Any, **_: Any) -> str:
    quote = compiler.preparer.quote_identifier
    steps = [f"ADD COLUMN {quote(name)} {kind}" for name, kind in element.drift.added.items()]
    steps += [f"ALTER COLUMN {quote(name)} TYPE {kind}" for name, kind in element.drift.widened.items()]
    return f"ALTER TABLE {compiler.preparer.format_table(element.table)} {', '.join(steps)}"


def drift_between(now: Shape, wanted: Shape) -> Drift:
    """Compare a table with what the source asks for.

    Args:
        now: the warehouse's table.
        wanted: the shape of the staged rows.

    Returns:
        The difference.
    """
    both = [name for name in wanted.types if name in now.types and now.types[name] != wanted.types[name]]
    widened = {name: wanted.types[name] for name in both if holds(wanted.types[name], now.types[name])}
    narrowed = tuple(name for name in both if holds(now.types[name], wanted.types[name]))
    changed = [
        f"column `{name}` is {now.types[name]} there and would be {wanted.types[name]}"
        for name in both
        if name not in widened and name not in narrowed
    ]
    if now.key != wanted.key:
        changed.append(f"the key is {_listed(now.key)} there and would be {_listed(wanted.key)}")
    return Drift(
        added={name: kind for name, kind in wanted.types.items() if name not in now.types},
        widened=widened,
        narrowed=narrowed,
        dropped=tuple(name for name in now.types if name not in wanted.types),
        changed=tuple(changed),
    )


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


def _of_source(name: str) -> bool:
    # These are ours: whether rows have digests and marks is a person's choice, not a change of the source.
    return name not in OWN_COLUMNS


def permitted(drift: Drift, policy: DriftSettings, target: TargetTable) -> Drift:
    """Keep of a difference what the policy lets happen.

    Args:
        drift: the difference.
        policy: the deployment's.
        target: the table.

    Returns:
        The difference, without what needs nothing to be done.

    Raises:
        DriftRefused: the policy refuses a part of it; the message lists every part.
    """
    refused = list(drift.changed)
    if policy.add_column == "refuse":
        refused += [
            f"column `{name}` ({kind}) is new" for name, kind in drift.added.items() if _of_source(name)
        ]
    if policy.widen == "refuse":
        refused += [f"column `{name}` became wider ({kind})" for name, kind in drift.widened.items()]
    if policy.narrow == "refuse":
        refused += [f"column `{name}` became narrower" for name in drift.narrowed]
    if policy.drop_column == "refuse":
        refused += [f"column `{name}` is gone in the source" for name in drift.dropped if _of_source(name)]
    if refused:
        raise DriftRefused(
            f"table `{target.source}` changed in a way that is not carried over: {'; '.join(refused)}. "
            f"The rows of `{target}` are as they were. Change the policy under `drift:` in etlkit.yml where it "
            "allows this, or rename the warehouse's table and run again, which loads the new shape beside it"
        )
    return drift


def _listed(names: tuple[str, ...]) -> str:
    return ", ".join(f"`{name}`" for name in names) or "nothing"
