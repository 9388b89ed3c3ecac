"""Every method of `SchemaDiscovery` on real servers: its document, whole; copies, caches and threads."""

from __future__ import annotations

import importlib.metadata
import json
import threading
from collections.abc import Callable
from copy import deepcopy
from pathlib import Path
from typing import Any, get_type_hints

import pytest

from etlkit import SchemaDiscovery
from etlkit.demo.practice import TABLES as PRACTICE
from etlkit.demo.practice import create_practice
from etlkit.discovery.documents import DependencyTree, Fitness, PipelineConfiguration, TableSchema
from etlkit.registry import Registry
from support.databases import SourceDatabase
from support.dental_schema import ROWS, TABLES
from support.documents import mismatches
from support.server_log import statements_seen

USUAL = sorted(set(TABLES) - {"tempConv_patient1"})
ONE_KIND = pytest.mark.parametrize("source", ["mariadb-innodb"], indirect=True)

CALLS: dict[str, tuple[Any, ...]] = {
    "discover_all_tables": (),
    "get_table_schema": ("patient",),
    "get_table_size_info": ("patient",),
    "get_incremental_columns": ("appointment",),
    "analyze_table_relationships": (["patient", "appointment"],),
    "analyze_table_usage_patterns": (["patient", "appointment"],),
    "determine_table_importance": (["patient", "appointment"],),
    "get_pipeline_configuration": ("patient",),
    "analyze_complete_schema": (),
    "get_table_dependencies_recursive": ("procedurelog",),
}
"""The methods that return documents, with arguments for the small schema."""


def spoiled(value: Any) -> None:
    """Change every part of a document."""
    parts = value.values() if isinstance(value, dict) else value
    for part in [*parts]:
        if isinstance(part, dict | list):
            spoiled(part)
    value.clear()


def test_mismatches_are_found() -> None:
    """The comparison with a `TypedDict` sees missing keys, further keys and other types."""
    document = {"table": "a", "dependencies": [{"table": 1, "dependencies": []}], "more": 1}
    assert ["document has more", "document.dependencies[0].table is a int, not <class 'str'>"] == sorted(
        mismatches(document, DependencyTree)
    )
    assert ["document lacks score"] == mismatches({"refused": True, "reasons": [], "indexed": True}, Fitness)


@pytest.mark.parametrize("method", CALLS)
def test_documents_are_those_documented(discovery: SchemaDiscovery, method: str) -> None:
    """Each document has exactly the documented keys and types, and can be written as JSON."""
    hint = get_type_hints(getattr(SchemaDiscovery, method))["return"]
    document = getattr(discovery, method)(*CALLS[method])
    assert [] == mismatches(document, hint)
    assert document == json.loads(json.dumps(document))


@ONE_KIND
@pytest.mark.parametrize("method", CALLS)
def test_callers_get_copies(discovery: SchemaDiscovery, method: str) -> None:
    """What a caller does to a document does not reach the next caller."""
    call = getattr(discovery, method)
    before = deepcopy(call(*CALLS[method]))
    spoiled(call(*CALLS[method]))
    assert before == call(*CALLS[method])


def test_all_tables(discovery: SchemaDiscovery) -> None:
    """Base tables are listed by name, excluded ones too, and views not."""
    assert sorted(TABLES) == discovery.discover_all_tables()


