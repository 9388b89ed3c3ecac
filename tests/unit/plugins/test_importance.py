"""Importance follows what Open Dental's names mean, and the use of a table by others."""

from __future__ import annotations

import re
from importlib import resources
from pathlib import Path

import pytest

from etlkit import TableAnalysis
from etlkit.plugins.importance import use
from etlkit.plugins.opendental import importance
from etlkit.plugins.opendental.knowledge import read
from etlkit.registry import Registry
from support.open_dental_truth import truth

REGISTRY = Registry.of(use, importance)
MANY = ("procedurelog", "claim", "fee")


def answer(table: TableAnalysis) -> tuple[str, str] | None:
    """The first classifier that answers, and its answer."""
    for provided in REGISTRY.classifiers:
        level = provided.item.classify(table)
        if level is not None:
            return provided.item.name, level
    return None


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("patient", ("open_dental_names", "critical")),
        ("Patient", ("open_dental_names", "critical")),
        ("appointment", ("open_dental_names", "critical")),
        ("procedurelog", ("open_dental_names", "critical")),
        ("claim", ("open_dental_names", "critical")),
        ("claimproc", ("open_dental_names", "critical")),
        ("payment", ("open_dental_names", "critical")),
        ("paysplit", ("open_dental_names", "critical")),
        ("adjustment", ("open_dental_names", "critical")),
        ("commlog", ("open_dental_names", "important")),
        ("provider", ("open_dental_names", "important")),
        ("definition", ("open_dental_names", "reference")),
        ("procedurecode", ("open_dental_names", "reference")),
        ("feesched", ("open_dental_names", "reference")),
        ("securitylog", ("open_dental_names", "audit")),
        ("securityloghash", ("open_dental_names", "audit")),
        ("histappointment", ("open_dental_patterns", "audit")),
        ("taskhist", ("open_dental_patterns", "audit")),
        ("entrylog", ("open_dental_patterns", "audit")),
        ("crm_contact_audit", ("open_dental_patterns", "audit")),
        ("catalog", None),
        ("catalogitem", None),
        ("histology", None),
        ("dialog_box", None),
        ("history_free", None),
        ("x", None),
    ],
)
def test_names_decide_first(name: str, expected: tuple[str, str] | None) -> None:
    """Known names come before patterns, so that procedurelog and commlog are no audit logs."""
    assert expected == answer(TableAnalysis(name=name))


@pytest.mark.parametrize(
    ("table", "expected"),
    [
        (TableAnalysis(name="kind", referenced_by=MANY, row_count=1000), "reference"),
        (TableAnalysis(name="kind", referenced_by=(*MANY, "kind"), depends_on=("kind",)), "reference"),
        (TableAnalysis(name="kind", referenced_by=MANY, row_count=1001), None),
        (TableAnalysis(name="kind", referenced_by=MANY[:2]), None),
        (TableAnalysis(name="kind", referenced_by=(*MANY[:2], "kind")), None),
        (TableAnalysis(name="kind", referenced_by=MANY, depends_on=("patient",)), None),
    ],
)
def test_a_short_list_that_others_share_is_a_reference(table: TableAnalysis, expected: str | None) -> None:
    """Relations by rule count like declared ones; pointing to itself does not count."""
    assert expected == use.by_use(table)


def test_every_fact_has_a_reason_and_a_known_level() -> None:
    """The data file tells why, table by table, and names no table twice."""
    knowledge = read("importance.yml")
    facts = [
        (level, name, reason)
        for level, tables in knowledge["tables"].items()
        for name, reason in tables.items()
    ]
    assert {"critical", "important", "reference", "audit", "standard"} == {level for level, _, _ in facts}
    # YAML keeps the last of two equal keys without a word, so the file's lines are counted.
    text = resources.files("etlkit.plugins.opendental").joinpath("importance.yml").read_text(encoding="utf-8")
    assert len({name for _, name, _ in facts}) == len(
        re.findall(r"(?m)^    \w+: \"", text.split("patterns:")[0])
    )
    assert [] == [name for _, name, reason in facts if not reason.endswith(".") or name != name.lower()]
    assert [] == [each for each in knowledge["patterns"] if not each["reason"].endswith(".")]


def test_what_is_named_is_there() -> None:
    """Every table that the data file names is one of Open Dental's, but for one of older versions."""
    assert {"school"} == set(importance.LEVELS) - {name.lower() for name in truth()}


def test_audit_tables_are_those_that_nobody_works_with() -> None:
    """Of all of Open Dental's tables, these and no others are logs and older versions of rows."""
    logs = {"dbmlog", "entrylog", "erxlog", "eservicelog", "insbluebooklog", "inseditlog", "inseditpatlog"}
    logs |= {"loginattempt", "orthochartlog", "securitylog", "securityloghash", "updatehistory"}
    versions = {"histappointment", "insverifyhist", "taskhist", "wikilisthist", "wikipagehist"}
    found = {name: answer(TableAnalysis(name=name)) for name in truth()}
    audit = {name for name, answered in found.items() if answered and answered[1] == "audit"}
    assert logs | versions | {"deletedobject"} == audit


def test_the_page_tells_how_many_tables_are_known() -> None:
    """docs/open-dental.md has the numbers of tables that are known by name."""
    page = (Path(__file__).parents[3] / "docs" / "open-dental.md").read_text(encoding="utf-8")
    assert f"`open_dental_names` knows {len(importance.LEVELS)} tables by name:" in page
