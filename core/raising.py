"""Raising an error that leads back to nothing: what a driver raised may hold values of rows."""

from __future__ import annotations

from typing import NoReturn

from etlkit.errors import EtlkitError

NO_MEMORY = (
    "this machine has no memory left for it; end other programs, run with `--threads 1`, or give the machine more "
    "memory, and run again"
)
"""What a MemoryError means, which leaves the work at hand undone and nothing else."""


def raise_alone(error: EtlkitError) -> NoReturn:
    """Raise an error that leads back to nothing, whatever is being handled; that may hold values of rows.

    Args:
        error: what to raise.

    Raises:
        EtlkitError: always.
    """
    try:
        raise error
    finally:
        # `from None` only hides the context from print; who walks the chain would still find it.
        error.__context__ = None
