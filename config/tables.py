"""`tables.yml`: what `etlkit analyze` decided per table, read strictly and written in one stable form."""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import attrs
import cattrs
import yaml

from etlkit.config.problems import Problem, ProblemsFound, report
from etlkit.config.structure import structure
from etlkit.config.types import Between, ColumnOverride, Schedule, frozen_mapping
from etlkit.config.yaml_reader import Block, Scalar, parse_yaml, read_yaml
from etlkit.errors import ConfigurationGenerationError
from etlkit.wording import counted

TABLES_FILE = "tables.yml"
"""The file's name in a deployment's folder."""

TABLES_VERSION = "1"
"""The newest version of the analysis whose file this program reads, and the one it writes."""

_HEADER = """\
# Written by `etlkit analyze`, and again by each later one: do not edit.
# Your own choices go under `tables:` in etlkit.yml; they win.
"""
_DUMPER: Any = getattr(yaml, "CSafeDumper", yaml.SafeDumper)


@attrs.frozen(kw_only=True)
class Monitoring:
    """How a table's loads are watched."""

    alert_on_failure: bool = False
    """Whether a failed load calls for attention."""
    max_extraction_time_minutes: Annotated[int, Between(1, 10_080)] = 30
    """How many minutes a load may take."""
    data_quality_threshold: Annotated[float, Between(0, 1)] = 0.95
    """The share of rows that must arrive."""


@attrs.frozen(kw_only=True)
class TableConfig:
    """How one table is loaded; the defaults are those of a table that was never analysed."""

    incremental_column: str | None = None
    """The column that tells which rows changed; None when there is none fit."""
    batch_size: Annotated[int, Between(1, 1_000_000)] = 5000
    """Rows of the first chunk; later ones are sized by time."""
    extraction_strategy: str = "full_table"
    """The strategy's name."""
    table_importance: str = "standard"
    """The level: critical, important, reference, audit, standard, or one that a plugin knows."""
    estimated_size_mb: Annotated[float, Between(0)] = 0.0
    """Rows and indexes in MB, when it was analysed."""
    estimated_rows: Annotated[int, Between(0)] = 0
    """Rows, when it was analysed."""
    dependencies: tuple[str, ...] = ()
    """Tables that should be loaded before this one."""
    schema_hash: str = ""
    """sha256 of the definition, when it was analysed."""
    last_analyzed: str | None = None
    """When, as ISO 8601 in UTC."""
    analysis_version: str = ""
    """The version of the analysis."""
    is_modeled: bool = False
    """Whether models are built upon the table."""
    column_overrides: Mapping[str, ColumnOverride] = attrs.field(factory=dict, converter=frozen_mapping)
    """Decisions by column."""
    monitoring: Monitoring = Monitoring()
    """How its loads are watched."""
    primary_key: tuple[str, ...] = ()
    """The primary key's columns in the key's order."""
    reconcile: Schedule = "never"
    """How often the table is proven equal and mended."""
    reasons: Mapping[str, str] = attrs.field(factory=dict, converter=frozen_mapping)
    """One line each: why this `strategy`, `cursor`, `importance`, `reconcile`, and each `type <column>`."""

    def as_dict(self) -> dict[str, Any]:
        """Give the entry as it stands in the file.

        Returns:
            Plain dicts, lists, texts and numbers, in the file's order; the caller's to change.
        """
        entry: dict[str, Any] = _plain(self)
        return entry

    @classmethod
    def from_dict(cls, entry: Mapping[str, Any]) -> TableConfig:
        """Make a value of what `as_dict` gives.

        Args:
            entry: any subset of the keys.

        Returns:
            The value.

        Raises:
            cattrs.BaseValidationError: a key is unknown or a value has the wrong type.
        """
        return cattrs.Converter(forbid_extra_keys=True).structure(entry, cls)


@attrs.frozen(kw_only=True)
class TablesMetadata:
    """Of which source and when `tables.yml` was written."""

    source_database: str = ""
    """The database's name."""
    timestamp: str | None = None
    """When, as ISO 8601 in UTC."""
    analysis_version: str = ""
    """The version of the analysis."""


@attrs.frozen(kw_only=True)
class TablesFile:
    """The whole of `tables.yml`."""

    metadata: TablesMetadata = TablesMetadata()
    """Of which source, and when."""
    tables: Mapping[str, TableConfig] = attrs.field(factory=dict, converter=frozen_mapping)
    """By table."""


def read_tables_file(path: Path) -> TablesFile:
    """Read `tables.yml`.

    Args:
        path: the file.

    Returns:
        What it holds.

    Raises:
        ConfigurationError: with every problem, its line and the nearest valid name.
    """
    root = read_yaml(path)
    _check_version(path, root)
    try:
        tables = structure(root, TablesFile, path.parent)
    except ProblemsFound as found:
        error = report(path, found.problems)
    else:
        if _is_whole(path, len(tables.tables)):
            return tables
        error = report(
            path, [Problem(line=None, text="is cut off, or was changed: its last line is not what it was")]
        )
    raise error


