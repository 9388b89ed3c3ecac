"""etlkit keeps a PostgreSQL warehouse equal to a dental practice's Open Dental database, and proves it.

This module is the public API in one screen: what a plugin or a program may import.
"""

from etlkit.contracts import (
    Chunks,
    Classifier,
    Commit,
    Conversion,
    Everything,
    Fit,
    LoadPlan,
    Refusal,
    Since,
    Strategy,
    TableState,
    Where,
    Write,
)
from etlkit.errors import EtlkitError
from etlkit.events import RunFinished, RunStarting, TableFinished
from etlkit.hookspecs import hookimpl
from etlkit.tables import Column, CursorCandidate, ForeignKey, Index, TableAnalysis

__all__ = [
    "Chunks",
    "Classifier",
    "Column",
    "Commit",
    "Conversion",
    "CursorCandidate",
    "EtlkitError",
    "Everything",
    "Fit",
    "ForeignKey",
    "Index",
    "LoadPlan",
    "Refusal",
    "RunFinished",
    "RunStarting",
    "Since",
    "Strategy",
    "TableAnalysis",
    "TableFinished",
    "TableState",
    "Where",
    "Write",
    "hookimpl",
]
