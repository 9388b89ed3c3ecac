"""A clinic, its replica and its warehouse over days: all three equal, whatever the tables are like."""

from __future__ import annotations

import pytest

from support.databases import SourceDatabase, WarehouseDatabase
from support.two_hops import MakeSource, checksums, strict, two_hops, unequal_definitions
from support.two_hops_tables import create, day, tables_of

BOTH = pytest.mark.parametrize("source", ["mariadb-myisam", "mysql56"], indirect=True)


@BOTH
def test_a_day(source: SourceDatabase, make_source: MakeSource, warehouse: WarehouseDatabase) -> None:
    """Tables of every kind go through a replica whose server is strict, and so does what a day brings."""
    create(source)
    replica = make_source("mariadb-innodb")
    with strict(replica), two_hops(source, replica, warehouse) as hops:
        assert 0 == hops.run(), hops.errors()
        assert [] == hops.unequal()
        assert [] == unequal_definitions(source, replica)
        day(source)
        written = checksums(source)
        assert 0 == hops.run(), hops.errors()
        assert [] == hops.settled()
        assert [] == unequal_definitions(source, replica)
        assert {"transacted"} & set(tables_of(source.kind)) == set(tables_of(source.kind)) - set(
            hops.adapted()
        )
        assert written == checksums(source)
