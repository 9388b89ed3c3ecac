"""docs/loading.md and docs/drift.md say what is there."""

from __future__ import annotations

import re
from pathlib import Path
from typing import get_args

import attrs
from sqlalchemy.dialects import postgresql

from etlkit.config import DriftSettings
from etlkit.contracts import Write
from etlkit.loading.ledger_tables import metadata

DOCUMENT = (Path(__file__).parents[3] / "docs" / "loading.md").read_text(encoding="utf-8")
DRIFT = (Path(__file__).parents[3] / "docs" / "drift.md").read_text(encoding="utf-8")


def section(title: str) -> str:
    """The text below a title, up to the next one."""
    return re.split(r"^#+ ", DOCUMENT.partition(f"# {title}\n")[2], maxsplit=1, flags=re.MULTILINE)[0]


def test_the_ledgers_tables() -> None:
    """Every table and column of the ledger is listed, with its type, in its order, and no other."""
    dialect = postgresql.dialect()  # type: ignore[no-untyped-call]
    for table in metadata.tables.values():
        rows = re.findall(r"^\| `(\w+)` \| ([\w ]+) \|", section(table.name), re.MULTILINE)
        types = [(column.name, column.type.compile(dialect=dialect).lower()) for column in table.columns]
        assert types == rows
    assert [table.name for table in metadata.tables.values()] == re.findall(
        r"^### (\w+)$", DOCUMENT, re.MULTILINE
    )


def test_the_drift_policies() -> None:
    """Every policy is listed with each of its values, the default marked."""
    listed: dict[str, list[str]] = {}
    defaults: dict[str, str] = {}
    name = ""
    for policy, value, default in re.findall(
        r"^\| [^|]*\| (?:`(\w+)`)? ?\| `(\w+)`( \(default\))? \|", DRIFT, re.MULTILINE
    ):
        name = policy or name
        listed.setdefault(name, []).append(value)
        if default:
            defaults[name] = value
    fields = attrs.fields(DriftSettings)
    types = attrs.resolve_types(DriftSettings) and {
        field.name: sorted(get_args(field.type)) for field in attrs.fields(DriftSettings)
    }
    assert {field.name: types[field.name] for field in fields} == {
        each: sorted(values) for each, values in listed.items()
    }
    assert {field.name: field.default for field in fields} == defaults


def test_the_ways_to_write() -> None:
    """Every way to apply rows is explained."""
    assert [each.value for each in Write] == re.findall(
        r"^\| `(\w+)` \|", section("Step by step"), re.MULTILINE
    )
