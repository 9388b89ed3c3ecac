"""CHECKSUM TABLE: 32 bits over a table as it is stored, a fifth of what digests of its rows cost the source."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from sqlalchemy import TableClause
from sqlalchemy.dialects.mysql.pymysql import MySQLDialect_pymysql

from etlkit.tables import TableAnalysis
from etlkit.transfer.chunk_queries import Prepared
from etlkit.transfer.source_queries import SourceQueries

MOST_BYTES: Mapping[str, int] = {"InnoDB": 500 * 1024 * 1024, "MyISAM": 50 * 1024 * 1024}
"""By engine, the bytes of the largest table that is summed; tables of other engines are not.

Writers of a MyISAM table wait meanwhile, so there it is what a server reads in a quarter of a second."""

_STATEMENT_BYTES = 200 * 1024 * 1024
_PREPARER = MySQLDialect_pymysql().identifier_preparer


def may_be_summed(table: TableAnalysis) -> bool:
    """Tell whether a table's checksum may be asked for.

    Args:
        table: the table.

    Returns:
        False for tables that are too large for one statement.
    """
    return table.data_bytes <= MOST_BYTES.get(table.engine, -1)


def checksums(
    source: SourceQueries, tables: Mapping[str, TableClause], sizes: Mapping[str, int]
) -> dict[str, int]:
    """Ask for the checksums of tables, many in one statement.

    Args:
        source: the source; each statement sees each table at an instant of its own.
        tables: by name, the tables.
        sizes: by name, their bytes.

    Returns:
        By name; tables that the source could not sum up, such as crashed ones, are missing.
    """
    found: dict[str, int] = {}
    for names in _batches(tables, sizes):
        quoted = ", ".join(_PREPARER.format_table(tables[name]) for name in names)
        statement = Prepared(text=f"CHECKSUM TABLE {quoted}", names=(), given={})
        for name, (_, said) in zip(names, source.stream(statement), strict=True):
            if said is not None:
                found[name] = int(said)
    return found


def _batches(names: Iterable[str], sizes: Mapping[str, int]) -> Iterator[list[str]]:
    batch: list[str] = []
    weight = 0
    for name in names:
        if batch and weight + sizes[name] > _STATEMENT_BYTES:
            yield batch
            batch, weight = [], 0
        batch.append(name)
        weight += sizes[name]
    if batch:
        yield batch