def test_table_schema(discovery: SchemaDiscovery, dental: SourceDatabase) -> None:
    """A table's definition is told in one spelling on every server."""
    schema = discovery.get_table_schema("patient")
    columns = {column["name"]: column for column in schema["columns"]}
    assert dental.rows("show create table patient")[0][1] == schema["create_statement"]
    assert {
        "engine": dental.storage_engine,
        "charset": "utf8mb4",
        "collation": "utf8mb4_general_ci",
        "auto_increment": ROWS + 1,
        "row_count": ROWS,
    } == schema["metadata"]
    assert ["PatNum"] == schema["primary_key_columns"]
    assert [
        {"name": "PRIMARY", "columns": ["PatNum"], "is_unique": True, "type": "BTREE"},
        {"name": "Guarantor", "columns": ["Guarantor"], "is_unique": False, "type": "BTREE"},
        {"name": "indexLName", "columns": ["LName"], "is_unique": False, "type": "BTREE"},
    ] == schema["indexes"]
    assert [] == schema["foreign_keys"]
    assert {
        "name": "PatNum",
        "type": "bigint(20)",
        "data_type": "bigint",
        "is_nullable": False,
        "default": None,
        "extra": "auto_increment",
        "comment": "",
        "key_type": "PRI",
    } == columns["PatNum"]
    assert {
        "name": "SecDateTEdit",
        "type": "timestamp",
        "data_type": "timestamp",
        "is_nullable": False,
        "default": "current_timestamp",
        "extra": "on update current_timestamp",
        "comment": "last edit",
        "key_type": "",
    } == columns["SecDateTEdit"]
    assert ("", None, True) == (
        columns["LName"]["default"],
        columns["AddrNote"]["default"],
        columns["AddrNote"]["is_nullable"],
    )
    assert "0001-01-01 00:00:00" == columns["DateTimeDeceased"]["default"]


def test_table_sizes(discovery: SchemaDiscovery, dental: SourceDatabase) -> None:
    """Sizes are the catalog's, in bytes and MB; whether the rows are counted or estimated is said."""
    data, index = dental.rows(
        "select data_length, index_length from information_schema.tables"
        " where table_schema = database() and table_name = 'patient'"
    )[0]
    assert {
        "table_name": "patient",
        "row_count": ROWS,
        "row_count_exact": dental.storage_engine == "MyISAM",
        "data_size_bytes": data,
        "data_size_mb": data * 1000 // 2**20 / 1000,
        "index_size_bytes": index,
        "index_size_mb": index * 1000 // 2**20 / 1000,
        "total_size_bytes": data + index,
        "total_size_mb": (data + index) * 1000 // 2**20 / 1000,
    } == discovery.get_table_size_info("patient")


def test_exact_counts_only_when_asked(dental: SourceDatabase, names_alone: Registry) -> None:
    """Rows are counted when a caller asks for it, once, and never where the engine keeps the count."""
    discovery = SchemaDiscovery(dental.engine, dental.name, names_alone)
    with statements_seen(dental.server) as quiet:
        discovery.get_table_size_info("patient")
        discovery.analyze_complete_schema()
    with statements_seen(dental.server) as asked:
        counted = [discovery.get_table_size_info("patient", exact=True) for _ in range(2)]
    assert [(ROWS, True)] * 2 == [(each["row_count"], each["row_count_exact"]) for each in counted]
    assert [] == [each for each in quiet if "count(" in each.lower()]
    assert (0 if dental.storage_engine == "MyISAM" else 1) == len(asked)


def test_create_statements_only_when_asked(discovery: SchemaDiscovery, dental: SourceDatabase) -> None:
    """`SHOW CREATE TABLE` is sent once per table by `get_table_schema`, and by no analysis."""
    with statements_seen(dental.server) as quiet:
        complete = discovery.analyze_complete_schema()
        discovery.validate_table_configuration("patient", {})
    with statements_seen(dental.server) as asked:
        discovery.get_table_schema("patient")
        discovery.get_table_schema("patient")
    assert [] == [each for each in quiet if "show create" in each.lower()]
    assert [f"SHOW CREATE TABLE `{dental.name}`.`patient`"] == asked
    assert {None} == {table["create_statement"] for table in complete["tables"].values()}


def test_schema_changes(discovery: SchemaDiscovery, dental: SourceDatabase) -> None:
    """A changed definition is seen once the snapshot is a new one."""
    before = discovery.get_table_schema("provider")["schema_hash"]
    assert not discovery.has_schema_changed("provider", before)
    dental.execute("alter table provider add NationalProvID varchar(255) not null")
    assert not discovery.has_schema_changed("provider", before)
    discovery.clear_cache()
    assert discovery.has_schema_changed("provider", before)


