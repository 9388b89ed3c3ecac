"""What the replica is asked when rows that were read are applied: statements of SQLAlchemy Core."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import Any

import attrs
import sqlalchemy as sa
from sqlalchemy.dialects.mysql import INTEGER
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.schema import DDLElement
from sqlalchemy.sql.compiler import DDLCompiler

from etlkit.tables import SPATIAL_TYPES, TEXT_TYPES, Column, Index, TableAnalysis
from etlkit.transfer.forms import APPROXIMATE_TYPES, as_bytes

_STAGE = "etlkit_stage"
_GONE = "etlkit_gone"


class CreateAlike(DDLElement):
    """CREATE TABLE with columns of another one, without their rows and indexes."""

    inherit_cache = False

    def __init__(
        self,
        name: str,
        columns: Sequence[sa.ColumnElement[Any]],
        *,
        key: Index | None,
        engine: str,
        temporary: bool,
    ) -> None:
        """Describe the table.

        Args:
            name: what it is called.
            columns: of the other table, in their order.
            key: the index that becomes its primary key; None for none.
            engine: its storage engine.
            temporary: whether it is the session's own.
        """
        self.name = name
        self.columns = columns
        self.key = key
        self.engine = engine
        self.temporary = temporary


@compiles(CreateAlike)
def _create_alike(element: CreateAlike, compiler: DDLCompiler, **_: Any) -> str:
    quote = compiler.preparer.quote_identifier
    rows = sa.select(*element.columns).limit(sa.literal_column("0"))
    kind = "TEMPORARY TABLE" if element.temporary else "TABLE"
    key = ""
    if element.key is not None:
        lengths = element.key.prefix_lengths or (None,) * len(element.key.columns)
        parts = (
            quote(name) + (f"({length})" if length else "")
            for name, length in zip(element.key.columns, lengths, strict=True)
        )
        key = f" (PRIMARY KEY ({', '.join(parts)}))"
    selected = compiler.sql_compiler.process(rows, literal_binds=True)
    return f"CREATE {kind} {quote(element.name)}{key} ENGINE={quote(element.engine)} {selected}"


class Rename(DDLElement):
    """RENAME TABLE: one step for all of its tables."""

    inherit_cache = False

    def __init__(self, moves: Sequence[tuple[sa.TableClause, sa.TableClause]]) -> None:
        """Describe the step.

        Args:
            moves: the tables with what they are called afterwards, from left to right.
        """
        self.moves = moves


@compiles(Rename)
def _rename(element: Rename, compiler: DDLCompiler, **_: Any) -> str:
    name = compiler.preparer.format_table
    return "RENAME TABLE " + ", ".join(f"{name(old)} TO {name(new)}" for old, new in element.moves)


class Drop(DDLElement):
    """DROP TABLE IF EXISTS."""

    inherit_cache = False

    def __init__(self, table: sa.TableClause, *, temporary: bool = False) -> None:
        """Describe the step.

        Args:
            table: what goes.
            temporary: whether it is the session's own; ending a transaction is spared then.
        """
        self.table = table
        self.temporary = temporary


@compiles(Drop)
def _drop(element: Drop, compiler: DDLCompiler, **_: Any) -> str:
    kind = "TEMPORARY TABLE" if element.temporary else "TABLE"
    return f"DROP {kind} IF EXISTS {compiler.preparer.format_table(element.table)}"


@attrs.frozen(kw_only=True, slots=False)
class Copy:
    """A table of the replica that rows are applied to."""

    analysis: TableAnalysis
    """What it is in the replica."""
    database: str
    """Where it is."""
    columns: tuple[Column, ...]
    """The columns that come from the source, in their order."""

    @cached_property
    def table(self) -> sa.TableClause:
        """The table in a statement."""
        return self._named(self.analysis.name, self.database)

    def beside(self, name: str) -> sa.TableClause:
        """Name another table of the replica with the same columns.

        Args:
            name: what it is called.

        Returns:
            The table in a statement.
        """
        return self._named(name, self.database)

    @cached_property
    def stage(self) -> sa.TableClause:
        """The session's own table for rows that were read."""
        return self._named(self._apart(_STAGE), None)

    @cached_property
    def gone(self) -> sa.TableClause:
        """The session's own table for keys of rows that are gone."""
        return self._named(self._apart(_GONE), None)

    def create_stage(self, table: sa.TableClause, *, temporary: bool) -> CreateAlike:
        """Build the statement that makes a table for rows that were read.

        Args:
            table: what is made.
            temporary: whether it is the session's own.

        Returns:
            A statement.
        """
        return CreateAlike(
            str(table.name),
            [self.table.c[each.name] for each in self.columns],
            key=self._primary,
            engine=self.analysis.engine,
            temporary=temporary,
        )

    def create_gone(self) -> CreateAlike:
        """Build the statement that makes the table for keys of rows that are gone.

        Returns:
            A statement.
        """
        return CreateAlike(
            str(self.gone.name),
            [self.table.c[name] for name in self.analysis.primary_key],
            key=self._primary,
            engine=self.analysis.engine,
            temporary=True,
        )

    def delete_missing(self, stage: sa.TableClause) -> sa.Delete:
        """Build the statement that removes the rows whose keys were not read.

        Args:
            stage: what was read.

        Returns:
            A statement.
        """
        return sa.delete(self.table).where(~self._is_in(stage, self.table))

    def delete_gone(self) -> sa.Delete:
        """Build the statement that removes the rows whose keys are in `gone`.

        Returns:
            A statement.
        """
        return sa.delete(self.table).where(self._same_key(self.table, self.gone))

    def delete_changed(self, stage: sa.TableClause) -> sa.Delete:
        """Build the statement that removes the rows that were read with other values.

        They are inserted anew then: an UPDATE would stamp them, and would meet unique values of rows that change in
        the same statement.

        Args:
            stage: what was read.

        Returns:
            A statement.
        """
        return sa.delete(self.table).where(*self._changed(stage))

    def insert_new(self, stage: sa.TableClause) -> sa.Insert:
        """Build the statement that inserts the rows whose keys are not there.

        Args:
            stage: what was read.

        Returns:
            A statement.
        """
        names = [each.name for each in self.columns]
        rows = sa.select(*(stage.c[name] for name in names)).select_from(stage)
        return sa.insert(self.table).from_select(names, rows.where(~self._is_in(self.table, stage)))

    def insert_common(self, other: sa.TableClause, names: Sequence[str]) -> sa.Insert:
        """Build the statement that copies rows of a table that has some of the columns.

        Args:
            other: the table.
            names: the columns that both have.

        Returns:
            A statement.
        """
        rows = sa.select(*(other.c[name] for name in names))
        # Values that do not fit the new definition are mended by comparing them with the source.
        return sa.insert(self.table).prefix_with("IGNORE").from_select(list(names), rows)

    def count(self) -> sa.Select[Any]:
        """Build the question how many rows the table has.

        Returns:
            A SELECT of one number.
        """
        return sa.select(sa.func.count()).select_from(self.table)

    def count_missing(self, table: sa.TableClause, among: sa.TableClause) -> sa.Select[Any]:
        """Build the question how many rows of a table have keys that another one does not have.

        Args:
            table: whose rows are counted.
            among: the other one.

        Returns:
            A SELECT of one number.
        """
        return sa.select(sa.func.count()).select_from(table).where(~self._is_in(among, table))

    def count_changed(self, stage: sa.TableClause) -> sa.Select[Any]:
        """Build the question how many rows were read with other values.

        Args:
            stage: what was read.

        Returns:
            A SELECT of one number.
        """
        return sa.select(sa.func.count()).select_from(self.table, stage).where(*self._changed(stage))

    @property
    def _primary(self) -> Index | None:
        return next((each for each in self.analysis.indexes if each.name == "PRIMARY"), None)

    def _same_key(self, one: sa.TableClause, other: sa.TableClause) -> sa.ColumnElement[bool]:
        return sa.and_(*(one.c[name] == other.c[name] for name in self.analysis.primary_key))

    def _changed(self, stage: sa.TableClause) -> tuple[sa.ColumnElement[bool], sa.ColumnElement[bool]]:
        same = sa.and_(*(_same(self.table.c[each.name], stage.c[each.name], each) for each in self.columns))
        return self._same_key(self.table, stage), sa.not_(same)

    def _is_in(self, table: sa.TableClause, row_of: sa.TableClause) -> sa.ColumnElement[bool]:
        found: sa.Select[Any] = (
            sa.select(sa.literal_column("1")).select_from(table).where(self._same_key(table, row_of))
        )
        return sa.exists(found.correlate(row_of))

    def _named(self, name: str, database: str | None) -> sa.TableClause:
        columns: list[sa.ColumnClause[Any]] = [sa.column(_quoted(each.name)) for each in self.columns]
        return sa.table(_quoted(name), *columns, schema=None if database is None else _quoted(database))

    def _apart(self, name: str) -> str:
        return name if self.analysis.name.casefold() != name else f"{name}_of_session"


def _same(one: sa.ColumnElement[Any], other: sa.ColumnElement[Any], column: Column) -> sa.ColumnElement[bool]:
    """Compare two stored values to the bit; the server's own comparison takes what a collation does for equal."""
    kind = column.data_type
    if kind in {"enum", "set"}:
        # By number: of an ENUM, the value that was none of its members has the same text as an empty member.
        one, other = (sa.cast(each, INTEGER(unsigned=True)) for each in (one, other))
    elif kind in TEXT_TYPES or kind == "json":
        one, other = (sa.cast(each, sa.LargeBinary) for each in (one, other))
    elif kind in APPROXIMATE_TYPES:
        # As bytes: -0 and 0 compare as equal.
        one, other = (as_bytes(each, attrs.evolve(column, nullable=False)) for each in (one, other))
    elif kind in SPATIAL_TYPES:
        one, other = (sa.func.hex(each) for each in (one, other))
    return one.op("<=>", is_comparison=True)(other)


def _quoted(name: str) -> sa.quoted_name:
    return sa.quoted_name(name, quote=True)
