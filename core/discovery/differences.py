"""How a replica's table differs from what it is to be, by the facts of the catalogs."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping

from etlkit.discovery.abilities import bytes_of_a_character
from etlkit.discovery.catalog import TableFacts
from etlkit.discovery.changes import widens
from etlkit.discovery.create_table import outside_quotes
from etlkit.discovery.replica import DefinitionDifference, DifferenceKind
from etlkit.tables import Column, Index

_ORDERED = frozenset({"BTREE", "HASH", "RTREE"})
_WIDTH = re.compile(r"^\w+\((\d+)\)")


def find_differences(wanted: TableFacts, there: TableFacts) -> tuple[DefinitionDifference, ...]:
    """Compare a replica's table with what it is to be.

    Args:
        wanted: the table as the replica is to have it.
        there: the table as the replica has it.

    Returns:
        The differences; empty when there are none.
    """
    found = (_columns, _moved, _indexes, _table)
    return tuple(difference for each in found for difference in each(wanted, there))


def _columns(wanted: TableFacts, there: TableFacts) -> Iterator[DefinitionDifference]:
    for column in wanted.columns:
        old = there.column(column.name)
        if old is None:
            yield _of(
                "column_added",
                column.name,
                f"column `{column.name}` ({column.column_type}) is new in the source",
            )
        else:
            yield from _column(column, old, wanted, there)
    for column in there.columns:
        if wanted.column(column.name) is None:
            yield _of("column_gone", column.name, f"column `{column.name}` is gone in the source")


def _column(
    new: Column, old: Column, wanted: TableFacts, there: TableFacts
) -> Iterator[DefinitionDifference]:
    def differs(kind: DifferenceKind, what: str, before: object, now: object) -> DefinitionDifference:
        return _of(
            kind, new.name, f"column `{new.name}`: {what} {before} in the replica, {now} in the source"
        )

    if old.column_type != new.column_type:
        yield differs(
            _direction(old.column_type, new.column_type, widens), "type", old.column_type, new.column_type
        )
    elif (before := _width(old)) != (now := _width(new)) and before and now:
        yield differs("column_changed", "type", old.declared_type, new.declared_type)
    if old.nullable != new.nullable:
        yield differs(
            "column_widened" if new.nullable else "column_narrowed",
            "value",
            "NULL" if old.nullable else "NOT NULL",
            "NULL" if new.nullable else "NOT NULL",
        )
    if new.data_type != "json" and old.charset != new.charset and old.charset and new.charset:
        yield differs(_direction(old.charset, new.charset, _holds), "character set", old.charset, new.charset)
    elif new.data_type != "json" and old.collation != new.collation:
        yield differs("column_changed", "collation", old.collation, new.collation)
    for what, before, now in (
        ("default", _default(old, there), _default(new, wanted)),
        ("attributes", old.extra or "none", new.extra or "none"),
        ("comment", _quoted(old.comment), _quoted(new.comment)),
        ("expression", _expression(old, there), _expression(new, wanted)),
    ):
        if before != now:
            yield differs("column_changed", what, before, now)


def _direction(old: str, new: str, holds: Callable[[str, str], bool]) -> DifferenceKind:
    if holds(old, new):
        return "column_widened"
    return "column_narrowed" if holds(new, old) else "column_retyped"


def _holds(old: str, new: str) -> bool:
    """Tell whether every text in one character set can be one in another."""
    unicode = new == "utf8mb4" or (new == "utf8mb3" and old not in ("utf8mb4", "gb18030", "utf16", "utf32"))
    return unicode or (old == "ascii" and bytes_of_a_character(new) == 1)


def _width(column: Column) -> str:
    # Display widths, which newer servers print for few types only.
    found = _WIDTH.match(column.declared_type)
    return found.group(1) if found else ""


def _default(column: Column, table: TableFacts) -> str:
    if column.default is None:
        return "none"
    if column.name in table.computed_defaults:
        return _normal(column.default)
    is_now = column.default.startswith("current_timestamp") and column.data_type in ("timestamp", "datetime")
    return column.default if is_now else _quoted(column.default)


def _expression(column: Column, table: TableFacts) -> str:
    if not column.generated:
        return "none"
    return _normal(table.expressions.get(column.name, ""))


def _normal(expression: str) -> str:
    """Give an expression without what servers print in different ways."""
    return outside_quotes(expression, lambda part: re.sub(r"\s+", "", part).lower())


def _quoted(text: str) -> str:
    return "'" + text.replace("\\", "\\\\").replace("'", "''") + "'"


def _moved(wanted: TableFacts, there: TableFacts) -> Iterator[DefinitionDifference]:
    now = [each.name for each in wanted.columns if there.column(each.name) is not None]
    before = [each.name for each in there.columns if wanted.column(each.name) is not None]
    stays = _longest_rise([before.index(name) for name in now])
    for at, name in enumerate(now):
        if before.index(name) not in stays:
            yield _of(
                "column_moved",
                name,
                f"column `{name}` stands {_behind(before, before.index(name))} in the replica, "
                f"{_behind(now, at)} in the source",
            )


def _behind(names: list[str], at: int) -> str:
    return f"behind `{names[at - 1]}`" if at else "first"


def _longest_rise(numbers: list[int]) -> set[int]:
    """Find the most numbers that already stand in rising order."""
    ends: list[tuple[int, int | None]] = []
    for at, number in enumerate(numbers):
        best = max(
            ((ends[other][0], other) for other in range(at) if numbers[other] < number), default=(0, None)
        )
        ends.append((best[0] + 1, best[1]))
    found: set[int] = set()
    step = max(range(len(ends)), key=lambda each: ends[each][0], default=None)
    while step is not None:
        found.add(numbers[step])
        step = ends[step][1]
    return found


def _indexes(wanted: TableFacts, there: TableFacts) -> Iterator[DefinitionDifference]:
    new, old = _by_name(wanted), _by_name(there)
    for name in [*new, *(each for each in old if each not in new)]:
        before = _worded(old.get(name))
        now = _worded(new.get(name))
        if name == "PRIMARY" and before != now:
            yield _of("key", None, f"primary key: {before} in the replica, {now} in the source")
        elif before != now:
            yield _of("index", None, f"index `{name}`: {before} in the replica, {now} in the source")


def _by_name(table: TableFacts) -> Mapping[str, Index]:
    return {index.name: index for index in table.indexes}


def _worded(index: Index | None) -> str:
    if index is None:
        return "none"
    # Engines choose between BTREE and HASH on their own, and print prefixes of other indexes or do not.
    ordered = index.kind in _ORDERED
    lengths = index.prefix_lengths if ordered else ()
    columns = ", ".join(
        f"`{name}`({length})" if length else f"`{name}`"
        for name, length in zip(index.columns, lengths or (None,) * len(index.columns), strict=True)
    )
    kind = "unique " if index.unique and index.name != "PRIMARY" else ""
    return f"{kind}{'' if ordered else index.kind.lower() + ' '}({columns})"


def _table(wanted: TableFacts, there: TableFacts) -> Iterator[DefinitionDifference]:
    # Servers spell the names of engines in different ways.
    same_engine = there.engine if there.engine.lower() == wanted.engine.lower() else wanted.engine
    for what, before, now in (
        ("engine", there.engine, same_engine),
        ("default collation", there.collation, wanted.collation),
        ("comment", _quoted(there.comment), _quoted(wanted.comment)),
        ("partitions", _yes(there.partitioned), _yes(wanted.partitioned)),
        ("system versioning", _yes(there.versioned), _yes(wanted.versioned)),
    ):
        if before != now:
            yield _of("table", None, f"{what} {before} in the replica, {now} in the source")
    if sorted(map(_normal, there.checks)) != sorted(map(_normal, wanted.checks)):
        yield _of(
            "check", None, f"checks: {_all(there.checks)} in the replica, {_all(wanted.checks)} in the source"
        )
    names = dict.fromkeys(each.name for each in there.foreign_keys)
    if names:
        yield _of(
            "foreign_key", None, f"foreign keys in the replica: {', '.join(f'`{each}`' for each in names)}"
        )


def _all(checks: tuple[str, ...]) -> str:
    return ", ".join(f"({each})" for each in checks) or "none"


def _yes(is_so: bool) -> str:
    return "some" if is_so else "none"


def _of(kind: DifferenceKind, column: str | None, words: str) -> DefinitionDifference:
    return DefinitionDifference(kind=kind, column=column, words=words)
