"""How much a plan will read, asked without counting: the catalog's figures, and EXPLAIN where an index serves."""

from __future__ import annotations

import enum
from collections.abc import Iterable, Mapping
from contextlib import ExitStack
from typing import Any

import attrs
import sqlalchemy as sa

from etlkit.contracts import Everything, Since
from etlkit.discovery.trouble import told_plainly
from etlkit.tables import TableAnalysis
from etlkit.transfer.chunk_queries import Prepared, condition_of
from etlkit.transfer.planned import Planned

_READS_A_RANGE = ("range", "ref", "ref_or_null", "index_merge", "const", "eq_ref")


class Certainty(enum.Enum):
    """How far a predicted number of rows can be trusted."""

    EXACT = "exact"
    """The engine keeps the count."""
    ESTIMATE = "estimate"
    """The engine's estimate."""
    AT_MOST = "at most"
    """As many as the table has by the catalog; how many of them the plan reads is not known before it does."""


@attrs.frozen(kw_only=True)
class Prediction:
    """What a plan will read."""

    rows: int
    """Rows."""
    size: int
    """Bytes that these rows take in the source, by the table's average."""
    certainty: Certainty
    """Of the rows; the bytes are never exact."""


def predictions(
    plans: Iterable[Planned], source: sa.Engine, *, limit: int | None = None
) -> Mapping[str, Prediction]:
    """Predict what plans will read.

    Args:
        plans: of any tables.
        source: asked to EXPLAIN reads by an indexed cursor, one statement each; not connected to without need.
        limit: at most so many rows of each table are read.

    Returns:
        By the table's name.

    Raises:
        ConnectionFailed: the source cannot be reached.
        SchemaDiscoveryError: the source refuses a statement.
        PlanRefused: a plan does not fit its table.
    """
    found = {}
    with ExitStack() as stack:
        connection: sa.Connection | None = None
        for what in plans:
            name, read = what.analysis.name, what.plan.read
            explained = None
            if isinstance(read, Since) and _indexed(what.analysis, read.column):
                if connection is None:
                    stack.enter_context(told_plainly(source, str(source.url.database), "predicting reads"))
                    connection = stack.enter_context(source.connect())
                explained = _explained(connection, what)
            found[name] = _limited(_predicted(what, explained), what.analysis, limit)
    return found


def _predicted(what: Planned, explained: int | None) -> Prediction:
    table = what.analysis
    if isinstance(what.plan.read, Everything):
        certainty = Certainty.EXACT if table.row_count_exact else Certainty.ESTIMATE
        return Prediction(rows=table.row_count, size=table.data_bytes, certainty=certainty)
    if explained is None:
        return Prediction(rows=table.row_count, size=table.data_bytes, certainty=Certainty.AT_MOST)
    rows = min(explained, table.row_count) if table.row_count_exact else explained
    return Prediction(rows=rows, size=_size(table, rows), certainty=Certainty.ESTIMATE)


def _limited(prediction: Prediction, table: TableAnalysis, limit: int | None) -> Prediction:
    if limit is None or prediction.rows <= limit:
        return prediction
    certainty = prediction.certainty if prediction.certainty is Certainty.EXACT else Certainty.AT_MOST
    return Prediction(rows=limit, size=_size(table, limit), certainty=certainty)


def _size(table: TableAnalysis, rows: int) -> int:
    return rows * table.data_bytes // max(1, table.row_count)


def _indexed(table: TableAnalysis, column: str) -> bool:
    return any(index.kind == "BTREE" and index.columns[:1] == (column,) for index in table.indexes)


def _explained(connection: sa.Connection, what: Planned) -> int | None:
    """Ask the optimiser for its estimate; None when it would not use the index, and so has not looked into it."""
    condition = condition_of(what.plan.read, what.analysis, what.rendered)
    statement: sa.Select[Any] = sa.select(sa.literal_column("1")).select_from(what.rendered.source)
    prepared = Prepared.of(statement if condition is None else statement.where(condition))
    explain = connection.exec_driver_sql(f"EXPLAIN {prepared.text}", prepared.parameters({}))
    row = explain.mappings().one()
    access, rows = row["type"], row["rows"]
    if access is None:
        return 0  # the optimiser found without reading that no row can fit
    if access not in _READS_A_RANGE:
        return None
    return int(rows or 0)
