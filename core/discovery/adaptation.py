"""What a table's definition becomes on another server, decided upon the facts of the catalogs.

The decisions are made here once: `rewriting` writes the statement by them, `differences` compares by them.
"""

from __future__ import annotations

from collections.abc import Iterator

import attrs

from etlkit.discovery.abilities import ServerAbilities, bytes_of_a_character
from etlkit.discovery.catalog import SourceServer, TableFacts
from etlkit.discovery.create_table import quoted_name
from etlkit.discovery.engines import chosen_engine, longest_part, parts_in_bytes
from etlkit.discovery.replica import Adaptation
from etlkit.errors import SchemaAnalysisError
from etlkit.tables import SPATIAL_TYPES, TEXT_TYPES, Column, Index

_MARIADB_TYPES = frozenset({"uuid", "inet4", "inet6", "xmltype"})
_NO_DEFAULT_ON_MYSQL = SPATIAL_TYPES | {
    *("tinytext", "text", "mediumtext", "longtext", "tinyblob", "blob", "mediumblob", "longblob", "json")
}
_COMPUTED = ("stored generated", "virtual generated")
_UNVERSIONED = "without system versioning"
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
        ValueError: `storage_engine` is something else.
    """
    work = _Adapting(table=table, same_kind=source.kind == target.server.kind, target=target)
    facts = work.carry_out(storage_engine)
    return AdaptedTable(facts=facts, adaptations=tuple(work.said), target=target)


@attrs.frozen(kw_only=True)
class _Adapting:
    """One table, the server it is adapted for, and what is said of it."""

    table: TableFacts
    same_kind: bool
    target: ServerAbilities
    said: list[Adaptation] = attrs.field(factory=list)

    def say(
        self, what: str, source: str, target: str | None, column: str | None = None, reason: str = ""
    ) -> None:
        self.said.append(Adaptation(what=what, source=source, target=target, column=column, reason=reason))

    def carry_out(self, storage_engine: str) -> TableFacts:
        table = self.table
        collation = table.collation and self._nearest(table.collation, f"the table `{table.name}`")
        if collation and collation != table.collation:
            self.say("collation", str(table.collation), self.target.spelled(collation))
        columns = tuple(self._column(each, collation) for each in table.columns)
        made = attrs.evolve(
            table,
            columns=columns,
            collation=collation,
            charset=_charset_of(collation),
            foreign_keys=(),
            checks=self._checks(columns),
            versioned=False,
            partitioned=table.partitioned and not table.versioned,
        )
        engine, reason = chosen_engine(made, self.target, storage_engine)
        if engine is None:
            raise SchemaAnalysisError(
                f"{self.target.server} cannot hold the table `{table.name}`: {reason}. "
                "Choose a replica of the source's own kind and version, or leave the table out."
            )
        if engine.lower() != table.engine.lower() or reason:
            # What stays as it is needs a word only where another engine was asked for.
            said = Adaptation(what="engine", source=table.engine, target=engine, reason=reason)
            self.said.insert(0, said)
        indexes = tuple(self._index(each, made, engine) for each in table.indexes)
        self.said.extend(_left_out(table))
        return attrs.evolve(made, engine=engine, indexes=indexes)

    def _checks(self, columns: tuple[Column, ...]) -> tuple[str, ...]:
        if self.same_kind:
            return self.table.checks if self.target.since(mysql=(8, 0, 16), mariadb=(10, 2, 1)) else ()
        if self.target.server.kind == "MySQL":
            return ()
        # MariaDB's JSON is text with a check, which it makes itself.
        return tuple(f"json_valid({quoted_name(each.name)})" for each in columns if each.data_type == "json")

    def _column(self, column: Column, of_table: str | None) -> Column:
        where = f"the column `{self.table.name}`.`{column.name}`"
        if self.target.server.kind == "MySQL" and column.data_type in _MARIADB_TYPES:
            raise SchemaAnalysisError(
                f"{self.target.server} cannot hold {where}: it has no type {column.data_type}. "
                "Choose a MariaDB for the replica, or leave the table out."
            )
        made = self._as_text(column)
        if made.collation is not None:
            in_unique_key = any(each.unique and column.name in each.columns for each in self.table.indexes)
            collation = self._nearest(made.collation, where, by_bytes=in_unique_key)
            if collation != made.collation and (made.collation, collation) != (
                self.table.collation,
                of_table,
            ):
                self.say("collation", made.collation, self.target.spelled(collation), column.name)
            made = attrs.evolve(made, collation=collation, charset=_charset_of(collation))
        return self._visible(self._with_default(self._not_computed(made)))

    def _nearest(self, collation: str, where: str, *, by_bytes: bool = False) -> str:
        found = self.target.nearest(collation, by_bytes=by_bytes)
        if found is None:
            raise SchemaAnalysisError(
                f"{self.target.server} cannot hold {where}: it does not know the character set of {collation}. "
                "Choose a newer server for the replica, or leave the table out."
            )
        return found

    def _as_text(self, column: Column) -> Column:
        """Give JSON as text where the server has no JSON type that keeps the text as it was written."""
        of_mariadb = column.declared_type.startswith("longtext")
        if of_mariadb and self.same_kind:
            return column
        knows = not of_mariadb and self.target.since(mysql=(5, 7, 8), mariadb=(10, 4, 3))
        if column.data_type != "json" or knows:
            return column
        if not of_mariadb:
            # MariaDB's own JSON is text with a check, and that the check is left out is said of the statement.
            self.say("type", "json", "longtext", column.name)
        return attrs.evolve(
            column, data_type="longtext", column_type="longtext", charset="utf8mb4", collation="utf8mb4_bin"
        )

    def _not_computed(self, column: Column) -> Column:
        """Make a plain column of one that the server cannot compute in just the same way."""
        extra = _without(column.extra, _UNVERSIONED)
        expression = self.table.expressions.get(column.name, "")
        of_versions = self.table.versioned and expression in ("ROW START", "ROW END")
        can = self.same_kind and self.target.since(mysql=(5, 7, 6), mariadb=(10, 2, 1))
        if column.generated and (of_versions or not can):
            said = f"({expression})"
            self.say("computed by", said, "plain column", column.name, "its values are copied")
            extra = _without(extra, *_COMPUTED)
        return attrs.evolve(column, extra=extra)

    def _with_default(self, column: Column) -> Column:
        default, name = column.default, column.name
        if default is not None and name in self.table.computed_defaults:
            can = self.same_kind and self.target.since(mysql=(8, 0, 13), mariadb=(10, 2, 1))
            if not can or "nextval" in default.lower():
                self.say("default", default, None, name)
                return attrs.evolve(column, default=None)
        elif default is not None:
            if self.target.server.kind == "MySQL" and column.data_type in _NO_DEFAULT_ON_MYSQL:
                reason = f"MySQL has none for {column.data_type}"
                self.say("default", "of its own", None, name, reason)
                return attrs.evolve(column, default=None)
        elif column.data_type == "timestamp" and not (
            column.nullable or column.generated or self.target.server.explicit_timestamps
        ):
            # Without a default the server would stamp the column at every change of a row.
            zero = _ZERO + ("." + "0" * column.fraction if column.fraction else "")
            self.say("default", "none", f"'{zero}'", name)
            return attrs.evolve(column, default=zero)
        return column

    def _visible(self, column: Column) -> Column:
        """Show a column that the server cannot hide: one that must be given a value, or any on an older server."""
        must_be_given = not (column.nullable or column.generated or column.default is not None)
        can_hide = self.target.since(mysql=(8, 0, 23), mariadb=(10, 3))
        if "invisible" not in column.extra or (can_hide and not must_be_given):
            return column
        self.say("INVISIBLE", "", None, column.name)
        return attrs.evolve(column, extra=_without(column.extra, "invisible"))

    def _index(self, index: Index, made: TableFacts, engine: str) -> Index:
        """Shorten what an index covers of each value, where the engine's limit demands it."""
        limit = longest_part(engine, self.target)
        lengths = list(index.prefix_lengths or (None for _ in index.columns))
        for at, size in enumerate(parts_in_bytes(index, made)):
            column = made.column(index.columns[at])
            if size <= limit or column is None or index.unique or index.kind not in ("BTREE", "HASH"):
                continue
            is_text = column.data_type in TEXT_TYPES
            kept = limit // bytes_of_a_character(column.charset if is_text else None)
            unit = "characters" if is_text else "bytes"
            before = f"the first {lengths[at]} {unit}" if lengths[at] else "the whole value"
            self.say(f"index `{index.name}` over", before, f"the first {kept} {unit}", column.name)
            lengths[at] = kept
        return attrs.evolve(index, prefix_lengths=tuple(lengths))


def _left_out(table: TableFacts) -> Iterator[Adaptation]:
    if table.versioned:
        why = "rows are copied as they are now"
        yield Adaptation(what="system versioning", source="of the rows", target=None, reason=why)
    for name in dict.fromkeys(each.name for each in table.foreign_keys):
        why = "tables are copied one by one"
        yield Adaptation(what="foreign key", source=f"`{name}`", target=None, reason=why)


def _without(extra: str, *words: str) -> str:
    for each in words:
        extra = extra.replace(each, "")
    return " ".join(extra.split())


def _charset_of(collation: str | None) -> str | None:
    return None if collation is None else collation.partition("_")[0]
