"""`tables.yml`: one stable form, read back as it was written."""

from __future__ import annotations

from pathlib import Path

import pytest

from etlkit.config import (
    ColumnOverride,
    Monitoring,
    TableConfig,
    TablesMetadata,
    read_tables,
    read_tables_file,
    render_tables,
    write_tables,
)
from etlkit.errors import ConfigurationError, ConfigurationGenerationError

FULL = TableConfig(
    incremental_column="no",
    batch_size=3000,
    extraction_strategy="incremental",
    table_importance="critical",
    estimated_size_mb=378.25,
    estimated_rows=800_000,
    dependencies=("patient", "null"),
    schema_hash="0" * 64,
    last_analyzed="2024-01-31T22:00:00+00:00",
    analysis_version="3.10",
    is_modeled=True,
    column_overrides={"ü: #": ColumnOverride(conversion="22:00"), "1": ColumnOverride(policy="null")},
    monitoring=Monitoring(alert_on_failure=True, max_extraction_time_minutes=38, data_quality_threshold=0.99),
    primary_key=("ProcNum",),
    reconcile="daily",
    reasons={"strategy": "under 100 MB: `incremental`", "cursor": "'quoted' \"both\" \\ #"},
)
NAMES = [
    "row",
    "no",
    "1",
    "0x1F",
    "null",
    "~",
    "ünï😀",
    "a b",
    "a: b",
    "#",
    "'",
    '"',
    "Patient",
    "patient",
    "<<",
    "*x",
]


def test_round_trip(tmp_path: Path) -> None:
    """What is written is read back equal, whatever the tables are called."""
    path = tmp_path / "tables.yml"
    tables = dict.fromkeys(NAMES, FULL)
    metadata = TablesMetadata(source_database="010", timestamp="2024-01-31T22:00:00Z", analysis_version="1")
    write_tables(path, tables, metadata)
    assert tables == read_tables(path)
    assert metadata == read_tables_file(path).metadata


def test_stable_text() -> None:
    """Tables come by name and keys in a fixed order, whatever the order they were given in."""
    one = render_tables({"b": TableConfig(reasons={"y": "1", "x": "2"}), "a": TableConfig()})
    two = render_tables({"a": TableConfig(), "b": TableConfig(reasons={"x": "2", "y": "1"})})
    assert one == two
    assert """\
# Written by `etlkit analyze`, and again by each later one: do not edit.
# Your own choices go under `tables:` in etlkit.yml; they win.
metadata:
  source_database: ''
  timestamp: null
  analysis_version: ''
tables:
  a:
    incremental_column: null
    batch_size: 5000
    extraction_strategy: full_table
    table_importance: standard
    estimated_size_mb: 0.0
    estimated_rows: 0
    dependencies: []
    schema_hash: ''
    last_analyzed: null
    analysis_version: ''
    is_modeled: false
    column_overrides: {}
    monitoring:
      alert_on_failure: false
      max_extraction_time_minutes: 30
      data_quality_threshold: 0.95
    primary_key: []
    reconcile: never
    reasons: {}
# The end of 1 table.
""" == render_tables({"a": TableConfig()})


def test_dict_and_back() -> None:
    """The plain form holds every key, belongs to the caller, and makes the same value again."""
    entry = FULL.as_dict()
    assert ["conversion"] == list(entry["column_overrides"]["ü: #"])
    assert FULL == TableConfig.from_dict(entry)
    entry["reasons"]["x"] = "y"
    assert "x" not in FULL.reasons


def test_replaced_whole(tmp_path: Path) -> None:
    """A new file takes the old one's place in one step and leaves nothing beside it."""
    path = tmp_path / "tables.yml"
    write_tables(path, {"a": TableConfig()})
    before = path.stat().st_ino
    write_tables(path, {"b": TableConfig()})
    assert before != path.stat().st_ino
    assert [path] == list(tmp_path.iterdir())
    assert 0o644 == path.stat().st_mode & 0o777


def test_not_writable(tmp_path: Path) -> None:
    """A folder that is not there answers with a sentence."""
    path = tmp_path / "none" / "tables.yml"
    with pytest.raises(ConfigurationGenerationError) as caught:
        write_tables(path, {})
    assert (
        f"{path}: cannot be written (No such file or directory); make the folder writable and try again"
    ) == str(caught.value)


def test_problems(tmp_path: Path) -> None:
    """A damaged file is told with line, expectation and nearest name."""
    path = tmp_path / "tables.yml"
    path.write_text("tables:\n  a:\n    batch_sice: 1\n    estimated_rows: -3\n  b: {primary_key: PatNum}\n")
    with pytest.raises(ConfigurationError) as caught:
        read_tables(path)
    assert (
        f"{path}:3: `tables.a` has no key `batch_sice` (did you mean `batch_size`?)\n"
        f"{path}:4: `tables.a.estimated_rows` must be a whole number of at least 0 (got `-3`)\n"
        f"{path}:5: `tables.b.primary_key` must be a list (got `PatNum`)"
    ) == str(caught.value)
