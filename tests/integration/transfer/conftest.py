"""A deployment between a test's source and its warehouse, whose tables are loaded one at a time."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from support.databases import SourceDatabase, WarehouseDatabase
from support.loading import Loading, loading_of


@pytest.fixture
def loading(source: SourceDatabase, warehouse: WarehouseDatabase) -> Iterator[Loading]:
    """A deployment, its ledger made."""
    with loading_of(source, warehouse) as made:
        yield made
