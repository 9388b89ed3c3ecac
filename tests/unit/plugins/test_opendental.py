"""What is known of Open Dental's schema: which columns point where, and which tables are left over."""

from __future__ import annotations

import pytest

from etlkit import TableAnalysis
from etlkit.discovery.analysis import as_in_catalog
from etlkit.discovery.catalog import TableFacts
from etlkit.plugins.opendental import key_names, left_overs, role_names
from etlkit.plugins.opendental.knowledge import read
from support.open_dental_truth import truth
from support.schema_facts import facts

PATIENT = facts("patient", "PatNum bigint auto_increment", "Guarantor bigint", "BillingType bigint")
NOTE = facts("patientnote", "PatNum bigint", "Note text", key="PatNum")
EHR = facts("ehrpatient", "PatNum bigint", key="PatNum")
PAT = facts("pat", "PatNum bigint", key="PatNum")
PROCEDURE = facts("procedurelog", "ProcNum bigint auto_increment", "PatNum bigint", "ProvNum bigint")
PROVIDER = facts("provider", "ProvNum bigint auto_increment", "FeeSched bigint")
DEFINITION = facts("definition", "DefNum bigint auto_increment")

Points = set[tuple[str, str, str, str]]


def shown(*tables: TableFacts) -> dict[str, TableAnalysis]:
    """Show tables as a rule is shown them."""
    return {each.name: as_in_catalog(each) for each in tables}


def by_key(*tables: TableFacts) -> Points:
    """What the rule of key names says, as tuples."""
    return {
        (each.table, each.column, each.referenced_table, each.referenced_column)
        for each in key_names.relationships(shown(*tables))
    }


def by_key_and_role(*tables: TableFacts) -> Points:
    """What the rule of key names inside longer names says, as tuples."""
    return {
        (each.table, each.column, each.referenced_table, each.referenced_column)
        for each in key_names.relationships_with_role(shown(*tables))
    }


def by_role(*tables: TableFacts) -> Points:
    """What the rule of role names says, as tuples."""
    return {
        (each.table, each.column, each.referenced_table, each.referenced_column)
        for each in role_names.relationships(shown(*tables))
    }


def owners(*tables: TableFacts) -> dict[str, str]:
    """The table that owns each key's name."""
    found = key_names.preferred_keys(shown(*tables).values())
    return {name: table.name for name, table in found.items()}


def test_key_of_several_tables_belongs_to_the_one_that_numbers_it() -> None:
    """`PatNum` is the key of four tables and means `patient`, whatever their order."""
    for tables in ([NOTE, PAT, EHR, PATIENT], [PATIENT, EHR, PAT, NOTE]):
        assert {"patnum": "patient"} == owners(*tables)


def test_stem_then_shortest_name_decide_where_no_table_numbers_the_key() -> None:
    """Without auto_increment, the name that starts with the column's stem wins, and then the shortest."""
    assert {"patnum": "pat"} == owners(NOTE, EHR, PAT)
    assert {"patnum": "patientnote"} == owners(NOTE, EHR)


def test_column_named_like_a_key_points_to_its_table() -> None:
    """A column points to the table that numbers the key of its name; a key itself points nowhere."""
    expected = {
        ("patientnote", "PatNum", "patient", "PatNum"),
        ("procedurelog", "PatNum", "patient", "PatNum"),
        ("procedurelog", "ProvNum", "provider", "ProvNum"),
    }
    assert expected == by_key(PATIENT, NOTE, PROCEDURE, PROVIDER)


def test_other_kinds_of_values_do_not_point() -> None:
    """A text named like a numeric key does not point to it, and `id` names nobody's key."""
    tables = [
        PATIENT,
        facts("letter", "LetterNum bigint auto_increment", "PatNum varchar(20)"),
        facts("a", "id bigint auto_increment"),
        facts("b", "id bigint", key="id"),
    ]
    assert set() == by_key(*tables)
    assert {"patient"} == {each[0] for each in by_role(PATIENT, facts("letter", "Guarantor varchar(20)"))}


def test_role_names_point_to_what_they_mean() -> None:
    """Names that Open Dental uses for one thing mean it everywhere, others in their table only."""
    tables = [
        PATIENT,
        PROVIDER,
        DEFINITION,
        facts("appointment", "AptNum bigint auto_increment", "ProvHyg bigint", "Confirmed bigint"),
        facts("feesched", "FeeSchedNum bigint auto_increment"),
        facts("referral", "ReferralNum bigint auto_increment"),
        facts("claim", "ClaimNum bigint auto_increment", "ReferringProv bigint", "ClinicType tinyint"),
        facts("weather", "Confirmed bigint", "Prov bigint", "Province bigint", "FKey bigint"),
    ]
    expected = {
        ("patient", "Guarantor", "patient", "PatNum"),
        ("patient", "BillingType", "definition", "DefNum"),
        ("provider", "FeeSched", "feesched", "FeeSchedNum"),
        ("appointment", "ProvHyg", "provider", "ProvNum"),
        ("appointment", "Confirmed", "definition", "DefNum"),
        ("claim", "ReferringProv", "referral", "ReferralNum"),
        ("weather", "Prov", "provider", "ProvNum"),
    }
    assert expected == by_role(*tables)


