"""A clinic, its replica and its warehouse, compared by plain drivers without any code of the product."""

from __future__ import annotations

import difflib
import re
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import attrs

from etlkit.config import MySQLUrl, ReplicaSettings
from etlkit.events import TableFinished
from support.comparison import all_differences
from support.databases import AS_WRITTEN, SourceDatabase, WarehouseDatabase
from support.running import Running, running_of

MakeSource = Callable[[str], SourceDatabase]

STRICT = "STRICT_ALL_TABLES,NO_ZERO_DATE,NO_ZERO_IN_DATE,ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION"
"""A sql_mode in which a server takes none of a clinic's zero dates."""

Exact = Counter[tuple[str | None, ...]]
"""Rows as a server stores them, counted."""

_APPROXIMATE = frozenset({"float", "double"})
_BY_NUMBER = frozenset({"bit"})
_BY_NUMBER_AND_TEXT = frozenset({"enum", "set"})
_LAX = "SET SESSION sql_mode = 'ALLOW_INVALID_DATES', innodb_strict_mode = 0"
_OF_COUNTER = re.compile(r" AUTO_INCREMENT=\d+")
_OF_ENGINE = re.compile(r"^\) ENGINE=\w+", re.MULTILINE)
_OF_MYISAM = re.compile(r" ROW_FORMAT=FIXED")


@contextmanager
def strict(database: SourceDatabase) -> Iterator[None]:
    """Let a server refuse dates that do not exist in every session that says nothing else, while the block runs."""
    before = database.value("SELECT @@GLOBAL.sql_mode")
    database.execute(f"SET GLOBAL sql_mode = '{STRICT}'")
    try:
        yield
    finally:
        database.execute(f"SET GLOBAL sql_mode = '{before}'")


def tables(database: SourceDatabase) -> frozenset[str]:
    """Give the tables of a database but for etlkit's own records."""
    known = {"etlkit_state", "etlkit_source", "etlkit_reads"}
    return frozenset(name for (name,) in database.rows("SHOW TABLES") if name not in known)


def checksums(database: SourceDatabase) -> list[tuple[Any, ...]]:
    """Give the server's own checksums of all tables, which tell when any of them was written."""
    return database.rows(f"CHECKSUM TABLE {', '.join(f'`{name}`' for name in sorted(tables(database)))}")


def exact_rows(database: SourceDatabase, table: str, *, signed_zeros: bool = True) -> Exact:
    """Read a table to the byte: texts as their bytes, doubles with their sign, choices by number and by text.

    Args:
        database: where.
        table: its name.
        signed_zeros: whether -0 is another number than 0; MariaDB stores 0 for it.
    """
    kinds = database.rows(
        "SELECT column_name, data_type FROM information_schema.columns WHERE table_schema = database() "
        f"AND table_name = '{table}' ORDER BY column_name"
    )
    fields = []
    for name, kind in kinds:
        column = "`" + name.replace("`", "``") + "`"
        if kind in _BY_NUMBER_AND_TEXT:
            fields.append(f"CONCAT({column} + 0, ' ', HEX(CAST({column} AS BINARY)))")
        elif kind in _BY_NUMBER:
            fields.append(f"HEX({column} + 0)")
        elif kind in _APPROXIMATE:
            # The text of a FLOAT has six digits; as DOUBLE it has all of them.
            fields.append(f"CAST({column} {'* 1e0' if signed_zeros else '+ 0e0'} AS CHAR)")
        else:
            fields.append(f"HEX(CAST({column} AS BINARY))")
    with database.engine.connect() as connection:
        connection.exec_driver_sql("SET SESSION time_zone = '+00:00'")
        statement = f"SELECT {', '.join(fields)} FROM `{table}`"
        found = connection.exec_driver_sql(statement, execution_options=AS_WRITTEN)
        return Counter(tuple(row) for row in found)


def unequal_rows(
    one: SourceDatabase, other: SourceDatabase, names: Collection[str] | None = None
) -> list[str]:
    """Compare tables of two servers byte for byte.

    Returns:
        The names of those that are missing or have other rows, with how many of each side.
    """
    found = []
    signed = other.kind == "mysql56"
    present = tables(other)
    for name in sorted(tables(one) if names is None else names):
        if name not in present:
            found.append(f"{name}: missing")
            continue
        here, there = (exact_rows(each, name, signed_zeros=signed) for each in (one, other))
        if here != there:
            found.append(f"{name}: {(here - there).total()} only here, {(there - here).total()} only there")
    return found


