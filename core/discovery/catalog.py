"""The catalog of a source: what the server says of all its tables at one moment, as one frozen value."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, Literal

import attrs

from etlkit.errors import SchemaAnalysisError, SchemaNotFoundError
from etlkit.suggestions import nearest
from etlkit.tables import Column, ForeignKey, Index

EXACT_ENGINES = frozenset({"MyISAM", "Aria", "MEMORY"})
"""Storage engines whose row counts in the catalog are counts and no estimates."""

_SHOWN = 5


def _read_only(given: Mapping[str, Any]) -> Mapping[str, Any]:
    return MappingProxyType(dict(given))


@attrs.frozen(kw_only=True)
class SourceServer:
    """Which server the catalog was read from."""

    kind: Literal["MySQL", "MariaDB"]
    """The product; forks of MySQL count as MySQL."""
    version: tuple[int, ...]
    """Such as `(10, 11, 6)`."""
    version_text: str
    """The version as the server says it."""
    lower_case_table_names: int = 0
    """0: the case of table names matters; 1 (Windows) and 2 (macOS): it does not."""
    uid: str | None = None
    """What the server is known by: MySQL's `server_uuid`, MariaDB's `server_uid`; None where it has none."""
    machine: str = ""
    """sha256 over host name, port and data folder, which tell servers without a `uid` apart."""
    explicit_timestamps: bool = True
    """Whether a `timestamp` column has only the defaults that its definition names."""

    def __str__(self) -> str:
        return f"{self.kind} {'.'.join(str(part) for part in self.version)}"


@attrs.frozen(kw_only=True)
class TableFacts:
    """What the catalog says of one base table."""

    name: str
    """As the source spells it."""
    engine: str = ""
    """The storage engine; empty when the server cannot open the table."""
    columns: tuple[Column, ...] = ()
    """In the table's order."""
    indexes: tuple[Index, ...] = ()
    """The primary key first, then by name."""
    foreign_keys: tuple[ForeignKey, ...] = ()
    """Declared keys that stay in the database."""
    row_count: int = 0
    """Rows; an estimate unless `row_count_exact`."""
    row_count_exact: bool = False
    """Whether the engine keeps exact counts."""
    data_bytes: int = 0
    """Bytes of the rows."""
    index_bytes: int = 0
    """Bytes of the indexes."""
    charset: str | None = None
    """The table's default character set."""
    collation: str | None = None
    """The table's default collation."""
    auto_increment: int | None = None
    """The number that the next row will get; None when the table does not number its rows."""
    update_time: dt.datetime | None = None
    """The last change by the server's clock, where the server keeps it: a hint only."""
    comment: str = ""
    """The table's comment; what is wrong with it when the server cannot open it."""
    schema_hash: str = ""
    """sha256 over what matters of the definition."""
    unreadable: tuple[str, ...] = ()
    """Columns that this user must not SELECT."""
    partly_hidden: bool = False
    """Whether the server hides further columns from this user."""
    expressions: Mapping[str, str] = attrs.field(factory=dict, converter=_read_only)
    """By generated column how the server computes it, in the server's words."""
    computed_defaults: frozenset[str] = frozenset()
    """Columns whose default is an expression, other than the current time."""
    checks: tuple[str, ...] = ()
    """What rows must fulfil, in the server's words and sorted; known of MariaDB only."""
    partitioned: bool = False
    """Whether the table is divided into partitions."""
    versioned: bool = False
    """Whether the server keeps earlier versions of the rows."""

    @property
    def primary_key(self) -> tuple[str, ...]:
        """The primary key's columns in the key's order; empty when there is none."""
        return next((index.columns for index in self.indexes if index.name == "PRIMARY"), ())

    @property
    def total_bytes(self) -> int:
        """Bytes of rows and indexes."""
        return self.data_bytes + self.index_bytes

    def column(self, name: str) -> Column | None:
        """Find a column by its exact name; None when there is none."""
        return next((column for column in self.columns if column.name == name), None)

    def begins_an_index(self, column: str) -> bool:
        """Tell whether an index begins with the whole value of a column.

        Args:
            column: its name.
        """
        return any(
            index.columns[0] == column
            and index.kind in ("BTREE", "HASH")
            and not any(index.prefix_lengths[:1])
            for index in self.indexes
        )


