"""The size of a chunk follows the time and the bytes of the last one."""

from __future__ import annotations

import pytest

from etlkit.transfer.chunk_size import ChunkSize, first_size


def size(rows: int = 1000) -> ChunkSize:
    """A size of half a second and a million bytes."""
    return ChunkSize(rows=rows, seconds=0.5, max_bytes=1_000_000)


@pytest.mark.parametrize(
    ("seconds", "rendered_bytes", "expected"),
    [
        (0.5, 1_000_000, 1000),
        (0.25, 100_000, 2000),
        (0.25, 1_000_000, 1000),
        (5.0, 100_000, 100),
        (0.5, 10_000_000, 100),
        (0.01, 10_000, 4000),
        (0.0, 0, 4000),
        (0.5, 10**12, 1),
    ],
)
def test_the_next_size(seconds: float, rendered_bytes: int, expected: int) -> None:
    """The tighter of both budgets decides; growth is at most fourfold, and a chunk has a row at least."""
    made = size()
    made.took(seconds=seconds, rows=1000, rendered_bytes=rendered_bytes)
    assert expected == made.rows


def test_the_largest_size() -> None:
    """No chunk has more than a million rows."""
    made = size()
    made.took(seconds=0.0001, rows=900_000, rendered_bytes=1)
    assert 1_000_000 == made.rows


def test_chunks_that_do_not_fit() -> None:
    """A chunk that does not fit into one value is asked for again with a quarter of its rows, down to one."""
    made = size()
    assert (True, 250) == (made.too_large(1000), made.rows)
    assert (True, 1) == (made.too_large(3), made.rows)
    assert (False, 1) == (made.too_large(1), made.rows)


@pytest.mark.parametrize(
    ("engine", "seconds", "expected"),
    [("MyISAM", None, 0.25), ("Aria", None, 0.25), ("InnoDB", None, 0.5), ("MyISAM", 2.0, 2.0)],
)
def test_the_time_of_a_chunk(engine: str, seconds: float | None, expected: float) -> None:
    """Engines whose readers block writers get half the time, unless the plan says otherwise."""
    made = first_size(engine=engine, rows=5000, average_row=10, max_bytes=1_000_000, seconds=seconds)
    assert (5000, expected, 1_000_000) == (made.rows, made.seconds, made.max_bytes)


@pytest.mark.parametrize(("average", "expected"), [(0, 5000), (200, 5000), (1000, 1000), (10**9, 1)])
def test_the_first_size(average: int, expected: int) -> None:
    """The first chunk has the plan's rows, or fewer where rows are known to be large."""
    made = first_size(engine="InnoDB", rows=5000, average_row=average, max_bytes=1_000_000, seconds=None)
    assert expected == made.rows
