"""The Open Dental pack, measured with what is true of 408 tables.

A column that points to several tables, or nowhere, counts as a wrong answer when it gets one. The held-out tables are
measured twice: with the pack as it is, and without every fact that no known table supports, which shows whether the
rules are good for tables that nobody looked at.
"""

from __future__ import annotations

import hashlib
import re
import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path

import attrs
import pytest

from etlkit.discovery.relationships import find_relations
from etlkit.plugins.opendental import key_names, role_names
from etlkit.registry import Registry
from support.open_dental_truth import TrueColumn, TrueTable, schema, truth

ROOT = Path(__file__).parents[3]
PAGE = ROOT / "docs" / "open-dental.md"
SEVERAL = "several"

Column = tuple[str, str]


@attrs.frozen(kw_only=True)
class Measured:
    """How many relations there are, how many answers were given, and how many of them are right."""

    relations: int
    answers: int
    right: int

    @property
    def found(self) -> float:
        """The part of the relations that was found, from 0 to 1."""
        return self.right / self.relations

    @property
    def correct(self) -> float:
        """The part of the answers that is right, from 0 to 1."""
        return self.right / self.answers

    def row(self, name: str) -> str:
        """Say it as a row of the page's table; a percentage is never rounded up."""
        found, correct = (f"{int(each * 1000) / 10:.1f}%" for each in (self.found, self.correct))
        return f"| {name} | {self.relations} | {self.right} | {found} | {self.answers} | {correct} |"


def true_relations() -> dict[Column, str]:
    """What each column that points to one table points to."""
    return {
        (name, each.name): each.points_to
        for name, table in truth().items()
        for each in table.columns
        if each.points_to not in {"", SEVERAL}
    }


def answers() -> list[tuple[Column, str]]:
    """What the pack's rules say of all columns, as discovery asks them."""
    found = find_relations(schema(), Registry.of(key_names, role_names).relationships)
    return [
        ((each.table, each.column), f"{each.referenced_table}.{each.referenced_column}")
        for relations in found.outgoing.values()
        for each in relations
    ]


def measured(*, held_out: bool | None = None) -> Measured:
    """Compare the answers with the truth, of all tables or of one part."""
    tables = {name for name, table in truth().items() if held_out in {None, table.held_out}}
    relations = {column: target for column, target in true_relations().items() if column[0] in tables}
    given = [(column, target) for column, target in answers() if column[0] in tables]
    right = {column for column, target in given if relations.get(column) == target}
    assert len(given) == len({column for column, _ in given}), "a column got two answers"
    return Measured(relations=len(relations), answers=len(given), right=len(right))


@pytest.fixture
def as_known(monkeypatch: pytest.MonkeyPatch) -> None:
    """Take from the pack every fact that no known table supports, and every word or name of that kind."""
    known = {name.casefold(): table for name, table in truth().items() if not table.held_out}
    columns = [each for table in known.values() for each in table.columns]

    def supported(name: str, target: str) -> bool:
        return any(each.name.casefold() == name and goes_to(each, target) for each in columns)

    def only(names: Mapping[str, str]) -> Mapping[str, str]:
        return {name: target for name, target in names.items() if supported(name, target)}

    nowhere = {each.name.casefold() for each in columns if each.points_to in {"", SEVERAL}}
    monkeypatch.setattr(role_names, "EVERYWHERE", only(role_names.EVERYWHERE))
    monkeypatch.setattr(role_names, "NOWHERE", role_names.NOWHERE & nowhere)
    monkeypatch.setattr(
        role_names,
        "BY_TABLE",
        {table: names for table, names in role_names.BY_TABLE.items() if table in known},
    )
    for words, fits in (("ENDINGS", str.endswith), ("BEGINNINGS", str.startswith)):
        kept = {
            word: table
            for word, table in getattr(role_names, words).items()
            if any(fits(each.name, word) and goes_to(each, table) for each in columns)
        }
        monkeypatch.setattr(role_names, words, kept)


def goes_to(column: TrueColumn, target: str) -> bool:
    """Tell whether a column points to a table, or to a column of one."""
    return column.points_to == target or column.points_to.partition(".")[0] == target


def test_the_split_is_the_one_that_was_decided() -> None:
    """A table is held out by its name alone, so that nobody can move one to the better side."""
    decided = {name: int(hashlib.sha256(name.encode()).hexdigest(), 16) % 3 == 0 for name in truth()}
    assert decided == {name: table.held_out for name, table in truth().items()}


def test_relations_are_found_and_right() -> None:
    """At least 90% of the relations are found, and at least 97% of the answers are right, on the whole."""
    whole = measured()
    assert whole.found >= 0.90
    assert whole.correct >= 0.97


@pytest.mark.usefixtures("as_known")
def test_rules_are_good_for_tables_that_nobody_looked_at() -> None:
    """Rules that were written from the known tables find nine of ten relations of the others."""
    held_out = measured(held_out=True)
    assert held_out.found >= 0.90
    assert held_out.correct >= 0.97


def test_the_page_tells_the_figures(request: pytest.FixtureRequest) -> None:
    """docs/open-dental.md has the figures that are measured here."""
    expected = [
        measured().row("all"),
        measured(held_out=False).row("known"),
        measured(held_out=True).row("held out"),
    ]
    request.getfixturevalue("as_known")
    expected.append(measured(held_out=True).row("held out, without facts of these tables"))
    text = section("What is measured of relations")
    assert expected == re.findall(r"(?m)^\| (?:all|known|held out).*\|$", text)


def section(title: str) -> str:
    """A section of the page, without its title."""
    return PAGE.read_text(encoding="utf-8").partition(f"# {title}\n")[2].partition("\n#")[0]


def test_the_page_tells_which_answers_are_wrong() -> None:
    """docs/open-dental.md names each column that gets a wrong answer."""
    relations = true_relations()
    wrong = {".".join(column) for column, target in answers() if relations.get(column) != target}
    listed = re.findall(r"(?m)^- .*$", section("What is measured of relations"))
    assert wrong == {each for line in listed for each in re.findall(r"`(\w+\.\w+)`", line)}


def test_the_page_has_every_plugin_of_the_pack() -> None:
    """docs/open-dental.md begins with a table of the pack's plugins."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    plugins = project["entry-points"]["etlkit.plugins"]
    pack = {name for name, module in plugins.items() if module.startswith("etlkit.plugins.opendental.")}
    assert set() == pack - set(re.findall(r"(?m)^\| `(\w+)`", section("The Open Dental pack")))


def test_the_truth_is_counted_in_its_description() -> None:
    """tests/data/README.md tells how much the truth file says."""
    tables = truth().values()
    expected = [
        counted("known", (each for each in tables if not each.held_out)),
        counted("held out", (each for each in tables if each.held_out)),
        counted("whole", tables),
    ]
    readme = (ROOT / "tests" / "data" / "README.md").read_text(encoding="utf-8")
    assert expected == re.findall(r"(?m)^\| (?:known|held out|whole) .*\|$", readme)


def counted(name: str, tables: Iterable[TrueTable]) -> str:
    """Count tables, columns and what is true of them, as a row of a table."""
    chosen = list(tables)
    columns = [column for table in chosen for column in table.columns]
    several = sum(each.points_to == SEVERAL for each in columns)
    relations = sum(each.points_to != "" for each in columns) - several
    kinds = [sum(each.kind == kind for each in columns) for kind in ("boolean", "enum", "number")]
    return (
        f"| {name} | "
        + " | ".join(f"{each:,}" for each in (len(chosen), len(columns), relations, several, *kinds))
        + " |"
    )
