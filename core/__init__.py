"""etlkit keeps a PostgreSQL warehouse equal to a dental practice's Open Dental database, and proves it.

This module is the public API in one screen: what a plugin or a program may import.
"""

from etlkit.contracts import (
    Chunks,
    Classifier,
    Commit,
    Conversion,
    Deletes,
    Differences,
    Effect,
    Everything,
    Exclusion,
    Executor,
    Fit,
    Habit,
    LoadPlan,
    Option,
    Read,
    Refusal,
    Relationship,
    RelationshipRule,
    Since,
    Strategy,
    TableHabit,
    TableState,
    Where,
    Write,
)
from etlkit.discovery import SchemaDiscovery
from etlkit.errors import EtlkitError, PlanRefused
from etlkit.events import RunFinished, RunStarting, TableFinished
from etlkit.hookspecs import hookimpl
from etlkit.keyed_hash import hmac_sha256
from etlkit.tables import (
    BINARY_TYPES,
    INTEGER_TYPES,
    TEMPORAL_TYPES,
    TEXT_TYPES,
    Column,
    CursorCandidate,
    ForeignKey,
    Index,
    TableAnalysis,
)
from etlkit.transfer.target_types import target_type

__all__ = [
    "BINARY_TYPES",
    "INTEGER_TYPES",
    "TEMPORAL_TYPES",
    "TEXT_TYPES",
    "Chunks",
    "Classifier",
    "Column",
    "Commit",
    "Conversion",
    "CursorCandidate",
    "Deletes",
    "Differences",
    "Effect",
    "EtlkitError",
    "Everything",
    "Exclusion",
    "Executor",
    "Fit",
    "ForeignKey",
    "Habit",
    "Index",
    "LoadPlan",
    "Option",
    "PlanRefused",
    "Read",
    "Refusal",
    "Relationship",
    "RelationshipRule",
    "RunFinished",
    "RunStarting",
    "SchemaDiscovery",
    "Since",
    "Strategy",
    "TableAnalysis",
    "TableFinished",
    "TableHabit",
    "TableState",
    "Where",
    "Write",
    "hmac_sha256",
    "hookimpl",
    "target_type",
]
