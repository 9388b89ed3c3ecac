"""Reading the catalog: a handful of queries for all tables, and no query per table."""

from __future__ import annotations

import hashlib
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

import attrs
from sqlalchemy import Connection, Engine, RowMapping, Select

from etlkit.discovery import spelling, statements
from etlkit.discovery.catalog import EXACT_ENGINES, Catalog, SourceServer, TableFacts
from etlkit.discovery.privileges import partly_hidden_tables
from etlkit.discovery.schema_hash import schema_hash
from etlkit.discovery.trouble import told_plainly
from etlkit.errors import SchemaAnalysisError
from etlkit.tables import BINARY_TYPES, TEXT_TYPES, Column, ForeignKey, Index

_VERSIONED = "SYSTEM VERSIONED"
_BASE_TABLES = frozenset({"BASE TABLE", _VERSIONED})
_VIEWS = frozenset({"VIEW", "SYSTEM VIEW"})
_WITH_FRACTION = frozenset({"time", "datetime", "timestamp"})


def read_catalog(engine: Engine, database: str) -> Catalog:
    """Read what the server says of all tables of a database, in at most 9 statements.

    Where a table's columns were granted one by one, it takes one more for each such table.

    Args:
        engine: the source.
        database: the database's name on that server.

    Returns:
        The catalog of this moment.

    Raises:
        ConnectionFailed: the server cannot be reached, or refuses the user.
        SchemaNotFoundError: the server has no such database.
        SchemaAnalysisError: the user lacks a privilege, or the catalog cannot be read for another reason.
    """
    with (
        told_plainly(engine, database, f"reading the catalog of `{database}`"),
        engine.connect() as connection,
    ):
        server, fresh_statistics = read_server(connection)
        if fresh_statistics:
            connection.execute(statements.FRESH_STATISTICS)
        found = _rows(connection, statements.schemata(database))
        if not found:
            _enter(connection, database)
        # Windows spells a database's name in lower case, whatever the URL says.
        name = spelling.text_of(found[0]["schema_name"]) if found else database
        tables = _rows(connection, statements.tables(name))
        columns = _by_table(_rows(connection, statements.columns(name, generated=_generates(server))))
        indexes = _by_table(_rows(connection, statements.indexes(name)))
        foreign_keys = _by_table(_rows(connection, statements.foreign_keys(name)))
        checks = _checks(connection, server, name)
        partly_hidden = partly_hidden_tables(connection, name)
    facts = {}
    for row in tables:
        table = spelling.text_of(row["table_name"])
        if spelling.text_of(row["table_type"]).upper() in _BASE_TABLES:
            quoted = server.kind == "MariaDB" and server.version >= (10, 2, 7)
            json_columns = {spelling.json_checked_column(each) for each in checks[table]}
            facts[table] = _facts(
                row,
                columns=tuple(
                    _column(each, json_columns, literals_are_quoted=quoted) for each in columns[table]
                ),
                indexes=_indexes(indexes[table]),
                foreign_keys=tuple(_foreign_key(each) for each in foreign_keys[table]),
                unreadable=tuple(
                    spelling.text_of(each["column_name"])
                    for each in columns[table]
                    if "select" not in spelling.text_of(each["privileges"]).lower()
                ),
                partly_hidden=table in partly_hidden,
                expressions={
                    spelling.text_of(each["column_name"]): spelling.text_of(each["generation_expression"])
                    for each in columns[table]
                    if each.get("generation_expression")
                },
                computed_defaults=frozenset(
                    spelling.text_of(each["column_name"])
                    for each in columns[table]
                    if _computes_default(each, literals_are_quoted=quoted)
                ),
                checks=tuple(sorted(checks[table])),
            )
    return Catalog(
        server=server,
        database=name,
        charset=spelling.charset(spelling.text_of(found[0]["default_character_set_name"])),
        collation=spelling.charset(spelling.text_of(found[0]["default_collation_name"])),
        tables={each: facts[each] for each in sorted(facts)},
        views=tuple(
            spelling.text_of(row["table_name"])
            for row in tables
            if spelling.text_of(row["table_type"]).upper() in _VIEWS
        ),
    )


