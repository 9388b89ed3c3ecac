"""The truth about Open Dental's schema (`tests/data/open_dental_truth.yml`), as tables and as what to expect."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path

import attrs
import yaml

from etlkit import TableAnalysis
from etlkit.discovery.analysis import as_in_catalog
from support.schema_facts import facts

FILE = Path(__file__).parents[1] / "data" / "open_dental_truth.yml"
_COLUMN = re.compile(
    r"(?P<type>\w+(?:\(\d+\))?)(?:, (?P<kind>boolean|enum|number|list).*)?(?: -> (?P<to>\S+))?"
)


@attrs.frozen(kw_only=True)
class TrueColumn:
    """A column, and what is true of it."""

    name: str
    """As Open Dental spells it."""
    column_type: str
    """Its type, such as `tinyint` or `varchar(255)`."""
    kind: str = ""
    """`boolean`, `enum` or `number` of a small number, `list` of a text with several keys, else empty."""
    points_to: str = ""
    """`table.column`, `several`, or empty."""


@attrs.frozen(kw_only=True)
class TrueTable:
    """A table, and what is true of its columns."""

    held_out: bool
    """Whether nobody may write a fact into the pack because this table asks for it."""
    key: str
    """The column of its primary key."""
    columns: tuple[TrueColumn, ...]
    """In the table's order."""

    @property
    def numbers_itself(self) -> bool:
        """Whether the key is numbered by the server: a number that points to no other table."""
        key = next(each for each in self.columns if each.name == self.key)
        return key.column_type == "bigint" and not key.points_to


@cache
def truth() -> Mapping[str, TrueTable]:
    """Read the truth, by the tables' names."""
    # The parser written in C takes a hundredth of the time; PyYAML's wheels have it.
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    tables = yaml.load(FILE.read_text(encoding="utf-8"), Loader=loader)["tables"]  # noqa: S506 - both are safe
    return {
        name: TrueTable(
            held_out=table["part"] == "held_out",
            key=table["key"],
            columns=tuple(_column(each, said) for each, said in table["columns"].items()),
        )
        for name, table in tables.items()
    }


def _column(name: str, said: str) -> TrueColumn:
    found = _COLUMN.fullmatch(said)
    assert found is not None, f"{name}: {said}"
    return TrueColumn(
        name=name, column_type=found["type"], kind=found["kind"] or "", points_to=found["to"] or ""
    )


@cache
def schema() -> Mapping[str, TableAnalysis]:
    """Describe the tables as discovery shows them to plugins."""
    return {
        name: as_in_catalog(facts(name, *_lines(table), key=table.key)) for name, table in truth().items()
    }


def _lines(table: TrueTable) -> list[str]:
    extra = {table.key: " auto_increment"} if table.numbers_itself else {}
    return [f"{each.name} {each.column_type}{extra.get(each.name, '')}" for each in table.columns]