def test_usage_patterns(discovery: SchemaDiscovery) -> None:
    """The catalog tells how tables are used, also a table without rows."""
    usage = discovery.analyze_table_usage_patterns(["patient", "securitylog"])
    assert {
        **usage["patient"],
        "row_count": ROWS,
        "column_count": 10,
        "timestamp_columns": ["DateTimeDeceased", "SecDateTEdit"],
        "boolean_columns": ["HasSuperBilling"],
        "text_columns": ["LName", "AddrNote"],
        "update_frequency": "frequent",
        "table_type": "hub",
        "has_auto_increment": True,
        "has_primary_key": True,
    } == usage["patient"]
    assert ("append_only", "log") == (
        usage["securitylog"]["update_frequency"],
        usage["securitylog"]["table_type"],
    )


def test_importance(discovery: SchemaDiscovery) -> None:
    """Classifiers give the levels; a table that none knows is `standard`, a level like any other."""
    levels = discovery.determine_table_importance(["patient", "securitylog", "xpatientlink"])
    assert {"patient": "critical", "securitylog": "audit", "xpatientlink": "standard"} == levels


def test_complete_schema(discovery: SchemaDiscovery, dental: SourceDatabase) -> None:
    """One document holds the answers of all methods, for all tables but those excluded by default."""
    complete = discovery.analyze_complete_schema()
    assert USUAL == list(complete["tables"])
    assert (dental.name, len(USUAL), ["tempConv_patient1"], ["v_patient"]) == (
        complete["metadata"]["source_database"],
        complete["metadata"]["total_tables"],
        complete["metadata"]["excluded_tables"],
        complete["metadata"]["views"],
    )
    assert {
        name: {**discovery.get_table_schema(name), "create_statement": None} for name in USUAL
    } == complete["tables"]
    assert discovery.analyze_table_relationships(USUAL) == complete["relationships"]
    assert discovery.analyze_table_usage_patterns() == complete["usage_patterns"]
    assert discovery.determine_table_importance() == complete["importance_scores"]
    assert {name: discovery.get_pipeline_configuration(name) for name in USUAL} == complete[
        "pipeline_configs"
    ]
    assert len(USUAL) == complete["summary_statistics"]["total_tables"]


@ONE_KIND
def test_etlkits_own_tables_are_excluded(dental: SourceDatabase, discovery: SchemaDiscovery) -> None:
    """Beside a copy of a practice lies etlkit's record of it, which nothing analyses and who says so is told."""
    dental.execute("create table etlkit_state (table_name varchar(64) primary key)")
    assert "etlkit_state" in discovery.discover_all_tables()
    assert USUAL == discovery.usual_tables()
    metadata = discovery.analyze_complete_schema()["metadata"]
    assert ["etlkit_state", "tempConv_patient1"] == metadata["excluded_tables"]
    assert {"exclusion": "etlkit", "plugin": "etlkit"} == metadata["excluded_by"]["etlkit_state"]
    version = importlib.metadata.version("etlkit-core")
    assert [f"`etlkit` of plugin `etlkit` (etlkit-core {version})"] == [
        str(each.by) for each in discovery.opinions("etlkit_state").exclusions if each.answer
    ]


def test_excluded_tables_can_be_asked_for(discovery: SchemaDiscovery) -> None:
    """Whoever names a table gets it, excluded by default or not, and once however often it is named."""
    complete = discovery.analyze_complete_schema(["tempConv_patient1", "tempConv_patient1"])
    assert (["tempConv_patient1"], 1) == (list(complete["tables"]), complete["metadata"]["total_tables"])


