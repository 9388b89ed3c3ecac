"""Relations are what the source declares and what the rules of plugins say, each with its origin."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from types import ModuleType

import pytest

from etlkit import Exclusion, Relationship, RelationshipRule, TableAnalysis, hookimpl
from etlkit.discovery.analysis import as_in_catalog
from etlkit.discovery.describing import dependency_tree
from etlkit.discovery.exclusions import LeftOut, find_left_out
from etlkit.discovery.relationships import DECLARED, Relation, Relations, find_relations
from etlkit.errors import PluginError
from etlkit.registry import Registry
from etlkit.tables import ForeignKey
from support.schema_facts import facts

PATIENT = as_in_catalog(facts("patient", "PatNum bigint auto_increment", "Guarantor bigint"))
PROVIDER = as_in_catalog(facts("provider", "ProvNum bigint auto_increment"))
PROCEDURE = as_in_catalog(
    facts("procedurelog", "ProcNum bigint auto_increment", "PatNum bigint", "ProvNum bigint")
)
TABLES = {each.name: each for each in (PATIENT, PROCEDURE, PROVIDER)}

Rule = Callable[[Mapping[str, TableAnalysis]], Iterable[Relationship]]


def plugin(*, exclusions: Iterable[Exclusion] = (), **rules: Rule) -> Registry:
    """Give a registry of one plugin, `mine`, with some rules and exclusions."""

    @hookimpl
    def etlkit_relationships() -> Iterator[RelationshipRule]:
        for name, rule in rules.items():
            yield RelationshipRule(name=name, summary="Mine.", relationships=rule)

    @hookimpl
    def etlkit_exclusions() -> Iterator[Exclusion]:
        yield from exclusions

    module = ModuleType("mine")
    vars(module).update(etlkit_relationships=etlkit_relationships, etlkit_exclusions=etlkit_exclusions)
    return Registry.of(module)


def related(tables: Iterable[TableAnalysis], *, left_out: Iterable[str] = (), **rules: Rule) -> Relations:
    """Find the relations among tables by some rules."""
    known = {each.name: each for each in tables}
    return find_relations(known, plugin(**rules).relationships, tuple(left_out))


def to_patient(tables: Mapping[str, TableAnalysis]) -> Iterator[Relationship]:
    """Say that every `PatNum` is a patient."""
    for name, table in tables.items():
        if table.column("PatNum"):
            yield points(name, "PatNum", "patient", "PatNum")


def points(table: str, column: str, referenced_table: str, referenced_column: str) -> Relationship:
    """Say what a column points to."""
    return Relationship(
        table=table,
        column=column,
        referenced_table=referenced_table,
        referenced_column=referenced_column,
    )


def test_all_rules_are_asked_and_recorded() -> None:
    """A relation tells its columns and where it comes from; a table does not depend on itself."""
    relations = related(
        TABLES.values(),
        to_patient=to_patient,
        providers=lambda _: [points("procedurelog", "ProvNum", "provider", "ProvNum")],
        family=lambda _: [points("patient", "Guarantor", "patient", "PatNum")],
    )
    expected = Relation(
        table="procedurelog",
        column="PatNum",
        referenced_table="patient",
        referenced_column="PatNum",
        origin="to_patient",
        plugin="mine",
    )
    assert expected in relations.outgoing["procedurelog"]
    assert ("patient", "provider") == relations.depends_on("procedurelog")
    assert ("procedurelog",) == relations.referenced_by("patient")
    assert ["Guarantor", "PatNum"] == [each.column for each in relations.outgoing["patient"]]
    assert () == relations.depends_on("patient")


def test_what_two_rules_say_is_told_once() -> None:
    """Where rules agree the first by name is the origin; where they do not, the column points to both."""
    relations = related(
        TABLES.values(),
        b=lambda _: [points("procedurelog", "PatNum", "patient", "PatNum")],
        a=lambda _: [points("procedurelog", "PatNum", "patient", "PatNum")] * 2,
        c=lambda _: [points("procedurelog", "PatNum", "provider", "ProvNum")],
    )
    assert [("patient", "a"), ("provider", "c")] == [
        (each.referenced_table, each.origin) for each in relations.outgoing["procedurelog"]
    ]


def test_declared_key_wins_over_a_rule() -> None:
    """Where the source declares where a column points, rules have no say."""
    key = ForeignKey(name="fk", column="PatNum", referenced_table="provider", referenced_column="ProvNum")
    odd = as_in_catalog(facts("odd", "OddNum bigint auto_increment", "PatNum bigint", foreign_keys=(key,)))
    relations = related([PATIENT, PROVIDER, odd], to_patient=to_patient)
    assert [("provider", DECLARED)] == [(r.referenced_table, r.origin) for r in relations.outgoing["odd"]]


def test_left_over_copies_change_no_other_table() -> None:
    """Rules do not see a copy that an upgrade left behind, and it counts as nobody's reference."""
    key = ForeignKey(name="fk", column="ProvNum", referenced_table="provider", referenced_column="ProvNum")
    copy = as_in_catalog(
        facts("tempConv_a1", "PatNum bigint auto_increment", "ProvNum bigint", foreign_keys=(key,))
    )
    seen: list[str] = []

    def noting(tables: Mapping[str, TableAnalysis]) -> Iterable[Relationship]:
        seen.extend(tables)
        return to_patient(tables)

    relations = related([PATIENT, PROVIDER, copy], left_out=["tempConv_a1"], noting=noting)
    assert ["patient", "provider"] == seen
    assert ("provider",) == relations.depends_on("tempConv_a1")
    assert () == relations.referenced_by("provider")


