"""Tables are read in ranges of their key, in the source's own order: every row once, wherever a range ends."""

from __future__ import annotations

import itertools
import random

import attrs
import pytest

from etlkit.contracts import Chunks
from etlkit.loading.table_plan import TablePlan
from etlkit.transfer.chunk import Chunk
from etlkit.transfer.keys import from_json, to_json
from support.keys import ANY_MODE, DATES, KEYS, MARIADB_KEYS, columns_of
from support.loading import Loading
from support.reading import chunks_of, rows_of

_numbers = itertools.count(1)
_random = random.Random(7)  # noqa: S311 - keys of a test


def made(shared: Loading, columns: str, key: str, values: list[str], kind: str = "PRIMARY KEY") -> str:
    """Make a table."""
    name = f"t{next(_numbers)}"
    _random.shuffle(values)
    shared.source.execute(
        ANY_MODE,
        f"CREATE TABLE {name} ({columns_of(columns)}, n INT NOT NULL, {kind} ({key}))",
        f"INSERT INTO {name} VALUES {', '.join(f'({each}, {n})' for n, each in enumerate(values))}",
    )
    return name


def row_by_row(shared: Loading, name: str) -> TablePlan:
    """A plan to read a table one row at a time, as if it were large."""
    made = shared.plan(name, chunks=Chunks(rows=1, max_bytes=1))
    return attrs.evolve(made, analysis=attrs.evolve(made.analysis, row_count=10**6))


def numbers(chunks: list[Chunk]) -> list[int]:
    """The column `n` of the rows."""
    return [int(row.rsplit(b"\x01", 1)[1]) for row in rows_of(chunks)]


def check(shared: Loading, name: str, key: str) -> None:
    """Read a table row by row, and again behind each of its keys."""
    expected = [n for (n,) in shared.source.rows(f"SELECT n FROM {name} ORDER BY {key}")]
    plan = row_by_row(shared, name)
    chunks = chunks_of(shared, plan)
    assert expected == numbers(chunks)
    assert [1] * len(expected) == [chunk.rows for chunk in chunks]
    for place, chunk in enumerate(chunks, 1):
        assert chunk.last_key is not None
        after = from_json(to_json(chunk.last_key))
        assert chunk.last_key == after
        if place % 3 == 0:
            assert expected[place:] == numbers(chunks_of(shared, plan, resume_after=after))


@pytest.mark.parametrize(("columns", "key", "values"), KEYS.values(), ids=KEYS)
def test_every_row_is_read_once(shared: Loading, columns: str, key: str, values: list[str]) -> None:
    """Whatever the key's type, ranges follow on each other in the source's order, and a later run can go on."""
    check(shared, made(shared, columns, key, list(values)), key)


@pytest.mark.parametrize("shared", ["mariadb-innodb", "mariadb-myisam"], indirect=True)
@pytest.mark.parametrize(("columns", "key", "values"), MARIADB_KEYS.values(), ids=MARIADB_KEYS)
def test_keys_of_mariadb(shared: Loading, columns: str, key: str, values: list[str]) -> None:
    """Keys of the types that only MariaDB has are followed in its own order, which is not that of their text."""
    check(shared, made(shared, columns, key, list(values)), key)


def test_a_unique_index_serves_as_key(shared: Loading) -> None:
    """A table without primary key is read by a unique index, if none of its columns can be NULL."""
    name = made(shared, "k VARCHAR(9), c DATE", "k, c", quoted_pairs(), kind="UNIQUE KEY u")
    check(shared, name, "k, c")
    shared.source.execute(f"ALTER TABLE {name} MODIFY c DATE NULL")
    chunks = chunks_of(shared, row_by_row(shared, name))
    assert [(list(range(4)), None)] == [(sorted(numbers([chunk])), chunk.last_key) for chunk in chunks]


def test_a_prefix_is_no_key(shared: Loading) -> None:
    """A unique index over the beginnings of texts does not order them, so the table is read in one go."""
    name = made(shared, "k VARCHAR(9)", "k(2)", ["'abx'", "'acx'", "'ad'"], kind="UNIQUE KEY u")
    assert [3] == [chunk.rows for chunk in chunks_of(shared, row_by_row(shared, name))]


def quoted_pairs() -> list[str]:
    """Values of a key of two columns."""
    return [f"'{k}', '{c}'" for k in ("", "a") for c in DATES[:2]]
