"""Open Dental's whole schema on a real server, as discovery reads it there."""

from __future__ import annotations

import pytest
from sqlalchemy import text

from etlkit import SchemaDiscovery
from etlkit.registry import Registry
from support.databases import SourceDatabase
from support.open_dental_truth import schema, truth


@pytest.mark.parametrize("source", ["mariadb-myisam"], indirect=True)
def test_relations_of_the_whole_schema(source: SourceDatabase, registry: Registry) -> None:
    """The 408 tables have the relations on a server that are measured without one, and none is left out."""
    with source.engine.begin() as connection:
        for name, table in truth().items():
            columns = [
                f"`{each.name}` {each.column_type}"
                + (" NOT NULL AUTO_INCREMENT" if each.name == table.key and table.numbers_itself else "")
                for each in table.columns
            ]
            connection.execute(
                text(f"CREATE TABLE `{name}` ({', '.join(columns)}, PRIMARY KEY (`{table.key}`))")
            )
    discovery = SchemaDiscovery(source.engine, source.name, registry)
    assert sorted(schema()) == discovery.usual_tables()
    found = discovery.analyze_table_relationships()
    pointing = {
        (name, each["column"], f"{each['referenced_table']}.{each['referenced_column']}")
        for name, relations in found.items()
        for each in relations["relations"]
    }
    true = {
        (name, each.name, each.points_to)
        for name, table in truth().items()
        for each in table.columns
        if each.points_to not in {"", "several"}
    }
    assert len(pointing & true) / len(true) >= 0.90
    assert len(pointing & true) / len(pointing) >= 0.97
