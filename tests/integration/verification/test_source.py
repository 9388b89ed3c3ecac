"""A verification compares only with the source that the tables were loaded from, and remembers nothing of another."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from etlkit.errors import SourceChanged
from etlkit.verification.verify import Verify
from support.databases import SourceDatabase, WarehouseDatabase
from support.running import Running, running_of

MakeSource = Callable[[str], SourceDatabase]


def exit_code(running: Running) -> int:
    """Verify every table."""
    return Verify(deployment=running.deployment).carry_out().exit_code


def test_another_source(
    source: SourceDatabase, make_source: MakeSource, warehouse: WarehouseDatabase
) -> None:
    """Another database is refused like by a run, before anything is read, and the first one stays what is known."""
    second = make_source(source.kind)
    for each in (source, second):
        each.execute("CREATE TABLE patient (id INT PRIMARY KEY)", "INSERT INTO patient VALUES (1)")
    with running_of(source, warehouse) as running:
        running.analyse()
        assert 3 == exit_code(running)  # never loaded, and no ledger yet
        assert 0 == running.run()
        assert 0 == exit_code(running)
        kept = warehouse.rows("SELECT * FROM etlkit.sources")
    with running_of(second, warehouse) as running:
        running.analyse()
        with pytest.raises(SourceChanged) as caught:
            exit_code(running)
    assert (
        f"schema `raw` was loaded from another source: the database was `{source.name}` and is `{second.name}`. "
        "Nothing was read. When the clinic's database moved, `etlkit run --accept-source` goes on with it and reads "
        "every row once; another clinic needs another `warehouse.schema` in etlkit.yml"
    ) == str(caught.value)
    assert kept == warehouse.rows("SELECT * FROM etlkit.sources")


@pytest.mark.parametrize("source", ["mariadb-innodb"], indirect=True)
def test_the_same_source_at_another_place(source: SourceDatabase, warehouse: WarehouseDatabase) -> None:
    """The same server under another name is compared with; only a run remembers the name."""
    source.execute("CREATE TABLE patient (id INT PRIMARY KEY)")
    with running_of(source, warehouse) as running:
        running.analyse()
        assert 0 == running.run()
        kept = warehouse.rows("SELECT * FROM etlkit.sources")
    renamed = source.reader_url.replace("127.0.0.1", "localhost")
    with running_of(source, warehouse, source_url=renamed) as running:
        running.analyse()
        assert 0 == exit_code(running)
    assert kept == warehouse.rows("SELECT * FROM etlkit.sources")
