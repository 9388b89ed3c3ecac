"""What goes wrong when a schema is asked for: the class, the whole message, and never a password."""

from __future__ import annotations

import traceback
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest
import sqlalchemy
from sqlalchemy import make_url

from etlkit import SchemaDiscovery
from etlkit.errors import ConnectionFailed, EtlkitError, SchemaAnalysisError, SchemaNotFoundError
from etlkit.registry import Registry
from support.databases import SourceDatabase

PASSWORD = "hunter2-very-secret"  # noqa: S105 - looked for in messages, opens nothing
ONE_KIND = pytest.mark.parametrize("source", ["mariadb-innodb"], indirect=True)
HOST = "127.0.0.1"

MakeUser = Callable[..., SchemaDiscovery]


@pytest.fixture
def make_user(dental: SourceDatabase, registry: Registry) -> Iterator[MakeUser]:
    """A function that makes the user `clerk` with given grants, and gives discovery by that user."""
    user = f"'clerk'@'{HOST}'"
    with ExitStack() as stack:

        def make(*grants: str, database: str | None = None, **url: Any) -> SchemaDiscovery:
            dental.execute(f"create user {user} identified by '{PASSWORD}'")
            stack.callback(dental.execute, f"drop user {user}")
            dental.execute(*(each.format(db=f"`{dental.name}`", user=user) for each in grants))
            own = make_url(dental.engine.url).set(username="clerk", password=PASSWORD, database="")
            engine = sqlalchemy.create_engine(own.set(**url), poolclass=sqlalchemy.NullPool)
            return SchemaDiscovery(engine, database or dental.name, registry)

        yield make


def refusal(kind: type[EtlkitError], ask: Callable[[], Any]) -> str:
    """Ask in vain, check class, exit code and that nothing shows the password, and give the message."""
    with pytest.raises(kind) as caught:
        ask()
    error = caught.value
    assert (kind, 1) == (type(error), error.exit_code)
    assert PASSWORD not in f"{error!r} {error} {''.join(traceback.format_exception(error))}"
    return str(error)


def place(discovery: SchemaDiscovery) -> str:
    """Give how messages call the server."""
    url = discovery.source_engine.url
    return f"The server at {url.host}:{url.port}"


@pytest.mark.parametrize(
    "ask",
    [
        lambda discovery, table: discovery.get_table_schema(table),
        lambda discovery, table: discovery.get_table_size_info(table),
        lambda discovery, table: discovery.get_incremental_columns(table),
        lambda discovery, table: discovery.has_schema_changed(table, ""),
        lambda discovery, table: discovery.analyze_table_relationships([table]),
        lambda discovery, table: discovery.analyze_table_usage_patterns([table]),
        lambda discovery, table: discovery.determine_table_importance([table]),
        lambda discovery, table: discovery.get_pipeline_configuration(table),
        lambda discovery, table: discovery.analyze_complete_schema([table]),
        lambda discovery, table: discovery.get_table_dependencies_recursive(table),
        lambda discovery, table: discovery.replicate_schema(table, discovery.source_engine, "nowhere"),
    ],
)
@ONE_KIND
def test_missing_table(discovery: SchemaDiscovery, ask: Callable[[SchemaDiscovery, str], Any]) -> None:
    """Every method says that a table is not there, and which one may have been meant."""
    assert (
        f"The database `{discovery.source_db}` has no table `pateint`; did you mean `patient`?"
    ) == refusal(SchemaNotFoundError, lambda: ask(discovery, "pateint"))


def test_nothing_like_it(discovery: SchemaDiscovery) -> None:
    """Where no name is near, the message says how to find the names; odd names are only names."""
    for name in ("zzzzzz", "", "a`b%s", "x" * 70):
        assert (
            f"The database `{discovery.source_db}` has no table `{name}`; `etlkit analyze` lists its tables."
        ) == refusal(SchemaNotFoundError, lambda name=name: discovery.get_table_schema(name))  # type: ignore[misc]


def test_view(discovery: SchemaDiscovery) -> None:
    """A view is not taken for a table, nor for nothing."""
    assert (
        f"The database `{discovery.source_db}` has no table `v_patient`: it is a view, "
        "and only base tables are analysed and loaded."
    ) == refusal(SchemaNotFoundError, lambda: discovery.get_table_schema("v_patient"))


def test_table_newer_than_the_snapshot(discovery: SchemaDiscovery, dental: SourceDatabase) -> None:
    """A table that came after the snapshot is not in it."""
    discovery.discover_all_tables()
    dental.execute("create table brandnew (a int)")
    assert (
        f"The database `{dental.name}` has no table `brandnew`; `etlkit analyze` lists its tables."
    ) == refusal(SchemaNotFoundError, lambda: discovery.get_table_schema("brandnew"))


