"""Which PostgreSQL type holds every value of a source column."""

from __future__ import annotations

from typing import Any

import pytest

from etlkit.tables import Column
from etlkit.transfer.target_types import target_type


@pytest.mark.parametrize(
    ("declared", "options", "expected"),
    [
        ("tinyint", {}, "smallint"),
        ("tinyint unsigned", {}, "smallint"),
        ("smallint", {}, "smallint"),
        ("smallint unsigned", {}, "integer"),
        ("mediumint", {}, "integer"),
        ("mediumint unsigned", {}, "integer"),
        ("int", {}, "integer"),
        ("int unsigned", {}, "bigint"),
        ("int zerofill", {}, "bigint"),
        ("bigint", {}, "bigint"),
        ("bigint unsigned", {}, "numeric(20,0)"),
        ("decimal", {"precision": 65, "scale": 30}, "numeric(65,30)"),
        ("decimal", {}, "numeric(10,0)"),
        ("float", {}, "real"),
        ("double", {}, "double precision"),
        ("bit", {"length": 64}, "bit(64)"),
        ("bit", {}, "bit(1)"),
        ("date", {}, "date"),
        ("datetime", {"fraction": 3}, "timestamp(3) without time zone"),
        ("timestamp", {}, "timestamp(0) with time zone"),
        ("time", {"fraction": 6}, "interval"),
        ("year", {}, "smallint"),
        ("char", {"length": 9}, "character varying(9)"),
        ("varchar", {"length": 16383}, "character varying(16383)"),
        ("varchar", {"length": 0}, "text"),
        ("longtext", {"length": 4294967295}, "text"),
        ("enum", {"length": 9}, "text"),
        ("set", {}, "text"),
        ("json", {}, "json"),
        ("binary", {"length": 4}, "bytea"),
        ("longblob", {}, "bytea"),
        ("geometry", {}, "bytea"),
        ("geometrycollection", {}, "bytea"),
        ("uuid", {}, "uuid"),
        ("inet4", {}, "inet"),
        ("inet6", {}, "inet"),
    ],
)
def test_types(declared: str, options: dict[str, Any], expected: str) -> None:
    """The type is wide enough for each value of the source's, and spelled as PostgreSQL prints it."""
    column = Column(name="c", data_type=declared.split(" ", maxsplit=1)[0], column_type=declared, **options)
    assert expected == target_type(column)
