"""How a replica's table differs from what it is to be, whichever servers both are on."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from etlkit import SchemaDiscovery
from etlkit.errors import SchemaNotFoundError
from support.databases import SourceDatabase

MakeSource = Callable[[str], SourceDatabase]
Difference = tuple[str, str | None, str]

PAIRS = [("mariadb-myisam", "mariadb-innodb"), ("mariadb-myisam", "mysql56"), ("mysql56", "mariadb-innodb")]
"""Servers of the source and the replica."""

BEFORE = (
    "create table t (Num bigint(20) not null auto_increment primary key, PatNum int(11) not null,"
    " Sort int(10) unsigned not null default 0, Fee decimal(8,2) not null default 0,"
    " Name varchar(50) not null default '', Code varchar(20) character set latin1 not null default '',"
    " Note text, Raw varbinary(20) default 'x', Kind enum('a','b') default 'a', Gone int(11),"
    " DateT datetime not null default '0001-01-01 00:00:00', Stamp timestamp not null default"
    " current_timestamp on update current_timestamp, key PatNum (PatNum), key Name (Name(10)),"
    " key Pair (PatNum, Sort), key Gone (Gone), fulltext key Note (Note))"
)

CHANGES: dict[str, list[Difference]] = {
    "add column Added smallint(5) unsigned null after Num": [
        ("column_added", "Added", "column `Added` (smallint unsigned) is new in the source")
    ],
    "drop key Gone, drop column Gone": [
        ("column_gone", "Gone", "column `Gone` is gone in the source"),
        ("index", None, "index `Gone`: (`Gone`) in the replica, none in the source"),
    ],
    "modify PatNum bigint(20) null": [
        ("column_widened", "PatNum", "column `PatNum`: type int in the replica, bigint in the source"),
        ("column_widened", "PatNum", "column `PatNum`: value NOT NULL in the replica, NULL in the source"),
    ],
    "modify Sort smallint(5) unsigned not null default 7": [
        (
            "column_narrowed",
            "Sort",
            "column `Sort`: type int unsigned in the replica, smallint unsigned in the source",
        ),
        ("column_changed", "Sort", "column `Sort`: default '0' in the replica, '7' in the source"),
    ],
    "modify Fee decimal(8,2) unsigned not null": [
        (
            "column_narrowed",
            "Fee",
            "column `Fee`: type decimal(8,2) in the replica, decimal(8,2) unsigned in the source",
        ),
        ("column_changed", "Fee", "column `Fee`: default '0.00' in the replica, none in the source"),
    ],
    "modify Raw int(11) default null": [
        ("column_retyped", "Raw", "column `Raw`: type varbinary(20) in the replica, int in the source"),
        ("column_changed", "Raw", "column `Raw`: default 'x' in the replica, none in the source"),
    ],
    "modify Kind enum('a','b','c') default 'b'": [
        (
            "column_widened",
            "Kind",
            "column `Kind`: type enum('a','b') in the replica, enum('a','b','c') in the source",
        ),
        ("column_changed", "Kind", "column `Kind`: default 'a' in the replica, 'b' in the source"),
    ],
    "modify Name varchar(50) collate utf8mb4_bin not null default 'it''s' comment 'new'": [
        (
            "column_changed",
            "Name",
            "column `Name`: collation utf8mb4_general_ci in the replica, utf8mb4_bin in the source",
        ),
        ("column_changed", "Name", "column `Name`: default '' in the replica, 'it''s' in the source"),
        ("column_changed", "Name", "column `Name`: comment '' in the replica, 'new' in the source"),
    ],
    "modify Code varchar(20) character set utf8 not null default ''": [
        (
            "column_widened",
            "Code",
            "column `Code`: character set latin1 in the replica, utf8mb3 in the source",
        )
    ],
    "modify Stamp timestamp not null default current_timestamp": [
        (
            "column_changed",
            "Stamp",
            "column `Stamp`: attributes on update current_timestamp in the replica, none in the source",
        )
    ],
    "modify DateT datetime(3) not null default current_timestamp(3)": [
        (
            "column_widened",
            "DateT",
            "column `DateT`: type datetime in the replica, datetime(3) in the source",
        ),
        (
            "column_changed",
            "DateT",
            "column `DateT`: default '0001-01-01 00:00:00' in the replica, current_timestamp(3) in the source",
        ),
    ],
    "modify Kind enum('a','b') default 'a' first": [
        ("column_moved", "Kind", "column `Kind` stands behind `Raw` in the replica, first in the source")
    ],
    "modify Num bigint(20) not null, drop primary key, add primary key (Num, PatNum)": [
        (
            "column_changed",
            "Num",
            "column `Num`: attributes auto_increment in the replica, none in the source",
        ),
        ("key", None, "primary key: (`Num`) in the replica, (`Num`, `PatNum`) in the source"),
    ],
    "modify Num bigint(20) not null, drop primary key": [
        (
            "column_changed",
            "Num",
            "column `Num`: attributes auto_increment in the replica, none in the source",
        ),
        ("key", None, "primary key: (`Num`) in the replica, none in the source"),
    ],
    "add unique key Added (Sort), drop key Pair": [
        ("index", None, "index `Added`: none in the replica, unique (`Sort`) in the source"),
        ("index", None, "index `Pair`: (`PatNum`, `Sort`) in the replica, none in the source"),
    ],
    "drop key Name, add key Name (Name(20)), drop key PatNum, add unique key PatNum (PatNum, Num)": [
        ("index", None, "index `Name`: (`Name`(10)) in the replica, (`Name`(20)) in the source"),
        ("index", None, "index `PatNum`: (`PatNum`) in the replica, unique (`PatNum`, `Num`) in the source"),
    ],
    "drop key Note, add key Note (Note(30))": [
        ("index", None, "index `Note`: fulltext (`Note`) in the replica, (`Note`(30)) in the source")
    ],
    "comment 'it''s new', default character set latin1": [
        (
            "table",
            None,
            "default collation utf8mb4_general_ci in the replica, latin1_swedish_ci in the source",
        ),
        ("table", None, "comment '' in the replica, 'it''s new' in the source"),
    ],
    "auto_increment = 99, row_format = dynamic, modify Sort int(10) unsigned not null default '0'": [],
}
"""Changes of the source's table, each with what is said of it."""


