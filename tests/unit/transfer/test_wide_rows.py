"""Rows that come field by field become the same COPY text as rows that come as one value."""

from __future__ import annotations

from collections import Counter

import pytest

from etlkit.errors import ExtractionError
from etlkit.tables import Column, TableAnalysis
from etlkit.transfer.rendering import render
from etlkit.transfer.sentinels import BROKEN, LOSS, NULL, REFUSED, marker
from etlkit.transfer.wide_rows import WideRows


def wide(*kinds: str) -> WideRows:
    """Rows of columns of these types."""
    columns = tuple(Column(name=f"c{n}", data_type=kind, column_type=kind) for n, kind in enumerate(kinds))
    return WideRows(render(TableAnalysis(name="t", columns=columns), "d"))


def test_rows() -> None:
    """Text is escaped, bytes are written as hexadecimal digits in capitals, NULL is NULL in both."""
    rows = wide("int", "text", "blob")
    rows.add(["1", "a\\\nü\x01", b"\x00\xff"])
    rows.add([b"2", NULL, None])
    expected = "1\x01a\\\\\\nü\\001\x01\\\\x00FF\n2\x01\x02\x01\x02\n".encode()
    assert (2, len(expected)) == (len(rows), rows.size)
    text, count = rows.take()
    assert (expected, 2) == (text.data, count)
    assert (0, 0) == (len(rows), rows.size)


def test_what_is_found_is_counted_by_column() -> None:
    """Markers and NUL characters are counted, each for the rows that were taken; what is absent is not."""
    rows = wide("date", "text", "text", "varbinary")
    rows.add([marker(LOSS, 0), "a\0b\0", marker(BROKEN, 2), b"\0"])
    rows.add([marker(LOSS, 0), marker(REFUSED, 1), "x", b""])
    text, _ = rows.take()
    assert (Counter({0: 2}), Counter({1: 1}), Counter({2: 1}), Counter({1: 1})) == (
        text.losses,
        text.refused,
        text.broken,
        text.nul,
    )
    assert {0: 2} == dict(text.losses)
    rows.add(["2024-01-01", "", "", b""])
    assert {} == dict(rows.take()[0].losses)


def test_a_value_that_could_not_be_sent() -> None:
    """Where the source gives NULL for a rendered value, the column is named."""
    with pytest.raises(ExtractionError) as caught:
        wide("int", "text").add(["1", None])
    assert (
        "table `t`: column `c1` holds a value larger than the source can send; raise max_allowed_packet on the source"
    ) == str(caught.value)
