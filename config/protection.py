"""Who decided what about a column: a person in `etlkit.yml`, else the rules of `masking.preset`, else nobody.

In a protected table a column that nobody decided about is not read, and neither is the table.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Self

import attrs

from etlkit.config.presets import Preset, read_preset
from etlkit.config.settings import Settings
from etlkit.config.types import ColumnOverride, TableChoice
from etlkit.tables import TableAnalysis

_UNDECIDED = ColumnOverride()


@attrs.define(kw_only=True, slots=False)
class Protection:
    """The decisions of one deployment about columns."""

    choices: Mapping[str, TableChoice] = attrs.field(factory=dict)
    """A person's, by table."""
    preset_name: str | None = None
    """The preset, if any."""

    @classmethod
    def of(cls, settings: Settings) -> Self:
        """Take what a deployment says.

        Args:
            settings: the deployment's.
        """
        return cls(choices=settings.tables, preset_name=settings.masking.preset)

    @cached_property
    def preset(self) -> Preset | None:
        """The preset's rules; None without one."""
        return None if self.preset_name is None else read_preset(self.preset_name)

    def protects(self, table: TableAnalysis) -> bool:
        """Tell whether a table waits for decisions.

        Args:
            table: the table.

        Returns:
            What a person chose; else whether it is one of those that the preset is about.
        """
        chosen = self.choices.get(table.name, TableChoice()).protected
        return self.preset is not None and self.preset.concerns(table) if chosen is None else chosen

    def overrides(self, table: TableAnalysis) -> Mapping[str, ColumnOverride]:
        """Give what was decided and chosen about a table's columns, without `tables.yml`.

        Args:
            table: the table.

        Returns:
            By column; those that a person names and the table does not have are among them.
        """
        chosen = dict(self.choices.get(table.name, TableChoice()).column_overrides)
        if self.preset is None:
            return chosen
        protected = self.protects(table)
        for column in table.columns:
            override = chosen.get(column.name, _UNDECIDED)
            rule = self.preset.decision(table, column, protected=protected)
            if override.conversion is None and rule is not None:
                chosen[column.name] = attrs.evolve(override, conversion=rule.conversion, options=rule.options)
        return chosen

    def undecided(self, table: TableAnalysis) -> tuple[str, ...]:
        """Find the columns of a protected table that nobody decided about.

        Args:
            table: the table.

        Returns:
            Their names, in the table's order; none for a table that is not protected.
        """
        if not self.protects(table):
            return ()
        decided = self.overrides(table)
        return tuple(
            each.name for each in table.columns if decided.get(each.name, _UNDECIDED).conversion is None
        )


def undecided_words(table: str, columns: tuple[str, ...]) -> str:
    """Word that a protected table waits for decisions.

    Args:
        table: its name.
        columns: at least one that nobody decided about.

    Returns:
        The message.
    """
    what = "its column" if len(columns) == 1 else "its columns"
    listed = ", ".join(f"`{each}`" for each in columns)
    return (
        f"table `{table}` is protected, and nobody decided about {what} {listed}: nothing of it is read; "
        f"decide in etlkit.yml by `tables: {{{table}: {{column_overrides: {{{columns[0]}: {{conversion: keep}}}}}}}}`, "
        "or `drop`, `null`, `mask`, `hmac` or another conversion instead of `keep`"
    )