def _rows(connection: Connection, query: Select[Any]) -> list[RowMapping]:
    return list(connection.execute(query).mappings())


def _by_table(rows: Iterable[RowMapping]) -> Mapping[str, list[RowMapping]]:
    grouped: defaultdict[str, list[RowMapping]] = defaultdict(list)
    for row in rows:
        grouped[spelling.text_of(row["table_name"])].append(row)
    return grouped


def read_server(connection: Connection) -> tuple[SourceServer, bool]:
    """Ask a server which one it is.

    Args:
        connection: to it.

    Returns:
        The server, and whether its statistics may be a day old unless the session asks for fresh ones.
    """
    found = {
        spelling.text_of(name).lower(): spelling.text_of(value)
        for name, value in connection.execute(statements.SERVER_VARIABLES)
    }
    server = source_server(
        found.get("version", ""), found.get("version_comment", ""), found.get("lower_case_table_names", "0")
    )
    machine = "\0".join(found.get(each, "") for each in ("hostname", "port", "datadir"))
    return (
        attrs.evolve(
            server,
            uid=found.get("server_uuid") or found.get("server_uid") or None,
            machine=hashlib.sha256(machine.encode()).hexdigest(),
            explicit_timestamps=found.get("explicit_defaults_for_timestamp", "ON").upper() in ("ON", "1"),
        ),
        "information_schema_stats_expiry" in found,
    )


def source_server(version: str, comment: str, lower_case_table_names: str) -> SourceServer:
    """Tell product and version from what the server says of itself.

    Args:
        version: `@@version`, such as `10.11.6-MariaDB-log`, `5.5.5-10.4.8-MariaDB` or `8.0.36`.
        comment: `@@version_comment`.
        lower_case_table_names: the variable of that name.

    Returns:
        The server.
    """
    is_mariadb = "mariadb" in f"{version} {comment}".lower()
    # Older MariaDBs prefix their version for the sake of old replication clients.
    digits = re.match(r"\d+(?:\.\d+)*", version.removeprefix("5.5.5-") if is_mariadb else version)
    return SourceServer(
        kind="MariaDB" if is_mariadb else "MySQL",
        version=tuple(int(part) for part in digits.group().split(".")) if digits else (),
        version_text=version,
        lower_case_table_names=int(lower_case_table_names or 0),
    )


def _enter(connection: Connection, database: str) -> None:
    """Let the server say why it does not show a database: there is none, or this user must not see it."""
    preparer = connection.dialect.identifier_preparer
    connection.exec_driver_sql(f"USE {preparer.quote_identifier(database)}")
    raise SchemaAnalysisError(
        f"The server shows nothing of the database `{database}` to this user. "
        f"Let an administrator GRANT SELECT on it."
    )


def _generates(server: SourceServer) -> bool:
    return server.version >= ((10, 2, 5) if server.kind == "MariaDB" else (5, 7, 6))


def _checks(connection: Connection, server: SourceServer, database: str) -> Mapping[str, list[str]]:
    found: defaultdict[str, list[str]] = defaultdict(list)
    if server.kind == "MariaDB" and server.version >= (10, 2, 22):
        for row in _rows(connection, statements.checks(database)):
            found[spelling.text_of(row["table_name"])].append(spelling.text_of(row["check_clause"]))
    return found


def _computes_default(row: RowMapping, *, literals_are_quoted: bool) -> bool:
    return spelling.is_computed(
        None if row["column_default"] is None else spelling.text_of(row["column_default"]),
        spelling.text_of(row["extra"]),
        literals_are_quoted=literals_are_quoted,
    )


