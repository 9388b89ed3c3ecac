"""A test's own databases: made empty on a running server, dropped at the end."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import attrs
import psycopg2.sql
import sqlalchemy
from sqlalchemy.engine import Engine, make_url

from etlkit.demo import PrivateMySQL, PrivatePostgres
from support.canaries import CANARIES
from support.canary_watch import ledger_watched

KINDS = {"mariadb-innodb": "InnoDB", "mariadb-myisam": "MyISAM", "mysql56": "MyISAM"}
"""Kinds of source, and the storage engine that a table gets which names none."""

AS_WRITTEN = {"no_parameters": True}
"""Makes the drivers leave % alone."""

_numbers = itertools.count(1)


@attrs.frozen(kw_only=True)
class SourceDatabase:
    """An empty database on a server of the MySQL family."""

    kind: str
    """A key of `KINDS`."""

    storage_engine: str
    """`InnoDB` or `MyISAM`: what `create table` without an engine makes here."""

    server: PrivateMySQL
    """The server, to connect in other ways."""

    name: str
    """Name of the database."""

    url: str = attrs.field(repr=False)
    """The administrator's URL as a person writes it, `mysql://user:password@host:port/name`."""

    engine: Engine
    """SQLAlchemy engine (`mysql+pymysql`, utf8mb4) of the administrator."""

    @property
    def reader_url(self) -> str:
        """URL of a user who may only read this database."""
        return self.server.reader_url(self.name)

    def execute(self, *statements: str) -> None:
        """Run statements as they are written (no placeholders), each committed."""
        _execute(self.engine, statements)

    def rows(self, statement: str) -> list[tuple[Any, ...]]:
        """Give all rows of a query."""
        return _rows(self.engine, statement)

    def value(self, statement: str) -> Any:
        """Give the first column of the first row of a query."""
        return self.rows(statement)[0][0]


@attrs.frozen(kw_only=True)
class WarehouseDatabase:
    """An empty database on PostgreSQL."""

    server: PrivatePostgres
    """The server, to connect in other ways."""

    name: str
    """Name of the database."""

    url: str = attrs.field(repr=False)
    """The administrator's URL as a person writes it, `postgresql://user:password@host:port/name`."""

    engine: Engine
    """SQLAlchemy engine (`postgresql+psycopg2`) of the administrator."""

    def execute(self, *statements: str) -> None:
        """Run statements as they are written (no placeholders), each committed."""
        _execute(self.engine, statements)

    def rows(self, statement: str) -> list[tuple[Any, ...]]:
        """Give all rows of a query."""
        return _rows(self.engine, statement)

    def value(self, statement: str) -> Any:
        """Give the first column of the first row of a query."""
        return self.rows(statement)[0][0]


@contextmanager
def source_database(server: PrivateMySQL, kind: str) -> Iterator[SourceDatabase]:
    """Make a source database, and drop it at the end.

    Args:
        server: A running server.
        kind: A key of `KINDS`.
    """
    name = f"clinic_{next(_numbers)}"
    storage_engine = KINDS[kind]
    with server.connect() as connection, connection.cursor() as cursor:
        cursor.execute(f"create database `{name}` character set utf8mb4")
    url = server.database_url(name)
    engine = sqlalchemy.create_engine(
        make_url(url).set(drivername="mysql+pymysql", query={"charset": "utf8mb4"}),
        connect_args={
            "init_command": f"set session default_storage_engine = {storage_engine}",
            "local_infile": True,
            "ssl_disabled": True,
        },
    )
    sqlalchemy.event.listen(
        engine,
        "before_cursor_execute",
        lambda _connection, _cursor, statement, parameters, *_: CANARIES.add_statement(
            name, statement, parameters
        ),
    )
    try:
        yield SourceDatabase(
            kind=kind, storage_engine=storage_engine, server=server, name=name, url=url, engine=engine
        )
    finally:
        CANARIES.dropped.add(name)
        engine.dispose()
        with server.connect() as connection, connection.cursor() as cursor:
            cursor.execute(f"drop database if exists `{name}`")


@contextmanager
def warehouse_database(server: PrivatePostgres) -> Iterator[WarehouseDatabase]:
    """Make a warehouse database, and drop it at the end, whoever is connected.

    Args:
        server: A running server.
    """
    name = f"warehouse_{next(_numbers)}"
    identifier = psycopg2.sql.Identifier(name)
    _postgres(server, psycopg2.sql.SQL("create database {}").format(identifier))
    url = server.database_url(name)
    engine = sqlalchemy.create_engine(make_url(url).set(drivername="postgresql+psycopg2"))
    try:
        with ledger_watched(server, name):
            yield WarehouseDatabase(server=server, name=name, url=url, engine=engine)
    finally:
        engine.dispose()
        _postgres(server, psycopg2.sql.SQL("drop database if exists {} with (force)").format(identifier))


def _postgres(server: PrivatePostgres, statement: psycopg2.sql.Composed) -> None:
    connection = server.connect()
    try:
        with connection.cursor() as cursor:
            cursor.execute(statement)
    finally:
        connection.close()


def _execute(engine: Engine, statements: tuple[str, ...]) -> None:
    with engine.begin() as connection:
        for statement in statements:
            connection.exec_driver_sql(statement, execution_options=AS_WRITTEN)


def _rows(engine: Engine, statement: str) -> list[tuple[Any, ...]]:
    with engine.connect() as connection:
        return [tuple(row) for row in connection.exec_driver_sql(statement, execution_options=AS_WRITTEN)]
