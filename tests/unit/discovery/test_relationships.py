"""Relations are found by names where the source declares none."""

from __future__ import annotations

from etlkit.discovery.describing import dependency_tree
from etlkit.discovery.relationships import DECLARED, NAMED_LIKE_KEY, Relation, find_relations, preferred_keys
from etlkit.tables import ForeignKey
from support.schema_facts import facts

PATIENT = facts("patient", "PatNum bigint auto_increment", "Guarantor bigint")
NOTE = facts("patientnote", "PatNum bigint", "Note text", key="PatNum")
EHR = facts("ehrpatient", "PatNum bigint", key="PatNum")
PAT = facts("pat", "PatNum bigint", key="PatNum")
PROCEDURE = facts("procedurelog", "ProcNum bigint auto_increment", "PatNum bigint", "ProvNum bigint")
PROVIDER = facts("provider", "ProvNum bigint auto_increment")


def test_key_of_several_tables_belongs_to_the_one_that_numbers_it() -> None:
    """`PatNum` is the key of four tables and means `patient`, whatever their order."""
    for tables in ([NOTE, PAT, EHR, PATIENT], [PATIENT, EHR, PAT, NOTE]):
        assert {"patnum": PATIENT} == dict(preferred_keys(tables))


def test_stem_then_shortest_name_decide_where_no_table_numbers_the_key() -> None:
    """Without auto_increment, the name that starts with the column's stem wins, and then the shortest."""
    assert "pat" == preferred_keys([NOTE, EHR, PAT])["patnum"].name
    assert "patientnote" == preferred_keys([NOTE, EHR])["patnum"].name


def test_column_named_like_a_key_points_to_its_table() -> None:
    """A relation tells its columns and where it comes from; a table does not depend on itself."""
    relations = find_relations([PATIENT, NOTE, PROCEDURE, PROVIDER])
    expected = Relation(
        table="procedurelog",
        column="PatNum",
        referenced_table="patient",
        referenced_column="PatNum",
        origin=NAMED_LIKE_KEY,
    )
    assert expected in relations.outgoing["procedurelog"]
    assert ("patient", "provider") == relations.depends_on("procedurelog")
    assert ("patientnote", "procedurelog") == relations.referenced_by("patient")
    assert () == relations.depends_on("patient")


def test_declared_key_wins_over_a_name() -> None:
    """Where the source declares where a column points, its name has no say."""
    key = ForeignKey(name="fk", column="PatNum", referenced_table="provider", referenced_column="ProvNum")
    odd = facts("odd", "OddNum bigint auto_increment", "PatNum bigint", foreign_keys=(key,))
    relations = find_relations([PATIENT, PROVIDER, odd])
    assert [("provider", DECLARED)] == [(r.referenced_table, r.origin) for r in relations.outgoing["odd"]]


def test_other_kinds_of_values_do_not_point() -> None:
    """A text named like a numeric key does not point to it, and `id` names nobody's key."""
    tables = [
        PATIENT,
        facts("letter", "LetterNum bigint auto_increment", "PatNum varchar(20)"),
        facts("a", "id bigint auto_increment"),
        facts("b", "id bigint", key="id"),
    ]
    assert not any(find_relations(tables).outgoing.values())


def test_left_over_copies_change_no_other_table() -> None:
    """A copy that an upgrade left behind owns no key and counts as nobody's reference."""
    copy = facts("tempConv_patient1", "PatNum bigint auto_increment", "ProvNum bigint")
    relations = find_relations([copy, PROCEDURE, PROVIDER])
    assert ("provider",) == relations.depends_on("procedurelog")
    assert ("procedurelog",) == relations.referenced_by("provider")
    assert ("provider",) == relations.depends_on("tempConv_patient1")


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