def shortened(names: Sequence[str]) -> str:
    """List names for a message: the first few, and whether there are more.

    Args:
        names: in the order to show.
    """
    return ", ".join(names[:_SHOWN]) + (" ..." if len(names) > _SHOWN else "")


@attrs.frozen(kw_only=True)
class Catalog:
    """One moment of a source's catalog; nothing in it changes any more."""

    server: SourceServer
    """Which server."""
    database: str
    """Which database."""
    charset: str | None = None
    """The database's default character set."""
    collation: str | None = None
    """The database's default collation."""
    tables: Mapping[str, TableFacts] = attrs.field(factory=dict, converter=_read_only)
    """Base tables by name, in the order of their names."""
    views: tuple[str, ...] = ()
    """Names of views."""
    taken_at: dt.datetime = attrs.field(factory=lambda: dt.datetime.now(dt.UTC))
    """When the catalog was read, by this machine's clock, in UTC."""
    _folded: Mapping[str, str] = attrs.field(init=False, repr=False, eq=False)

    @_folded.default
    def _fold_names(self) -> Mapping[str, str]:
        return _read_only({name.casefold(): name for name in self.tables})

    def find(self, name: str) -> TableFacts | None:
        """Find a base table; None when there is none.

        Args:
            name: its name; in any case where the server does not tell cases apart.
        """
        if name not in self.tables and self.server.lower_case_table_names:
            return self.tables.get(self._folded.get(name.casefold(), ""))
        return self.tables.get(name)

    def table(self, name: str) -> TableFacts:
        """Find a base table.

        Args:
            name: its name; in any case where the server does not tell cases apart.

        Returns:
            What the catalog says of it.

        Raises:
            SchemaNotFoundError: there is no such base table.
            SchemaAnalysisError: there is, but this user does not see all of its columns.
        """
        facts = self.find(name)
        if facts is None:
            raise SchemaNotFoundError(self.not_found(name))
        if not facts.columns:
            why = f" (the server says: {facts.comment})" if not facts.engine and facts.comment else ""
            raise SchemaAnalysisError(
                f"The table `{name}` of `{self.database}` shows no columns: this user lacks the SELECT "
                f"privilege, or the server cannot open the table{why}. GRANT SELECT on it, or repair it."
            )
        if facts.partly_hidden:
            raise SchemaAnalysisError(
                f"This user sees only some columns of {self.database}.{facts.name} "
                f"({shortened([column.name for column in facts.columns])}). "
                f"Let an administrator GRANT SELECT on the database `{self.database}`."
            )
        return facts

    def require_readable(self, facts: TableFacts) -> None:
        """Refuse a table that this user must not read.

        Args:
            facts: the table.

        Raises:
            SchemaAnalysisError: the user lacks the SELECT privilege on a column.
        """
        if facts.unreadable:
            shown = shortened(facts.unreadable)
            raise SchemaAnalysisError(
                f"This user must not SELECT from {self.database}.{facts.name} (columns {shown}). "
                f"Let an administrator GRANT SELECT on the database `{self.database}`."
            )

    def not_found(self, name: str) -> str:
        """Say that a base table is not there, and which one may have been meant.

        Args:
            name: what was asked for.
        """
        where = f"The database `{self.database}` has no table `{name}`"
        if name in self.views:
            return f"{where}: it is a view, and only base tables are analysed and loaded."
        return f"{where}; {self._hint(name)}"

    def not_shown(self, name: str) -> str:
        """Say that a table is not there, or is hidden from this user: the server does not tell which.

        Args:
            name: what was asked for.
        """
        return (
            f"The server shows this user no table `{name}` in the database `{self.database}`, and does not "
            f"tell whether there is one. Let an administrator GRANT SELECT on the database "
            f"`{self.database}`, or check the name; {self._hint(name)}"
        )

    def _hint(self, name: str) -> str:
        near = nearest(name, self.tables)
        return f"did you mean `{near}`?" if near else "`etlkit analyze` lists its tables."
