"""Asking the source for the checksums of tables, which save reading them and are never needed."""

from __future__ import annotations

import logging
from collections.abc import Mapping

from sqlalchemy import TableClause

from etlkit.connections import ConnectionFactory
from etlkit.errors import ExtractionError, OutsideAllowedHours
from etlkit.tables import TableAnalysis
from etlkit.transfer.checksums import checksums
from etlkit.transfer.source_queries import SourceQueries
from etlkit.transfer.trouble import read_trouble

LARGE_BYTES = 50 * 1024 * 1024
"""Tables with more, that change from run to run, would be summed up in vain."""

_log = logging.getLogger(__name__)


def source_sums(
    connections: ConnectionFactory, tables: Mapping[str, tuple[TableClause, TableAnalysis]]
) -> dict[str, int]:
    """Ask for the checksums of tables.

    Args:
        connections: lends the source's connection.
        tables: by name, the table in a statement and what it is.

    Returns:
        By name; those that the source did not give are missing, all of them when it is busy.

    Raises:
        ConnectionFailed: the source cannot be reached.
    """
    if not tables:
        return {}
    try:
        with connections.source_raw() as raw, read_trouble("checksums"):
            return checksums(
                SourceQueries(raw, governor=connections.governor),
                {name: table for name, (table, _) in tables.items()},
                {name: analysis for name, (_, analysis) in tables.items()},
            )
    except (ExtractionError, OutsideAllowedHours) as error:
        _log.info("the source gave no checksums: %s", error.message)
        return {}
