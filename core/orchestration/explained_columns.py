"""What each column of a table becomes, who decided it, and which conversions were asked before."""

from __future__ import annotations

import attrs

from etlkit.config import SETTINGS_FILE, TABLES_FILE, ColumnOverride, Settings
from etlkit.config.places import place_of
from etlkit.config.protection import Protection
from etlkit.contracts import Conversion, Effect
from etlkit.discovery.asking import configured_conversion
from etlkit.discovery.opinions import Voice, match_for
from etlkit.errors import EtlkitError, PluginError
from etlkit.orchestration.column_choices import ColumnChoices
from etlkit.providers import Provided
from etlkit.registry import Registry
from etlkit.tables import Column, TableAnalysis
from etlkit.transfer.target_types import target_type

PLUGINS = "plugins"
"""Decided by the plugins just now, as `etlkit analyze` would."""
PRESET = "masking.preset"
"""Decided by the rules of a preset, which `etlkit.yml` switches on."""

_NOTHING = ColumnOverride()


@attrs.frozen(kw_only=True)
class ExplainedColumn:
    """What one column becomes."""

    column: str
    """Its name."""
    type: str | None
    """Its PostgreSQL type; None where it is not loaded, or nobody can tell."""
    decided_by: str
    """`etlkit.yml`, `masking.preset`, `tables.yml`, `plugins` (a conversion that applies by itself) or `default`."""
    line: int | None = None
    """The line in that file."""
    conversion: Voice | None = None
    """The conversion; None for the plain type."""
    masks: bool = False
    """Whether the column's own values stay in the source."""
    loaded: bool = True
    """Whether the column is read."""
    reason: str | None = None
    """One sentence, where there is one: what `etlkit analyze` found, or which rule of the preset it is."""
    applies: bool = True
    """False for a conversion that nobody asked for and that waits: for a look at the values, or for a person."""
    asked_before: tuple[str, ...] = ()
    """Names of the conversions that were asked whether they apply by themselves, and passed, in order."""


def explained_columns(
    table: TableAnalysis, settings: Settings, registry: Registry, chosen: ColumnChoices | None = None
) -> tuple[ExplainedColumn, ...]:
    """Tell what the columns of a table become.

    Args:
        table: the table.
        settings: the deployment's, whose `analyzed` has an entry for the table.
        registry: the conversions.
        chosen: what a load would use; None where it cannot be planned.

    Returns:
        One for each column, in the table's order.

    Raises:
        PluginError: a conversion failed.
    """
    explainer = _Explainer(
        table=table, settings=settings, registry=registry, protection=Protection.of(settings)
    )
    return tuple(_waiting(column, explainer.explained(column), chosen, registry) for column in table.columns)


def _waiting(
    column: Column, found: ExplainedColumn, chosen: ColumnChoices | None, registry: Registry
) -> ExplainedColumn:
    """Find out whether a conversion that nobody asked for is used by loads already."""
    if chosen is None or found.conversion is None or found.decided_by not in (TABLES_FILE, PLUGINS):
        return found
    conversion = registry.conversion(found.conversion.name).item
    if column.name in chosen.conversions or conversion.effect is not Effect.COMPUTED:
        return found
    looking = found.decided_by == PLUGINS and conversion.accepts is not None
    why = (
        "It does not apply before `etlkit analyze` has looked at the values."
        if looking
        else "It does not apply: the warehouse has the column with its plain type, and no type changes by itself."
    )
    return attrs.evolve(found, type=target_type(column), applies=False, reason=why)


@attrs.frozen(kw_only=True)
class _Explainer:
    table: TableAnalysis
    settings: Settings
    registry: Registry
    protection: Protection

    def explained(self, column: Column) -> ExplainedColumn:
        name = column.name
        person = self.settings.choice(self.table.name).column_overrides.get(name)
        decided = self.protection.overrides(self.table).get(name)
        analysed = self.settings.analyzed[self.table.name]
        if person is not None and (decided is None or decided.conversion == person.conversion):
            return self._decided(column, person, SETTINGS_FILE)
        if decided is not None:
            return attrs.evolve(self._decided(column, decided, PRESET), reason=self._rule(column))
        if (written := analysed.column_overrides.get(name)) is not None:
            made = self._decided(column, written, TABLES_FILE)
            # What stands there was found by asking, in the same order.
            asked = match_for(self.table, column, self.registry)
            same = asked.by is not None and asked.by == made.conversion
            return attrs.evolve(
                made,
                reason=made.reason or analysed.reasons.get(f"type {name}"),
                asked_before=asked.before if same else (),
            )
        return self._by_itself(column)

    def _by_itself(self, column: Column) -> ExplainedColumn:
        found = match_for(self.table, column, self.registry)
        if found.conversion is None:
            return ExplainedColumn(
                column=column.name,
                type=target_type(column),
                decided_by="default",
                asked_before=found.before,
            )
        made = self._made(column, found.conversion, _NOTHING, PLUGINS)
        return attrs.evolve(made, asked_before=found.before)

    def _decided(self, column: Column, override: ColumnOverride, decided_by: str) -> ExplainedColumn:
        line = None if decided_by == PRESET else self._line(decided_by, column.name)
        if override.conversion is None:
            kind = override.pg_type or target_type(column)
            return ExplainedColumn(column=column.name, type=kind, decided_by=decided_by, line=line)
        named = {each.item.name: each for each in self.registry.conversions}.get(override.conversion)
        if named is None:
            reason = f"No plugin provides the conversion `{override.conversion}`."
            return ExplainedColumn(
                column=column.name, type=None, decided_by=decided_by, line=line, reason=reason
            )
        return attrs.evolve(self._made(column, named, override, decided_by), line=line)

    def _made(
        self, column: Column, provided: Provided[Conversion], override: ColumnOverride, decided_by: str
    ) -> ExplainedColumn:
        by = Voice.of(provided)
        try:
            conversion = configured_conversion(self.table, provided, override.options).item
            kind = override.pg_type or (
                target_type(column) if conversion.effect is Effect.PLAIN else conversion.target_type(column)
            )
        except PluginError:
            raise
        except EtlkitError as refusal:
            return ExplainedColumn(
                column=column.name, type=None, decided_by=decided_by, conversion=by, reason=refusal.message
            )
        loaded = conversion.effect is not Effect.ABSENT
        return ExplainedColumn(
            column=column.name,
            type=kind if loaded else None,
            decided_by=decided_by,
            conversion=by,
            masks=conversion.hides,
            loaded=loaded,
        )

    def _rule(self, column: Column) -> str | None:
        preset = self.protection.preset
        if preset is None:
            return None
        protected = self.protection.protects(self.table)
        rule = preset.decision(self.table, column, protected=protected)
        if rule is None:
            return None
        letters = f" ({rule.identifier})" if rule.identifier else ""
        return f"{preset.name}{letters}: {rule.what}."

    def _line(self, file: str, column: str) -> int | None:
        path = self.settings.folder / file
        return place_of(path, "tables", self.table.name, "column_overrides", column).line
