"""`replicate_schema` between real servers: an empty copy with the same definition, or a refusal."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import sqlalchemy

from etlkit import SchemaDiscovery
from etlkit.errors import (
    ConnectionFailed,
    EtlkitError,
    SchemaAnalysisError,
    SchemaNotFoundError,
    TargetConflict,
)
from support.databases import KINDS, SourceDatabase
from support.dental_schema import TABLES, create_dental_schema
from support.server_log import statements_seen

ONE_KIND = pytest.mark.parametrize("source", ["mariadb-innodb"], indirect=True)
MakeSource = Callable[[str], SourceDatabase]

HARD = (
    "create table `100% ``odd``` (`a%s` int(11) not null comment 'it''s 100% odd; `x` (\\n) FOREIGN KEY',"
    " `b``c` varchar(20) default '%(x)s', `when` datetime default '0000-00-00 00:00:00',"
    " primary key (`a%s`), key `k%` (`b``c`)) comment='50%'"
)


def refusal(kind: type[EtlkitError], ask: Callable[[], object]) -> str:
    """Ask in vain, and give the message."""
    with pytest.raises(kind) as caught:
        ask()
    assert kind is type(caught.value)
    return str(caught.value)


def tables_of(source: SourceDatabase) -> set[str]:
    """List tables and views."""
    return {name for (name,) in source.rows("show tables")}


def test_copies_to_every_server(discovery: SchemaDiscovery, make_source: MakeSource) -> None:
    """Every table arrives empty and with the same hash, whichever server the copy is on."""
    for kind in KINDS:
        target = make_source(kind)
        for table in TABLES:
            assert discovery.replicate_schema(table, target.engine, target.name) is True
        catalog = SchemaDiscovery(target.engine, target.name).catalog()
        assert {name: facts.schema_hash for name, facts in discovery.catalog().tables.items()} == {
            name: facts.schema_hash for name, facts in catalog.tables.items()
        }
        assert 0 == target.value("select count(*) from patient")


def test_hard_names_and_texts(source: SourceDatabase, make_source: MakeSource) -> None:
    """Quotes, percent signs and lines in names, defaults and comments arrive as they are."""
    source.execute("set sql_mode = ''", HARD)
    target = make_source("mysql56")
    name = "100% `odd`"
    SchemaDiscovery(source.engine, source.name).replicate_schema(name, target.engine, target.name)
    definition = "show full columns from `100% ``odd```"
    kept = [0, 3, 4, 5, 8]
    assert [[row[at] for at in kept] for row in source.rows(definition)] == [
        [row[at] for at in kept] for row in target.rows(definition)
    ]
    mine = target.value("select table_comment from information_schema.tables where table_schema = database()")
    assert "50%" == mine


@ONE_KIND
def test_another_name(discovery: SchemaDiscovery, dental: SourceDatabase) -> None:
    """With `target_table` a copy can stand in the source's own database."""
    assert discovery.replicate_schema("patient", dental.engine, dental.name, target_table="patient_copy")
    assert 3 == dental.value("select count(*) from patient")
    assert 0 == dental.value("select count(*) from patient_copy")


@ONE_KIND
@pytest.mark.parametrize("kind", ["mariadb-innodb", "mysql56"])
def test_replaces_a_table(discovery: SchemaDiscovery, make_source: MakeSource, kind: str) -> None:
    """A table of that name is replaced with its rows, and nothing else is left behind."""
    target = make_source(kind)
    target.execute("create table provider (Old int)", "insert into provider values (1)")
    discovery.replicate_schema("provider", target.engine, target.name)
    assert ["ProvNum", "Abbr", "IsHidden"] == [row[0] for row in target.rows("show columns from provider")]
    assert {"provider"} == tables_of(target)


@ONE_KIND
def test_refuses_to_replace(discovery: SchemaDiscovery, make_source: MakeSource) -> None:
    """Without `drop_if_exists` a table that is there stays, with its rows; a view always stays."""
    target = make_source("mysql56")
    target.execute(
        "create table provider (Old int)",
        "insert into provider values (1)",
        "create view patient as select * from provider",
    )
    assert (
        f"{target.name}.provider is there already (a table). Choose another target_table, or drop it yourself."
    ) == refusal(
        TargetConflict,
        lambda: discovery.replicate_schema("provider", target.engine, target.name, drop_if_exists=False),
    )
    assert (
        f"{target.name}.patient is there already (a view). Choose another target_table, or drop it yourself."
    ) == refusal(TargetConflict, lambda: discovery.replicate_schema("patient", target.engine, target.name))
    assert [(1,)] == target.rows("select * from provider")
    assert {"provider", "patient"} == tables_of(target)
    assert discovery.replicate_schema("userod", target.engine, target.name, drop_if_exists=False)


@ONE_KIND
def test_never_replaces_the_source(dental: SourceDatabase) -> None:
    """The source's own table is not taken for a copy, also when the pool holds one connection only."""
    engine = sqlalchemy.create_engine(dental.engine.url, pool_size=1, max_overflow=0, pool_timeout=1)
    discovery = SchemaDiscovery(engine, dental.name)
    for target in (engine, dental.engine):
        assert (
            f"{dental.name}.patient is the source itself. Choose another database or target_table."
        ) == refusal(
            TargetConflict,
            lambda target=target: discovery.replicate_schema("patient", target, dental.name),  # type: ignore[misc]
        )
    assert 3 == dental.value("select count(*) from patient")
    engine.dispose()


