"""Comparing a source table with its warehouse table by plain drivers, without any code of the product.

Values are normalised by the source's type. A date that does not exist (`0000-00-00`, `2024-02-31`) is NULL here.
"""

from __future__ import annotations

import datetime as dt
import ipaddress
import json
import struct
import sys
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from decimal import Decimal
from typing import Any

import attrs
import psycopg2
import psycopg2.sql
import pymysql
from pymysql.converters import encoders
from pymysql.cursors import SSCursor
from sqlalchemy.engine import make_url

from support.databases import SourceDatabase, WarehouseDatabase

Normaliser = Callable[[Any], Any]
Row = tuple[Any, ...]

_MOST = 20
_SHOWN = 60
_NAME_BYTES = 63


@attrs.frozen(kw_only=True)
class _Column:
    name: str
    """In the source."""
    kind: str
    """Its bare type in the source."""
    target: str
    """Its name in the warehouse."""
    target_kind: str
    """Its bare type in the warehouse."""


@attrs.frozen(kw_only=True)
class _Names:
    database: str
    """Of the source."""
    table: str
    """In the source."""
    schema: str
    """In the warehouse."""
    there: str
    """The table's name in the warehouse."""


def differences(
    source: SourceDatabase,
    warehouse: WarehouseDatabase,
    table: str,
    *,
    target_schema: str = "raw",
    target_table: str | None = None,
    expected_null: Mapping[str, Collection[Any]] | None = None,
    without: Collection[str] = (),
) -> list[str]:
    """Compare two tables row for row, duplicates counted.

    Args:
        source: the source.
        warehouse: the warehouse.
        table: the table's name in the source.
        target_schema: where it is in the warehouse.
        target_table: its name there, where that differs.
        expected_null: by column, the source's values (normalised: int, Decimal, str, bytes, date, datetime) that
            are NULL in the warehouse by a conversion.
        without: columns of the source that are not compared, such as masked ones.

    Returns:
        The differences in words, with key and column, at most 20; empty when the tables are equal.
    """
    with _mysql(source) as ours, _postgres(warehouse) as theirs:
        return _differences(
            ours,
            theirs,
            _Names(database=source.name, table=table, schema=target_schema, there=target_table or table),
            expected_null or {},
            without,
        )


def all_differences(
    source: SourceDatabase,
    warehouse: WarehouseDatabase,
    *,
    target_schema: str = "raw",
    without: Collection[str] = (),
    tables: Collection[str] | None = None,
) -> list[str]:
    """Compare every base table of a source; see `differences`.

    Args:
        source: the source.
        warehouse: the warehouse.
        target_schema: where the tables are in the warehouse.
        without: columns that are not compared in any table.
        tables: only these.

    Returns:
        The differences in words, each behind the table's name; empty when all tables are equal.
    """
    names = source.rows(
        "SELECT table_name FROM information_schema.tables WHERE table_type = 'BASE TABLE' "
        f"AND table_schema = '{source.name}' ORDER BY table_name"
    )
    with _mysql(source) as ours, _postgres(warehouse) as theirs:
        return [
            f"{name}: {each}"
            for (name,) in names
            if tables is None or name in tables
            for each in _differences(
                ours,
                theirs,
                _Names(database=source.name, table=name, schema=target_schema, there=name),
                {},
                without,
            )
        ]


def _differences(
    ours: Any,
    theirs: Any,
    names: _Names,
    expected_null: Mapping[str, Collection[Any]],
    without: Collection[str],
) -> list[str]:
    kinds = _source_kinds(ours, names)
    if not kinds:
        return [f"table `{names.table}` is not in the source"]
    compared = {name: kind for name, kind in kinds.items() if name not in without}
    columns, missing = _paired(compared, _warehouse_kinds(theirs, names))
    if missing:
        return missing
    key = _key(ours, names)
    with _untraced():
        here = Counter(_source_rows(ours, names, columns, expected_null))
        there = Counter(_warehouse_rows(theirs, names, columns))
    places = [place for place, column in enumerate(columns) if column.name in key]
    found = _described(here - there, there - here, columns, places)
    return [*found[:_MOST], f"{len(found) - _MOST} more"] if len(found) > _MOST else found


def _mysql(source: SourceDatabase) -> Any:
    url = make_url(source.url)
    return pymysql.connect(
        host=url.host,
        port=url.port or 3306,
        user=url.username,
        password=url.password or "",
        database=source.name,
        charset="utf8mb4",
        # On this machine nobody listens, and preparing encryption takes longer than reading a small table.
        ssl_disabled=True,
        conv=dict(encoders),
        init_command="SET SESSION time_zone = '+00:00', sql_mode = ''",
    )


@contextmanager
def _postgres(warehouse: WarehouseDatabase) -> Iterator[Any]:
    connection = psycopg2.connect(
        warehouse.url,
        options="-c timezone=UTC -c datestyle=ISO -c intervalstyle=postgres -c extra_float_digits=3",
    )
    try:
        connection.set_client_encoding("UTF8")
        yield connection
    finally:
        connection.close()