def test_table_gone_since_the_snapshot(discovery: SchemaDiscovery, dental: SourceDatabase) -> None:
    """A table that went after the snapshot was read is not found when the source is asked about it."""
    discovery.discover_all_tables()
    dental.execute("drop table feeimport")
    assert (
        f"{place(discovery)} has no such table any more (error 1146) while reading the definition of "
        f"{dental.name}.feeimport. Run `etlkit analyze` again."
    ) == refusal(SchemaNotFoundError, lambda: discovery.get_table_schema("feeimport"))


def test_missing_database(dental: SourceDatabase, registry: Registry) -> None:
    """A database that is not there is not found, in the URL or beside it."""
    beside = SchemaDiscovery(dental.engine, "nowhere", registry)
    inside = SchemaDiscovery(
        sqlalchemy.create_engine(dental.engine.url.set(database="nowhere")), "nowhere", registry
    )
    for discovery in (beside, inside):
        assert f"{place(discovery)} has no database `nowhere`. Check the name in the URL." == refusal(
            SchemaNotFoundError, discovery.discover_all_tables
        )


def test_refused_password(make_user: MakeUser) -> None:
    """A wrong password is a failed connection, and neither it nor the right one is shown."""
    discovery = make_user("grant select on {db}.* to {user}", password=f"{PASSWORD}!")
    assert (
        f"{place(discovery)} refuses the user `clerk` (error 1045) while reading the catalog of "
        f"`{discovery.source_db}`. Check user and password, and from which hosts the user may connect."
    ) == refusal(ConnectionFailed, discovery.discover_all_tables)
    assert PASSWORD not in f"{discovery!r} {vars(discovery)}"


def test_unknown_user(make_user: MakeUser) -> None:
    """A user whom the server does not know is a failed connection."""
    discovery = make_user(username="nobody")
    assert (
        f"{place(discovery)} refuses the user `nobody` (error 1045) while reading the catalog of "
        f"`{discovery.source_db}`. Check user and password, and from which hosts the user may connect."
    ) == refusal(ConnectionFailed, discovery.discover_all_tables)


@pytest.mark.parametrize("in_url", [True, False])
def test_no_privilege_on_the_database(make_user: MakeUser, dental: SourceDatabase, in_url: bool) -> None:
    """A database that the user must not see is a question of rights, not a missing database."""
    discovery = make_user()
    if in_url:
        url = discovery.source_engine.url.set(database=dental.name)
        discovery = SchemaDiscovery(sqlalchemy.create_engine(url), dental.name)
    assert (
        f"{place(discovery)} does not let the user `clerk` do this (error 1044) while reading the catalog of "
        f"`{dental.name}`. Let an administrator GRANT SELECT on the database `{dental.name}`, or check its name."
    ) == refusal(SchemaAnalysisError, discovery.discover_all_tables)


def test_privilege_on_some_tables(make_user: MakeUser) -> None:
    """A table that the user must not see is never called missing, for the server does not tell."""
    discovery = make_user("grant select on {db}.patient to {user}", "grant select on {db}.provider to {user}")
    assert ["patient", "provider"] == discovery.discover_all_tables()
    assert 10 == len(discovery.get_table_schema("patient")["columns"])
    for ask in (discovery.get_table_schema, discovery.get_pipeline_configuration):
        assert (
            f"The server shows this user no table `procedurelog` in the database `{discovery.source_db}`, and "
            "does not tell whether there is one. Let an administrator GRANT SELECT on the database "
            f"`{discovery.source_db}`, or check the name; `etlkit analyze` lists its tables."
        ) == refusal(SchemaAnalysisError, lambda ask=ask: ask("procedurelog"))  # type: ignore[misc]
    refusal(SchemaAnalysisError, lambda: discovery.validate_table_configuration("procedurelog", {}))


def test_privilege_on_some_columns(make_user: MakeUser) -> None:
    """A table of which the user sees some columns only is refused, not analysed without the others."""
    discovery = make_user(
        "grant select on {db}.provider to {user}",
        "grant select (PatNum, LName) on {db}.patient to {user}",
        "grant select (UserNum) on {db}.userod to {user}",
        "grant select on {db}.userod to {user}",
    )
    for ask in (discovery.get_table_schema, discovery.get_incremental_columns, discovery.get_table_size_info):
        assert (
            f"This user sees only some columns of {discovery.source_db}.patient (PatNum, LName). "
            f"Let an administrator GRANT SELECT on the database `{discovery.source_db}`."
        ) == refusal(SchemaAnalysisError, lambda ask=ask: ask("patient"))  # type: ignore[misc]
    refusal(SchemaAnalysisError, discovery.analyze_complete_schema)
    assert ["ProvNum", "Abbr", "IsHidden"] == [
        column["name"] for column in discovery.get_table_schema("provider")["columns"]
    ]
    assert 3 == len(discovery.get_table_schema("userod")["columns"])


