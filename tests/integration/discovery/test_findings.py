"""What discovery concludes on real servers: what points where, and which column can be a cursor."""

from __future__ import annotations

from typing import Any

import pytest

from etlkit import SchemaDiscovery
from etlkit.demo.practice import create_practice
from etlkit.registry import Registry
from support.databases import SourceDatabase
from support.dental_schema import STAMP

ONE_KIND = pytest.mark.parametrize("source", ["mariadb-innodb"], indirect=True)


def pointing(discovery: SchemaDiscovery, table: str) -> dict[str, tuple[str, str, str]]:
    """Give by column what a table points to, and the origin."""
    found = discovery.analyze_table_relationships([table])[table]["relations"]
    return {
        each["column"]: (each["referenced_table"], each["referenced_column"], each["origin"])
        for each in found
    }


def judged(discovery: SchemaDiscovery, table: str) -> dict[str, tuple[bool, str]]:
    """Give by column, the best first, whether it is the chosen cursor, and the first reason."""
    return {
        each["column_name"]: (each["chosen"], each["fitness"]["reasons"][0])
        for each in discovery.get_incremental_columns(table)
    }


def test_key_of_four_tables(discovery: SchemaDiscovery) -> None:
    """`PatNum` is the key of four tables, and points to the one that numbers it."""
    assert {
        "PatNum": ("patient", "PatNum", "named_like_key"),
        "AptNum": ("appointment", "AptNum", "named_like_key"),
        "ProvNum": ("provider", "ProvNum", "named_like_key"),
    } == pointing(discovery, "procedurelog")
    for table in ("ehrpatient", "patientnote", "xpatientlink"):
        assert ("patient", "PatNum", "named_like_key") == pointing(discovery, table)["PatNum"]
    assert "PatNum" not in pointing(discovery, "patient")


def test_relationships_of_a_table(discovery: SchemaDiscovery) -> None:
    """Both ends are told, role names and self references included; excluded tables count nowhere."""
    patient = discovery.analyze_table_relationships()["patient"]
    assert {
        "dependencies": ["provider"],
        "referenced_by": [
            *("appointment", "ehrpatient", "patientnote", "procedurelog", "securitylog", "xpatientlink"),
        ],
        "dependency_count": 1,
        "reference_count": 6,
        "is_lookup_table": False,
        "is_standalone": False,
    } == {key: value for key, value in patient.items() if key != "relations"}
    assert {
        "Guarantor": ("patient", "PatNum", "role_name"),
        "PriProv": ("provider", "ProvNum", "role_name"),
    } == pointing(discovery, "patient")
    others = discovery.analyze_table_relationships(["provider", "feeimport"])
    assert (True, False) == (others["provider"]["is_lookup_table"], others["provider"]["is_standalone"])
    assert (False, True) == (others["feeimport"]["is_lookup_table"], others["feeimport"]["is_standalone"])


@ONE_KIND
def test_declared_keys(source: SourceDatabase, registry: Registry) -> None:
    """Declared keys win over names, of several columns too; keys into other databases are left out."""
    source.execute(
        "create table patient (PatNum bigint not null auto_increment primary key, ParentNum bigint,"
        " foreign key (ParentNum) references patient (PatNum))",
        "create table chart (A int not null, B int not null, primary key (A, B))",
        "create table visit (VisitNum bigint not null auto_increment primary key, PatNum bigint not null,"
        " A int, B int, constraint of_patient foreign key (PatNum) references patient (PatNum),"
        " constraint of_chart foreign key (A, B) references chart (A, B))",
    )
    discovery = SchemaDiscovery(source.engine, source.name, registry)
    assert {
        "PatNum": ("patient", "PatNum", "declared"),
        "A": ("chart", "A", "declared"),
        "B": ("chart", "B", "declared"),
    } == pointing(discovery, "visit")
    assert [
        {"name": "of_chart", "column": "A", "referenced_table": "chart", "referenced_column": "A"},
        {"name": "of_chart", "column": "B", "referenced_table": "chart", "referenced_column": "B"},
        {
            "name": "of_patient",
            "column": "PatNum",
            "referenced_table": "patient",
            "referenced_column": "PatNum",
        },
    ] == discovery.get_table_schema("visit")["foreign_keys"]
    patient = discovery.analyze_table_relationships(["patient"])["patient"]
    assert ({"ParentNum": ("patient", "PatNum", "declared")}, [], ["visit"]) == (
        pointing(discovery, "patient"),
        patient["dependencies"],
        patient["referenced_by"],
    )


def test_dependencies_with_cycles(source: SourceDatabase, registry: Registry) -> None:
    """The tree ends at cycles and self references, shows each table's own dependencies once, and says so."""
    source.execute(
        "create table apt (AptNum int not null auto_increment primary key, PatNum int, UserNum int)",
        "create table patient (PatNum int not null auto_increment primary key, UserNum int, Guarantor int)",
        "create table userod (UserNum int not null auto_increment primary key, AptNum int)",
    )
    discovery = SchemaDiscovery(source.engine, source.name, registry)
    assert {
        "table": "apt",
        "dependencies": [
            {"table": "patient", "dependencies": [{"table": "userod", "dependencies": [], "repeated": True}]},
            {"table": "userod", "dependencies": [{"table": "apt", "dependencies": [], "cycle": True}]},
        ],
    } == discovery.get_table_dependencies_recursive("apt")
    assert {"table": "apt", "dependencies": [], "cut": True} == discovery.get_table_dependencies_recursive(
        "apt", depth=0
    )
    assert {
        "table": "apt",
        "dependencies": [
            {"table": "patient", "dependencies": [], "cut": True},
            {"table": "userod", "dependencies": [], "cut": True},
        ],
    } == discovery.get_table_dependencies_recursive("apt", depth=1)


