"""Presets of masking: rules about columns in a file that people can read, one file per preset, shipped with etlkit."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Literal

import attrs

from etlkit.config.problems import ProblemsFound, report
from etlkit.config.structure import structure
from etlkit.config.types import frozen_mapping
from etlkit.config.yaml_reader import read_yaml
from etlkit.tables import Column, TableAnalysis


@attrs.frozen(kw_only=True, eq=False)
class Rule:
    """What is done with some columns, and why."""

    identifier: str
    """Which identifiers of the preset's source these are: one letter or several, such as `D, F`."""
    what: str
    """What they are, in words."""
    conversion: str
    """The conversion."""
    options: Mapping[str, str] = attrs.field(factory=dict, converter=frozen_mapping)
    """The conversion's options."""
    columns: tuple[str, ...] = ()
    """Columns of any table, by name."""
    tables: Mapping[str, tuple[str, ...]] = attrs.field(factory=dict, converter=frozen_mapping)
    """Columns by table; they win over `columns`."""
    types: tuple[str, ...] = ()
    """Types of columns that no other rule names, in protected tables."""


@attrs.frozen(kw_only=True)
class Preset:
    """Rules about columns. Names are compared without regard to case, as the source's servers do."""

    name: Literal["hipaa_safe_harbor"]
    """The name used in `masking.preset`."""
    source: str
    """Where the rules come from."""
    protects_tables_with: tuple[str, ...] = ()
    """Columns that make a table a protected one."""
    rules: tuple[Rule, ...]
    """The rules; of two that name the same column, the first one counts."""
    keep_columns: tuple[str, ...] = ()
    """Columns of any table that identify nobody."""
    keep: Mapping[str, tuple[str, ...]] = attrs.field(factory=dict, converter=frozen_mapping)
    """Columns by table that identify nobody."""

    def concerns(self, table: TableAnalysis) -> bool:
        """Tell whether a table is protected by the preset.

        Args:
            table: the table.

        Returns:
            True where a rule names it, or where it has a column of `protects_tables_with`.
        """
        marks = {each.casefold() for each in self.protects_tables_with}
        named = {name.casefold() for rule in self.rules for name in rule.tables}
        return table.name.casefold() in named or any(each.name.casefold() in marks for each in table.columns)

    def decision(self, table: TableAnalysis, column: Column, *, protected: bool) -> Rule | None:
        """Find what the preset decides about a column: rules that name it, then those for its type.

        Args:
            table: the column's table.
            column: the column.
            protected: whether the table is protected; else only rules that name the column count.

        Returns:
            The rule; None where there is none.
        """
        for rule in self.rules:
            if _names(rule.tables, table.name, column.name):
                return rule
        if _names(self.keep, table.name, column.name):
            return _KEEP
        for rule in self.rules:
            if _among(rule.columns, column.name):
                return rule
        if _among(self.keep_columns, column.name):
            return _KEEP
        return next((rule for rule in self.rules if protected and column.data_type in rule.types), None)


_KEEP = Rule(identifier="", what="identifies nobody", conversion="keep")


@cache
def read_preset(name: str) -> Preset:
    """Read a preset that is shipped with etlkit.

    Args:
        name: as in `masking.preset`.

    Returns:
        Its rules.

    Raises:
        ConfigurationError: the file was damaged.
    """
    path = Path(__file__).with_name(f"{name}.yml")
    try:
        return structure(read_yaml(path), Preset, path.parent)
    except ProblemsFound as found:
        error = report(path, found.problems)
    raise error


def _names(by_table: Mapping[str, tuple[str, ...]], table: str, column: str) -> bool:
    return any(
        _among(columns, column) for name, columns in by_table.items() if name.casefold() == table.casefold()
    )


def _among(names: tuple[str, ...], name: str) -> bool:
    return name.casefold() in {each.casefold() for each in names}