def _ask(connection: Any, statement: str, *parameters: Any) -> list[Row]:
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters or None)
        return list(cursor.fetchall())


def _source_kinds(connection: Any, names: _Names) -> dict[str, str]:
    """Types by column, in the table's order."""
    statement = (
        "SELECT column_name, lower(data_type) FROM information_schema.columns "
        "WHERE table_schema = %s AND table_name = %s AND BINARY table_name = %s ORDER BY ordinal_position"
    )
    return dict(_ask(connection, statement, names.database, names.table, names.table))


def _warehouse_kinds(connection: Any, names: _Names) -> dict[str, str]:
    """Types by column."""
    statement = (
        "SELECT column_name, data_type FROM information_schema.columns "
        "WHERE table_schema = %s AND table_name = %s"
    )
    return dict(_ask(connection, statement, names.schema, names.there))


def _paired(ours: Mapping[str, str], theirs: Mapping[str, str]) -> tuple[list[_Column], list[str]]:
    """The columns that are on both sides, and the complaints about the others."""
    columns, missing = [], []
    for name, kind in ours.items():
        found = _target_name(name, theirs)
        if found is None:
            missing.append(f"column `{name}` is not in the warehouse")
        else:
            columns.append(_Column(name=name, kind=kind, target=found, target_kind=theirs[found]))
    return columns, missing


def _target_name(name: str, theirs: Collection[str]) -> str | None:
    if len(name.encode()) <= _NAME_BYTES:
        return name if name in theirs else None
    # A longer name is cut somewhere and told apart by what follows.
    head = name.encode()[:40].decode(errors="ignore")
    found = [each for each in theirs if each.startswith(head)]
    return found[0] if len(found) == 1 else None


def _key(connection: Any, names: _Names) -> set[str]:
    statement = (
        "SELECT column_name FROM information_schema.statistics "
        "WHERE table_schema = %s AND table_name = %s AND index_name = 'PRIMARY'"
    )
    return {name for (name,) in _ask(connection, statement, names.database, names.table)}


@contextmanager
def _untraced() -> Iterator[None]:
    """Do without the measurement of coverage, which costs most where millions of values go by; none of it is etlkit."""
    tracer = sys.gettrace()
    sys.settrace(None)
    try:
        yield
    finally:
        sys.settrace(tracer)


def _source_rows(
    connection: Any, names: _Names, columns: list[_Column], expected_null: Mapping[str, Collection[Any]]
) -> Iterator[Row]:
    normalisers = [_null_for(_of_source(each), expected_null.get(each.name, ())) for each in columns]
    fields = ", ".join(_source_field(each) for each in columns)
    with connection.cursor(SSCursor) as cursor:
        cursor.execute(f"SELECT {fields} FROM {_mysql_name(names.database)}.{_mysql_name(names.table)}")
        yield from _normalised(cursor, normalisers)


def _warehouse_rows(connection: Any, names: _Names, columns: list[_Column]) -> Iterator[Row]:
    fields = psycopg2.sql.SQL(", ").join(
        psycopg2.sql.SQL("encode({}, 'hex')" if each.target_kind == "bytea" else "{}::text").format(
            psycopg2.sql.Identifier(each.target)
        )
        for each in columns
    )
    statement = psycopg2.sql.SQL("SELECT {} FROM {}").format(
        fields, psycopg2.sql.Identifier(names.schema, names.there)
    )
    with connection.cursor("rows") as cursor:
        cursor.itersize = 20_000
        cursor.execute(statement)
        yield from _normalised(cursor, [_of_warehouse(each) for each in columns])


def _normalised(rows: Any, normalisers: list[Normaliser | None]) -> Iterator[Row]:
    chosen = [(place, each) for place, each in enumerate(normalisers) if each is not None]
    for row in rows:
        values = list(row)
        for place, normalise in chosen:
            if values[place] is not None:
                values[place] = normalise(values[place])
        yield tuple(values)


def _null_for(normalise: Normaliser | None, nulls: Collection[Any]) -> Normaliser | None:
    if not nulls:
        return normalise

    def with_nulls(value: Any) -> Any:
        known = normalise(value) if normalise else value
        return None if known in nulls else known

    return with_nulls


def _mysql_name(name: str) -> str:
    return "`" + name.replace("`", "``") + "`"


def _source_field(column: _Column) -> str:
    name = _mysql_name(column.name)
    if column.kind == "float":
        return f"{name} * 1e0"  # the text protocol cuts FLOAT to six digits
    if column.kind == "bit":
        return f"{name} + 0"
    return name


def _of_source(column: _Column) -> Normaliser | None:
    return _json if column.target_kind == "jsonb" else _SOURCE.get(column.kind)


def _of_warehouse(column: _Column) -> Normaliser | None:
    by_target = _TARGET.get(column.target_kind)
    return by_target or _WAREHOUSE.get(column.kind, _SOURCE.get(column.kind))