def found(
    source: SourceDatabase, replica: SourceDatabase, storage_engine: str = "InnoDB"
) -> list[Difference]:
    """What discovery says of `t`."""
    return [
        (each.kind, each.column, str(each))
        for each in SchemaDiscovery(source.engine, source.name).definition_differences(
            "t", SchemaDiscovery(replica.engine, replica.name), storage_engine=storage_engine
        )
    ]


@pytest.mark.parametrize(("here", "there"), PAIRS)
def test_every_change_is_noticed(make_source: MakeSource, here: str, there: str) -> None:
    """Each change of the source is a difference of its own kind, in the same words on all servers; others are none."""
    source, replica = make_source(here), make_source(there)
    source.execute(BEFORE)
    SchemaDiscovery(source.engine, source.name).replicate_schema(
        "t", replica.engine, replica.name, storage_engine="InnoDB"
    )
    told = {}
    for change in CHANGES:
        source.execute("drop table t", BEFORE, f"alter table t {change}")
        told[change] = found(source, replica)
    assert CHANGES == told


def test_changes_of_the_replica(make_source: MakeSource) -> None:
    """What somebody did to the replica's table is noticed as well."""
    source, replica = make_source("mariadb-myisam"), make_source("mariadb-innodb")
    source.execute("create table t (A int not null primary key, B int, C int as (B + 1), check (A > 0))")
    discovery = SchemaDiscovery(source.engine, source.name)
    discovery.replicate_schema("t", replica.engine, replica.name, storage_engine="InnoDB")
    replica.execute(
        "create table other (A int not null primary key)",
        "alter table t add foreign key mine (B) references other (A), modify C int as (B + 2),"
        " drop constraint CONSTRAINT_1, add check (A > 1)",
    )
    differences: list[Difference] = [
        ("column_changed", "C", "column `C`: expression `B`+2 in the replica, `B`+1 in the source"),
        ("index", None, "index `mine`: (`B`) in the replica, none in the source"),
        ("check", None, "checks: (`A` > 1) in the replica, (`A` > 0) in the source"),
        ("foreign_key", None, "foreign keys in the replica: `mine`"),
    ]
    assert differences == found(source, replica)
    replica.execute(
        "drop table t",
        "create table t (A int not null primary key, B int, C int) engine=Aria partition by hash (A) partitions 2",
    )
    assert [
        (
            "column_changed",
            "C",
            "column `C`: attributes none in the replica, virtual generated in the source",
        ),
        ("column_changed", "C", "column `C`: expression none in the replica, `B`+1 in the source"),
        ("table", None, "engine Aria in the replica, InnoDB in the source"),
        ("table", None, "partitions some in the replica, none in the source"),
        ("check", None, "checks: none in the replica, (`A` > 0) in the source"),
    ] == found(source, replica)
    replica.execute("drop table t")
    with pytest.raises(SchemaNotFoundError) as caught:
        found(source, replica)
    assert (f"The database `{replica.name}` has no table `t`; `etlkit analyze` lists its tables.") == str(
        caught.value
    )


def test_the_engine_that_is_asked_for(make_source: MakeSource) -> None:
    """A table with another engine than the one asked for differs in that."""
    source, replica = make_source("mariadb-myisam"), make_source("mariadb-myisam")
    source.execute("create table t (A int)")
    replica.execute("create table t (A int)")
    assert [("table", None, "engine MyISAM in the replica, InnoDB in the source")] == found(source, replica)
    assert [] == found(source, replica, "source")
