"""The SELECT that makes the source render a table's rows as framed bytes, built with SQLAlchemy Core.

Every field arrives as the text that PostgreSQL's input functions take for the target type. Nothing is escaped and
nothing is decoded on the way: see `etlkit.transfer.sentinels` for the frame, `etlkit.transfer.copy_text` for the rest.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from itertools import groupby
from typing import Any

import attrs
from sqlalchemy import ColumnElement, TableClause, column, func, literal_column, null, quoted_name, table

from etlkit.contracts import Conversion
from etlkit.errors import PlanRefused
from etlkit.tables import BINARY_TYPES, Column, TableAnalysis
from etlkit.transfer import forms
from etlkit.transfer.digests import DIGEST, digest_of, salt_of
from etlkit.transfer.forms import APPROXIMATE_TYPES, MAY_EXCEED_A_PACKET, literal
from etlkit.transfer.policies import Policy
from etlkit.transfer.sentinels import FIELD, NULL, ROW
from etlkit.transfer.target_types import target_type

_EMPTY: ColumnElement[Any] = literal_column("''")


@attrs.frozen(kw_only=True)
class RenderedColumn:
    """One column on its way: what the source computes, and what the warehouse stores."""

    column: Column
    """The source's column."""
    number: int
    """Its place in the SELECT, from 0."""
    target_type: str
    """The PostgreSQL type."""
    expression: ColumnElement[Any]
    """Its rendered text; never SQL NULL unless the server could not compute it."""
    conversion: str | None = None
    """The conversion that is applied, by name."""
    variant: str = ""
    """What else decides what the conversion makes: its options, and which key it uses."""
    policy: Policy | None = None
    """What becomes of values that PostgreSQL cannot hold, where that was chosen."""
    unproven: ColumnElement[Any] | None = None
    """Its text without the proof that the value can be taken; None where nothing is to prove, or nothing is saved."""
    raw: ColumnElement[Any] | None = None
    """The bytes whose hexadecimal digits are its text, for values too large for these; None for other columns."""

    @property
    def as_number(self) -> bool:
        """Whether its bytes go into a row's digest as the server keeps them: printing them costs the server most."""
        return self.conversion is None and self.column.data_type in APPROXIMATE_TYPES

    @property
    def is_digested_as_rendered(self) -> bool:
        """Whether its rendered text goes into a row's digest."""
        return self.unproven is None and not self.as_number

    @property
    def may_trust(self) -> bool:
        """Whether the proof can be left to PostgreSQL, whose date types know the calendar; its text does not."""
        return self.unproven is not None and (
            self.conversion is not None or self.target_type.startswith(("date", "timestamp"))
        )

    def trusting(self) -> RenderedColumn:
        """Give the same column without the proof, where PostgreSQL would refuse what the proof finds."""
        if self.unproven is None or not self.may_trust:
            return self
        return attrs.evolve(self, expression=self.unproven, unproven=None)


