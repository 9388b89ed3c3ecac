"""Tables that are adapted for the replica's server hold the source's rows all the same, and are proven equal."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from etlkit import SchemaDiscovery
from etlkit.replication.replicator import ExactMySQLReplicator
from support.databases import SourceDatabase

TABLES = {
    "computed": (
        (
            "(Id int not null primary key, A int, Sum int as (A + 1) virtual invisible, Name varchar(20) as"
            " (concat('x', A)) stored, Doc json, Stamp timestamp not null, Who varchar(20) default uuid(),"
            " check (A > 0)) engine=Aria collate utf8mb4_uca1400_ai_ci"
        ),
        (
            "(Id, A, Doc, Stamp, Who) values (1, 2, '{\"b\":1, \"b\": 1}', '2001-01-01 01:00:00', 'a'),"
            " (2, null, null, '2002-02-02 02:00:00', 'B')"
        ),
    ),
    "numbered": (
        "(A int not null, B int not null auto_increment, key (A, B))",
        "values (1, 0), (1, 0), (2, 0)",
    ),
    "longer": (
        "(A varchar(250) not null, primary key (A)) collate utf8mb4_uca1400_nopad_as_ci",
        "values ('a'), ('á'), ('ß'), ('ss'), (''), ('🦷'), ('🍬')",
    ),
}
"""Definitions that MySQL 5.6, or InnoDB, cannot hold as they are, with rows."""


@pytest.mark.parametrize("kind", ["mysql56", "mariadb-innodb"])
def test_adapted_tables_are_equal(make_source: Callable[[str], SourceDatabase], kind: str) -> None:
    """Every value arrives, also where the replica computes nothing; one that is changed there is found."""
    source, replica = make_source("mariadb-myisam"), make_source(kind)
    for table, (definition, rows) in TABLES.items():
        source.execute(f"create table {table} {definition}", f"insert into {table} {rows}")
    discovery = SchemaDiscovery(source.engine, source.name)
    with ExactMySQLReplicator(
        source.engine, replica.engine, source.name, replica.name, discovery
    ) as replicator:
        for table in TABLES:
            replicator.create_exact_replica(table)
            replicator.copy_table_data(table)
        assert dict.fromkeys(TABLES, True) == {
            table: replicator.verify_exact_replica(table) for table in TABLES
        }
        columns = "select Id, A, Sum, Name, Doc, Stamp, Who from computed order by Id"
        assert source.rows(columns) == replica.rows(columns)
        changed = "Sum" if kind == "mysql56" else "A"
        replica.execute(f"update computed set {changed} = 9, Stamp = Stamp where Id = 2")
        assert not replicator.verify_exact_replica("computed")
