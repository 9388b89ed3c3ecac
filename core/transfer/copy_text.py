r"""Turning a chunk of framed bytes into PostgreSQL COPY text, a whole chunk at a time.

The delimiter and the NULL marker of the COPY are control characters, so the frame's bytes become them in one
`bytes.translate`; only backslash, line feed and carriage return in values need an escape, and the two control
characters where a value holds them. Measured against tab and `\N`, that saves a third of the client's work.
"""

from __future__ import annotations

import re
from collections import Counter

import attrs

from etlkit.transfer.sentinels import BROKEN, FIELD, LOSS, NULL, REFUSED, ROW

DELIMITER = "\x01"
"""The COPY delimiter."""
NULL_MARK = "\x02"
"""The COPY NULL marker; a value that is this character alone is escaped and stays a value."""

_TRANSLATION = bytes.maketrans(FIELD + ROW + NULL, b"\x01\n\x02")
_MARKERS = re.compile(b"([" + LOSS + REFUSED + BROKEN + b"])([0-9a-f]{3})")


@attrs.frozen(kw_only=True)
class CopyText:
    """Rows ready for COPY, with what was found in them."""

    data: bytes
    """COPY text with `DELIMITER` and `NULL_MARK`; every row ends with a line feed."""
    losses: Counter[int] = attrs.field(factory=Counter)
    """By column number, how many values PostgreSQL cannot hold and that are NULL here."""
    refused: Counter[int] = attrs.field(factory=Counter)
    """By column number, how many values a conversion does not accept; must not be written then."""
    broken: Counter[int] = attrs.field(factory=Counter)
    """By column number, how many texts the source cannot convert to UTF-8; must not be written then."""
    nul: Counter[int] = attrs.field(factory=Counter)
    """By column number, how many texts hold a NUL character, which PostgreSQL cannot; must not be written then."""


def copy_text(framed: bytes) -> CopyText:
    """Turn framed rows into COPY text.

    Args:
        framed: rows as the source rendered them.

    Returns:
        The COPY text and what was found in it.
    """
    nul = _nul_columns(framed) if b"\0" in framed else Counter[int]()
    found = {kind: Counter[int]() for kind in (LOSS, REFUSED, BROKEN)}
    if any(kind in framed for kind in found):
        for kind, number in _MARKERS.findall(framed):
            found[kind][int(number, 16)] += 1
        framed = _MARKERS.sub(NULL, framed)
    return CopyText(
        data=escaped(framed).translate(_TRANSLATION),
        losses=found[LOSS],
        refused=found[REFUSED],
        broken=found[BROKEN],
        nul=nul,
    )


def escaped(value: bytes) -> bytes:
    """Escape what COPY would take for structure.

    Args:
        value: UTF-8, framed or not.

    Returns:
        The same with escapes; the frame's bytes are untouched.
    """
    # Backslash first, so that the escapes are not escaped again. replace() costs next to nothing where the byte
    # does not occur.
    data = value.replace(b"\\", b"\\\\").replace(b"\n", b"\\n").replace(b"\r", b"\\r")
    return data.replace(b"\x01", b"\\001").replace(b"\x02", b"\\002")


def _nul_columns(framed: bytes) -> Counter[int]:
    found: Counter[int] = Counter()
    for row in framed.split(ROW):
        if b"\0" in row:
            found.update(number for number, value in enumerate(row.split(FIELD)) if b"\0" in value)
    return found
