"""The contracts' databases are those of this suite, so that no further server is started."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property

import pytest

from support.databases import SourceDatabase, WarehouseDatabase


class MadeWhenAsked:
    """A database that is made when its address is asked for: some contracts' tests have nothing to do."""

    def __init__(self, make: Callable[[], SourceDatabase | WarehouseDatabase]) -> None:
        """Take what makes it."""
        self._make = make

    @cached_property
    def url(self) -> str:
        """The administrator's URL."""
        return self._make().url


@pytest.fixture
def source_kind() -> str:
    """The kind of source; a class of tests may give another one."""
    return "mariadb-innodb"


@pytest.fixture
def etlkit_source(source_kind: str, make_source: Callable[[str], SourceDatabase]) -> MadeWhenAsked:
    """An empty source database."""
    return MadeWhenAsked(lambda: make_source(source_kind))


@pytest.fixture
def etlkit_warehouse(request: pytest.FixtureRequest) -> MadeWhenAsked:
    """An empty warehouse database."""
    make: Callable[[], WarehouseDatabase] = request.getfixturevalue("make_warehouse")
    return MadeWhenAsked(make)
