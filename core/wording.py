"""How messages and reports word sizes, numbers of tables and lists of names."""

from __future__ import annotations

from collections.abc import Sequence

_KB = 1024
_SHOWN = 5


def size(count: float) -> str:
    """Word a size.

    Args:
        count: bytes.

    Returns:
        Such as `1.5 MB`, in units of 1024.
    """
    for unit in ("B", "kB", "MB", "GB"):
        if count < _KB or unit == "GB":
            break
        count /= _KB
    return f"{count:,.0f} {unit}" if unit == "B" else f"{count:,.1f} {unit}"


def names(given: Sequence[str]) -> str:
    """List names: the first few, and how many more there are.

    Args:
        given: in the order to show.

    Returns:
        The names between backticks.
    """
    shown = ", ".join(f"`{name}`" for name in given[:_SHOWN])
    more = len(given) - _SHOWN
    return f"{shown} and {more} more" if more > 0 else shown


def counted(count: int, what: str) -> str:
    """Word a number of things.

    Args:
        count: how many.
        what: one of them.

    Returns:
        Such as `1 table` or `2,000 tables`.
    """
    return f"{count:,} {what}{'' if count == 1 else 's'}"
