"""The contracts' databases are those of this suite, so that no further server is started."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from support.databases import SourceDatabase, WarehouseDatabase


@pytest.fixture
def etlkit_source(make_source: Callable[[str], SourceDatabase]) -> SourceDatabase:
    """An empty source database."""
    return make_source("mariadb-innodb")


@pytest.fixture
def etlkit_warehouse(warehouse: WarehouseDatabase) -> WarehouseDatabase:
    """An empty warehouse database."""
    return warehouse
