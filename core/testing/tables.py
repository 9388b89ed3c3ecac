"""Tables as discovery would show them to a plugin, each column written in one line; for tests of plugins."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from etlkit.tables import INTEGER_TYPES, Column, CursorCandidate, Index, TableAnalysis

_COLUMN = re.compile(
    r"(?P<name>\S+) (?P<type>[a-z]\w*)(?:\((?P<size>[^)]*)\))?(?P<unsigned> unsigned)?(?P<extra>.*)"
)


def column(described: str) -> Column:
    """Make a column of a table's definition in one line.

    Args:
        described: name, type and whatever follows: `Fee decimal(10,2) unsigned not null`.

    Returns:
        The column.

    Raises:
        ValueError: the line is no such description.
    """
    found = _COLUMN.fullmatch(described)
    if found is None:
        raise ValueError(f"a column must be described as `name type` (got `{described}`)")
    kind, size = found["type"], found["size"] or ""
    whole = f"{kind}({size})" if size else kind
    numbers = [int(part) for part in size.split(",")] if re.fullmatch(r"\d+(,\d+)?", size) else []
    measures: dict[str, Any] = {}
    if kind == "decimal":
        measures = dict(zip(("precision", "scale"), numbers, strict=False))
    elif kind in ("time", "datetime", "timestamp"):
        measures = dict(zip(("fraction",), numbers, strict=False))
    elif numbers and kind not in INTEGER_TYPES:
        measures = {"length": numbers[0]}
    return Column(
        name=found["name"],
        data_type=kind,
        column_type=whole + (found["unsigned"] or ""),
        declared_type=whole + (found["unsigned"] or ""),
        nullable="not null" not in found["extra"],
        extra=found["extra"].replace("not null", "").strip(),
        **measures,
    )


def table(name: str, *columns: str, key: str = "", cursor: str = "", **fields: Any) -> TableAnalysis:
    """Make a table as discovery would show it to a plugin.

    Args:
        name: its name.
        *columns: each in one line, as for `column`.
        key: the columns of the primary key, separated by commas; by default the auto_increment column.
        cursor: the column that discovery chose as cursor; none by default.
        **fields: further fields of `TableAnalysis`, such as `row_count` or `options`.

    Returns:
        The table.
    """
    made = tuple(column(each) for each in columns)
    numbered = next((each.name for each in made if each.auto_increment), "")
    names = tuple(filter(None, (key or numbered).split(",")))
    types = {each.name: each.data_type for each in made}
    candidate = CursorCandidate(
        column=cursor, data_type=types.get(cursor, ""), score=0.9, refused=False, reasons=("As chosen.",)
    )
    made_of: dict[str, Any] = {
        "columns": made,
        "primary_key": names,
        "indexes": (Index(name="PRIMARY", columns=names, unique=True),) if names else (),
        "cursor": candidate if cursor else None,
    }
    return TableAnalysis(name=name, **(made_of | fields))


TABLES: Sequence[TableAnalysis] = (
    table(
        "patient",
        "PatNum bigint auto_increment",
        "LName varchar(100)",
        "Birthdate date",
        "EstBalance double",
        "TxtMsgOk tinyint",
        "DateTStamp timestamp on update current_timestamp",
        cursor="DateTStamp",
        engine="MyISAM",
        row_count=40_000,
        row_count_exact=True,
        data_bytes=30 * 1024 * 1024,
    ),
    table("securitylog", "SecurityLogNum bigint auto_increment", "LogText text", cursor="SecurityLogNum"),
    table("claimtracking", "A bigint", "B bigint", "row varchar(20)", key="A,B", data_bytes=2_000_000_000),
    table("loginattempt", "Stamp datetime(6)", "Seconds time", "Seen bit(1)", "Image longblob"),
    table("fee", "Amount decimal(10,2)", "Data json", "Kind enum('a','b')", "Year year", row_count=0),
)
"""Tables of several shapes: with a time and a number as cursor, a key of two columns, no key, no rows."""