def test_same_names_on_another_server(make_source: MakeSource) -> None:
    """A database of the same name on another server is no source."""
    source, other = make_source("mariadb-innodb"), make_source("mysql56")
    create_dental_schema(source)
    other.execute(f"create database `{source.name}`")
    try:
        SchemaDiscovery(source.engine, source.name).replicate_schema("userod", other.engine, source.name)
        assert 0 == other.value(f"select count(*) from `{source.name}`.userod")
    finally:
        other.execute(f"drop database `{source.name}`")


@ONE_KIND
def test_declared_keys_are_left_out(source: SourceDatabase, make_source: MakeSource) -> None:
    """Copies are filled one by one in any order, so they have no foreign keys; indexes and checks stay."""
    source.execute(
        "create table a (A int not null primary key)",
        "create table b (B int not null primary key, A int, N int check (N > 0),"
        " constraint fk foreign key (A) references a (A) on delete cascade, constraint positive check (B > 0))",
    )
    target = make_source("mariadb-innodb")
    SchemaDiscovery(source.engine, source.name).replicate_schema("b", target.engine, target.name)
    statement = target.rows("show create table b")[0][1]
    assert "FOREIGN KEY" not in statement
    assert ("KEY `fk` (`A`)" in statement, statement.count("CHECK")) == (True, 2)


@ONE_KIND
def test_collations_that_the_target_does_not_know(source: SourceDatabase, make_source: MakeSource) -> None:
    """What MariaDB calls by names of its own becomes the nearest that MySQL 5.6 knows."""
    source.execute(
        "create table t (A varchar(20) collate utf8mb4_unicode_520_nopad_ci, B varchar(20) character set utf8mb3,"
        " C varchar(20) collate utf8mb4_nopad_bin, D json)"
    )
    target = make_source("mysql56")
    SchemaDiscovery(source.engine, source.name).replicate_schema("t", target.engine, target.name)
    assert {
        "A": "utf8mb4_unicode_520_ci",
        "B": "utf8_general_ci",
        "C": "utf8mb4_bin",
        "D": "utf8mb4_bin",
    } == {row[0]: row[2] for row in target.rows("show full columns from t")}


@ONE_KIND
def test_refused_targets(discovery: SchemaDiscovery, dental: SourceDatabase, make_source: MakeSource) -> None:
    """A target that is missing, of another kind, or unable to hold the table is refused, with its reason."""
    target = make_source("mysql56")
    place = f"The server at 127.0.0.1:{target.engine.url.port}"
    assert f"{place} has no database `nowhere`. Check the name in the URL." == refusal(
        SchemaNotFoundError, lambda: discovery.replicate_schema("patient", target.engine, "nowhere")
    )
    postgres = sqlalchemy.create_engine("postgresql+psycopg2://nobody@localhost:1/none")
    assert ("replicate_schema makes copies on MySQL and MariaDB only, not on postgresql.") == refusal(
        SchemaAnalysisError, lambda: discovery.replicate_schema("patient", postgres, "none")
    )
    gone = sqlalchemy.create_engine(target.engine.url.set(port=1))
    assert (
        "The server at 127.0.0.1:1 cannot be reached, or ended the connection (error 2003), while creating "
        "none.patient. Check host, port, firewall and that the server runs, then try again."
    ) == refusal(ConnectionFailed, lambda: discovery.replicate_schema("patient", gone, "none"))
    dental.execute("create table ip (a inet6)")
    discovery.clear_cache()
    assert (
        "MySQL 5.6.24 cannot hold the column `ip`.`a`: it has no type inet6. "
        "Choose a MariaDB for the replica, or leave the table out."
    ) == refusal(SchemaAnalysisError, lambda: discovery.replicate_schema("ip", target.engine, target.name))
    assert set() == tables_of(target)


@ONE_KIND
def test_reader_cannot_replicate(dental: SourceDatabase) -> None:
    """A user without the right to create tables is told so."""
    url = sqlalchemy.make_url(dental.reader_url).set(drivername="mysql+pymysql")
    reader = sqlalchemy.create_engine(url)
    assert (
        f"The server at 127.0.0.1:{url.port} does not let the user `reader` do this (error 1142) while creating "
        f"{dental.name}.copy. Let an administrator GRANT CREATE, ALTER, DROP and INSERT on the database "
        f"`{dental.name}`, or check its name."
    ) == refusal(
        SchemaAnalysisError,
        lambda: SchemaDiscovery(reader, dental.name).replicate_schema("patient", reader, dental.name, "copy"),
    )
    reader.dispose()


@ONE_KIND
def test_one_definition_is_asked_for(
    discovery: SchemaDiscovery, dental: SourceDatabase, make_source: MakeSource
) -> None:
    """Two copies of a table ask the source for its definition once."""
    discovery.discover_all_tables()
    target = make_source("mysql56")
    with statements_seen(dental.server) as seen:
        for name in ("a", "b"):
            discovery.replicate_schema("patient", target.engine, target.name, name)
    assert [f"SHOW CREATE TABLE `{dental.name}`.`patient`"] == seen
