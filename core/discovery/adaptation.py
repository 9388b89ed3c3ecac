"""What a table's definition becomes on another server, decided upon the facts of the catalogs.

The decisions are made here once: `rewriting` writes the statement by them, `differences` compares by them.
"""

from __future__ import annotations

from collections.abc import Iterator

import attrs

from etlkit.discovery.abilities import ServerAbilities, bytes_of_a_character
from etlkit.discovery.catalog import SourceServer, TableFacts
from etlkit.discovery.engines import chosen_engine, longest_part, parts_in_bytes
from etlkit.discovery.replica import Adaptation
from etlkit.errors import SchemaAnalysisError
from etlkit.tables import SPATIAL_TYPES, TEXT_TYPES, Column, Index

_MARIADB_TYPES = frozenset({"uuid", "inet4", "inet6", "xmltype"})
_NO_DEFAULT_ON_MYSQL = SPATIAL_TYPES | {
    *("tinytext", "text", "mediumtext", "longtext", "tinyblob", "blob", "mediumblob", "longblob", "json")
}
_ZERO = "0000-00-00 00:00:00"


@attrs.frozen(kw_only=True)
class AdaptedTable:
    """A table as the replica is to have it."""

    facts: TableFacts
    """What the replica's catalog will say of the definition; sizes and counts say nothing."""
    adaptations: tuple[Adaptation, ...]
    """What is not as in the source, as far as the catalog's facts tell."""
    target: ServerAbilities
    """The replica's server."""


def adapted_table(
    table: TableFacts, source: SourceServer, target: ServerAbilities, storage_engine: str
) -> AdaptedTable:
    """Decide what a table becomes on another server.

    Args:
        table: the table in the source.
        source: the source's server.
        target: the replica's server.
        storage_engine: `InnoDB`, or `source` for the source's own.

    Returns:
        The table as the replica is to have it.

    Raises:
        SchemaAnalysisError: the replica's server cannot hold the table.
    """
    said: list[Adaptation] = []
    same_kind = source.kind == target.server.kind
    in_unique_keys = {name for index in table.indexes if index.unique for name in index.columns}
    columns = tuple(
        _column(
            column,
            table,
            target,
            said,
            same_kind=same_kind,
            in_unique_key=column.name in in_unique_keys,
        )
        for column in table.columns
    )
    collation = table.collation
    if collation is not None:
        collation = _nearest(collation, "table", None, target, said, by_bytes=False)
    keeps_checks = same_kind and target.since(mysql=(8, 0, 16), mariadb=(10, 2, 1))
    made = attrs.evolve(
        table,
        columns=columns,
        collation=collation,
        charset=_charset_of(collation),
        foreign_keys=(),
        checks=table.checks if keeps_checks else (),
        versioned=False,
        partitioned=table.partitioned and not table.versioned,
    )
    engine, reason = chosen_engine(made, target, storage_engine)
    if engine is None:
        raise SchemaAnalysisError(
            f"{target.server} cannot hold the table `{table.name}`: {reason}. "
            "Choose a replica of the source's own kind and version, or leave the table out."
        )
    if engine.lower() != table.engine.lower() or reason:
        # What stays as it is needs a word only where another engine was asked for.
        said.insert(0, Adaptation(what="engine", source=table.engine, target=engine, reason=reason))
    indexes = tuple(_index(index, made, engine, target, said) for index in table.indexes)
    said += _left_out(table)
    return AdaptedTable(
        facts=attrs.evolve(made, engine=engine, indexes=indexes), adaptations=tuple(said), target=target
    )


def _left_out(table: TableFacts) -> Iterator[Adaptation]:
    if table.versioned:
        yield Adaptation(
            what="system versioning",
            source="of the rows",
            target=None,
            reason="rows are copied as they are now",
        )
    for name in dict.fromkeys(each.name for each in table.foreign_keys):
        yield Adaptation(
            what="foreign key", source=f"`{name}`", target=None, reason="tables are copied one by one"
        )


def _column(
    column: Column,
    table: TableFacts,
    target: ServerAbilities,
    said: list[Adaptation],
    *,
    same_kind: bool,
    in_unique_key: bool,
) -> Column:
    on_mysql = target.server.kind == "MySQL"
    if on_mysql and column.data_type in _MARIADB_TYPES:
        raise SchemaAnalysisError(
            f"{target.server} cannot hold the column `{table.name}`.`{column.name}`: it has no type "
            f"{column.data_type}. Choose a MariaDB for the replica, or leave the table out."
        )
    made = _as_text(column, target, said, same_kind=same_kind)
    if made.collation is not None:
        collation = _nearest(made.collation, table.name, made, target, said, by_bytes=in_unique_key)
        made = attrs.evolve(made, collation=collation, charset=_charset_of(collation))
    made = _not_computed(made, table, target, said, same_kind=same_kind)
    if "invisible" in made.extra and not target.since(mysql=(8, 0, 23), mariadb=(10, 3)):
        said.append(Adaptation(what="INVISIBLE", source="column", target="visible", column=column.name))
        made = attrs.evolve(made, extra=made.extra.replace("invisible", "").strip())
    return _with_default(made, table, target, said, same_kind=same_kind)


