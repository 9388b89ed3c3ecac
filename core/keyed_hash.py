"""HMAC-SHA-256 under the deployment's masking key, computed by the source (RFC 2104 over its function SHA2).

The key never stands in a statement that reads rows: two session variables hold its padded forms, set once when a
connection is opened. What a statement shows in the source's process list or slow log is the variables' names.
"""

from __future__ import annotations

import hashlib
import hmac
from typing import Any

from sqlalchemy import ColumnElement, func, literal_column

from etlkit.config.secrets import Secret

_BLOCK_BYTES = 64
_INNER, _OUTER = "@etlkit_key_inner", "@etlkit_key_outer"
_BITS: ColumnElement[Any] = literal_column("256")
_FINGERPRINT = b"etlkit: which key this is"
_FINGERPRINT_DIGITS = 16


def hmac_sha256(message: ColumnElement[Any]) -> ColumnElement[Any]:
    """Build the HMAC-SHA-256 of a message under the deployment's masking key, for a conversion that is `keyed`.

    Args:
        message: binary, such as `cast(..., LargeBinary)`; text would be taken in whatever character set it has.

    Returns:
        64 hexadecimal digits in lower case; NULL for NULL, and for a message larger than `max_allowed_packet`.
    """
    inner = func.unhex(func.sha2(func.concat(literal_column(_INNER), message), _BITS))
    return func.sha2(func.concat(literal_column(_OUTER), inner), _BITS)


def key_statement(key: Secret) -> str:
    """Give the statement that tells a session the key; it is never logged or repeated here.

    Args:
        key: the masking key.

    Returns:
        A SET of session variables.
    """
    block = key.reveal().encode()
    if len(block) > _BLOCK_BYTES:
        block = hashlib.sha256(block).digest()
    padded = block.ljust(_BLOCK_BYTES, b"\0")
    inner, outer = (bytes(each ^ pad for each in padded) for pad in (0x36, 0x5C))
    return f"SET {_INNER} = 0x{inner.hex()}, {_OUTER} = 0x{outer.hex()}"


def sealed(key: Secret, number: int) -> int:
    """Make another number of one that must not be told, always the same.

    Args:
        key: the masking key.
        number: such as a checksum of plain values.

    Returns:
        From 0 to 2^63 - 1.
    """
    digest = hmac.new(key.reveal().encode(), b"etlkit: sealed %d" % number, "sha256").digest()
    return int.from_bytes(digest[:8]) >> 1


def fingerprint(key: Secret) -> str:
    """Tell keys apart without telling them, so that another key makes every row be read again.

    Args:
        key: the masking key.

    Returns:
        16 hexadecimal digits.
    """
    return hmac.new(key.reveal().encode(), _FINGERPRINT, "sha256").hexdigest()[:_FINGERPRINT_DIGITS]