def unequal_definitions(
    source: SourceDatabase, replica: SourceDatabase, names: Collection[str] | None = None
) -> list[str]:
    """Compare definitions as the replica's server tells them, when it is given the source's own words.

    What MyISAM needs and InnoDB does not have is left out of those words; nothing else is.

    Returns:
        Each line that only one of both has, behind the table's name and a sign for the side: - for what is missing.
    """
    found: list[str] = []
    scratch = f"{replica.name}_scratch"
    replica.execute(f"CREATE DATABASE `{scratch}`")
    try:
        with replica.engine.connect() as connection:

            def ask(statement: str) -> Any:
                return connection.exec_driver_sql(statement, execution_options=AS_WRITTEN)

            ask(_LAX)
            if ask("SHOW VARIABLES LIKE 'character_set_collations'").fetchall():
                # Without it a character set has the collation that the source's server means by it.
                ask("SET SESSION character_set_collations = ''")
            for name in sorted(tables(source) if names is None else names):
                (_, words), *_ = source.rows(f"SHOW CREATE TABLE `{name}`")
                words = _OF_MYISAM.sub("", _OF_ENGINE.sub(") ENGINE=InnoDB", words))
                ask(f"USE `{scratch}`")
                ask(words)
                ((_, should),) = ask(f"SHOW CREATE TABLE `{name}`").fetchall()
                ask(f"USE `{replica.name}`")
                ((_, it_is),) = ask(f"SHOW CREATE TABLE `{name}`").fetchall()
                found += [
                    f"{name}: {each}"
                    for each in difflib.ndiff(
                        _OF_COUNTER.sub("", should).splitlines(), _OF_COUNTER.sub("", it_is).splitlines()
                    )
                    if each[0] in "-+"
                ]
            connection.invalidate()
    finally:
        replica.execute(f"DROP DATABASE `{scratch}`")
    return found


@attrs.define(kw_only=True)
class TwoHops:
    """A deployment with a replica, whose runs are carried out in this process."""

    source: SourceDatabase
    replica: SourceDatabase
    warehouse: WarehouseDatabase
    running: Running

    def run(self, **request: Any) -> int:
        """Carry out a run; gives its exit code."""
        return self.running.run(**request)

    def outcomes(self) -> list[TableFinished]:
        """What came of each table in each hop of the last run."""
        return [each for each in self.running.events if isinstance(each, TableFinished)]

    def written(self) -> int:
        """How many rows the last run wrote in both hops."""
        return sum(each.inserted + each.updated + each.deleted for each in self.outcomes())

    def errors(self) -> dict[tuple[str, str], str]:
        """By table and hop, what failed in the last run."""
        return {(each.table, each.hop): each.error for each in self.outcomes() if each.error}

    def adapted(self) -> Mapping[str, str]:
        """By table, what the replica's record says was adapted, as JSON."""
        return {
            name: adapted
            for name, adapted in self.replica.rows("SELECT table_name, adapted FROM etlkit_state")
            if adapted != "[]"
        }

    def unequal(self, names: Collection[str] | None = None) -> list[str]:
        """Compare the rows of all three, and look for what is left in the replica."""
        names = tables(self.source) if names is None else names
        return [
            *unequal_rows(self.source, self.replica, names),
            *all_differences(self.replica, self.warehouse, tables=names),
            *(f"left: {name}" for name in sorted(tables(self.replica)) if name.startswith("etlkit_")),
        ]

    def settled(self) -> list[str]:
        """Compare everything; a run that follows must write nothing."""
        found = self.unequal()
        if self.run() != 0 or self.written():
            found.append(f"a second run wrote {self.written()} rows: {self.errors()}")
        return found


@contextmanager
def two_hops(
    source: SourceDatabase,
    replica: SourceDatabase,
    warehouse: WarehouseDatabase,
    levels: Mapping[str, str] | None = None,
    **changes: Any,
) -> Iterator[TwoHops]:
    """Open a deployment with a replica, analysed; its users may do no more than they need.

    Args:
        source: the clinic's database, with its tables.
        replica: an empty database.
        warehouse: where to.
        levels: of importance, by table.
        changes: of the settings.
    """
    url = replica.server.copier_url(replica.name)
    with running_of(
        source, warehouse, replica=ReplicaSettings(url=MySQLUrl.parse(url)), **changes
    ) as running:
        running.analyse(levels)
        yield TwoHops(source=source, replica=replica, warehouse=warehouse, running=running)
