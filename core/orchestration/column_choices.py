"""What a table's columns become: conversions, types and policies by column, as configuration and plugins decide."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping

import attrs

from etlkit.config import ColumnOverride, Secret, TableConfig
from etlkit.contracts import Conversion, Effect
from etlkit.discovery.asking import configured_conversion, matching_conversion
from etlkit.errors import ConfigurationError, PlanRefused
from etlkit.keyed_hash import fingerprint
from etlkit.loading.shapes import Shape
from etlkit.loading.target import target_name
from etlkit.registry import Registry
from etlkit.suggestions import suggestion
from etlkit.tables import Column, TableAnalysis
from etlkit.transfer.chosen_types import changes_values
from etlkit.transfer.policies import Policy, checked_policy
from etlkit.transfer.target_types import target_type

_PG_TYPE = re.compile(r"[a-z][a-z0-9_ ]*(\(\d+(,\s*\d+)?\))?[a-z ]*(\[\])?", re.IGNORECASE)


@attrs.frozen(kw_only=True)
class ColumnChoices:
    """What was chosen of one table's columns, each by column name."""

    conversions: Mapping[str, Conversion]
    """Conversions to apply, those that leave columns out among them."""
    types: Mapping[str, str]
    """PostgreSQL types that a person chose."""
    variants: Mapping[str, str]
    """What else decides what a conversion makes: its options, and which key it uses."""
    policies: Mapping[str, Policy]
    """What becomes of values that PostgreSQL cannot hold, where that was chosen."""

    @property
    def absent(self) -> frozenset[str]:
        """Columns that are not read."""
        return frozenset(name for name, each in self.conversions.items() if each.effect is Effect.ABSENT)

    @property
    def hidden(self) -> frozenset[str]:
        """Columns whose own values must not leave the source."""
        return frozenset(name for name, each in self.conversions.items() if each.hides)


def column_choices(
    table: TableAnalysis,
    config: TableConfig,
    registry: Registry,
    key: Callable[[], Secret | None],
    *,
    asked: Collection[str] = (),
    there: Callable[[], Shape | None] = lambda: None,
) -> ColumnChoices:
    """Find out what a table's columns become.

    Args:
        table: the table.
        config: its configuration, with what was decided about columns.
        registry: the conversions.
        key: gives the masking key; only called where a conversion needs it.
        asked: columns that a person decided about; conversions of others applied by themselves when it was analysed.
        there: gives the warehouse's table; only called where a conversion applies by itself.

    Returns:
        The choices.

    Raises:
        ConfigurationError: a choice names a conversion or column that is not there, or cannot be meant.
        PlanRefused: a conversion cannot serve the table, or would make its rows' keys the same.
        PluginError: a plugin's function failed.
    """
    conversions: dict[str, Conversion] = {}
    types: dict[str, str] = {}
    variants: dict[str, str] = {}
    for name, override in config.column_overrides.items():
        column = table.column(name)
        if column is None:
            raise ConfigurationError(
                f"`tables.{table.name}.column_overrides` names the column `{name}`, which the table does not "
                f"have; {suggestion(name, [each.name for each in table.columns])}"
            )
        made = _named(table, name, override, registry)
        if made is not None and (name in asked or not _loaded_plain(column, made, there)):
            conversions[name] = made
            variants[name] = _variant(table, name, made, override, key)
        if override.pg_type is not None:
            types[name] = _checked_type(table, name, override, converted=name in conversions)
    for column in table.columns:
        made = None if column.name in config.column_overrides else _matching(table, column, registry)
        if made is not None and not _loaded_plain(column, made, there):
            conversions[column.name] = made
            variants[column.name] = _variant(table, column.name, made, ColumnOverride(), key)
    _check_key(table, conversions)
    return ColumnChoices(
        conversions=conversions,
        types=types,
        variants={name: each for name, each in variants.items() if each},
        policies=_policies(table, config, conversions),
    )


def _named(
    table: TableAnalysis, name: str, override: ColumnOverride, registry: Registry
) -> Conversion | None:
    if override.conversion is None:
        if override.options:
            raise ConfigurationError(
                f"`tables.{table.name}.column_overrides.{name}` has `options` and no `conversion`; name the conversion "
                "that they are for"
            )
        return None
    named = configured_conversion(table, registry.conversion(override.conversion), override.options).item
    return None if named.effect is Effect.PLAIN else named


def _matching(table: TableAnalysis, column: Column, registry: Registry) -> Conversion | None:
    found = matching_conversion(table, column, registry.conversions)
    # What accepts some values only waits until `analyze` has looked at them, and written down that it applies.
    if found is None or found.item.accepts is not None:
        return None
    return configured_conversion(table, found, {}).item


def _loaded_plain(column: Column, conversion: Conversion, there: Callable[[], Shape | None]) -> bool:
    """Tell whether the warehouse has a column with its plain type, as before the conversion was there.

    A type does not change by itself, and would be refused as drift: `analyze` says how a person changes it.
    """
    if conversion.hides or conversion.effect is not Effect.COMPUTED:
        return False
    known, plain = there(), target_type(column)
    type_there = None if known is None else known.types.get(target_name(column.name))
    return type_there == plain and conversion.target_type(column) != plain


def _variant(
    table: TableAnalysis,
    column: str,
    conversion: Conversion,
    override: ColumnOverride,
    key: Callable[[], Secret | None],
) -> str:
    said = [f"{name}={override.options[name]}" for name in sorted(override.options)]
    if conversion.keyed:
        secret = key()
        if secret is None:
            raise ConfigurationError(
                f"conversion {conversion.name} of `{table.name}.{column}` needs a key; give it by `key`, `key_file` or "
                "`key_command` of the section `masking` in etlkit.yml"
            )
        said.append(f"key {fingerprint(secret)}")
    return "; ".join(said)


def _check_key(table: TableAnalysis, conversions: Mapping[str, Conversion]) -> None:
    for name in table.primary_key:
        conversion = conversions.get(name)
        if conversion is not None and conversion.hides and not conversion.lossless:
            raise PlanRefused(
                f"table `{table.name}`: conversion {conversion.name} would make keys of different rows the same, and "
                f"column `{name}` is in the primary key; choose `hmac` or `keep` for it"
            )


def _policies(
    table: TableAnalysis, config: TableConfig, conversions: Mapping[str, Conversion]
) -> Mapping[str, Policy]:
    chosen = {}
    for column in table.columns:
        policy = config.column_overrides.get(column.name, ColumnOverride()).policy
        if policy is not None:
            where = f"tables.{table.name}.column_overrides.{column.name}.policy"
            chosen[column.name] = checked_policy(
                where, column, policy, converted=column.name in conversions, key=table.primary_key
            )
    return chosen


def _checked_type(
    table: TableAnalysis, name_of_column: str, override: ColumnOverride, *, converted: bool
) -> str:
    name, column = str(override.pg_type), table.column(name_of_column)
    where = f"`tables.{table.name}.column_overrides.{name_of_column}.pg_type`"
    if not _PG_TYPE.fullmatch(name):
        raise ConfigurationError(f"{where} must be a PostgreSQL type such as `numeric(12,2)` (got `{name}`)")
    if column is not None and not converted and changes_values(column, name):
        raise ConfigurationError(
            f"{where} is `{name}`, into which PostgreSQL would round or cut values of a {column.column_type} without a "
            "word; choose a type that holds all of them, or name a conversion that says what becomes of them"
        )
    return name