def _check_version(path: Path, root: Block) -> None:
    metadata = root.entries.get("metadata")
    version = metadata.entries.get("analysis_version") if isinstance(metadata, Block) else None
    if not isinstance(version, Scalar) or version.absent or not version.text:
        return
    if not re.fullmatch("[0-9]{1,9}", version.text) or int(version.text) > int(TABLES_VERSION):
        text = "was written by a newer etlkit, or changed by somebody (`analysis_version`); update etlkit"
        raise report(path, [Problem(line=version.line, text=text)])


def _is_whole(path: Path, tables: int) -> bool:
    """Say whether a file ends as it was written; one that a program of somebody else's wrote may end as it likes."""
    text = path.read_text(encoding="utf-8-sig")
    return not text.startswith(_HEADER) or text.endswith(_footer(tables))


def _footer(tables: int) -> str:
    return f"# The end of {counted(tables, 'table')}.\n"


def read_tables(path: Path) -> Mapping[str, TableConfig]:
    """Read the tables of `tables.yml`; see `read_tables_file`.

    Args:
        path: the file.

    Returns:
        The configuration by table.

    Raises:
        ConfigurationError: with every problem, its line and the nearest valid name.
    """
    return read_tables_file(path).tables


def entry_problems(entry: Mapping[str, Any]) -> list[str]:
    """Say which values of an entry are none that a file may hold, in the words that the file's reader has.

    Args:
        entry: any subset of the keys; others count as problems.

    Returns:
        One sentence for each problem; empty when there is none.
    """
    try:
        structure(parse_yaml(str(yaml.dump(_unshared(entry), Dumper=_DUMPER))), TableConfig, Path())
    except ProblemsFound as found:
        return [each.text for each in found.problems]
    except yaml.YAMLError:
        return ["the entry holds a value that YAML has no form for"]
    return []


def _unshared(value: Any) -> Any:
    # YAML writes what stands in two places as an anchor, which the reader refuses.
    if isinstance(value, Mapping):
        return {name: _unshared(each) for name, each in value.items()}
    return [_unshared(each) for each in value] if isinstance(value, list | tuple) else value


def render_tables(tables: Mapping[str, TableConfig], metadata: TablesMetadata | None = None) -> str:
    """Give the text that `write_tables` writes: tables by name, keys in a fixed order.

    Args:
        tables: the configuration by table.
        metadata: of which source, and when.

    Returns:
        The text, in YAML.
    """
    content = {
        "metadata": _plain(metadata or TablesMetadata()),
        "tables": {name: tables[name].as_dict() for name in sorted(tables)},
    }
    body = yaml.dump(
        content, Dumper=_DUMPER, sort_keys=False, allow_unicode=True, width=2**20, default_flow_style=False
    )
    return f"{_HEADER}{body}{_footer(len(tables))}"


def write_tables(
    path: Path, tables: Mapping[str, TableConfig], metadata: TablesMetadata | None = None
) -> None:
    """Write `tables.yml`: whole or not at all.

    Args:
        path: the file.
        tables: the configuration by table.
        metadata: of which source, and when.

    Raises:
        ConfigurationGenerationError: the folder cannot be written.
    """
    text = render_tables(tables, metadata)
    try:
        replace_file(path, text)
    except OSError as error:
        reason = error.strerror
    else:
        return
    raise ConfigurationGenerationError(
        f"{path}: cannot be written ({reason}); make the folder writable and try again"
    )


def replace_file(path: Path, text: str, mode: int = 0o644) -> None:
    """Put a text in a file's place in one step, so that a reader sees the old text or the new one.

    Args:
        path: the file.
        text: its new content.
        mode: its permissions.

    Raises:
        OSError: the folder cannot be written.
    """
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="\n") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        Path(name).chmod(mode)
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink()
        raise


def _plain(value: Any) -> Any:
    if isinstance(value, ColumnOverride):
        # What was not chosen is left out, and a mapping of options as YAML can write it.
        given = {each.name: getattr(value, each.name) for each in attrs.fields(ColumnOverride)}
        return {name: _plain(each) for name, each in given.items() if each is not None and each != {}}
    if attrs.has(type(value)):
        return {each.name: _plain(getattr(value, each.name)) for each in attrs.fields(type(value))}
    if isinstance(value, Mapping):
        return {name: _plain(value[name]) for name in sorted(value)}
    if isinstance(value, tuple):
        return [_plain(each) for each in value]
    return value
