"""Settings: everything a deployment's folder says, read once and frozen."""

from __future__ import annotations

import logging
import os
import shlex
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Annotated, Any

import attrs

from etlkit.config.environment import expand, read_dotenv
from etlkit.config.masking import MaskingSettings
from etlkit.config.problems import Problem, ProblemsFound, report
from etlkit.config.structure import structure
from etlkit.config.tables import TABLES_FILE, TableConfig, read_tables
from etlkit.config.types import (
    ColumnOverride,
    DriftSettings,
    Matching,
    PluginSettings,
    ReplicaSettings,
    RunSettings,
    SourceSettings,
    TableChoice,
    WarehouseSettings,
    frozen_mapping,
)
from etlkit.config.yaml_reader import read_yaml
from etlkit.errors import ConfigurationError
from etlkit.suggestions import suggestion

SETTINGS_FILE = "etlkit.yml"
"""The file's name in a deployment's folder."""

_log = logging.getLogger("etlkit.config")


@attrs.frozen(kw_only=True)
class Settings:
    """A deployment: its servers, its plugins, its tables."""

    deployment: Annotated[
        str, Matching(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,62}", "a name of letters, digits, `_`, `.` and `-`")
    ]
    """The deployment's name; it marks its records in the warehouse."""
    source: SourceSettings
    """The clinic's database."""
    replica: ReplicaSettings | None = None
    """A MySQL or MariaDB copy between source and warehouse; most deployments have none."""
    warehouse: WarehouseSettings
    """The PostgreSQL database."""
    plugins: PluginSettings = attrs.field(factory=PluginSettings)
    """Which plugins are used, and in which order."""
    run: RunSettings = attrs.field(factory=RunSettings)
    """How `etlkit run` works."""
    drift: DriftSettings = attrs.field(factory=DriftSettings)
    """What happens when a source table changes its shape."""
    masking: MaskingSettings = attrs.field(factory=MaskingSettings)
    """How values that identify people are kept from leaving the source."""
    tables: Mapping[str, TableChoice] = attrs.field(factory=dict, converter=frozen_mapping)
    """Choices by table, spelled as in the source; they win over `tables.yml`."""
    folder: Path = attrs.field(default=Path(), metadata={"in_file": False})
    """The deployment's folder."""
    analyzed: Mapping[str, TableConfig] = attrs.field(
        factory=dict, converter=frozen_mapping, repr=False, metadata={"in_file": False}
    )
    """What `tables.yml` says, by table; empty before the first `etlkit analyze`."""

    @classmethod
    def load(cls, folder: Path, env: Mapping[str, str] | None = None) -> Settings:
        """Read `etlkit.yml`, `.env` and `tables.yml` of a deployment's folder.

        Args:
            folder: the deployment's folder.
            env: the environment; by default the process's own. It wins over `.env`.

        Returns:
            The settings.

        Raises:
            ConfigurationError: with every problem of the first file that has any.
        """
        path = folder / SETTINGS_FILE
        if not os.path.lexists(path):
            init = f"etlkit init -C {shlex.quote(str(folder))}"
            raise ConfigurationError(f"{path}: is not there; `{init}` writes one")
        values = read_dotenv(folder / ".env") | dict(os.environ if env is None else env)
        root, problems = expand(read_yaml(path), values)
        unresolved = {each.line for each in problems}
        settings: Settings | None = None
        try:
            settings = structure(root, cls, folder)
        except ProblemsFound as found:
            # A line whose reference is unknown is one problem, not two.
            problems.extend(each for each in found.problems if each.line not in unresolved)
        if problems or settings is None:
            raise report(path, problems or [Problem(line=None, text="cannot be understood")])
        return attrs.evolve(settings, folder=folder, analyzed=_analyzed(folder / TABLES_FILE))

    def choice(self, table: str) -> TableChoice:
        """Give a person's choices about a table.

        Args:
            table: as the source spells it.

        Returns:
            What `etlkit.yml` says; nothing chosen when it does not name the table.
        """
        return self.tables.get(table, TableChoice())

    def get_table_config(self, table: str) -> TableConfig:
        """Give a table's configuration: `tables.yml`, with the choices of `etlkit.yml` laid over it.

        Args:
            table: as the source spells it.

        Returns:
            The configuration. A table that neither file names gives a warning in the log and the defaults.
        """
        if table not in self.analyzed and table not in self.tables:
            _log.warning(
                "table `%s` is in neither %s nor %s (%s); the defaults are used",
                table,
                TABLES_FILE,
                SETTINGS_FILE,
                suggestion(table, self.analyzed) if self.analyzed else "`etlkit analyze` has not been run",
            )
        return _overlaid(self.analyzed.get(table, TableConfig()), self.choice(table))

    def list_tables(self) -> list[str]:
        """List the tables to load.

        Returns:
            The names in `tables.yml` by name, without those that `etlkit.yml` excludes.
        """
        return sorted(name for name in self.analyzed if not self.choice(name).exclude)

    def get_tables_by_importance(self, level: str) -> list[str]:
        """List the tables of one level, choices of `etlkit.yml` included.

        Args:
            level: such as `critical`.

        Returns:
            Their names, sorted.
        """
        return [name for name in self.list_tables() if self.get_table_config(name).table_importance == level]

    def should_use_incremental(self, table: str) -> bool:
        """Say whether only changed rows of a table are read.

        Args:
            table: as the source spells it.

        Returns:
            True if there is a cursor and the strategy is `incremental` or its name ends in `_incremental`.
        """
        config = self.get_table_config(table)
        incremental = f"_{config.extraction_strategy}".endswith("_incremental")
        return incremental and config.incremental_column is not None

    def unknown_choices(self, known: Iterable[str]) -> list[str]:
        """Word a warning for each table that `etlkit.yml` names and the source does not have.

        Args:
            known: the source's tables.

        Returns:
            One sentence per table, with the nearest name.
        """
        names = set(known)
        return [
            f"{self.folder / SETTINGS_FILE}: `tables.{name}` is no table of the source"
            + (f" ({hint})" if (hint := suggestion(name, names)).startswith("did") else "")
            for name in sorted(set(self.tables) - names)
        ]


