"""Places in a read at which the source waits for sure, by a conversion that asks for a lock there."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType

import sqlalchemy as sa

from etlkit import Conversion, hookimpl
from etlkit.plugins.conversions import builtin
from etlkit.plugins.executors import threads
from etlkit.plugins.strategies import (
    chunked_incremental,
    full_table,
    incremental,
    reconcile,
    streaming_incremental,
)
from etlkit.registry import Registry
from support.background import Background
from support.databases import SourceDatabase

HERE = "here"
"""A text at which the read waits; the conversion leaves it as it is."""

CONVERSION = "wait_there"
"""Name of the conversion, to be chosen for a column of texts."""

BUILT_IN = (
    builtin,
    threads,
    chunked_incremental,
    full_table,
    incremental,
    reconcile,
    streaming_incremental,
)
"""Modules with what a run needs."""


def waiting_registry(source: SourceDatabase, *others: ModuleType) -> Registry:
    """Make a registry with the conversion.

    Args:
        source: whose reads wait.
        others: more plugins.
    """

    def wait(value: sa.ColumnElement[str], _: object) -> sa.ColumnElement[str]:
        locked = sa.func.get_lock(_lock(source), 60) == 1
        # Both ways the same value; `AND` asks for the lock where the text stands, and nowhere else.
        return sa.case(
            (sa.and_(value == HERE, locked, sa.func.release_lock(_lock(source)) == 1), value), else_=value
        )

    module = ModuleType("waiting")

    @hookimpl
    def etlkit_conversions() -> Iterator[Conversion]:
        yield Conversion(
            name=CONVERSION,
            summary="Waits where a text stands.",
            target_type=lambda _: "text",
            source_sql=wait,
        )

    vars(module)["etlkit_conversions"] = etlkit_conversions
    return Registry.of(*BUILT_IN, module, *others)


@contextmanager
def held(source: SourceDatabase) -> Iterator[None]:
    """Let reads wait where `HERE` stands, until the block ends.

    Args:
        source: whose reads.
    """
    connection = source.server.connect()
    try:
        with connection.cursor() as cursor:
            cursor.execute("select get_lock(%s, 10)", (_lock(source),))
            assert ((1,),) == cursor.fetchall()
        yield
    finally:
        if connection.open:
            connection.close()


def waiting(source: SourceDatabase) -> list[int]:
    """Give the numbers of the connections that wait in a read."""
    return [
        number
        for (number,) in source.rows(
            "select id from information_schema.processlist "
            f"where db = '{source.name}' and state = 'User lock' and command = 'Query'"
        )
    ]


def arrive_in_source(work: Background[object], source: SourceDatabase) -> int:
    """Wait until a read waits.

    Args:
        work: at work inside of `held`.
        source: whose read.

    Returns:
        The number of its connection.
    """
    work.reaches(lambda: bool(waiting(source)))
    return waiting(source)[0]


def _lock(source: SourceDatabase) -> str:
    return f"etlkit-tests-{source.name}"