@attrs.frozen(kw_only=True)
class RenderedTable:
    """A table's rows as the source renders them."""

    source: TableClause
    """The table, qualified by its database."""
    columns: tuple[RenderedColumn, ...]
    """In the order of the fields; with a salt, the last one is the digest of the others."""
    salt: bytes | None = None
    """The salt of the rows' digests; None when they have none."""
    key: tuple[int, ...] = ()
    """The numbers of the primary key's columns, in its order; empty for a table without one."""

    @property
    def may_trust(self) -> bool:
        """Whether `trusting` would leave any proof to PostgreSQL."""
        return any(each.may_trust for each in self.columns)

    def trusting(self) -> RenderedTable:
        """Give the same rows without the proofs, where PostgreSQL refuses what they find."""
        return attrs.evolve(self, columns=tuple(each.trusting() for each in self.columns))

    def row(self) -> ColumnElement[Any]:
        """Build the expression that renders a whole row, its end mark included.

        Returns:
            A binary string; a field that the server could not compute is missing from it, never empty.
        """
        if self.salt is not None:
            return self._row_with_digest(self.salt)
        # The row's end follows another byte string, so that it is no field of its own.
        *front, last = (each.expression for each in self.columns)
        return func.concat_ws(literal(FIELD), *front, func.concat(last, literal(ROW)))

    def digest(self) -> ColumnElement[Any]:
        """Build the digest of a row.

        Returns:
            A signed 64-bit number; NULL when the server could not compute a field.

        Raises:
            PlanRefused: the rows have no digests.
        """
        if self.salt is None:
            raise PlanRefused(f"table `{self.source.name}` is rendered without digests")
        return digest_of(self._digested(), self.salt)

    def _row_with_digest(self, salt: bytes) -> ColumnElement[Any]:
        if self._large():
            fields, digest = [each.expression for each in self.columns[:-1]], self.columns[-1].expression
        else:
            fields, digested = self._rendered_once()
            digest = digest_of(func.concat_ws(literal(FIELD), *digested), salt)
        return func.concat(func.concat_ws(literal(FIELD), *fields), literal(FIELD), digest, literal(ROW))

    def _rendered_once(self) -> tuple[list[ColumnElement[Any]], list[ColumnElement[Any]]]:
        """Build the fields of a row, and those of its digest, which takes what both have in common from variables.

        Rendering is the cost. The server computes arguments from left to right, so the row comes first.
        """
        row: list[ColumnElement[Any]] = []
        digest: list[ColumnElement[Any]] = []
        for same, group in groupby(self.columns[:-1], key=lambda each: each.is_digested_as_rendered):
            columns = tuple(group)
            if same:
                kept: ColumnElement[Any] = literal_column(f"@etlkit_{columns[0].number}")
                row.append(
                    kept.op(":=")(func.concat_ws(literal(FIELD), *(each.expression for each in columns)))
                )
                digest.append(kept)
            else:
                row += [each.expression for each in columns]
                digest += self._digested_fields(columns)
        return row, digest

    def _digested_fields(self, columns: Sequence[RenderedColumn]) -> list[ColumnElement[Any]]:
        fields: list[ColumnElement[Any]] = []
        left = list(columns)
        while left:
            each = left.pop(0)
            if not each.as_number:
                # Without proofs, since the digest notices a change just as well.
                fields.append(each.expression if each.unproven is None else each.unproven)
                continue
            both = (
                bool(left) and left[0].as_number and not each.column.nullable and not left[0].column.nullable
            )
            second = self.source.c[left.pop(0).column.name] if both else None
            fields.append(forms.as_bytes(self.source.c[each.column.name], each.column, second))
        return fields

    def _digested(self) -> ColumnElement[Any]:
        large = self._large()
        small = self._digested_fields([each for each in self.columns[:-1] if each not in large])
        row: ColumnElement[Any] = func.concat_ws(literal(FIELD), literal(NULL), *small)
        if not large:
            return func.concat_ws(literal(FIELD), *small)
        # CONCAT and not CONCAT_WS: a value that cannot be computed must make the digest NULL, not be passed over.
        digests = [part for each in large for part in (literal(FIELD), _large_digest(each, self.source))]
        return func.concat(row, *digests)

    def _large(self) -> list[RenderedColumn]:
        return [each for each in self.columns[:-1] if each.column.data_type in MAY_EXCEED_A_PACKET]

    def rows(self) -> ColumnElement[Any]:
        """Build the expression that renders all rows of a chunk into one value.

        Returns:
            A binary string, cut silently at `group_concat_max_len`: compare the end marks with COUNT(*).
        """
        return func.group_concat(self.row().op("SEPARATOR")(_EMPTY))


