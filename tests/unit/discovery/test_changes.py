"""What changed between two analyses is told in words, and what breaks something is marked."""

from __future__ import annotations

import attrs
import pytest

from etlkit.discovery.catalog import Catalog, SourceServer, TableFacts
from etlkit.discovery.changes import LastAnalysis, find_changes, widens
from etlkit.discovery.describing import table_schema
from etlkit.discovery.documents import ChangesDocument, TableSchema
from etlkit.discovery.schema_hash import schema_hash
from etlkit.discovery.summary import change_lines
from support.schema_facts import facts

KEY = "PatNum bigint auto_increment"
SERVER = SourceServer(kind="MySQL", version=(5, 6, 24), version_text="5.6.24")
MADE_AT = "2026-01-01T00:00:00+00:00"


def described(*tables: TableFacts) -> dict[str, TableSchema]:
    """Describe tables as an analysis does."""
    hashed = [attrs.evolve(each, schema_hash=schema_hash(each.columns, each.indexes)) for each in tables]
    catalog = Catalog(server=SERVER, database="clinic", tables={each.name: each for each in hashed})
    return {each.name: table_schema(each, catalog, None) for each in hashed}


def compared(before: TableFacts, now: TableFacts) -> ChangesDocument:
    """Find the changes between two definitions of a table."""
    old = described(before)
    last = LastAnalysis(
        made_at=MADE_AT, hashes={name: each["schema_hash"] for name, each in old.items()}, tables=old
    )
    return find_changes(last, described(now))


def test_first_analysis_has_nothing_to_compare_with() -> None:
    """Without an earlier analysis nothing is new."""
    changes = find_changes(LastAnalysis(), described(facts("patient", KEY)))
    assert ["This is the first analysis."] == change_lines(changes)


def test_nothing_changed() -> None:
    """Equal definitions give one line that says so."""
    changes = compared(facts("patient", KEY), facts("patient", KEY))
    assert [f"Nothing changed since the analysis of {MADE_AT}."] == change_lines(changes)


def test_tables_come_and_go() -> None:
    """A table that is gone is a breaking change, a new one is none."""
    changes = compared(facts("patient", KEY), facts("person", KEY))
    assert [
        f"Since the analysis of {MADE_AT}",
        "  + person: new table",
        "  - patient: table is gone (breaking)",
    ] == change_lines(changes)
    assert ["patient"] == changes["breaking"]


def test_columns_come_go_and_change() -> None:
    """Each column is named; one that is gone or holds less is breaking."""
    before = facts("patient", KEY, "LName varchar(100)", "Age int", "Note text")
    now = facts("patient", KEY, "LName varchar(50)?", "Note text", "Email varchar(100)")
    assert [
        f"Since the analysis of {MADE_AT}",
        (
            "  ~ patient: columns added: Email; columns removed: Age; "
            "LName: varchar(100) became varchar(50), may be NULL now (breaking)"
        ),
    ] == change_lines(compared(before, now))


@pytest.mark.parametrize(
    ("now", "words"),
    [
        (facts("patient", KEY, "LName varchar(100)", indexes=("LName",)), "indexes changed"),
        (facts("patient", "LName varchar(100)", KEY), "the order of columns changed"),
    ],
)
def test_what_touches_no_value_does_not_break(now: TableFacts, words: str) -> None:
    """Indexes and the order of columns are told, but break nothing."""
    (change,) = compared(facts("patient", KEY, "LName varchar(100)"), now)["tables_changed"]
    assert ([words], False) == (change["other"], change["breaking"])


def test_another_key_breaks() -> None:
    """Rows are merged by primary key, so another key is a breaking change."""
    (change,) = compared(facts("a", "X int", "Y int", key="X"), facts("a", "X int", "Y int", key="X,Y"))[
        "tables_changed"
    ]
    assert (["primary key (X) became (X, Y)"], True) == (change["other"], change["breaking"])


def test_lost_columns_of_the_last_analysis_are_admitted() -> None:
    """Where the file with the columns is gone, a changed hash is told, and a person should look."""
    now = described(facts("patient", KEY))
    (change,) = find_changes(LastAnalysis(made_at=MADE_AT, hashes={"patient": "0"}), now)["tables_changed"]
    expected = ["the definition changed; the last analysis's columns are not at hand"]
    assert (expected, True) == (change["other"], change["breaking"])


@pytest.mark.parametrize(
    ("before", "now", "expected"),
    [
        ("int", "bigint", True),
        ("bigint", "int", False),
        ("int", "int unsigned", False),
        ("int unsigned", "bigint", True),
        ("int unsigned", "int", False),
        ("int", "bigint unsigned", False),
        ("varchar(50)", "varchar(100)", True),
        ("varchar(100)", "varchar(50)", False),
        ("varchar(100)", "text", True),
        ("text", "varchar(100)", False),
        ("text", "mediumtext", True),
        ("decimal(10,2)", "decimal(12,4)", True),
        ("decimal(10,2)", "decimal(10,4)", False),
        ("decimal(10,2)", "decimal(10,2) unsigned", False),
        ("datetime", "datetime(6)", True),
        ("datetime", "date", False),
        ("binary(8)", "binary(16)", False),
        ("varbinary(8)", "varbinary(16)", True),
        ("enum('a','b')", "enum('a','b','c')", True),
        ("enum('a','b')", "enum('b','a')", False),
        ("float", "double", True),
        ("double", "float", False),
    ],
)
def test_wider_types_are_told_from_others(before: str, now: str, expected: bool) -> None:
    """A type widens only when every value of the earlier one is a value of the later one."""
    assert expected is widens(before, now)