def _single(value: str) -> bytes:
    return struct.pack("<f", float(value))


def _double(value: str) -> bytes:
    return struct.pack("<d", float(value))


def _json(value: str) -> str:
    return json.dumps(json.loads(value), sort_keys=True)


def _moment(value: str) -> dt.datetime | dt.date | None:
    try:
        if len(value) == len("2024-01-31"):
            return dt.date.fromisoformat(value)
        return dt.datetime.fromisoformat(value).replace(tzinfo=None)
    except ValueError:
        return None


def _duration(value: str) -> int:
    """Microseconds of MySQL's TIME."""
    hours, minutes, seconds = value.removeprefix("-").split(":")
    whole, _, fraction = seconds.partition(".")
    size = (int(hours) * 3600 + int(minutes) * 60 + int(whole)) * 1_000_000 + int(fraction.ljust(6, "0"))
    return -size if value.startswith("-") else size


def _interval(value: str) -> int | str:
    """Microseconds of PostgreSQL's interval without days; anything else stays text."""
    try:
        return _duration(value)
    except ValueError:
        return value


def _address(value: str) -> Any:
    """The address of an inet; one of a network stays text."""
    whole = ipaddress.ip_interface(value)
    return whole.ip if whole.network.num_addresses == 1 else value


def _geometry_of_mysql(value: bytes) -> tuple[int, bytes]:
    """SRID and WKB of what MySQL stores: the SRID in four bytes, then WKB."""
    return int.from_bytes(value[:4], "little"), value[4:]


def _geometry_of_ewkb(digits: str) -> tuple[int, bytes]:
    """SRID and WKB of PostGIS's EWKB, little endian."""
    value = bytes.fromhex(digits)
    kind = int.from_bytes(value[1:5], "little")
    if not kind & 0x20000000:
        return 0, value
    plain = value[:1] + (kind & ~0x20000000).to_bytes(4, "little") + value[9:]
    return int.from_bytes(value[5:9], "little"), plain


def _kept_moment(value: str) -> Any:
    return _moment(value) or value  # what no calendar holds must not pass for NULL


_INTEGERS = ("tinyint", "smallint", "mediumint", "int", "bigint", "year", "bit")
_BINARY = ("binary", "varbinary", "tinyblob", "blob", "mediumblob", "longblob")
_SPATIAL = (
    "geometry",
    "point",
    "linestring",
    "polygon",
    "multipoint",
    "multilinestring",
    "multipolygon",
    "geometrycollection",
    "geomcollection",
)
_MOMENTS = ("date", "datetime", "timestamp")

_SOURCE: dict[str, Normaliser] = {
    **dict.fromkeys(_INTEGERS, int),
    **dict.fromkeys(_BINARY, bytes),
    **dict.fromkeys(_SPATIAL, _geometry_of_mysql),
    **dict.fromkeys(_MOMENTS, _moment),
    **dict.fromkeys(("inet4", "inet6"), ipaddress.ip_address),
    "decimal": Decimal,
    "float": _single,
    "double": _double,
    "time": _duration,
}
"""By the source's type, what makes a value of the source's text."""
_WAREHOUSE: dict[str, Normaliser] = {
    **dict.fromkeys(_BINARY, bytes.fromhex),
    **dict.fromkeys(_SPATIAL, _geometry_of_ewkb),
    **dict.fromkeys(_MOMENTS, _kept_moment),
    **dict.fromkeys(("inet4", "inet6"), _address),
    "time": _interval,
}
"""The same for the warehouse's text, where it differs."""
_TARGET: dict[str, Normaliser] = {
    "boolean": {"true": 1, "false": 0}.__getitem__,
    "bit": lambda digits: int(digits, 2),
    "jsonb": _json,
}
"""By the warehouse's type, where that alone decides."""


def _described(
    ours: Counter[Row], theirs: Counter[Row], columns: list[_Column], places: list[int]
) -> list[str]:
    if not places:
        return [f"only in the source, {n} times: {_shown(row)}" for row, n in ours.items()] + [
            f"only in the warehouse, {n} times: {_shown(row)}" for row, n in theirs.items()
        ]
    pairs: dict[Row, list[list[Row]]] = defaultdict(lambda: [[], []])
    for side, rows in enumerate((ours, theirs)):
        for row in rows.elements():
            pairs[tuple(row[place] for place in places)][side].append(row)
    found = []
    for key, (left, right) in pairs.items():
        if len(left) != len(right):
            where = "the source" if len(left) > len(right) else "the warehouse"
            found.append(f"key {_shown(key)}: only in {where}")
            continue
        for one, other in zip(left, right, strict=True):
            found += [
                f"key {_shown(key)}: column `{column.name}`: source {_shown(a)}, warehouse {_shown(b)}"
                for column, a, b in zip(columns, one, other, strict=True)
                if a != b
            ]
    return found


def _shown(value: Any) -> str:
    said = repr(value)
    return said if len(said) <= _SHOWN else f"{said[:_SHOWN]}… ({len(said)} characters)"