def render(
    analysis: TableAnalysis,
    database: str,
    conversions: Mapping[str, Conversion] | None = None,
    types: Mapping[str, str] | None = None,
    *,
    without: Collection[str] = (),
    policies: Mapping[str, Policy] | None = None,
    variants: Mapping[str, str] | None = None,
    secret: str | None = None,
) -> RenderedTable:
    """Decide how each column of a table is rendered.

    Args:
        analysis: the table.
        database: the source database that holds it.
        conversions: by column name, the conversion to apply instead of the plain rendering.
        types: by column name, the PostgreSQL type to use instead of the one that follows from column and conversion.
        without: columns that are not read, though conditions and keys may name them.
        policies: by column name, what becomes of values that PostgreSQL cannot hold, where that was chosen.
        variants: by column name, what else decides what the conversion makes.
        secret: the deployment's own, for tables whose rows are kept with a digest; None for others.

    Returns:
        The table's other columns in their order, INVISIBLE and generated ones included.

    Raises:
        PlanRefused: a column without a conversion has a type that is not in etlkit's table of types.
    """
    chosen, other_types = conversions or {}, types or {}
    source = table(
        quoted(analysis.name),
        *(column(quoted(each.name)) for each in analysis.columns),
        schema=quoted(database),
    )
    rendered = []
    for number, each in enumerate(each for each in analysis.columns if each.name not in without):
        value: ColumnElement[Any] = source.c[each.name]
        conversion = chosen.get(each.name)
        if conversion is None:
            if not forms.is_known(each):
                raise PlanRefused(
                    f"table `{analysis.name}`: column `{each.name}` is a {each.data_type}, a type that etlkit cannot "
                    "render; name a conversion for it in `column_overrides`"
                )
            as_bytes = other_types.get(each.name, "").lower() == "bytea"
            expression = forms.plain(value, each, number, as_bytes=as_bytes)
            kind = target_type(each)
        else:
            expression = forms.converted(value, each, number, conversion)
            kind = conversion.target_type(each)
        rendered.append(
            RenderedColumn(
                column=each,
                number=number,
                target_type=other_types.get(each.name, kind),
                expression=expression,
                conversion=conversion.name if conversion else None,
                variant=(variants or {}).get(each.name, ""),
                policy=(policies or {}).get(each.name),
                # Another type than the conversion's may take what that would refuse.
                raw=value if conversion is None and each.data_type in BINARY_TYPES else None,
                unproven=None
                if conversion and each.name in other_types
                else forms.unproven(value, each, conversion),
            )
        )
    numbers = {each.column.name: each.number for each in rendered}
    key = tuple(numbers[name] for name in analysis.primary_key if name in numbers)
    made = RenderedTable(source=source, columns=tuple(rendered), key=key)
    return made if secret is None else with_digest(made, secret)


def with_digest(made: RenderedTable, secret: str) -> RenderedTable:
    """Add the digest of each row to a table's rows.

    Args:
        made: the rows.
        secret: what makes these digests other ones than those of the same rows elsewhere.

    Returns:
        The same rows with a last column more.
    """
    salt = salt_of(secret, made.columns)
    last = RenderedColumn(column=DIGEST, number=len(made.columns), target_type="bigint", expression=null())
    salted = attrs.evolve(made, columns=(*made.columns, last), salt=salt)
    return attrs.evolve(salted, columns=(*made.columns, attrs.evolve(last, expression=salted.digest())))


def _large_digest(of: RenderedColumn, source: TableClause) -> ColumnElement[Any]:
    if of.raw is None:
        return func.md5(of.expression)
    # The bytes themselves: as hexadecimal digits they would be twice as many.
    value: ColumnElement[Any] = source.c[of.column.name]
    return func.if_(value.is_(None), literal(NULL), func.md5(of.raw))


def quoted(name: str) -> quoted_name:
    """Have a name quoted wherever it stands in a statement.

    Args:
        name: of a table, a column or a database.

    Returns:
        The name.
    """
    # Always: which words are reserved differs between servers and their versions.
    return quoted_name(name, quote=True)
