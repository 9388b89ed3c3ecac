"""How many queries an analysis costs, counted by the server: a handful, whatever the number of tables."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import sqlalchemy

from etlkit import SchemaDiscovery
from etlkit.discovery.analyzer import OpenDentalSchemaAnalyzer
from etlkit.registry import Registry
from support.databases import SourceDatabase
from support.dental_schema import STAMP
from support.server_log import statements_seen

TABLES = 450


def create_tables(source: SourceDatabase, count: int) -> None:
    """Create tables of two dozen columns, a third of them stamped by the server, some without a key."""
    numbers = ", ".join(f"Setting{each} int(11) not null" for each in range(16))
    source.execute(
        *(
            f"create table area{each:03d} ("
            f"Area{each:03d}Num bigint(20) not null {'auto_increment primary key' if each % 9 else ''},"
            " PatNum bigint(20) not null, ProvNum bigint(20) not null, Note text not null,"
            " Fee double not null, IsHidden tinyint(4) not null, SecDateTEntry datetime not null,"
            f" DateTStamp {STAMP if each % 3 else 'datetime not null'}, {numbers},"
            " key PatNum (PatNum), key SecDateTEntry (SecDateTEntry))"
            for each in range(count)
        )
    )


def statements_of_an_analysis(source: SourceDatabase, registry: Registry, folder: Path) -> list[str]:
    """Analyse as `etlkit analyze` does, over an engine that never connected, and list what the server was asked."""
    engine = sqlalchemy.create_engine(source.engine.url)
    folder.mkdir()
    with statements_seen(source.server) as seen:
        OpenDentalSchemaAnalyzer(SchemaDiscovery(engine, source.name, registry)).analyze(folder)
    engine.dispose()
    return seen


def test_queries_do_not_grow_with_tables(
    source: SourceDatabase,
    make_source: Callable[[str], SourceDatabase],
    names_alone: Registry,
    tmp_path: Path,
) -> None:
    """Analysing 450 tables asks the server as often as analysing 5, and at most 12 times."""
    few = make_source(source.kind)
    create_tables(few, 5)
    create_tables(source, TABLES)
    many = statements_of_an_analysis(source, names_alone, tmp_path / "many")
    assert len(many) == len(statements_of_an_analysis(few, names_alone, tmp_path / "few"))
    # The rest sets up the connection.
    catalog = [each for each in many if each.startswith("SHOW") or "information_schema" in each]
    assert 0 < len(catalog) <= 12
    assert catalog == many[-len(catalog) :]


def test_every_method_shares_one_reading(dental: SourceDatabase, names_alone: Registry) -> None:
    """After the catalog was read, no method asks the source again; only rows and statements are fetched."""
    discovery = SchemaDiscovery(dental.engine, dental.name, names_alone)
    tables = discovery.discover_all_tables()
    with statements_seen(dental.server) as seen:
        discovery.analyze_complete_schema()
        discovery.analyze_table_relationships(tables)
        discovery.analyze_table_usage_patterns(tables)
        discovery.determine_table_importance(tables)
        for table in tables:
            discovery.get_table_size_info(table)
            discovery.get_incremental_columns(table)
            discovery.get_pipeline_configuration(table)
            discovery.get_table_dependencies_recursive(table)
            discovery.has_schema_changed(table, "")
            discovery.validate_table_configuration(table, {"incremental_column": "PatNum"})
    assert [] == seen
