"""Deployments between a source and a warehouse, whose tables are loaded one at a time."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from etlkit.demo import PrivateMySQL, PrivatePostgres
from support.databases import KINDS, SourceDatabase, WarehouseDatabase, source_database, warehouse_database
from support.loading import Loading, loading_of


@pytest.fixture
def loading(source: SourceDatabase, warehouse: WarehouseDatabase) -> Iterator[Loading]:
    """A deployment between empty databases."""
    with loading_of(source, warehouse) as made:
        yield made


@pytest.fixture(scope="module", params=list(KINDS))
def shared(request: pytest.FixtureRequest, postgres: PrivatePostgres) -> Iterator[Loading]:
    """A deployment that the tests of a module share, each with tables of its own names."""
    server: PrivateMySQL = request.getfixturevalue(request.param.partition("-")[0])
    with (
        source_database(server, request.param) as source,
        warehouse_database(postgres) as warehouse,
        loading_of(source, warehouse) as made,
    ):
        yield made
