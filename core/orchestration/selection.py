"""Which tables a command works on: globs over names, and importance levels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fnmatch import fnmatchcase

from etlkit.config.structure import quoted
from etlkit.errors import ConfigurationError
from etlkit.suggestions import suggestion

IMPORTANCE = "importance:"
"""Begins a pattern that names a level instead of tables."""


def selected(levels: Mapping[str, str], select: Sequence[str] = (), exclude: Sequence[str] = ()) -> list[str]:
    """Choose tables.

    Args:
        levels: the importance of each table that can be chosen, by name.
        select: patterns such as `pat*` or `importance:critical`; none chooses every table.
        exclude: patterns of tables to leave out after that.

    Returns:
        Names in the order of `levels`.

    Raises:
        ConfigurationError: a pattern of `select` or `exclude` fits no table.
    """
    wanted = _fitting(levels, select, "--select") if select else set(levels)
    unwanted = _fitting(levels, exclude, "--exclude")
    names = [name for name in levels if name in wanted and name not in unwanted]
    if not names:
        raise ConfigurationError(
            "--select and --exclude leave no table; take one of the patterns out"
            if levels
            else "etlkit.yml excludes every table of tables.yml; there is nothing to do"
        )
    return names


def _fitting(levels: Mapping[str, str], patterns: Sequence[str], option: str) -> set[str]:
    found: set[str] = set()
    for pattern in patterns:
        fitting = {name for name, level in levels.items() if _fits(pattern, name, level)}
        if not fitting:
            raise ConfigurationError(f"{option} {quoted(pattern)} fits no table; {_hint(pattern, levels)}")
        found |= fitting
    return found


def _fits(pattern: str, name: str, level: str) -> bool:
    if pattern.startswith(IMPORTANCE):
        return fnmatchcase(level, pattern.removeprefix(IMPORTANCE))
    return fnmatchcase(name, pattern)


def _hint(pattern: str, levels: Mapping[str, str]) -> str:
    if pattern.startswith(IMPORTANCE):
        return suggestion(pattern.removeprefix(IMPORTANCE), set(levels.values()))
    if not pattern:
        return "write a pattern such as `pat*`, or leave the option out"
    if "," in pattern:
        return "a comma divides nothing: give the option once for each pattern (a variable, with blanks between them)"
    if ":" in pattern:
        return f"only `{IMPORTANCE}` chooses by something else than the name"
    return suggestion(pattern, levels)
