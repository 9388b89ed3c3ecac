"""In which order tables are loaded: importance first, then dependencies; cycles are normal."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from etlkit.tables import TableAnalysis

_FIRST = ("critical", "important", "reference")
_LAST = ("standard", "audit")


def levels(named: Iterable[str]) -> list[str]:
    """Order importance levels.

    Args:
        named: the levels that tables have, in any order.

    Returns:
        Each once: critical, important, reference, then those that plugins added by name, standard, audit.
    """
    present = set(named)
    others = sorted(present - set(_FIRST) - set(_LAST))
    return [level for level in (*_FIRST, *others, *_LAST) if level in present]


def load_order(tables: Mapping[str, TableAnalysis]) -> list[str]:
    """Order tables.

    Args:
        tables: by name, with the importance that the run uses.

    Returns:
        The names, level by level; within a level what a table points to comes first. A cycle is broken at the
        table that comes first by name.
    """
    ordered: list[str] = []
    for level in levels(each.importance for each in tables.values()):
        of_level = {name: tables[name] for name in sorted(tables) if tables[name].importance == level}
        ordered.extend(_depth_first(of_level))
    return ordered


def _depth_first(tables: Mapping[str, TableAnalysis]) -> Iterator[str]:
    seen: set[str] = set()
    for root in tables:
        if root in seen:
            continue
        seen.add(root)
        # Not recursive: a schema may have a longer chain than Python has stack.
        path = [(root, iter(tables[root].depends_on))]
        while path:
            name, parents = path[-1]
            parent = next((each for each in parents if each in tables and each not in seen), None)
            if parent is None:
                path.pop()
                yield name
            else:
                seen.add(parent)
                path.append((parent, iter(tables[parent].depends_on)))