def _facts(
    row: RowMapping,
    *,
    columns: tuple[Column, ...],
    indexes: tuple[Index, ...],
    foreign_keys: tuple[ForeignKey, ...],
    unreadable: tuple[str, ...],
    partly_hidden: bool,
    expressions: Mapping[str, str],
    computed_defaults: frozenset[str],
    checks: tuple[str, ...],
) -> TableFacts:
    engine = spelling.text_of(row["engine"])
    collation = spelling.charset(spelling.text_of(row["table_collation"]))
    return TableFacts(
        name=spelling.text_of(row["table_name"]),
        engine=engine,
        columns=columns,
        indexes=indexes,
        foreign_keys=foreign_keys,
        row_count=int(row["table_rows"] or 0),
        row_count_exact=engine in EXACT_ENGINES,
        data_bytes=int(row["data_length"] or 0),
        index_bytes=int(row["index_length"] or 0),
        charset=spelling.charset_of_collation(collation),
        collation=collation,
        auto_increment=_number(row["auto_increment"]),
        update_time=row["update_time"],
        comment=spelling.text_of(row["table_comment"]),
        schema_hash=schema_hash(columns, indexes),
        unreadable=unreadable,
        partly_hidden=partly_hidden,
        expressions=expressions,
        computed_defaults=computed_defaults,
        checks=checks,
        partitioned="partitioned" in spelling.text_of(row["create_options"]).lower(),
        versioned=spelling.text_of(row["table_type"]).upper() == _VERSIONED,
    )


def _foreign_key(row: RowMapping) -> ForeignKey:
    return ForeignKey(
        name=spelling.text_of(row["constraint_name"]),
        column=spelling.text_of(row["column_name"]),
        referenced_table=spelling.text_of(row["referenced_table_name"]),
        referenced_column=spelling.text_of(row["referenced_column_name"]),
    )


def _column(row: RowMapping, json_columns: set[str | None], *, literals_are_quoted: bool) -> Column:
    name = spelling.text_of(row["column_name"])
    bare = spelling.data_type(spelling.text_of(row["data_type"]))
    declared = spelling.text_of(row["column_type"])
    whole = spelling.column_type(declared)
    if name in json_columns and bare == "longtext":
        bare = whole = "json"
    printed = row["column_default"]
    length = row["numeric_precision"] if bare == "bit" else row["character_maximum_length"]
    return Column(
        name=name,
        data_type=bare,
        column_type=whole,
        declared_type=declared,
        nullable=spelling.text_of(row["is_nullable"]).upper() == "YES",
        default=spelling.default(
            None if printed is None else spelling.text_of(printed),
            bare,
            literals_are_quoted=literals_are_quoted,
        ),
        extra=spelling.extras(spelling.text_of(row["extra"])),
        comment=spelling.text_of(row["column_comment"]),
        key=spelling.text_of(row["column_key"]),
        charset=spelling.charset(spelling.text_of(row["character_set_name"])),
        collation=spelling.charset(spelling.text_of(row["collation_name"])),
        length=_number(length) if bare == "bit" or bare in TEXT_TYPES | BINARY_TYPES else None,
        precision=_number(row["numeric_precision"]) if bare == "decimal" else None,
        scale=_number(row["numeric_scale"]) if bare == "decimal" else None,
        fraction=int(row["datetime_precision"] or 0) if bare in _WITH_FRACTION else 0,
    )


def _indexes(rows: list[RowMapping]) -> tuple[Index, ...]:
    grouped: dict[str, list[RowMapping]] = {}
    for row in rows:
        grouped.setdefault(spelling.text_of(row["index_name"]), []).append(row)
    return tuple(
        Index(
            name=name,
            # MySQL 8 has indexes over expressions; their parts name no column.
            columns=tuple(spelling.text_of(each["column_name"]) or "(expression)" for each in parts),
            unique=not int(parts[0]["non_unique"]),
            kind=spelling.text_of(parts[0]["index_type"]).upper(),
            prefix_lengths=tuple(_number(each["sub_part"]) for each in parts),
        )
        for name, parts in sorted(grouped.items(), key=lambda item: (item[0] != "PRIMARY", item[0]))
    )


def _number(value: Any) -> int | None:
    return None if value is None else int(value)
