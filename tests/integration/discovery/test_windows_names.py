"""A server that does not tell the case of names apart, as MySQL on Windows, where most practices run it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy
from sqlalchemy import make_url

from etlkit import SchemaDiscovery
from etlkit.demo import PrivateMariaDB
from etlkit.registry import Registry
from support.databases import SourceDatabase, source_database
from support.dental_schema import create_dental_schema


@pytest.fixture
def windows(server_folder: Path) -> Iterator[SourceDatabase]:
    """A source on a server that spells all names of tables and databases in lower case."""
    server = PrivateMariaDB(server_folder / "windows", settings={"lower-case-table-names": "1"})
    server.start()
    try:
        with source_database(server, "mariadb-myisam") as source:
            create_dental_schema(source)
            yield source
    finally:
        server.stop()


def test_names_in_any_case(windows: SourceDatabase, registry: Registry) -> None:
    """Databases and tables are found in any spelling, and told in the source's."""
    url = make_url(windows.engine.url).set(database=windows.name.upper())
    engine = sqlalchemy.create_engine(url)
    discovery = SchemaDiscovery(engine, windows.name.upper(), registry)
    assert windows.name == discovery.catalog().database
    assert "tempconv_patient1" not in discovery.usual_tables()
    assert "patient" == discovery.get_table_schema("Patient")["table_name"]
    assert list(discovery.analyze_complete_schema(["PATIENT", "patient"])["tables"]) == ["patient"]
    assert ["patient"] == discovery.analyze_table_relationships(["PatientNote"])["patientnote"][
        "dependencies"
    ]
    assert [] == discovery.validate_table_configuration("PATIENT", {"dependencies": ["Provider"]})
    engine.dispose()
