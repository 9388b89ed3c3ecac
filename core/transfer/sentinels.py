"""The bytes that frame values between the source and the client, and the markers of values that cannot go on.

None of them occurs in UTF-8, so text needs no escaping on the source. A marker is a byte and the column's number
as three hexadecimal digits, so that losses are counted per column without looking at rows.
"""

from __future__ import annotations

import re

FIELD = b"\xff"
"""Between two fields of a row."""
ROW = b"\xfe"
"""Behind the last field of a row."""
NULL = b"\xfd"
"""A field that is NULL."""
LOSS = b"\xfc"
"""Begins the marker of a value that PostgreSQL cannot hold."""
REFUSED = b"\xfb"
"""Begins the marker of a value that a conversion does not accept."""
BROKEN = b"\xfa"
"""Begins the marker of a text that the source itself cannot convert to UTF-8."""
MARKERS = re.compile(b"([" + LOSS + REFUSED + BROKEN + b"])([0-9a-f]{3})")
"""Finds markers: what begins them, and the column's number."""


def marker(kind: bytes, number: int) -> bytes:
    """Make the marker that stands in a row instead of a column's value.

    Args:
        kind: `LOSS`, `REFUSED` or `BROKEN`.
        number: the column's place in the SELECT, from 0 to 4095.

    Returns:
        Four bytes.
    """
    return kind + b"%03x" % number


def sql_literal(value: bytes) -> str:
    """Write bytes as a MySQL hexadecimal literal, which is a binary string whatever the sql_mode.

    Args:
        value: at least one byte.

    Returns:
        Such as `0xFF`.
    """
    return "0x" + value.hex().upper()
