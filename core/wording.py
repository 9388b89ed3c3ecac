"""How messages and reports word sizes, numbers of tables and names, and keep what they show harmless."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence

_KB = 1024
_SHOWN = 5
_UNSEEN = re.compile(r"[^\n -~]")  # what may be no printable character


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


def printable(text: str) -> str:
    """Escape what a terminal would obey or nobody could see, such as escape sequences and right-to-left marks.

    Args:
        text: what may hold names that others chose.

    Returns:
        The text; its lines stay lines.
    """
    return _UNSEEN.sub(_escaped, text)


def one_line(text: str) -> str:
    """Escape what `printable` does, and line ends: for a name within a sentence.

    Args:
        text: the name.

    Returns:
        The name on one line.
    """
    return printable(text).replace("\n", "\\n")


def printable_json(document: str) -> str:
    """Escape in JSON, as JSON does it, what `printable` escapes.

    Args:
        document: JSON in which such characters stand within texts only.

    Returns:
        JSON of the same meaning.
    """
    return _UNSEEN.sub(_escaped_in_json, document)


def _escaped(match: re.Match[str]) -> str:
    return match[0] if match[0].isprintable() else match[0].encode("unicode_escape").decode()


def _escaped_in_json(match: re.Match[str]) -> str:
    return match[0] if match[0].isprintable() else json.dumps(match[0])[1:-1]


def counted(count: int, what: str) -> str:
    """Word a number of things.

    Args:
        count: how many.
        what: one of them.

    Returns:
        Such as `1 table` or `2,000 tables`.
    """
    return f"{count:,} {what}{'' if count == 1 else 's'}"
