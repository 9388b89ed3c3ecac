"""Tables of a test's source, each column written in one line."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import make_url

from etlkit.testing.contract import Database
from etlkit.testing.tables import column


class _AsWritten(sa.types.UserDefinedType[Any]):
    """A type of the source's language, as its author wrote it."""

    cache_ok = True

    def __init__(self, text: str) -> None:
        self.text = text

    def get_col_spec(self, **_: Any) -> str:
        return self.text


def source_column(line: str, key: Collection[str] = ()) -> sa.Column[Any]:
    """Make a column of a table in the source.

    Args:
        line: name, type and whatever follows, as for `column`.
        key: the columns of the table's primary key.

    Returns:
        The column; NULL is allowed unless the line or the key forbids it.
    """
    of = column(line)
    nullable = of.nullable and of.name not in key
    # A timestamp is not NULL by itself on older servers.
    text = " ".join(filter(None, (of.declared_type, of.extra, "NULL" if nullable else "")))
    return sa.Column(
        of.name, _AsWritten(text), primary_key=of.name in key, nullable=nullable, autoincrement=False
    )


@contextmanager
def both_engines(source: Database, warehouse: Database) -> Iterator[tuple[sa.Engine, sa.Engine]]:
    """Connect a test to both databases, beside etlkit.

    Args:
        source: the one.
        warehouse: the other.

    Yields:
        An engine for each.
    """
    mine = make_url(source.url).set(drivername="mysql+pymysql").update_query_dict({"charset": "utf8mb4"})
    engines = (
        sa.create_engine(mine),
        sa.create_engine(make_url(warehouse.url).set(drivername="postgresql+psycopg2")),
    )
    try:
        yield engines
    finally:
        for each in engines:
            each.dispose()
