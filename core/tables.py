"""What the source's catalog says of a table, as frozen values: shown to plugins, never changed by them.

Sizes are bytes, counts are rows. Names are spelled as the source spells them.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import attrs

INTEGER_TYPES = frozenset({"tinyint", "smallint", "mediumint", "int", "bigint"})
"""The integer types of MySQL and MariaDB, by `Column.data_type`."""

TEMPORAL_TYPES = frozenset({"date", "datetime", "timestamp"})
"""Types that name a point in time, and that may hold dates which do not exist (`0000-00-00`)."""

TEXT_TYPES = frozenset({"char", "varchar", "tinytext", "text", "mediumtext", "longtext", "enum", "set"})
"""Types whose values are characters in some character set."""

BINARY_TYPES = frozenset({"binary", "varbinary", "tinyblob", "blob", "mediumblob", "longblob"})
"""Types whose values are bytes."""

SPATIAL_TYPES = frozenset(
    {
        "geometry",
        "point",
        "linestring",
        "polygon",
        "multipoint",
        "multilinestring",
        "multipolygon",
        "geometrycollection",
    }
)
"""Types whose values are an SRID followed by WKB."""


def _read_only(given: Mapping[str, Any]) -> Mapping[str, Any]:
    return MappingProxyType(dict(given))


@attrs.frozen(kw_only=True)
class Column:
    """One column of a source table, with what its type means and nothing of how one server prints it."""

    name: str
    """As the source spells it."""
    data_type: str
    """The bare type in lower case: `int`, `varchar`, `timestamp`; JSON and its MariaDB disguise are `json`."""
    column_type: str
    """The whole type in one spelling for all servers: `bigint unsigned`, `decimal(10,2)`, `enum('a','b')`."""
    declared_type: str = ""
    """The whole type as this server prints it, display width included: `tinyint(1)` hints at a boolean."""
    nullable: bool = True
    """Whether the column is declared to accept NULL."""
    default: str | None = None
    """The default as the catalog has it, unquoted; None when there is none (or when it is NULL)."""
    extra: str = ""
    """In lower case: `auto_increment`, `on update current_timestamp`, `stored generated`, `invisible`."""
    comment: str = ""
    """The column's comment."""
    key: str = ""
    """`PRI`, `UNI`, `MUL` or empty, as the catalog has it."""
    charset: str | None = None
    """The character set of a text column (`utf8mb3` is never called `utf8`); None for other types."""
    collation: str | None = None
    """The collation of a text column."""
    length: int | None = None
    """Characters for text, bytes for binary types, bits for `bit`."""
    precision: int | None = None
    """Digits of a decimal."""
    scale: int | None = None
    """Digits of a decimal behind the point."""
    fraction: int = 0
    """Digits of a second, 0 to 6, of `time`, `datetime` and `timestamp`."""

    @property
    def unsigned(self) -> bool:
        """Whether an integer or decimal is declared UNSIGNED (ZEROFILL implies it)."""
        return "unsigned" in self.column_type or "zerofill" in self.column_type

    @property
    def auto_increment(self) -> bool:
        """Whether the server numbers this column."""
        return "auto_increment" in self.extra

    @property
    def on_update_now(self) -> bool:
        """Whether the server itself stamps this column at every change of the row."""
        return "on update current_timestamp" in self.extra

    @property
    def generated(self) -> bool:
        """Whether the server computes this column from others."""
        return "generated" in self.extra or "virtual" in self.extra or "persistent" in self.extra


@attrs.frozen(kw_only=True)
class Index:
    """One index of a source table."""

    name: str
    """`PRIMARY` for the primary key."""
    columns: tuple[str, ...]
    """In the index's order."""
    unique: bool
    """Whether no two rows may agree on all its columns (rows with NULL may)."""
    kind: str = "BTREE"
    """`BTREE`, `HASH`, `FULLTEXT` or `SPATIAL`."""
    prefix_lengths: tuple[int | None, ...] = ()
    """Per column, the length of the indexed prefix, or None when the whole value is indexed."""


@attrs.frozen(kw_only=True)
class ForeignKey:
    """One declared foreign key; one value per column of the key."""

    name: str
    """The constraint's name."""
    column: str
    """The referencing column."""
    referenced_table: str
    """The table it points to."""
    referenced_column: str
    """The column it points to."""


@attrs.frozen(kw_only=True)
class CursorCandidate:
    """How well one column could serve as the cursor of an incremental strategy."""

    column: str
    """The column's name."""
    data_type: str
    """Its bare type."""
    score: float
    """0 (never) to 1 (the server itself stamps every change)."""
    refused: bool
    """Whether the column must not be used as a cursor unless a person insists."""
    reasons: tuple[str, ...]
    """Why, one sentence each."""
    indexed: bool = False
    """Whether an index begins with this column, so that a read since a watermark is not a scan."""


@attrs.frozen(kw_only=True)
class TableAnalysis:
    """All that discovery knows of one table; what classifiers and strategies decide upon."""

    name: str
    """As the source spells it."""
    engine: str = "InnoDB"
    """The storage engine: `InnoDB`, `MyISAM`, `Aria`, `MEMORY` ..."""
    columns: tuple[Column, ...] = ()
    """In the table's order, INVISIBLE ones included."""
    primary_key: tuple[str, ...] = ()
    """Its columns in the key's order; empty when the table has none."""
    indexes: tuple[Index, ...] = ()
    """All indexes, the primary key's included."""
    foreign_keys: tuple[ForeignKey, ...] = ()
    """Declared keys only; Open Dental declares none."""
    row_count: int = 0
    """Rows; an estimate of the engine unless `row_count_exact`."""
    row_count_exact: bool = False
    """Whether the engine keeps exact counts (MyISAM does, InnoDB does not)."""
    data_bytes: int = 0
    """Bytes of the rows, as the engine reports them."""
    index_bytes: int = 0
    """Bytes of the indexes."""
    schema_hash: str = ""
    """sha256 over what matters of the definition; the same on every server that holds the same schema."""
    cursor: CursorCandidate | None = None
    """The cursor to use, chosen by discovery or by a person; None when there is none fit."""
    importance: str = "standard"
    """The level a classifier gave; `standard` while classifiers are being asked."""
    update_frequency: str = "frequent"
    """`append_only`, `rare` or `frequent`, as far as columns and plugins can tell."""
    depends_on: tuple[str, ...] = ()
    """Tables this one points to, declared or by a relationship rule."""
    referenced_by: tuple[str, ...] = ()
    """Tables that point to this one."""
    batch_size: int = 5000
    """Rows of the first chunk; later ones are sized by the time the last one took."""
    lookback_seconds: int | None = None
    """What is read again behind a time cursor, as a person asks, or a plugin; None for the strategy's own default."""
    options: Mapping[str, Any] = attrs.field(factory=dict, converter=_read_only)
    """A person's further choices for this table, by a strategy's own names."""
    hidden: frozenset[str] = frozenset()
    """Columns whose own values must not leave the source, because a conversion masks them."""

    @property
    def total_bytes(self) -> int:
        """Bytes of rows and indexes."""
        return self.data_bytes + self.index_bytes

    @property
    def size_mb(self) -> float:
        """Rows and indexes in MB of 1024 * 1024 bytes, the measure of the thresholds."""
        return self.total_bytes / (1024 * 1024)

    def column(self, name: str) -> Column | None:
        """Find a column by its exact name.

        Args:
            name: as the source spells it.

        Returns:
            The column, or None when the table has none of that name.
        """
        return next((column for column in self.columns if column.name == name), None)