def test_privilege_to_write_only(make_user: MakeUser) -> None:
    """A user who may write a table but not read it sees its columns, and is told what is missing."""
    discovery = make_user("grant insert on {db}.* to {user}")
    assert (
        f"This user must not SELECT from {discovery.source_db}.provider (columns ProvNum, Abbr, IsHidden). "
        f"Let an administrator GRANT SELECT on the database `{discovery.source_db}`."
    ) == refusal(SchemaAnalysisError, lambda: discovery.get_incremental_columns("provider"))


def test_privilege_that_shows_no_columns(make_user: MakeUser) -> None:
    """A table without visible columns is told apart from one that is not there."""
    discovery = make_user("grant delete on {db}.* to {user}")
    assert (
        f"The table `provider` of `{discovery.source_db}` shows no columns: this user lacks the SELECT "
        "privilege, or the server cannot open the table. GRANT SELECT on it, or repair it."
    ) == refusal(SchemaAnalysisError, lambda: discovery.get_table_schema("provider"))


def test_unreachable_server(source: SourceDatabase, registry: Registry) -> None:
    """A server that does not answer is a failed connection."""
    url = make_url(source.engine.url).set(port=1, password=PASSWORD)
    discovery = SchemaDiscovery(sqlalchemy.create_engine(url), source.name, registry)
    assert (
        "The server at 127.0.0.1:1 cannot be reached, or ended the connection (error 2003), while reading the "
        f"catalog of `{source.name}`. Check host, port, firewall and that the server runs, then try again."
    ) == refusal(ConnectionFailed, discovery.discover_all_tables)


def test_server_that_goes_away(dental: SourceDatabase, registry: Registry) -> None:
    """A connection that the server ended is a failed connection, never a missing table; then all is well."""
    engine = sqlalchemy.create_engine(dental.engine.url, pool_size=1, max_overflow=0)
    discovery = SchemaDiscovery(engine, dental.name, registry)
    discovery.discover_all_tables()
    for ask, doing in (
        (lambda: discovery.get_table_schema("patient"), f"reading the definition of {dental.name}.patient"),
        (lambda: discovery.get_table_schema("nowhere"), f"looking for {dental.name}.nowhere"),
    ):
        with engine.connect() as connection:
            number = connection.exec_driver_sql("select connection_id()").scalar_one()
        dental.execute(f"kill {number}")
        message = refusal(ConnectionFailed, ask)
        assert message in {
            f"{place(discovery)} cannot be reached, or ended the connection (error {code}), while {doing}. "
            "Check host, port, firewall and that the server runs, then try again."
            for code in (2006, 2013)
        }
    assert "patient" == discovery.get_table_schema("patient")["table_name"]
    engine.dispose()


def test_failed_reading_is_not_kept(make_user: MakeUser, dental: SourceDatabase) -> None:
    """A failure is no answer: once the right is granted, the next question is answered."""
    discovery = make_user()
    refusal(SchemaAnalysisError, discovery.discover_all_tables)
    dental.execute(f"grant select on `{dental.name}`.* to 'clerk'@'{HOST}'")
    assert "patient" in discovery.discover_all_tables()


def test_broken_view_hurts_nobody(discovery: SchemaDiscovery, dental: SourceDatabase) -> None:
    """A view whose tables are gone leaves the catalog readable."""
    dental.execute("create view v_broken as select * from feeimport", "drop table feeimport")
    assert "feeimport" not in discovery.discover_all_tables()
    assert ["v_broken", "v_patient"] == sorted(discovery.analyze_complete_schema()["metadata"]["views"])


def damage(dental: SourceDatabase) -> None:
    """Leave `userod` as a crash may leave it: the server cannot open it any more."""
    dental.execute("flush tables")
    (dental.server.data_folder / dental.name / "userod.MYI").write_bytes(b"")


@pytest.mark.parametrize("source", ["mariadb-myisam"], indirect=True)
def test_damaged_table_on_mariadb(discovery: SchemaDiscovery, dental: SourceDatabase) -> None:
    """MariaDB knows the columns of a table that it cannot open, so the table is analysed like others."""
    damage(dental)
    complete = discovery.analyze_complete_schema()
    assert ("", 0) == (
        complete["tables"]["userod"]["metadata"]["engine"],
        complete["usage_patterns"]["userod"]["row_count"],
    )


@pytest.mark.parametrize("source", ["mysql56"], indirect=True)
def test_damaged_table_on_mysql(discovery: SchemaDiscovery, dental: SourceDatabase) -> None:
    """MySQL shows nothing of a table that it cannot open; it is named with what the server says."""
    damage(dental)
    assert (
        f"The table `userod` of `{dental.name}` shows no columns: this user lacks the SELECT privilege, or the "
        "server cannot open the table (the server says: Incorrect file format 'userod'). "
        "GRANT SELECT on it, or repair it."
    ) == refusal(SchemaAnalysisError, discovery.analyze_complete_schema)
    assert "PatNum" in str(discovery.get_table_schema("patient"))
