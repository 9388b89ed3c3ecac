"""What the warehouse is asked when a table is reconciled: ranges of stored digests, and which rows differ."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import attrs
import sqlalchemy as sa

from etlkit.loading.apply import marked, unmarked
from etlkit.loading.target import DELETED_AT, DELETED_AT_TYPE, Named, TargetTable
from etlkit.tables import INTEGER_TYPES
from etlkit.transfer.digests import DIGEST
from etlkit.transfer.keys import Key, Keyset

NUMBER = "etlkit_number"
"""The first column of `keys`, which numbers the source's rows in the order of the key; longer where that is taken."""
_KEYS = "etlkit_keys"
_GONE = "etlkit_gone"
# Types whose order is the same on both sides, and whose printed form PostgreSQL reads as the same value.
_SAME_ORDER = INTEGER_TYPES | {"decimal", "date", "datetime", "timestamp"}


@attrs.frozen(kw_only=True)
class Summary:
    """What a range of rows comes to; equal on both sides when the rows are."""

    rows: int
    """How many."""
    xor: int
    """BIT_XOR of their digests; 0 for none."""
    total: int
    """Sum of their digests; 0 for none."""


def same_order(keyset: Keyset) -> bool:
    """Tell whether a range of the source's key is the same range in the warehouse.

    Args:
        keyset: the key.

    Returns:
        False for text, whose order is the source's collation's own, and for other types that sort differently.
    """
    return all(column.data_type in _SAME_ORDER for column in keyset.columns)


