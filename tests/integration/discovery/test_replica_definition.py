"""How a table is made on a replica, between real servers: what is adapted, and that it is told."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable

import attrs
import pytest
import sqlalchemy

from etlkit import SchemaDiscovery
from etlkit.errors import SchemaAnalysisError
from support.databases import SourceDatabase
from support.server_log import statements_seen

MakeSource = Callable[[str], SourceDatabase]

EVERYWHERE = (
    "create table t (Num bigint(20) not null auto_increment primary key, Small tinyint(1) unsigned zerofill,"
    " Fee decimal(10,2) not null default 1, Weight double default 1e10, Flags bit(3) default b'101',"
    " Raw binary(3) default 'ab', Kind enum('a','b','c''d') character set latin1 default 'c''d',"
    " Note text, Name varchar(100) not null default 'it''s \\\\ 100%' collate utf8mb4_bin,"
    " Old varchar(20) character set utf8 default null, Given date not null default '0000-00-00',"
    " Made datetime(6) not null default '0000-00-00 00:00:00', Stamp timestamp not null default"
    " current_timestamp on update current_timestamp, Fine timestamp(3) null default null comment 'a;b',"
    " unique key Fine (Fine), key Name (Name(10), Num), fulltext key Note (Note)) comment='50%'"
    " row_format=dynamic auto_increment=7"
)
"""A table that every server can hold, in its own words."""


def copied(
    source: SourceDatabase, target: SourceDatabase, table: str, storage_engine: str = "InnoDB"
) -> list[str]:
    """Copy a table, prove that the copy is as it is to be, and give what was adapted in words."""
    discovery, replica = (SchemaDiscovery(each.engine, each.name) for each in (source, target))
    definition = discovery.replica_definition(table, replica, storage_engine=storage_engine)
    discovery.replicate_schema(table, target.engine, target.name, storage_engine=storage_engine)
    replica.clear_cache()
    assert () == discovery.definition_differences(table, replica, storage_engine=storage_engine)
    return [str(each) for each in definition.adaptations]


def definition(database: SourceDatabase, table: str) -> str:
    """What `SHOW CREATE TABLE` says."""
    return str(database.rows(f"show create table `{table}`")[0][1])


@pytest.mark.parametrize("kind", ["mariadb-innodb", "mysql56"])
def test_between_all_kinds(source: SourceDatabase, make_source: MakeSource, kind: str) -> None:
    """Whatever both servers print of it, a copy that was just made has no differences."""
    source.execute("set sql_mode = ''", EVERYWHERE)
    target = make_source(kind)
    adapted = copied(source, target, "t")
    if source.storage_engine == "InnoDB" and kind != "mysql56":
        assert [] == adapted
        assert definition(source, "t").replace(" AUTO_INCREMENT=7", "") == definition(target, "t")
    elif source.storage_engine == "InnoDB":
        assert ["table option ROW_FORMAT=DYNAMIC: left out"] == adapted
    else:
        assert ["engine MyISAM -> InnoDB", "table option ROW_FORMAT=DYNAMIC: left out"] == adapted
    assert [("InnoDB",)] == target.rows(
        "select engine from information_schema.tables where table_schema = database()"
    )


def test_the_statement_is_the_one_that_is_run(make_source: MakeSource) -> None:
    """`replica_definition` gives the statement as the server takes it, whatever the names."""
    source, target = make_source("mariadb-myisam"), make_source("mysql56")
    source.execute("create table `100% ``odd``` (`a%s` int not null, `b``c` varchar(20) default '%(x)s')")
    discovery, replica = (SchemaDiscovery(each.engine, each.name) for each in (source, target))
    made = discovery.replica_definition("100% `odd`", replica, target_table="an%other")
    target.execute(made.statement)
    replica.clear_cache()
    assert () == discovery.definition_differences("100% `odd`", replica, target_table="an%other")
    assert (
        f"CREATE TABLE `{target.name}`.`an%other` (\n"
        "  `a%s` int(11) NOT NULL,\n"
        "  `b``c` varchar(20) DEFAULT '%(x)s'\n"
        ") ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_general_ci"
    ) == made.statement


def test_what_mysql_56_does_not_know(make_source: MakeSource, caplog: pytest.LogCaptureFixture) -> None:
    """Collations, checks, expressions and options of MariaDB are adapted as far as rows stay the same, and told."""
    source, target = make_source("mariadb-myisam"), make_source("mysql56")
    source.execute(
        "create table t (A int not null, B int generated always as (A + 1) virtual invisible,"
        " C varchar(10) generated always as (concat('x', A)) stored comment 'k', D varchar(36) default uuid(),"
        " E json, F text default 'x', G varchar(100) compressed, H int check (H > 0), I date default curdate(),"
        " J timestamp not null, K varchar(20) character set utf8mb3 collate utf8mb3_uca1400_ai_ci,"
        " L varchar(20) collate utf8mb4_uca1400_swedish_ai_ci, M varchar(20) not null,"
        " N datetime(3) default current_timestamp(3) on update current_timestamp(3),"
        " primary key (M), check (A < B))"
        " engine=aria page_checksum=1 transactional=1 collate utf8mb4_uca1400_ai_ci"
    )
    with caplog.at_level(logging.INFO, logger="etlkit"):
        adapted = copied(source, target, "t")
    assert [
        "engine Aria -> InnoDB",
        "collation utf8mb4_uca1400_ai_ci -> utf8mb4_unicode_520_ci",
        "column `B`: computed by (`A` + 1) -> plain column (its values are copied)",
        "column `B`: INVISIBLE: left out",
        "column `C`: computed by (concat('x',`A`)) -> plain column (its values are copied)",
        "column `D`: default uuid(): left out",
        "column `F`: default of its own: left out (MySQL has none for text)",
        "column `I`: default curdate(): left out",
        "column `J`: default none -> '0000-00-00 00:00:00'",
        "column `K`: collation utf8mb3_uca1400_ai_ci -> utf8_unicode_520_ci",
        "column `L`: collation utf8mb4_uca1400_swedish_ai_ci -> utf8mb4_swedish_ci",
        "column `M`: collation utf8mb4_uca1400_ai_ci -> utf8mb4_bin",
        "column `E`: CHECK (json_valid(`E`)): left out",
        "column `G`: COMPRESSED: left out",
        "column `H`: CHECK (`H` > 0): left out",
        "CHECK (`A` < `B`): left out",
        "table option PAGE_CHECKSUM=1: left out",
        "table option TRANSACTIONAL=1: left out",
    ] == adapted
    assert [f"`t` of `{target.name}`: adapted for MySQL 5.6.24: {'; '.join(adapted)}"] == [
        each.getMessage() for each in caplog.records if each.name == "etlkit.discovery.replica_schema"
    ]
    assert (
        "CREATE TABLE `t` (\n"
        "  `A` int(11) NOT NULL,\n"
        "  `B` int(11) DEFAULT NULL,\n"
        "  `C` varchar(10) COLLATE utf8mb4_unicode_520_ci DEFAULT NULL COMMENT 'k',\n"
        "  `D` varchar(36) COLLATE utf8mb4_unicode_520_ci DEFAULT NULL,\n"
        "  `E` longtext CHARACTER SET utf8mb4 COLLATE utf8mb4_bin,\n"
        "  `F` text COLLATE utf8mb4_unicode_520_ci,\n"
        "  `G` varchar(100) COLLATE utf8mb4_unicode_520_ci DEFAULT NULL,\n"
        "  `H` int(11) DEFAULT NULL,\n"
        "  `I` date DEFAULT NULL,\n"
        "  `J` timestamp NOT NULL DEFAULT '0000-00-00 00:00:00',\n"
        "  `K` varchar(20) CHARACTER SET utf8 COLLATE utf8_unicode_520_ci DEFAULT NULL,\n"
        "  `L` varchar(20) CHARACTER SET utf8mb4 COLLATE utf8mb4_swedish_ci DEFAULT NULL,\n"
        "  `M` varchar(20) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,\n"
        "  `N` datetime(3) DEFAULT CURRENT_TIMESTAMP(3) ON UPDATE CURRENT_TIMESTAMP(3),\n"
        "  PRIMARY KEY (`M`)\n"
        ") ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_520_ci"
    ) == definition(target, "t")


def test_what_mariadb_can_hold_stays(make_source: MakeSource) -> None:
    """Between two MariaDBs everything arrives word for word, but for the engine and what belongs to it."""
    source, target = make_source("mariadb-myisam"), make_source("mariadb-innodb")
    source.execute(
        "create table t (A int not null, B int generated always as (A + 1) virtual invisible,"
        " C varchar(10) generated always as (concat('x', A)) stored comment 'k', D varchar(36) default uuid(),"
        " E json, F text default 'x', G varchar(100) compressed, H int check (H > 0), I date default curdate(),"
        " J timestamp not null, K varchar(20) collate utf8mb3_uca1400_ai_ci, L blob, M inet6, primary key (A),"
        " key K (K) ignored, constraint less check (A < B))"
        " engine=aria page_checksum=1 transactional=1 collate utf8mb4_uca1400_ai_ci"
        " partition by key (A) partitions 2"
    )
    assert [
        "engine Aria -> InnoDB",
        "table option PAGE_CHECKSUM=1: left out",
        "table option TRANSACTIONAL=1: left out",
    ] == copied(source, target, "t")
    assert definition(source, "t").replace("ENGINE=Aria", "ENGINE=InnoDB").replace(
        " PAGE_CHECKSUM=1 TRANSACTIONAL=1", ""
    ) == definition(target, "t")
    source.execute("create table u like t", "create table v (A blob, unique key A (A)) engine=InnoDB")
    for table in "uv":
        assert [] == copied(source, target, table, "source")
        assert definition(source, table) == definition(target, table)


def test_earlier_versions_of_rows_are_not_kept(make_source: MakeSource) -> None:
    """A copy holds the rows as they are now, the times of their versions as plain values."""
    source, target = make_source("mariadb-innodb"), make_source("mariadb-innodb")
    source.execute(
        "create table t (A int not null primary key, Since timestamp(6) generated always as row start,"
        " Until timestamp(6) generated always as row end invisible, period for system_time (Since, Until))"
        " with system versioning partition by system_time (partition p0 history, partition p1 current)"
    )
    assert [
        "column `Since`: computed by (ROW START) -> plain column (its values are copied)",
        "column `Until`: computed by (ROW END) -> plain column (its values are copied)",
        "column `Until`: INVISIBLE: left out",
        "system versioning of the rows: left out (rows are copied as they are now)",
        "partitions of the rows: left out",
    ] == copied(source, target, "t")


def test_strict_servers_take_dates_that_do_not_exist(make_source: MakeSource) -> None:
    """Defaults such as `0000-00-00` arrive on a server whose sql_mode forbids them, and its mode stays."""
    source, target = make_source("mysql56"), make_source("mariadb-innodb")
    source.execute(
        "set sql_mode = 'ALLOW_INVALID_DATES'",
        "create table t (A int(11) not null default '0', B date not null default '0000-00-00',"
        " C datetime not null default '2024-02-31 00:00:00', D timestamp not null default 0)",
    )
    strict = "STRICT_ALL_TABLES,NO_ZERO_IN_DATE,NO_ZERO_DATE"
    engine = sqlalchemy.create_engine(
        target.engine.url, connect_args={"init_command": f"set session sql_mode = '{strict}'"}
    )
    strict_target = attrs.evolve(target, engine=engine)
    assert ["engine MyISAM -> InnoDB"] == copied(source, strict_target, "t")
    assert strict == strict_target.value("select @@sql_mode")
    engine.dispose()
    assert (
        "CREATE TABLE `t` (\n"
        "  `A` int(11) NOT NULL DEFAULT 0,\n"
        "  `B` date NOT NULL DEFAULT '0000-00-00',\n"
        "  `C` datetime NOT NULL DEFAULT '2024-02-31 00:00:00',\n"
        "  `D` timestamp NOT NULL DEFAULT '0000-00-00 00:00:00'\n"
        ") ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_general_ci"
    ) == definition(target, "t")


def test_engines(make_source: MakeSource) -> None:
    """A copy gets InnoDB; what InnoDB cannot hold keeps its engine, and tables without rows of their own become one."""
    source, target = make_source("mariadb-myisam"), make_source("mysql56")
    source.execute(
        "create table numbered (A int not null, B int not null auto_increment, key (A, B))",
        "create table longer (A varchar(250) not null, unique key A (A))",
        "create table place (A geometry not null, spatial key A (A))",
        "create table part (A int) union=()",
        "create table whole (A int) engine=merge union=(part) insert_method=last",
        "create table kept (A int) engine=memory",
        "create table aria (A int) engine=aria",
        f"create table wide ({', '.join(f'C{each} varchar(60) not null' for each in range(120))})",
    )
    of = {
        "numbered": ["engine MyISAM: kept (InnoDB cannot: AUTO_INCREMENT `B` begins no index)"],
        "longer": [
            "engine MyISAM: kept (InnoDB cannot: index `A` covers up to 1000 bytes of a column, the limit is 767)"
        ],
        "place": ["engine MyISAM: kept (InnoDB cannot: index `A` is spatial)"],
        "whole": [
            "engine MRG_MyISAM -> InnoDB",
            "table option INSERT_METHOD=LAST: left out",
            "table option UNION: left out",
        ],
        "kept": ["engine MEMORY -> InnoDB"],
        "wide": ["engine MyISAM -> InnoDB"],
    }
    assert of == {table: copied(source, target, table) for table in of}
    of = {
        "longer": [],
        "whole": of["whole"],
        "kept": [],
        "aria": [
            "engine Aria -> InnoDB (MySQL 5.6.24 has no engine Aria)",
            "table option PAGE_CHECKSUM=1: left out",
        ],
    }
    for table in of:
        target.execute(f"drop table if exists {table}")
    assert of == {table: copied(source, target, table, "source") for table in of}


def test_long_keys_of_innodb(make_source: MakeSource) -> None:
    """Where an index may cover less of each value, it covers the beginning; a unique one would mean something else."""
    source, target = make_source("mariadb-innodb"), make_source("mysql56")
    source.execute(
        "create table t (A varchar(500), B text, C varbinary(900), key A (A), key B (B(300)), key C (C))",
        "create table u (A varchar(700) not null primary key)",
        "create table v (A blob, unique key A (A))",
    )
    assert [
        "column `A`: index `A` over the whole value -> the first 191 characters",
        "column `B`: index `B` over the first 300 characters -> the first 191 characters",
        "column `C`: index `C` over the whole value -> the first 767 bytes",
    ] == copied(source, target, "t")
    advice = "Choose a replica of the source's own kind and version, or leave the table out."
    for table, why in (
        ("u", "index `PRIMARY` covers up to 2800 bytes of a column, the limit is 767"),
        ("v", "index `A` keeps long values unique, as only MariaDB can"),
    ):
        with pytest.raises(SchemaAnalysisError) as caught:
            copied(source, target, table)
        assert f"MySQL 5.6.24 cannot hold the table `{table}`: InnoDB cannot: {why}. {advice}" == str(
            caught.value
        )
    message = "storage_engine must be in ['InnoDB', 'source'] (got 'rocks')"
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        copied(source, target, "t", "rocks")


def test_what_is_asked(make_source: MakeSource) -> None:
    """A replica is asked what it can hold once, and both catalogs are read once, however many tables there are."""
    source, target = make_source("mariadb-myisam"), make_source("mysql56")
    tables = ["a", "b", "c"]
    source.execute(*(f"create table {each} (A int, B text collate utf8mb4_uca1400_ai_ci)" for each in tables))
    discovery, replica = (SchemaDiscovery(each.engine, each.name) for each in (source, target))
    for table in tables:
        discovery.replicate_schema(table, target.engine, target.name)
    with statements_seen(target.server) as seen:
        for table in tables:
            assert 2 > len(discovery.definition_differences(table, replica, storage_engine="source"))
    catalog = [each for each in seen if each.startswith("SHOW") or "information_schema" in each]
    # Seven of the catalog; which server, its collations and its engines.
    assert 10 == len(catalog)
    with statements_seen(target.server) as seen:
        for table in tables:
            discovery.replica_definition(table, replica)
            discovery.definition_differences(table, replica)
    assert [] == seen


def test_names_without_backticks(make_source: MakeSource) -> None:
    """A source that prints names in another way is refused before anything is made of half a definition."""
    source, target = make_source("mariadb-innodb"), make_source("mariadb-innodb")
    source.execute("create table t (A int)")
    engine = sqlalchemy.create_engine(
        source.engine.url, connect_args={"init_command": "set session sql_mode = 'ANSI_QUOTES'"}
    )
    with pytest.raises(SchemaAnalysisError) as caught:
        copied(attrs.evolve(source, engine=engine), target, "t")
    assert (
        "The definition of the table `t` cannot be read: names stand in it without backticks. Let this user's "
        "sessions have sql_quote_show_create, and an sql_mode without ANSI_QUOTES."
    ) == str(caught.value)
    engine.dispose()