def test_key_inside_a_name_points_to_its_table() -> None:
    """Whole words count, the longest key decides, and what is written down of a name is left to that."""
    tables = [
        PATIENT,
        DEFINITION,
        facts("sheetdef", "SheetDefNum bigint auto_increment"),
        facts("userod", "UserNum bigint auto_increment", "UserNumCEMT bigint", "UserNumber bigint"),
        facts("appointment", "AptNum bigint auto_increment", "NextAptNum bigint", "XAptNum bigint"),
        facts("letter", "PatNum bigint", "PatNumTo bigint", "PatNum2 int", "PatNumOld varchar(20)"),
        facts("rule", "SheetDefNumX bigint", "MySheetDefNum bigint", "FieldDefNum bigint"),
    ]
    expected = {
        ("userod", "UserNumCEMT", "userod", "UserNum"),
        ("appointment", "NextAptNum", "appointment", "AptNum"),
        ("letter", "PatNumTo", "patient", "PatNum"),
        ("letter", "PatNum2", "patient", "PatNum"),
        ("rule", "SheetDefNumX", "sheetdef", "SheetDefNum"),
        ("rule", "MySheetDefNum", "sheetdef", "SheetDefNum"),
    }
    assert expected == by_key_and_role(*tables)


def test_older_versions_mean_what_their_table_means() -> None:
    """A table of older versions has its facts from the table that it is copied from."""
    operatory = facts("operatory", "OperatoryNum bigint auto_increment")
    task = facts("task", "TaskNum bigint auto_increment", "FromNum bigint")
    copies = [facts("histappointment", "Op bigint"), facts("taskhist", "FromNum bigint")]
    expected = {
        ("histappointment", "Op", "operatory", "OperatoryNum"),
        ("task", "FromNum", "task", "TaskNum"),
        ("taskhist", "FromNum", "task", "TaskNum"),
    }
    assert expected == by_role(operatory, task, *copies)


def test_codes_point_to_the_table_that_lists_them() -> None:
    """A code is a text that another table lists, in a column that is not its key; it does not point to itself."""
    sop = facts("sop", "SopNum bigint auto_increment", "SopCode varchar(255)")
    plan = facts("insplan", "PlanNum bigint auto_increment", "SopCode varchar(255)")
    assert {("insplan", "SopCode", "sop", "SopCode")} == by_role(sop, plan)
    numbers = facts("insplan", "PlanNum bigint auto_increment", "SopCode bigint")
    assert set() == by_role(sop, numbers)


def test_role_names_are_found_in_any_case() -> None:
    """Servers on Windows spell all tables in lower case; the answer is spelled as the source spells it."""
    mixed = facts("Patient", "patnum bigint auto_increment", "guarantor bigint")
    assert {("Patient", "guarantor", "Patient", "patnum")} == by_role(mixed)


def test_role_names_point_to_nothing_where_their_table_is_missing() -> None:
    """A schema with few of Open Dental's tables gets few relationships and no error."""
    assert set() == by_role(facts("claim", "ProvTreat bigint", "ProvBill bigint"))


def test_the_knowledge_says_nothing_twice() -> None:
    """A name that means the same everywhere is not repeated for a table."""
    repeated = {
        (table, column)
        for table, columns in role_names.BY_TABLE.items()
        for column in columns
        if column in role_names.EVERYWHERE
    }
    assert set() == repeated
    assert sorted(role_names.BY_TABLE) == list(role_names.BY_TABLE)
    for names in (*role_names.BY_TABLE.values(), role_names.EVERYWHERE):
        assert sorted(names) == list(names)
    assert set() == role_names.NOWHERE & set(role_names.EVERYWHERE)


def test_what_points_nowhere_has_a_reason() -> None:
    """The data file tells of each column that points to no single table, why."""
    reasons = read("role_names.yml")["nowhere"]
    assert [] == [name for name, reason in reasons.items() if not reason.endswith(").")]


@pytest.mark.parametrize(
    "name",
    [
        *("patient", "template", "tempo", "household", "tmpl", "oldest", "temperature", "fold", "tempconv"),
        *("emailtemplate", "tempdashboard", "scaffold", "preserve", "wikilist_tools"),
    ],
)
def test_look_alikes_are_not_left_out(name: str) -> None:
    """Only whole words of a name tell a table that is left over."""
    table = TableAnalysis(name=name)
    assert (False, False) == (left_overs.is_temporary(table), left_overs.is_copy(table))


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("tmp_x", (True, False)),
        ("temp_x", (True, False)),
        ("tmp", (True, False)),
        ("TEMP", (True, False)),
        ("temp2", (True, False)),
        ("#sql-1", (True, False)),
        ("tempConv_claim3", (True, False)),
        ("tempdash123456", (True, False)),
        ("tempehrquality42", (True, False)),
        ("tempetransnomessagea1B2c3D4", (True, False)),
        ("tempinsplan", (True, False)),
        ("preserve_userweb", (False, True)),
        ("procedurecodeold", (False, True)),
        ("claim_backup", (False, True)),
        ("claim_bak", (False, True)),
        ("claim_OLD2", (False, True)),
    ],
)
def test_left_overs_are_left_out(name: str, expected: tuple[bool, bool]) -> None:
    """Temporary tables, backups and what upgrades leave behind are left out by default."""
    table = TableAnalysis(name=name)
    assert expected == (left_overs.is_temporary(table), left_overs.is_copy(table))


def test_none_of_open_dentals_own_tables_is_left_out() -> None:
    """What Open Dental documents is data."""
    tables = [TableAnalysis(name=name) for name in truth()]
    assert [] == [each.name for each in tables if left_overs.is_temporary(each) or left_overs.is_copy(each)]


def test_every_name_that_is_left_out_has_a_reason() -> None:
    """The data file tells why, pattern by pattern."""
    patterns = [each for kind in read("left_overs.yml").values() for each in kind]
    assert [] == [each["matches"] for each in patterns if not each["reason"].endswith(".")]