@attrs.frozen(kw_only=True)
class StoredRows:
    """The rows of one table in the warehouse, with the temporary tables that they are compared with."""

    target: TargetTable
    """The table."""
    key: tuple[str, ...]
    """The key's columns by their names in the warehouse, in the order of the source's ranges."""
    marked: bool = False
    """Whether the table has the column `DELETED_AT`; rows that are marked in it are not there."""
    types: Mapping[str, str] = attrs.field(factory=dict, eq=False)
    """The types that its columns have there, where they may be wider than the wanted ones."""
    keeping: bool = False
    """Whether rows that were noted as gone are not there either, because they stay as they are."""

    table: sa.Table = attrs.field(init=False, eq=False)
    """The table itself, with `DELETED_AT` when it has that."""
    keys: sa.Table = attrs.field(init=False, eq=False)
    """The temporary table of the source's keys with their digests, in ranges that differ."""
    gone: sa.Table = attrs.field(init=False, eq=False)
    """The temporary table of stored keys that the source no longer has."""

    @table.default
    def _itself(self) -> sa.Table:
        types = {name: kind for name, kind in self.types.items() if name != DELETED_AT}
        return self.target.itself(types | ({DELETED_AT: DELETED_AT_TYPE} if self.marked else {}))

    @keys.default
    def _keys_table(self) -> sa.Table:
        name = NUMBER
        while name in self.key:
            name += "_"
        number, digest = sa.Column(name, sa.BigInteger), sa.Column(DIGEST.name, sa.BigInteger)
        return self._temporary(_KEYS, number, *self._key_columns(), digest)

    @gone.default
    def _gone_table(self) -> sa.Table:
        return self._temporary(_GONE, *self._key_columns())

    def summary(self, lower: Key | None, upper: Key | None) -> sa.Select[Any]:
        """Ask what a range of stored rows comes to.

        Args:
            lower: the key it lies behind; None for the beginning.
            upper: its last key; None for the end.

        Returns:
            A SELECT of one row: rows, BIT_XOR and SUM of the digests (both NULL for none).
        """
        digest = self.table.c[DIGEST.name]
        return sa.select(sa.func.count(), sa.func.bit_xor(digest), sa.func.sum(digest)).where(
            *self.within(lower, upper), *self._there()
        )

    def within(self, lower: Key | None, upper: Key | None) -> list[sa.ColumnElement[bool]]:
        """Select the stored rows of a range; for keys of `same_order` only.

        Args:
            lower: the key it lies behind; None for the beginning.
            upper: its last key; None for the end.

        Returns:
            Conditions.
        """
        columns = sa.tuple_(*(self.table.c[name] for name in self.key))
        conditions = []
        if lower is not None:
            conditions.append(columns > self._bounds(lower))
        if upper is not None:
            conditions.append(columns <= self._bounds(upper))
        return conditions

    def changed(self, numbers: tuple[int, int]) -> sa.Select[Any]:
        """Ask which of the source's rows are not stored as they are.

        Args:
            numbers: the first and the last number of the range in `keys`.

        Returns:
            A SELECT of numbers, in order.
        """
        keys, table = self.keys, self.table
        same = sa.exists().where(
            *(table.c[name] == keys.c[name] for name in self.key),
            table.c[DIGEST.name] == keys.c[DIGEST.name],
            *unmarked(table),
        )
        first, last = numbers
        number = keys.c[0]
        return sa.select(number).where(number.between(first, last), ~same).order_by(number)

    def note_gone(self, lower: Key | None, upper: Key | None) -> sa.Insert:
        """Note the stored keys of a range that the source does not have.

        Args:
            lower: the key it lies behind; None for the beginning.
            upper: its last key; None for the end.

        Returns:
            An INSERT into `gone`.
        """
        keys, table = self.keys, self.table
        there = sa.exists().where(*(keys.c[name] == table.c[name] for name in self.key))
        rows = sa.select(*(table.c[name] for name in self.key)).where(
            *self.within(lower, upper), *unmarked(table), ~there
        )
        return sa.insert(self.gone).from_select(list(self.key), rows)

    def missing(self) -> sa.Select[Any]:
        """Count the source's rows in `keys` that are not stored at all.

        Returns:
            A SELECT of one number.
        """
        keys, table = self.keys, self.table
        same = (table.c[name] == keys.c[name] for name in self.key)
        there = sa.exists().where(*same, *unmarked(table)).correlate(keys)
        return sa.select(sa.func.count()).select_from(keys).where(~there)

    def unequal(self) -> sa.Select[Any]:
        """Count the rows that differ from the source's keys and digests; for keys that were all listed.

        Returns:
            A SELECT of one number.
        """
        keys, table = self.keys, self.table
        same = sa.and_(
            *(table.c[name] == keys.c[name] for name in self.key), table.c[DIGEST.name] == keys.c[DIGEST.name]
        )
        stored = sa.exists().where(same, *unmarked(table)).correlate(keys)
        missing = sa.select(sa.func.count()).select_from(keys).where(~stored)
        there = [*self._there(), ~sa.exists().where(same).correlate(table)]
        more = sa.select(sa.func.count()).select_from(table).where(*there)
        return sa.select(missing.scalar_subquery() + more.scalar_subquery())

    def delete_gone(self) -> sa.Delete:
        """Remove the rows that were noted as gone.

        Returns:
            A DELETE.
        """
        return sa.delete(self.table).where(self._noted())

    def mark_gone(self) -> sa.Update:
        """Mark the rows that were noted as gone; for a table with `DELETED_AT`.

        Returns:
            An UPDATE.
        """
        return marked(self.table).where(self._noted())

    def count_gone(self) -> sa.Select[Any]:
        """Count the rows that were noted as gone.

        Returns:
            A SELECT of one number.
        """
        return sa.select(sa.func.count()).select_from(self.gone)

    def delete_marked(self) -> sa.Delete:
        """Remove the rows that were marked before; for a table with `DELETED_AT`.

        Returns:
            A DELETE.
        """
        return sa.delete(self.table).where(self.table.c[DELETED_AT].is_not(None))

    def _noted(self) -> sa.ColumnElement[bool]:
        table, gone = self.table, self.gone
        return sa.exists().where(*(gone.c[name] == table.c[name] for name in self.key)).correlate(table)

    def _there(self) -> list[sa.ColumnElement[bool]]:
        return [*unmarked(self.table), *([~self._noted()] if self.keeping else [])]

    def _key_columns(self) -> list[sa.Column[Any]]:
        types = {column.name: column.type for column in self.target.columns}
        return [sa.Column(name, Named(types[name])) for name in self.key]

    def _temporary(self, name: str, *columns: sa.Column[Any]) -> sa.Table:
        return sa.Table(
            self.target.beside(name),
            sa.MetaData(),
            *columns,
            prefixes=["TEMPORARY"],
            postgresql_on_commit="DROP",
        )

    def _bounds(self, key: Key) -> sa.ColumnElement[Any]:
        types: Mapping[str, str] = {column.name: column.type for column in self.target.columns}
        values: Sequence[sa.ColumnElement[Any]] = [
            sa.cast(
                sa.literal(part.decode() if isinstance(part, bytes) else part, sa.Text), Named(types[name])
            )
            for name, part in zip(self.key, key, strict=True)
        ]
        return sa.tuple_(*values)
