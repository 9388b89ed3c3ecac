"""How sizes and lists of names are worded."""

from __future__ import annotations

import pytest

from etlkit import wording


@pytest.mark.parametrize(
    ("count", "words"),
    [(0, "0 B"), (1023, "1,023 B"), (1024, "1.0 kB"), (1572864, "1.5 MB"), (5 * 1024**4, "5,120.0 GB")],
)
def test_size(count: int, words: str) -> None:
    """Sizes are told in units of 1024."""
    assert words == wording.size(count)


def test_names() -> None:
    """The first five names are told, and how many more there are."""
    assert "`a`" == wording.names(["a"])
    assert "`a`, `b`, `c`, `d`, `e`" == wording.names("abcde")
    assert "`a`, `b`, `c`, `d`, `e` and 2 more" == wording.names("abcdefg")


def test_counted() -> None:
    """One is singular, and nothing else."""
    expected = ["0 tables", "1 table", "2,000 tables"]
    assert expected == [wording.counted(count, "table") for count in (0, 1, 2000)]
