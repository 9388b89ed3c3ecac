"""Which PostgreSQL type holds every value of a source column.

The table is that of MySQL's and MariaDB's types against PostgreSQL's ranges: a type is chosen so that each value
the source can hold arrives unchanged, or is counted as a loss (dates that do not exist).
"""

from __future__ import annotations

from etlkit.tables import BINARY_TYPES, SPATIAL_TYPES, TEXT_TYPES, Column

_INTEGERS = {
    ("tinyint", False): "smallint",
    ("tinyint", True): "smallint",
    ("smallint", False): "smallint",
    ("smallint", True): "integer",
    ("mediumint", False): "integer",
    ("mediumint", True): "integer",
    ("int", False): "integer",
    ("int", True): "bigint",
    ("bigint", False): "bigint",
    ("bigint", True): "numeric(20,0)",
}

_FIXED = {
    "float": "real",
    "double": "double precision",
    "date": "date",
    "time": "interval",
    "year": "smallint",
    "json": "json",
    "uuid": "uuid",
    "inet4": "inet",
    "inet6": "inet",
}

_VARCHAR_MAX = 10_485_760


def target_type(column: Column) -> str:  # noqa: PLR0911 - one return per rule of the table
    """Name the PostgreSQL type for a source column.

    Args:
        column: the column, without a conversion.

    Returns:
        The type as PostgreSQL's `format_type` prints it, such as `character varying(100)` or `numeric(10,2)`.
    """
    kind = column.data_type
    if (kind, column.unsigned) in _INTEGERS:
        return _INTEGERS[kind, column.unsigned]
    if kind in _FIXED:
        return _FIXED[kind]
    if kind == "decimal":
        return f"numeric({column.precision or 10},{column.scale or 0})"
    if kind == "bit":
        return f"bit({column.length or column.precision or 1})"
    if kind == "datetime":
        return f"timestamp({column.fraction}) without time zone"
    if kind == "timestamp":
        return f"timestamp({column.fraction}) with time zone"
    if kind in {"char", "varchar"} and column.length and column.length <= _VARCHAR_MAX:
        # PostgreSQL's char(n) would pad, MySQL's does not give the padding back.
        return f"character varying({column.length})"
    if kind in TEXT_TYPES:
        return "text"
    if kind in BINARY_TYPES or kind in SPATIAL_TYPES:
        return "bytea"
    return "text"