def test_practice(source: SourceDatabase, registry: Registry, tmp_path: Path) -> None:
    """The generated practice can be analysed whole, and every configuration is valid."""
    create_practice(source.url, scale=0.001, storage_engine=source.storage_engine)
    discovery = SchemaDiscovery(source.engine, source.name, registry)
    configuration = discovery.generate_complete_configuration(tmp_path)
    assert sorted(PRACTICE) == sorted(configuration["tables"])
    assert [] == mismatches(configuration["tables"], dict[str, PipelineConfiguration])
    assert {} == {
        name: problems
        for name, entry in configuration["tables"].items()
        if (problems := discovery.validate_table_configuration(name, entry))
    }
    described = {name: discovery.get_table_schema(name) for name in PRACTICE}
    assert [] == mismatches(described, dict[str, TableSchema])


@ONE_KIND
@pytest.mark.parametrize(
    ("kind", "emptied"),
    [
        (None, {"schema", "analysis", "config"}),
        ("schema", {"schema", "analysis", "config"}),
        ("analysis", {"analysis", "config"}),
        ("config", {"config"}),
    ],
)
def test_clear_cache(discovery: SchemaDiscovery, kind: Any, emptied: set[str]) -> None:
    """A kind of knowledge is forgotten together with what was concluded from it."""
    discovery.get_table_schema("patient")
    discovery.get_pipeline_configuration("patient")
    discovery.clear_cache(kind)
    caches = {
        "schema": discovery._schema_cache,  # noqa: SLF001 - the contract names the three caches
        "analysis": discovery._analysis_cache,  # noqa: SLF001 - as above
        "config": discovery._config_cache,  # noqa: SLF001 - as above
    }
    assert emptied == {name for name, cache in caches.items() if not cache}


@ONE_KIND
def test_clear_cache_refuses_other_kinds(discovery: SchemaDiscovery) -> None:
    """A misspelled kind forgets nothing and is refused."""
    with pytest.raises(ValueError, match="kind") as caught:
        discovery.clear_cache("schemas")  # type: ignore[arg-type]
    assert "kind must be in ['schema', 'analysis', 'config'] or None (got 'schemas')" == str(caught.value)


@ONE_KIND
def test_cleared_snapshot_is_read_again(discovery: SchemaDiscovery, dental: SourceDatabase) -> None:
    """What happened in the source since is seen after `clear_cache`, in counts and statements too."""
    discovery.get_table_schema("patient")
    discovery.get_table_size_info("patient", exact=True)
    dental.execute("delete from patient", "alter table patient drop AddrNote", "create table zz (a int)")
    assert "zz" not in discovery.discover_all_tables()
    discovery.clear_cache("schema")
    assert "zz" in discovery.discover_all_tables()
    assert "AddrNote" not in str(discovery.get_table_schema("patient"))
    assert 0 == discovery.get_table_size_info("patient", exact=True)["row_count"]


@ONE_KIND
def test_many_threads_read_the_catalog_once(dental: SourceDatabase, names_alone: Registry) -> None:
    """Threads that ask at the same moment share one reading of the catalog, and get equal answers."""
    discovery = SchemaDiscovery(dental.engine, dental.name, names_alone)
    with statements_seen(dental.server) as alone:
        SchemaDiscovery(dental.engine, dental.name).discover_all_tables()
    together: Callable[[], int] = threading.Barrier(8).wait
    answers: list[Any] = []

    def ask() -> None:
        together()
        answers.append(discovery.analyze_complete_schema())
        discovery.get_incremental_columns("patient")

    threads = [threading.Thread(target=ask) for _ in range(8)]
    with statements_seen(dental.server) as seen:
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert alone == seen
    assert [answers[0]] * 8 == answers


@ONE_KIND
def test_clearing_while_others_ask(discovery: SchemaDiscovery) -> None:
    """A snapshot that is forgotten in the middle of an analysis does not mix with the next one."""
    expected = discovery.analyze_complete_schema()["relationships"]
    done = threading.Event()

    def clear() -> None:
        while not done.is_set():
            discovery.clear_cache()

    clearing = threading.Thread(target=clear)
    clearing.start()
    try:
        for _ in range(5):
            assert expected == discovery.analyze_complete_schema()["relationships"]
            assert "patient" == discovery.get_table_schema("patient")["table_name"]
    finally:
        done.set()
        clearing.join()
