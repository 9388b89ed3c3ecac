"""A schema is loaded from one source; another one must be accepted by a person."""

from __future__ import annotations

from collections.abc import Callable

import attrs
import pytest

from etlkit.config import MySQLUrl, SourceSettings
from etlkit.errors import SourceChanged
from support.databases import SourceDatabase, WarehouseDatabase
from support.running import Running, running_of

MakeSource = Callable[[str], SourceDatabase]


def patients(source: SourceDatabase, *rows: str) -> None:
    """Make a table with a cursor, and a second one."""
    source.execute(
        "CREATE TABLE patient (id INT PRIMARY KEY, v VARCHAR(20), s TIMESTAMP NOT NULL, KEY (s))",
        "CREATE TABLE other (id INT PRIMARY KEY)",
        f"INSERT INTO patient VALUES {', '.join(rows)}",
    )


def goes_to(running: Running, source: SourceDatabase) -> None:
    """Point the deployment to another database."""
    settings = running.deployment.settings
    tables = settings.analyzed
    patient = attrs.evolve(tables["patient"], extraction_strategy="incremental", incremental_column="s")
    moved = attrs.evolve(
        settings,
        source=SourceSettings(url=MySQLUrl.parse(source.reader_url)),
        analyzed={**tables, "patient": patient},
    )
    running.deployment.connections.close()
    running.deployment = attrs.evolve(running.deployment, settings=moved)


def test_another_source(
    source: SourceDatabase, make_source: MakeSource, warehouse: WarehouseDatabase
) -> None:
    """Another server or database ends the run before it reads; once accepted, every table is read whole."""
    patients(source, "(1, 'north', '2024-01-01')", "(2, 'north', '2024-01-09')")
    kind = "mysql56" if source.kind != "mysql56" else "mariadb-innodb"
    second = make_source(kind)
    patients(second, "(1, 'south', '2023-01-01')", "(2, 'south', '2024-01-09')")
    with running_of(source, warehouse) as first:
        first.analyse()
        assert 0 == first.run()
        assert 0 == first.run()
    with running_of(second, warehouse) as running:
        running.analyse()
        goes_to(running, second)
        with pytest.raises(SourceChanged) as caught:
            running.run()
        names = ["MySQL", "MariaDB"] if source.kind == "mysql56" else ["MariaDB", "MySQL"]
        assert (
            f"schema `raw` was loaded from another source: the server was a {names[0]} and is a {names[1]}; the "
            f"database was `{source.name}` and is `{second.name}`. Nothing was read. When the clinic's database moved, "
            "`etlkit run --accept-source` goes on with it and reads every row once; another clinic needs another "
            "`warehouse.schema` in etlkit.yml"
        ) == str(caught.value)
        assert ([], 1) == (running.events, SourceChanged.exit_code)
        assert [(1, "north"), (2, "north")] == warehouse.rows("SELECT id, v FROM raw.patient ORDER BY 1")

        assert 0 == running.run(accept_source=True, select=("other",))
        assert 0 == running.run()
        assert [(1, "south"), (2, "south")] == warehouse.rows("SELECT id, v FROM raw.patient ORDER BY 1")
        assert 0 == running.run()


@pytest.mark.parametrize("source", ["mariadb-innodb", "mysql56"], indirect=True)
def test_the_same_source(source: SourceDatabase, warehouse: WarehouseDatabase) -> None:
    """A server is the same under another name and after a restart; what is kept holds no user and no password."""
    patients(source, "(1, 'north', '2024-01-01')")
    with running_of(source, warehouse) as running:
        running.analyse()
        assert 0 == running.run()
        kept = warehouse.rows("SELECT * FROM etlkit.sources")
        url = running.deployment.settings.source.url
    assert ("raw", f"{url.host}:{url.port}", source.name) == (kept[0][0], kept[0][4], kept[0][5])
    assert kept[0][2]
    source.server.stop()
    source.server.start()
    renamed = source.reader_url.replace("127.0.0.1", "localhost")
    with running_of(source, warehouse, source_url=renamed) as running:
        running.analyse()
        assert 0 == running.run()
        place = f"{running.deployment.settings.source.url.host}:{running.deployment.settings.source.url.port}"
    assert place == warehouse.value("SELECT place FROM etlkit.sources")
    assert kept[0][1:4] == warehouse.rows("SELECT kind, server, machine FROM etlkit.sources")[0]
