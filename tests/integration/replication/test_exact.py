"""Rows of every type arrive in a replica as they are stored in the source, between real servers of all kinds."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from support.copying import Copying, bytes_of, copying
from support.databases import SourceDatabase
from support.every_type import ANY_MODE, tables_of

PAIRS = [
    ("mariadb-innodb", "mariadb-innodb"),
    ("mariadb-myisam", "mariadb-innodb"),
    ("mysql56", "mariadb-innodb"),
    ("mysql56", "mysql56"),
    ("mariadb-innodb", "mariadb-myisam"),
    ("mysql56", "mariadb-myisam"),
    ("mariadb-innodb", "mysql56"),
]


@pytest.fixture
def pair(request: pytest.FixtureRequest, make_source: Callable[[str], SourceDatabase]) -> Iterator[Copying]:
    """A source and a replica of two kinds."""
    source, target = request.param
    with copying(make_source(source), make_source(target)) as made:
        yield made


@pytest.mark.parametrize("pair", PAIRS, indirect=True, ids="-to-".join)
@pytest.mark.parametrize("by_load", [True, False])
def test_every_type(pair: Copying, by_load: bool) -> None:
    """Every type."""
    least = "mysql56" if "mysql56" in (pair.source.kind, pair.target.kind) else pair.source.kind
    for table, cases in tables_of(least).items():
        columns = ", ".join(f"`{column}` {case.declared}" for column, case in cases.items())
        names = ", ".join(f"`{column}`" for column in cases)
        values = ", ".join(case.literal for case in cases.values())
        pair.both(ANY_MODE, f"CREATE TABLE {table} (id INT PRIMARY KEY, {columns}) CHARACTER SET utf8mb4")
        pair.source.execute(
            ANY_MODE,
            f"INSERT INTO {table} (id, {names}) VALUES (1, {values})",
            f"INSERT INTO {table} (id) VALUES (0)",
        )
        assert 2 == pair.copy(table, by_load=by_load)
        there = bytes_of(pair.source, table)
        here = bytes_of(pair.target, table)
        for n, name in enumerate(["id", *cases]):
            assert [row[n] for row in there] == [row[n] for row in here], name
        one, other = pair.digests(table)
        assert one == other
