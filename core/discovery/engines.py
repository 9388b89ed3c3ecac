"""Which storage engine a copy gets: what InnoDB cannot hold stays with an engine that can."""

from __future__ import annotations

from collections.abc import Iterator

from etlkit.discovery.abilities import ServerAbilities, bytes_of_a_character
from etlkit.discovery.catalog import TableFacts
from etlkit.tables import Index

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
        if column is None or column.data_type in ("enum", "set"):
            sizes.append(0)
        else:
            length = prefix or column.length or 0
            sizes.append(length * bytes_of_a_character(column.charset))
    return tuple(sizes)


def _obstacles(engine: str, table: TableFacts, target: ServerAbilities) -> Iterator[str]:
    """Say what an engine of a server cannot hold of a table."""
    if engine == INNODB.lower():
        for column in table.columns:
            first = any(index.columns[0] == column.name for index in table.indexes)
            if column.auto_increment and not first:
                yield f"AUTO_INCREMENT `{column.name}` begins no index"
        if len(table.columns) > _MOST_COLUMNS:
            yield f"{len(table.columns)} columns, the limit is {_MOST_COLUMNS}"
    for index in table.indexes:
        by_hash = index.unique and index.kind == "HASH" and table.engine.lower() != "memory"
        if by_hash and not target.since(mariadb=(10, 4)):
            yield f"index `{index.name}` keeps long values unique, as only MariaDB can"
        if index.kind == "SPATIAL" or (index.kind in _ORDERED and not by_hash):
            yield from _of_index(index, engine, table, target)


def _of_index(index: Index, engine: str, table: TableFacts, target: ServerAbilities) -> Iterator[str]:
    is_innodb, is_own = engine == INNODB.lower(), engine == table.engine.lower()
    limit = longest_part(engine, target)
    sizes = parts_in_bytes(index, table)
    if index.kind == "SPATIAL":
        if is_innodb and not target.since(mysql=(5, 7, 5), mariadb=(10, 2, 2)):
            yield f"index `{index.name}` is spatial"
    elif is_innodb:
        # Without a unique key the copy of an InnoDB table can do with the beginning of each value.
        if max(sizes) > limit and (index.unique or not is_own):
            yield f"index `{index.name}` covers up to {max(sizes)} bytes of a column, the limit is {limit}"
    elif sum(sizes) > limit and not is_own:
        yield f"index `{index.name}` covers up to {sum(sizes)} bytes, the limit is {limit}"
