"""Sums over tables as they are stored, which cost the source less than half of what digests of their rows do.

CHECKSUM TABLE gives 32 bits. It takes the values of a row one behind the other, without their lengths, so that a text
which moves from one column to the next leaves it as it was. Where values may run into each other, their lengths are
summed up as well.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy import Select, TableClause, func, literal_column, select, union_all
from sqlalchemy.dialects.mysql.pymysql import MySQLDialect_pymysql

from etlkit.tables import BINARY_TYPES, SPATIAL_TYPES, TEXT_TYPES, TableAnalysis
from etlkit.transfer.chunk_queries import Prepared
from etlkit.transfer.chunk_size import holds_up_writers
from etlkit.transfer.forms import literal
from etlkit.transfer.source_queries import SourceQueries

MOST_BYTES: Mapping[str, int] = {"InnoDB": 500 * 1024 * 1024, "MyISAM": 30 * 1024 * 1024}
"""By engine, the bytes of the largest table that is summed; tables of other engines are not.

Writers of a MyISAM table wait meanwhile, so there it is what a server reads in a quarter of a second."""

_STATEMENT_BYTES = 100 * 1024 * 1024
_STATEMENT_TABLES = 500
# CHECKSUM TABLE locks one table after the other; a SELECT locks all of its tables on MyISAM until it ends.
_LOCKED_BYTES = 20 * 1024 * 1024
_PREPARER = MySQLDialect_pymysql().identifier_preparer
_VARYING = (TEXT_TYPES | BINARY_TYPES | SPATIAL_TYPES | {"json"}) - {"char", "binary", "enum", "set"}
_BITS_OF_LENGTHS = 31  # with the 32 of CHECKSUM TABLE, they are a positive bigint


def may_be_summed(table: TableAnalysis) -> bool:
    """Tell whether a table's checksum may be asked for.

    Args:
        table: the table.

    Returns:
        False for tables that are too large for one statement; and where values may run into each other without a key
        to tell rows apart by, so that two rows could make up for each other.
    """
    if len(_varying(table)) > 1 and not table.primary_key:
        return False
    return table.data_bytes <= MOST_BYTES.get(table.engine, -1)


def checksums(
    source: SourceQueries, tables: Mapping[str, TableClause], analyses: Mapping[str, TableAnalysis]
) -> dict[str, int]:
    """Ask for the checksums of tables, many in one statement.

    Args:
        source: the source; each statement sees each table at an instant of its own.
        tables: by name, the tables.
        analyses: by name, what they are.

    Returns:
        By name, 63 bits; tables that the source could not sum up, such as crashed ones, are missing.

    Raises:
        SourceBusy: the source is busy; nobody waits for what only saves work.
        OutsideAllowedHours: the source may not be read any more.
    """
    found: dict[str, int] = {}
    engines = {each.engine for each in analyses.values()}
    engine = next(filter(holds_up_writers, engines), "InnoDB")
    for names in _batches(analyses, _STATEMENT_BYTES):
        source.rest("the tables' checksums", engine, patient=False)
        quoted = ", ".join(_PREPARER.format_table(tables[name]) for name in names)
        statement = Prepared(text=f"CHECKSUM TABLE {quoted}", names=(), given={})
        for name, (_, said) in zip(names, source.stream(statement), strict=True):
            if said is not None:
                found[name] = int(said) << _BITS_OF_LENGTHS
    varying = {name: of for name, of in analyses.items() if name in found and len(_varying(of)) > 1}
    for names in _batches(varying, _LOCKED_BYTES):
        source.rest("the tables' checksums", engine, patient=False)
        asked = [_lengths(tables[name], analyses[name]) for name in names]
        for name, (said,) in zip(names, source.stream(_one_by_one(asked)), strict=True):
            found[name] |= int(said or 0) % 2**_BITS_OF_LENGTHS
    return found


def _varying(of: TableAnalysis) -> list[str]:
    """Name the columns whose values have no fixed length."""
    return [each.name for each in of.columns if each.data_type in _VARYING]


def _lengths(table: TableClause, of: TableAnalysis) -> Select[Any]:
    """Sum up the lengths of the values in each row, together with its key: rows must not make up for each other."""
    key = [table.c[name] for name in of.primary_key]
    said = [*key, *(func.length(table.c[name]) for name in _varying(of))]
    return select(func.sum(func.crc32(func.concat_ws(literal(b","), *said)))).select_from(table)


def _one_by_one(asked: Sequence[Select[Any]]) -> Prepared:
    numbered = [
        each.add_columns(literal_column(str(place)).label("place")) for place, each in enumerate(asked)
    ]
    rows = union_all(*numbered).subquery("lengths")
    return Prepared.of(select(rows.c[0]).order_by(rows.c.place))


def _batches(analyses: Mapping[str, TableAnalysis], most_bytes: int) -> Iterator[list[str]]:
    batch: list[str] = []
    weight = 0
    for name, of in analyses.items():
        if batch and (weight + of.data_bytes > most_bytes or len(batch) == _STATEMENT_TABLES):
            yield batch
            batch, weight = [], 0
        batch.append(name)
        weight += of.data_bytes
    if batch:
        yield batch
