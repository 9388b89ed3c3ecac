"""Which columns would not get the plain type of docs/types.md, and who wants that: a person, or a conversion itself."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import attrs
from sqlalchemy import ColumnElement

from etlkit.config import ColumnOverride
from etlkit.config.protection import undecided_words
from etlkit.contracts import Conversion, Effect
from etlkit.discovery.asking import configured_conversion, matching_conversion
from etlkit.errors import EtlkitError, PluginError
from etlkit.providers import Provided
from etlkit.registry import Registry
from etlkit.suggestions import suggestion
from etlkit.tables import Column, TableAnalysis


@attrs.frozen(kw_only=True)
class Claim:
    """One column that would not get its plain type."""

    column: Column
    """The column."""
    conversion: Provided[Conversion] | None
    """The conversion that would make its values; None when only a type was chosen."""
    asked: bool
    """Whether a person asked for it in etlkit.yml; else the conversion `matches`."""
    type: str
    """The PostgreSQL type that it would get."""

    @property
    def has_proof(self) -> bool:
        """Whether the conversion says which values it accepts."""
        return self.conversion is not None and self.conversion.item.accepts is not None

    def accepts(self, value: ColumnElement[Any]) -> ColumnElement[bool]:
        """Build the condition that each value must meet.

        Args:
            value: the column in a statement.

        Returns:
            The condition.

        Raises:
            PluginError: the conversion failed.
        """
        if self.conversion is None:
            raise ValueError("a claim without a conversion accepts every value")
        condition: ColumnElement[bool] = self.conversion.call(
            "accepts", value, self.column, expecting=ColumnElement
        )
        return condition


@attrs.frozen(kw_only=True)
class Claims:
    """Those of one table."""

    claims: tuple[Claim, ...] = ()
    """In the order of the columns."""
    problems: tuple[str, ...] = ()
    """What etlkit.yml asks for and nobody can do; a sentence each."""


def claims_of(
    table: TableAnalysis,
    asked: Mapping[str, ColumnOverride],
    registry: Registry,
    *,
    undecided: tuple[str, ...] = (),
) -> Claims:
    """Find the columns of a table that would not get their plain type.

    Args:
        table: the table.
        asked: by column, what etlkit.yml says.
        registry: the conversions.
        undecided: columns of a protected table that nobody decided about.

    Returns:
        The claims.

    Raises:
        PluginError: a conversion failed.
    """
    where = f"`tables.{table.name}.column_overrides`"
    names = [each.name for each in table.columns]
    problems = [
        f"{where} names the column `{name}`, which the table does not have; {suggestion(name, names)}"
        for name in asked
        if name not in names
    ]
    if undecided:
        problems.append(undecided_words(table.name, undecided))
    claims = []
    for column in table.columns:
        override = asked.get(column.name, ColumnOverride())
        try:
            claim = _claim(table, column, override, registry)
        except PluginError:
            raise
        except EtlkitError as refusal:
            problems.append(f"{where}: {refusal}")
            continue
        if claim is not None:
            claims.append(claim)
    return Claims(claims=tuple(claims), problems=tuple(problems))


def _claim(
    table: TableAnalysis, column: Column, override: ColumnOverride, registry: Registry
) -> Claim | None:
    asked = override.conversion is not None
    conversion = (
        registry.conversion(str(override.conversion))
        if asked
        else matching_conversion(table, column, registry.conversions)
    )
    if conversion is not None:
        conversion = configured_conversion(table, conversion, override.options)
    if conversion is not None and conversion.item.effect is not Effect.PLAIN:
        kind = conversion.call("target_type", column, expecting=str)
        return Claim(column=column, conversion=conversion, asked=asked, type=override.pg_type or kind)
    if override.pg_type is not None:
        return Claim(column=column, conversion=None, asked=True, type=override.pg_type)
    return None