def _as_text(column: Column, target: ServerAbilities, said: list[Adaptation], *, same_kind: bool) -> Column:
    """Give JSON as text where the server has no JSON type that keeps the text as it was written."""
    if column.data_type != "json" or target.server.kind == "MariaDB":
        return column
    if same_kind and target.since(mysql=(5, 7, 8)):
        return column
    if same_kind:
        # MariaDB's own JSON is text with a check, and of the check the statement's adaptations tell.
        said.append(Adaptation(what="type", source="json", target="longtext", column=column.name))
    return attrs.evolve(
        column, data_type="longtext", column_type="longtext", charset="utf8mb4", collation="utf8mb4_bin"
    )


def _not_computed(
    column: Column, table: TableFacts, target: ServerAbilities, said: list[Adaptation], *, same_kind: bool
) -> Column:
    """Make a plain column of one that the server cannot compute in just the same way."""
    extra = column.extra.replace("without system versioning", "").strip()
    expression = table.expressions.get(column.name, "")
    of_versions = table.versioned and expression in ("ROW START", "ROW END")
    keeps = same_kind and target.since(mysql=(5, 7, 6), mariadb=(10, 2, 1)) and not of_versions
    if not column.generated or keeps:
        return attrs.evolve(column, extra=extra)
    said.append(
        Adaptation(
            what="computed by",
            source=f"({expression})",
            target="plain column",
            column=column.name,
            reason="its values are copied",
        )
    )
    for word in ("stored generated", "virtual generated"):
        extra = extra.replace(word, "").strip()
    return attrs.evolve(column, extra=extra)


def _with_default(
    column: Column, table: TableFacts, target: ServerAbilities, said: list[Adaptation], *, same_kind: bool
) -> Column:
    default = column.default
    if default is not None and column.name in table.computed_defaults:
        can = same_kind and target.since(mysql=(8, 0, 13), mariadb=(10, 2, 1))
        if not can or "nextval" in default.lower():
            said.append(Adaptation(what="default", source=f"({default})", target=None, column=column.name))
            return attrs.evolve(column, default=None)
    elif default is not None and target.server.kind == "MySQL" and column.data_type in _NO_DEFAULT_ON_MYSQL:
        reason = f"MySQL has none for {column.data_type}"
        said.append(
            Adaptation(what="default", source="of its own", target=None, column=column.name, reason=reason)
        )
        return attrs.evolve(column, default=None)
    if (
        column.data_type == "timestamp"
        and default is None
        and not (column.nullable or column.generated or target.server.explicit_timestamps)
    ):
        # Without a default the server would stamp the column at every change of a row.
        zero = _ZERO + ("." + "0" * column.fraction if column.fraction else "")
        said.append(Adaptation(what="default", source="none", target=f"'{zero}'", column=column.name))
        return attrs.evolve(column, default=zero)
    return column


def _nearest(
    collation: str,
    table: str,
    column: Column | None,
    target: ServerAbilities,
    said: list[Adaptation],
    *,
    by_bytes: bool,
) -> str:
    found = target.nearest(collation, by_bytes=by_bytes)
    if found is None:
        where = f"the table `{table}`" if column is None else f"the column `{table}`.`{column.name}`"
        raise SchemaAnalysisError(
            f"{target.server} cannot hold {where}: it does not know the character set of {collation}. "
            "Choose a newer server for the replica, or leave the table out."
        )
    if found != collation:
        said.append(
            Adaptation(
                what="collation",
                source=collation,
                target=target.spelled(found),
                column=None if column is None else column.name,
            )
        )
    return found


def _charset_of(collation: str | None) -> str | None:
    return None if collation is None else collation.partition("_")[0]


def _index(
    index: Index, table: TableFacts, engine: str, target: ServerAbilities, said: list[Adaptation]
) -> Index:
    """Shorten what an index covers of each value, where the engine's limit demands it."""
    limit = longest_part(engine, target)
    lengths = []
    for name, length, size in zip(
        index.columns,
        index.prefix_lengths or (None,) * len(index.columns),
        parts_in_bytes(index, table),
        strict=True,
    ):
        column = table.column(name)
        if size <= limit or column is None or index.unique or index.kind not in ("BTREE", "HASH"):
            lengths.append(length)
            continue
        is_text = column.data_type in TEXT_TYPES
        kept = limit // bytes_of_a_character(column.charset if is_text else None)
        unit = "characters" if is_text else "bytes"
        said.append(
            Adaptation(
                what=f"index `{index.name}` over",
                source="the whole value" if not length else f"the first {length} {unit}",
                target=f"the first {kept} {unit}",
                column=name,
            )
        )
        lengths.append(kept)
    return attrs.evolve(index, prefix_lengths=tuple(lengths))
