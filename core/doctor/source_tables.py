"""Judging the source's database: its tables, their storage engines, their rows' width."""

from __future__ import annotations

from collections import Counter

from sqlalchemy import table

from etlkit.discovery.analysis import as_in_catalog
from etlkit.discovery.catalog import Catalog, TableFacts
from etlkit.doctor import checks
from etlkit.doctor.findings import Finding
from etlkit.transfer.chunk_size import holds_up_writers
from etlkit.transfer.keys import Keyset
from etlkit.wording import counted, names, size

ROW_FACTOR = 4
"""How many times wider than a table's average its widest row is taken to be, binary values doubled by HEX included."""

LONG_READ_BYTES = 10 * 1024 * 1024
"""What a server reads and renders in about a quarter of a second."""

_PROMISES = {
    "InnoDB": "is read as of one instant",
    "MyISAM": "is read as of one instant per chunk, and a chunk makes writers wait for a moment",
}
_OTHER_PROMISE = "is read as of one instant per chunk at most"


def judge_database(catalog: Catalog) -> Finding:
    """Judge what the database shows.

    Args:
        catalog: of the source.

    Returns:
        A warning when there is nothing, or something that may not be read.
    """
    database, count = catalog.database, len(catalog.tables)
    if not count:
        return checks.DATABASE.warning(
            f"The database `{database}` shows no tables to this user.",
            "Check the database's name in `source.url`, and the finding about grants.",
        )
    closed = [each.name for each in catalog.tables.values() if each.unreadable or each.partly_hidden]
    if closed:
        return checks.DATABASE.warning(
            f"The database `{database}` shows {counted(count, 'table')}, and this user may not read all columns of "
            f"{names(closed)}.",
            "Let an administrator GRANT SELECT on them, or exclude them in etlkit.yml (`tables:`, `exclude: true`).",
        )
    total = sum(each.total_bytes for each in catalog.tables.values())
    return checks.DATABASE.ok(
        f"The database `{database}` shows {counted(count, 'table')} of {size(total)} together."
    )


def judge_engines(catalog: Catalog) -> Finding:
    """Say what the storage engines can promise.

    Args:
        catalog: of the source.

    Returns:
        Never worse than ok.
    """
    engines = Counter(each.engine for each in catalog.tables.values() if each.engine)
    said = [
        f"{engine} ({counted(count, 'table')}): each table {_PROMISES.get(engine, _OTHER_PROMISE)}"
        for engine, count in engines.most_common()
    ]
    return checks.ENGINES.ok(f"{'; '.join(said)}." if said else "There are no tables.")


def judge_long_reads(catalog: Catalog) -> Finding:
    """Judge whether tables whose readers hold up writers can be read piece by piece.

    Args:
        catalog: of the source.

    Returns:
        A warning when some have no key to be cut by, and are large.
    """
    whole = [
        each.name
        for each in catalog.tables.values()
        if each.engine
        and holds_up_writers(each.engine)
        and each.data_bytes > LONG_READ_BYTES
        and Keyset.of(as_in_catalog(each), table(each.name)) is None
    ]
    if not whole:
        return checks.LONG_READS.ok("No large table has to be read by one statement that holds up writers.")
    return checks.LONG_READS.warning(
        f"{names(whole)}: without a primary key, such a table is read by one statement, and who writes it waits until "
        "that ends.",
        "Load them when nobody works (`source.allowed_hours`), give them a key, or exclude them in etlkit.yml.",
    )


def judge_damaged_tables(catalog: Catalog) -> Finding:
    """Judge whether the server can open all tables.

    Args:
        catalog: of the source.

    Returns:
        A warning when it cannot; the others are loaded all the same.
    """
    damaged = [each for each in catalog.tables.values() if not each.engine]
    if not damaged:
        return checks.DAMAGED_TABLES.ok("The server can open every table.")
    said = "; ".join(f"`{each.name}` ({each.comment or 'no reason given'})" for each in damaged)
    return checks.DAMAGED_TABLES.warning(
        f"The server cannot open {counted(len(damaged), 'table')}: {said}.",
        "Let an administrator look at them: REPAIR TABLE mends a crashed MyISAM table, a backup the others. Make a "
        "copy of the files first.",
    )


def judge_packet_size(catalog: Catalog, max_allowed_packet: int) -> Finding:
    """Judge whether the widest rows fit into one answer of the server.

    Args:
        catalog: of the source.
        max_allowed_packet: the server's limit in bytes.

    Returns:
        A warning when some rows probably do not.
    """
    limit = f"The server sends at most {size(max_allowed_packet)} at once (`max_allowed_packet`)"
    wide = [each for each in catalog.tables.values() if _average(each) * ROW_FACTOR > max_allowed_packet]
    if not wide:
        return checks.PACKET_SIZE.ok(f"{limit}, which is enough for the rows of every table.")
    widest = max(wide, key=_average)
    return checks.PACKET_SIZE.warning(
        f"{limit}, and the rows of {names([each.name for each in wide])} may be larger: those of `{widest.name}` have "
        f"{size(_average(widest))} on average.",
        "Let an administrator raise `max_allowed_packet` on the source; larger rows are read field by field, and a "
        "single value that is larger fails its table.",
    )


def _average(table: TableFacts) -> int:
    return table.data_bytes // max(1, table.row_count)
