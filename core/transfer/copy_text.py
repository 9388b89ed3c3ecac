r"""Turning framed bytes into PostgreSQL COPY text, many rows at a time.

The delimiter and the NULL marker of the COPY are control characters, so the frame's bytes become them in one
`bytes.translate`; only backslash, line feed and carriage return in values need an escape, and the two control
characters where a value holds them. Measured against tab and `\N`, that saves a third of the client's work.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping

import attrs

from etlkit.transfer.policies import Policy
from etlkit.transfer.sentinels import BROKEN, FIELD, LOSS, NULL, REFUSED, ROW

DELIMITER = "\x01"
"""The COPY delimiter."""
NULL_MARK = "\x02"
"""The COPY NULL marker; a value that is this character alone is escaped and stays a value."""

_TRANSLATION = bytes.maketrans(FIELD + ROW + NULL, b"\x01\n\x02")
_SYMBOL_FOR_NUL = "\u2400".encode()
_MARKERS = re.compile(b"([" + LOSS + REFUSED + BROKEN + b"])([0-9a-f]{3})")


@attrs.frozen(kw_only=True)
class CopyText:
    """Rows ready for COPY, with what was found in them."""

    data: bytes
    """COPY text with `DELIMITER` and `NULL_MARK`; every row ends with a line feed."""
    losses: Counter[int] = attrs.field(factory=Counter)
    """By column number, how many dates do not exist; they are NULL here."""
    refused: Counter[int] = attrs.field(factory=Counter)
    """By column number, how many values a conversion does not accept; must not be written then."""
    broken: Counter[int] = attrs.field(factory=Counter)
    """By column number, how many texts the source cannot convert to UTF-8; they are NULL here."""
    nul: Counter[int] = attrs.field(factory=Counter)
    """By column number, how many texts hold a NUL character; they are here as the column's policy says."""


def copy_text(framed: bytes, policies: Mapping[int, Policy] | None = None) -> CopyText:
    """Turn framed rows into COPY text.

    Args:
        framed: rows as the source rendered them.
        policies: by column number, what becomes of text with NUL characters; it is left as it is where none is given.

    Returns:
        The COPY text and what was found in it.
    """
    text = examined(framed, policies)
    return attrs.evolve(text, data=as_copy_text(text.data))


def examined(framed: bytes, policies: Mapping[int, Policy] | None = None) -> CopyText:
    """Take what cannot be stored out of framed rows, and count it.

    Args:
        framed: rows as the source rendered them.
        policies: as for `copy_text`.

    Returns:
        Rows that are framed still, for `as_copy_text`, and what was found in them.
    """
    nul = Counter[int]()
    if b"\0" in framed:
        framed = _without_nul(framed, policies or {}, nul)
    found = {kind: Counter[int]() for kind in (LOSS, REFUSED, BROKEN)}
    if any(kind in framed for kind in found):
        for kind, number in _MARKERS.findall(framed):
            found[kind][int(number, 16)] += 1
        framed = _MARKERS.sub(NULL, framed)
    return CopyText(data=framed, losses=found[LOSS], refused=found[REFUSED], broken=found[BROKEN], nul=nul)


def as_copy_text(examined: bytes) -> bytes:
    """Turn framed rows, or any part of them, into COPY text.

    Args:
        examined: as `examined` gives them; they may be cut anywhere, since each byte is turned on its own.

    Returns:
        The COPY text.
    """
    return escaped(examined).translate(_TRANSLATION)


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


def _without_nul(framed: bytes, policies: Mapping[int, Policy], found: Counter[int]) -> bytes:
    rows = framed.split(ROW)
    for place, row in enumerate(rows):
        if b"\0" in row:
            values = row.split(FIELD)
            for number, value in enumerate(values):
                if b"\0" in value:
                    found[number] += 1
                    values[number] = _by_policy(value, policies.get(number))
            rows[place] = FIELD.join(values)
    return ROW.join(rows)


def _by_policy(value: bytes, policy: Policy | None) -> bytes:
    if policy == "null":
        return NULL
    return value.replace(b"\0", _SYMBOL_FOR_NUL) if policy == "replace" else value
