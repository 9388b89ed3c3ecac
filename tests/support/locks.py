"""Locks that somebody else holds, on either side, while a run is at work."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg2
import pymysql
from sqlalchemy.engine import make_url

from support.databases import SourceDatabase, WarehouseDatabase

WAITING = (
    "select 1 from pg_locks l join pg_stat_activity a using (pid) "
    "where not l.granted and a.application_name = 'etlkit' and a.datname = current_database()"
)
"""Gives a row when one of etlkit's statements waits for a lock in the warehouse."""


@contextmanager
def locked_in_source(source: SourceDatabase, table: str) -> Iterator[None]:
    """Lock a table as somebody does who repairs it."""
    url = make_url(source.url)
    holder = pymysql.connect(
        host=url.host,
        port=url.port or 3306,
        user=url.username,
        password=url.password or "",
        database=source.name,
        ssl_disabled=True,
    )
    with holder, holder.cursor() as cursor:
        cursor.execute(f"lock tables `{table}` write")
        yield


@contextmanager
def locked_in_warehouse(warehouse: WarehouseDatabase, table: str) -> Iterator[None]:
    """Lock a table against readers and writers."""
    holder = psycopg2.connect(warehouse.url)
    try:
        with holder.cursor() as cursor:
            cursor.execute(f"LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE")
            yield
    finally:
        holder.close()
