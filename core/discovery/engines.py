"""Which storage engine a copy gets: what InnoDB cannot hold stays with an engine that can."""

from __future__ import annotations

from collections.abc import Iterator

from etlkit.discovery.abilities import ServerAbilities, bytes_of_a_character
from etlkit.discovery.catalog import TableFacts
from etlkit.tables import TEXT_TYPES, Index

INNODB = "InnoDB"
"""The engine that keeps data and state in one transaction."""
AS_IN_SOURCE = "source"
"""What asks for the source's own engine."""

_MYISAM = "MyISAM"
_HOLD_NO_ROWS = frozenset(
    {"mrg_myisam", "federated", "blackhole", "connect", "spider", "sequence", "s3", "performance_schema"}
)
_ORDERED = frozenset({"BTREE", "HASH"})
_MOST_COLUMNS = 1017
_OTHER_LIMITS = {"myisam": 1000, "aria": 1000}
_NO_LIMIT = 65535


def chosen_engine(table: TableFacts, target: ServerAbilities, storage_engine: str) -> tuple[str | None, str]:
    """Choose the engine of a copy.

    Args:
        table: the table; its engine is the source's.
        target: the server of the copy.
        storage_engine: `InnoDB`, or `source` for the source's own.

    Returns:
        The engine, None when none of the server's can hold the table; and why it is not the one asked for.

    Raises:
        ValueError: `storage_engine` is something else.
    """
    if storage_engine.lower() not in (INNODB.lower(), AS_IN_SOURCE):
        raise ValueError(f"storage_engine must be in ['{INNODB}', '{AS_IN_SOURCE}'] (got {storage_engine!r})")
    own = table.engine.lower()
    wanted = [INNODB.lower()]
    if storage_engine.lower() == AS_IN_SOURCE and own not in _HOLD_NO_ROWS:
        wanted.insert(0, own)
    if own not in _HOLD_NO_ROWS:
        wanted.append(own)
    reason = ""
    for name in dict.fromkeys([*wanted, _MYISAM.lower()]):
        obstacle = f"there is no engine {name}"
        if name in target.engines:
            obstacle = next(_obstacles(name, table, target), "")
            if not obstacle:
                return target.engines[name], reason
        reason = reason or _said_of(name, table, obstacle, target)
    return None, reason


def _said_of(name: str, table: TableFacts, obstacle: str, target: ServerAbilities) -> str:
    if name not in target.engines:
        return f"{target.server} has no engine {table.engine if name == table.engine.lower() else name}"
    return f"{target.engines[name]} cannot: {obstacle}"


def longest_part(engine: str, target: ServerAbilities) -> int:
    """Tell how many bytes of one column an index can cover.

    Args:
        engine: the storage engine.
        target: the server.
    """
    if engine.lower() == INNODB.lower():
        return 3072 if target.since(mysql=(5, 7, 7), mariadb=(10, 2, 2)) else 767
    return _OTHER_LIMITS.get(engine.lower(), _NO_LIMIT)


def parts_in_bytes(index: Index, table: TableFacts) -> tuple[int, ...]:
    """Tell how many bytes an index covers of each of its columns.

    Args:
        index: the index.
        table: its table, with the character sets that count.
    """
    sizes = []
    for name, prefix in zip(index.columns, index.prefix_lengths or (None,) * len(index.columns), strict=True):
        column = table.column(name)
        is_text = column is not None and column.data_type in TEXT_TYPES - {"enum", "set"}
        length = prefix or (column.length if column is not None else None) or 0
        sizes.append(length * bytes_of_a_character(column.charset if column and is_text else None))
    return tuple(sizes)


def _obstacles(engine: str, table: TableFacts, target: ServerAbilities) -> Iterator[str]:
    """Say what an engine of a server cannot hold of a table."""
    is_innodb = engine == INNODB.lower()
    limit = longest_part(engine, target)
    for column in table.columns:
        first = any(index.columns[0] == column.name for index in table.indexes)
        if is_innodb and column.auto_increment and not first:
            yield f"AUTO_INCREMENT `{column.name}` begins no index"
    for index in table.indexes:
        if index.kind == "SPATIAL" and is_innodb and not target.since(mysql=(5, 7, 5), mariadb=(10, 2, 2)):
            yield f"index `{index.name}` is spatial"
        sizes = parts_in_bytes(index, table)
        if not _is_limited(index, table, target) or (engine == table.engine.lower() and not is_innodb):
            continue
        if is_innodb and table.engine.lower() == engine and not index.unique:
            continue  # Without a unique key the copy can do with the beginning of each value.
        if max(sizes) > limit:
            yield f"index `{index.name}` covers up to {max(sizes)} bytes of a column, the limit is {limit}"
        if not is_innodb and sum(sizes) > limit:
            yield f"index `{index.name}` covers up to {sum(sizes)} bytes, the limit is {limit}"
    if is_innodb and len(table.columns) > _MOST_COLUMNS:
        yield f"{len(table.columns)} columns, the limit is {_MOST_COLUMNS}"


def _is_limited(index: Index, table: TableFacts, target: ServerAbilities) -> bool:
    # MariaDB keeps long values unique by their hashes.
    by_hash = index.unique and index.kind == "HASH" and table.engine.lower() != "memory"
    return index.kind in _ORDERED and not (by_hash and target.since(mariadb=(10, 4)))
