"""The nearest valid name, for messages about a name that is not known."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

_SHOWN = 20  # enough for every list of keys; a clinic has hundreds of tables


def nearest(name: str, valid: Iterable[str]) -> str | None:
    """Find the valid name that a person most likely meant.

    Args:
        name: what is there.
        valid: what could be there.

    Returns:
        The closest valid name, or None when none is close.
    """
    by_folded = {each.lower(): each for each in valid}
    close = difflib.get_close_matches(name.lower(), by_folded, n=1, cutoff=0.6)
    return by_folded[close[0]] if close else None


def suggestion(name: str, valid: Iterable[str], *, otherwise: str = "known") -> str:
    """Word the nearest valid name, or all valid names when none is near.

    Args:
        name: what is there.
        valid: what could be there.
        otherwise: what the list of all names is called.

    Returns:
        A phrase for the end of a sentence, such as ``did you mean `url`?``.
    """
    names = sorted(valid)
    close = nearest(name, names)
    if close is not None:
        return f"did you mean `{close}`?"
    if not names:
        return f"{otherwise}: none"
    shown = ", ".join(f"`{each}`" for each in names[:_SHOWN])
    return f"{otherwise}: {shown}{f' and {len(names) - _SHOWN} more' if len(names) > _SHOWN else ''}"
