"""The fingerprint of a definition on real servers: equal wherever the same definition lives."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from etlkit import SchemaDiscovery
from etlkit.demo.practice import create_practice
from support.databases import KINDS, SourceDatabase
from support.dental_schema import TABLES, create_dental_schema

TYPES = (
    "Id bigint unsigned not null auto_increment, Tiny tinyint(4) not null default 0, Flag tinyint(1),"
    " Small smallint(5) unsigned zerofill, Medium mediumint(9), Whole int(11) default 7, Whole2 integer,"
    " Bits bit(5), Money decimal(10,2) unsigned not null default 1.50, Other numeric(5), Real4 float,"
    " Real4b float(7,3), Real8 double, Real8b double(15,3), Born year(4), Day date, At1 datetime, At2 datetime(6),"
    " Stamp timestamp not null default current_timestamp on update current_timestamp,"
    " Stamp2 timestamp(3) null default null, Lasts time, Lasts2 time(2), Ch char(5) default 'it''s',"
    " Vc varchar(100) character set utf8 not null default '', Vl varchar(50) character set latin1, Bi binary(3),"
    " Vb varbinary(9), T1 tinytext, T2 text, T3 mediumtext, T4 longtext, B1 tinyblob, B2 blob, B3 mediumblob,"
    " B4 longblob, En enum('a','B,c','it''s','') not null default 'a', St set('x','y'), Pt point not null,"
    " primary key (Id, Day), unique key OnVc (Vc), key OnText (T2(20)), key Two (Whole, Medium),"
    " key OnDesc (Whole2), fulltext key Words (T3)"
)
"""Every type that both servers have."""

EVERYWHERE = (
    "create table t (A bigint(20) not null auto_increment primary key, B int(11) not null,"
    " C varchar(50), key B (B))"
)


def hashes(source: SourceDatabase) -> dict[str, str]:
    """Give the hash of each table."""
    catalog = SchemaDiscovery(source.engine, source.name).catalog()
    return {name: facts.schema_hash for name, facts in catalog.tables.items()}


@pytest.fixture
def everywhere(make_source: Callable[[str], SourceDatabase]) -> list[SourceDatabase]:
    """One empty database of each kind."""
    return [make_source(kind) for kind in KINDS]


def test_same_schema_same_hash_on_all_servers(everywhere: list[SourceDatabase]) -> None:
    """MariaDB and MySQL 5.6, InnoDB and MyISAM give the same hash for the same definition."""
    found = []
    for source in everywhere:
        create_dental_schema(source)
        # MySQL 5.6 has full-text indexes of InnoDB, and indexes of MyISAM that are long enough.
        source.execute(f"create table every_type ({TYPES})")
        found.append(hashes(source))
    assert len(TABLES) + 1 == len(found[0])
    assert len(found[0]) == len(set(found[0].values()))
    assert [found[0]] * len(KINDS) == found


def test_same_practice_same_hash_on_all_servers(everywhere: list[SourceDatabase]) -> None:
    """The generated practice has the same hashes on all servers."""
    found = []
    for source in everywhere:
        create_practice(source.url, scale=0.001, storage_engine=source.storage_engine)
        found.append(hashes(source))
    assert [found[0]] * len(KINDS) == found


@pytest.mark.parametrize(
    "change",
    [
        "insert into t (A, B) values (1000, 1)",
        "alter table t auto_increment = 5000",
        "alter table t engine = MEMORY",
        "alter table t engine = InnoDB",
        "alter table t engine = MyISAM",
        "alter table t modify B int(5) not null",
        "alter table t modify B int(11) not null default 3 comment 'new'",
        "alter table t comment = 'a comment'",
        "alter table t row_format = dynamic",
        "alter table t convert to character set utf8mb4 collate utf8mb4_unicode_ci",
    ],
)
def test_hash_ignores_what_says_nothing_of_the_values(source: SourceDatabase, change: str) -> None:
    """AUTO_INCREMENT, engine, display widths, defaults, comments and collations leave the hash alone."""
    source.execute(EVERYWHERE)
    before = hashes(source)
    source.execute(change)
    assert before == hashes(source)


@pytest.mark.parametrize(
    "change",
    [
        "alter table t add D int(11)",
        "alter table t drop C",
        "alter table t change C c2 varchar(50)",
        "alter table t change C c varchar(50)",
        "alter table t modify C varchar(51)",
        "alter table t modify B bigint(20) not null",
        "alter table t modify B int(11) unsigned not null",
        "alter table t modify B int(11)",
        "alter table t modify C varchar(50) after A",
        "alter table t drop primary key, modify A bigint(20) not null, add primary key (A, B)",
        "alter table t drop primary key, modify A bigint(20) not null",
        "alter table t drop key B",
        "alter table t drop key B, add unique key B (B)",
        "alter table t add key C (C)",
        "alter table t add key C (C(10))",
        "alter table t drop key B, add key B (B, C)",
    ],
)
def test_hash_tells_definitions_apart(source: SourceDatabase, change: str) -> None:
    """A column, its type, its nullability, the key or an index changes the hash."""
    source.execute(EVERYWHERE)
    before = hashes(source)
    source.execute(change)
    assert before["t"] != hashes(source)["t"]
