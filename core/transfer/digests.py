"""The digest of a row, computed by the source within the same SELECT as the row.

It is 64 bits made of MD5 (the CRC32 of each half of its digits) over a salt and the row's framed fields, as a signed
number, so that COUNT, BIT_XOR and SUM over it can be compared on both sides. The frame keeps values apart and NULL
apart from every value; the key is among the fields. Floating-point numbers are in it as their eight bytes, since
printing them is a third of what a row costs. Values that may be larger than the server can send are in it as digests of
their own: a result that is too large would be NULL, which BIT_XOR passes over.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from sqlalchemy import ColumnElement, cast, func, literal_column
from sqlalchemy.dialects.mysql import INTEGER

from etlkit.tables import Column
from etlkit.transfer.sentinels import sql_literal

if TYPE_CHECKING:
    from etlkit.transfer.rendering import RenderedColumn

DIGEST = Column(name="_etlkit_digest", data_type="bigint", column_type="bigint", nullable=False)
"""The column that keeps a row's digest beside the row."""

VERSION = "3"
"""Of what a digest is computed from; another version makes every row differ, so that it is read again."""

_DIGITS: ColumnElement[Any] = literal_column("16")
_BITS: ColumnElement[Any] = literal_column("32")
_MD5: ColumnElement[Any] = literal_column("@etlkit_md5")


def salt_of(secret: str, columns: Sequence[RenderedColumn]) -> bytes:
    """Make the salt of a table's digests.

    Args:
        secret: the deployment's own, so that digests of patient data cannot be guessed.
        columns: the table's.

    Returns:
        16 bytes; others when a column's type or conversion changes, so that stored digests do not hold then.
    """
    said = [
        VERSION,
        secret,
        *(f"{each.column.name}\0{each.target_type}\0{each.conversion}{_variant(each)}" for each in columns),
    ]
    return hashlib.sha256("\0".join(said).encode()).digest()[:16]


def _variant(of: RenderedColumn) -> str:
    return f"\0{of.variant}" if of.variant else ""


def digest_of(fields: ColumnElement[Any], salt: bytes) -> ColumnElement[Any]:
    """Build the digest of a row.

    Args:
        fields: the row's framed fields, without its end.
        salt: as `salt_of` gives it.

    Returns:
        A signed 64-bit number; NULL when the server could not compute a field.
    """
    salted = func.concat(literal_column(sql_literal(salt)), fields)
    # Each half of MD5 becomes 32 bits. CONV would make 64 bits of one half, and takes three times as long.
    first = func.crc32(func.left(_MD5.op(":=")(func.md5(salted)), _DIGITS))
    second = func.crc32(func.right(_MD5, _DIGITS))
    return cast(first.op("<<")(_BITS).op("|")(second), INTEGER)