def test_stamped_column_is_chosen(discovery: SchemaDiscovery) -> None:
    """A column that the server stamps is the cursor; dates of the business and strings are refused."""
    assert {
        "SecDateTEdit": (
            True,
            "The server stamps SecDateTEdit at every change of a row (ON UPDATE CURRENT_TIMESTAMP).",
        ),
        "PatNum": (
            False,
            (
                "PatNum is a key, and a key says nothing of edits: "
                "the server stamps changes of its rows in SecDateTEdit."
            ),
        ),
        "Birthdate": (False, "Birthdate is a date without a time of day."),
        "DateTimeDeceased": (
            False,
            "DateTimeDeceased is a date of the business: it may lie in the future, or never change with the row.",
        ),
    } == judged(discovery, "patient")
    assert (
        False,
        "AptDateTime is a date of the business: it may lie in the future, or never change with the row.",
    ) == judged(discovery, "appointment")["AptDateTime"]
    assert {"FeeDate": (False, "FeeDate is text, and text does not order like time.")} == judged(
        discovery, "feeimport"
    )
    for table, refused in {
        "patient": {"PatNum", "Birthdate", "DateTimeDeceased"},
        "appointment": {"AptNum", "AptDateTime"},
        "feeimport": {"FeeDate"},
    }.items():
        candidates = discovery.get_incremental_columns(table)
        assert refused == {each["column_name"] for each in candidates if each["fitness"]["refused"]}
        assert list(range(1, len(candidates) + 1)) == [each["priority"] for each in candidates]


def test_index_makes_a_cursor_better(discovery: SchemaDiscovery) -> None:
    """Whether an index begins with the column is part of its fitness, with a reason."""
    with_index = discovery.get_incremental_columns("appointment")[0]
    without = discovery.get_incremental_columns("procedurelog")[0]
    assert ("DateTStamp", True, "An index begins with it.") == (
        with_index["column_name"],
        with_index["fitness"]["indexed"],
        with_index["fitness"]["reasons"][-1],
    )
    assert ("DateTStamp", False, "No index begins with it, so finding changes scans the table.") == (
        without["column_name"],
        without["fitness"]["indexed"],
        without["fitness"]["reasons"][-1],
    )
    assert with_index["fitness"]["score"] > without["fitness"]["score"]


def test_key_only_for_logs(discovery: SchemaDiscovery) -> None:
    """A key is a cursor of a table whose rows are only added, and not of one that is named like a log."""
    assert {
        "SecurityLogNum": (
            True,
            (
                "SecurityLogNum numbers rows in the order they come, and rows are only ever added: "
                'it is the audit trail, which is never changed ("User not allowed to edit").'
            ),
        ),
        "LogDateTime": (
            False,
            (
                "LogDateTime says when a row was entered, not when it was changed; "
                'rows are only ever added: it is the audit trail, which is never changed ("User not allowed to edit").'
            ),
        ),
    } == judged(discovery, "securitylog")
    assert {"DateTStamp"} == {
        column for column, (chosen, _) in judged(discovery, "procedurelog").items() if chosen
    }


@pytest.mark.parametrize(
    ("columns", "expected"),
    [
        (f"At datetime not null default current_timestamp on update current_timestamp, Stamp {STAMP}", "At"),
        ("Stamp timestamp(3) not null default current_timestamp(3) on update current_timestamp(3)", "Stamp"),
        ("Stamp timestamp null on update current_timestamp", "Stamp"),
        ("Stamp timestamp not null default current_timestamp", None),
        ("DateTStamp datetime not null", None),
        ("SecDateTEntry datetime not null", None),
        ("AsOf varchar(20) not null default '2020-01-01'", None),
    ],
)
def test_only_the_server_is_believed(
    source: SourceDatabase, registry: Registry, columns: str, expected: str | None
) -> None:
    """Whatever a column is called, only ON UPDATE CURRENT_TIMESTAMP makes it the cursor of a mutable table."""
    source.execute(f"create table note (NoteNum bigint not null auto_increment primary key, {columns})")
    discovery = SchemaDiscovery(source.engine, source.name, registry)
    assert expected == discovery.get_pipeline_configuration("note")["incremental_column"]


def test_cursors_of_the_practice(source: SourceDatabase, registry: Registry) -> None:
    """In the generated practice every stamped table has its stamp as cursor, and only logs have keys."""
    create_practice(source.url, scale=0.001, storage_engine=source.storage_engine)
    stamps: dict[str, set[Any]] = {}
    for table, column in source.rows(
        "select table_name, column_name from information_schema.columns where table_schema = database()"
        " and extra like '%on update current_timestamp%'"
    ):
        stamps.setdefault(table, set()).add(column)
    discovery = SchemaDiscovery(source.engine, source.name, registry)
    configs = discovery.analyze_complete_schema()["pipeline_configs"]
    assert [] == [table for table in stamps if configs[table]["incremental_column"] not in stamps[table]]
    keys = {
        table
        for table, config in configs.items()
        if config["incremental_column"] is not None and table not in stamps
    }
    assert {"securitylog"} <= keys
    assert {"procedurelog", "commlog"} & keys == set()
    assert {"append_only"} == {
        usage["update_frequency"] for usage in discovery.analyze_table_usage_patterns(keys).values()
    }