@pytest.mark.parametrize(
    ("relationship", "expected"),
    [
        (
            points("procedures", "PatNum", "patient", "PatNum"),
            "names the table `procedures`, which is not there; did you mean `procedurelog`?",
        ),
        (
            points("procedurelog", "PatNum", "person", "PatNum"),
            "names the table `person`, which is not there; known: `patient`, `procedurelog`, `provider`",
        ),
        (
            points("procedurelog", "PatientNum", "patient", "PatNum"),
            "names the column `PatientNum`, which `procedurelog` does not have; did you mean `PatNum`?",
        ),
        (("procedurelog", "PatNum"), "yielded tuple, expected Relationship"),
    ],
)
def test_a_rule_that_names_what_is_not_there_is_refused(relationship: Relationship, expected: str) -> None:
    """A relation to nothing would order and judge tables wrongly, so its plugin is named."""
    with pytest.raises(PluginError) as caught:
        related(TABLES.values(), wrong=lambda _: [relationship])
    assert (
        f"plugin `mine` (not installed), `relationships` of `wrong`: {expected}; correct the module"
    ) == str(caught.value)


def test_a_rule_that_fails_names_its_plugin() -> None:
    """A failure in the middle of a generator is the plugin's failure too."""

    def failing(tables: Mapping[str, TableAnalysis]) -> Iterator[Relationship]:
        yield from to_patient(tables)
        raise KeyError("claim")

    line = failing.__code__.co_firstlineno + 2
    with pytest.raises(PluginError) as caught:
        related(TABLES.values(), failing=failing)
    assert (
        "plugin `mine` (not installed), `relationships` of `failing`: raised KeyError: 'claim' "
        f"(test_relationships.py, line {line}); correct the module"
    ) == str(caught.value)


def test_one_rule_cannot_change_what_the_next_one_sees() -> None:
    """A rule that takes tables out of its dict takes them from nobody else."""

    def greedy(tables: Mapping[str, TableAnalysis]) -> Iterable[Relationship]:
        tables.clear()  # type: ignore[attr-defined]
        return ()

    relations = related(TABLES.values(), a_greedy=greedy, b=to_patient)
    assert ("patient",) == relations.depends_on("procedurelog")


def test_a_table_that_one_exclusion_leaves_out_is_left_out() -> None:
    """The first exclusion that says yes is recorded, with its plugin."""
    registry = plugin(
        exclusions=[
            Exclusion(name="b", summary="Those with p.", excludes=lambda table: table.name[0] == "p"),
            Exclusion(name="a", summary="Patients.", excludes=lambda table: table.name == "patient"),
        ]
    )
    assert {
        "patient": LeftOut(exclusion="a", plugin="mine"),
        "procedurelog": LeftOut(exclusion="b", plugin="mine"),
        "provider": LeftOut(exclusion="b", plugin="mine"),
    } == find_left_out(TABLES, registry.exclusions)
    assert {} == find_left_out(TABLES, ())


def test_etlkits_own_tables_are_left_out_whatever_plugins_say() -> None:
    """Tables of etlkit's own, which lie in a replica, are no tables of a practice."""
    tables = {
        name: TableAnalysis(name=name)
        for name in ("etlkit_state", "ETLKIT_new_0", "etlkits", "my_etlkit_state")
    }
    own = LeftOut(exclusion="etlkit", plugin="etlkit")
    assert {"etlkit_state": own, "ETLKIT_new_0": own} == find_left_out(tables, ())


def test_an_exclusion_answers_yes_or_no() -> None:
    """A match object or None is no answer: what is left out must be meant."""
    vague = Exclusion(name="vague", summary="Vague.", excludes=lambda _: None)  # type: ignore[arg-type, return-value]
    with pytest.raises(PluginError) as caught:
        find_left_out(TABLES, plugin(exclusions=[vague]).exclusions)
    assert (
        "plugin `mine` (not installed), `excludes` of `vague`: returned NoneType, expected bool; "
        "correct the module"
    ) == str(caught.value)


def test_tree_survives_cycles_and_self_references() -> None:
    """A branch ends at a table that stands above itself, and says so."""
    points_to = {"a": ("a", "b"), "b": ("c",), "c": ("a",)}
    expected = {
        "table": "a",
        "dependencies": [
            {"table": "a", "dependencies": [], "cycle": True},
            {
                "table": "b",
                "dependencies": [
                    {"table": "c", "dependencies": [{"table": "a", "dependencies": [], "cycle": True}]}
                ],
            },
        ],
    }
    assert expected == dependency_tree("a", 5, lambda name: points_to[name])


def test_tree_says_where_it_was_cut() -> None:
    """Dependencies deeper than asked for are announced and not shown."""
    tree = dependency_tree("a", 1, lambda name: {"a": ("b",), "b": ("c",)}.get(name, ()))
    assert {"table": "a", "dependencies": [{"table": "b", "dependencies": [], "cut": True}]} == tree


def test_tree_grows_with_tables_and_not_with_ways() -> None:
    """Each table is followed once, where it is nearest to the beginning, however many ways lead to it."""
    layers = {
        f"{layer}-{at}": tuple(f"{layer + 1}-{to}" for to in range(10))
        for layer in range(8)
        for at in range(10)
    }
    tree = dependency_tree("0-0", 8, lambda name: layers.get(name, ()))
    branches = [tree]
    for branch in branches:
        branches.extend(branch["dependencies"])
    assert 1 + 10 + 7 * 100 == len(branches)
