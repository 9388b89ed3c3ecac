"""Advisory locks in the warehouse, by name; each is held until its transaction ends.

Transaction-level ones on purpose: those of a session break behind a pooler that lends sessions per transaction.
"""

from __future__ import annotations

import hashlib

import sqlalchemy as sa


def try_lock(name: str) -> sa.ColumnElement[bool]:
    """Take a lock, or say that somebody else has it.

    Args:
        name: what is locked.

    Returns:
        An expression, true when it was taken.
    """
    return sa.func.pg_try_advisory_xact_lock(_number(name), type_=sa.Boolean)


def wait_for_lock(name: str) -> sa.ColumnElement[None]:
    """Take a lock, waiting for it as long as `lock_timeout` lets.

    Args:
        name: what is locked.

    Returns:
        An expression.
    """
    return sa.func.pg_advisory_xact_lock(_number(name))


def _number(name: str) -> int:
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big", signed=True)