def _analyzed(path: Path) -> Mapping[str, TableConfig]:
    if not os.path.lexists(path):
        return {}
    try:
        return read_tables(path)
    except ConfigurationError as error:
        wrong = error.message
    raise ConfigurationError(
        f"{wrong}\n{path}: is written by `etlkit analyze`; move it away and analyse again"
    )


def _overlaid(config: TableConfig, choice: TableChoice) -> TableConfig:
    changes: dict[str, Any] = {
        name: value
        for name in (
            "extraction_strategy",
            "incremental_column",
            "batch_size",
            "table_importance",
            "reconcile",
            "is_modeled",
        )
        if (value := getattr(choice, name)) is not None
    }
    watched = attrs.asdict(choice.monitoring, filter=lambda _, value: value is not None)
    overrides = dict(config.column_overrides)
    for column, override in choice.column_overrides.items():
        given = attrs.asdict(override, recurse=False, filter=lambda _, value: value is not None)
        if not override.options and override.conversion is None:
            del given["options"]
        overrides[column] = attrs.evolve(overrides.get(column, ColumnOverride()), **given)
    reasons = dict(config.reasons)
    for key, name in (
        ("strategy", "extraction_strategy"),
        ("cursor", "incremental_column"),
        ("importance", "table_importance"),
    ):
        if name in changes:
            reasons[key] = f"chosen in {SETTINGS_FILE}"
    return attrs.evolve(
        config,
        **changes,
        monitoring=attrs.evolve(config.monitoring, **watched),
        column_overrides=overrides,
        reasons=reasons,
    )
