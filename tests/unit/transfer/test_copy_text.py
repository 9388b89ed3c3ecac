r"""Framed rows become COPY text: one translation, and escapes for what COPY takes for structure."""

from __future__ import annotations

import re
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from etlkit.transfer.copy_text import copy_text
from etlkit.transfer.sentinels import BROKEN, FIELD, LOSS, NULL, REFUSED, ROW, marker, sql_literal

ESCAPE = re.compile(rb"\\(n|r|\\|001|002)")
PLAIN = {b"n": b"\n", b"r": b"\r", b"\\": b"\\", b"001": b"\x01", b"002": b"\x02"}


def framed(*rows: tuple[bytes | None, ...]) -> bytes:
    """Rows as the source renders them."""
    return b"".join(FIELD.join(NULL if each is None else each for each in row) + ROW for row in rows)


def read_back(data: bytes) -> list[tuple[bytes | None, ...]]:
    """Rows as PostgreSQL reads COPY text."""
    return [
        tuple(
            None if field == b"\x02" else ESCAPE.sub(lambda found: PLAIN[found[1]], field)
            for field in line.split(b"\x01")
        )
        for line in data.split(b"\n")[:-1]
    ]


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        ((b"1", b"a"), b"1\x01a\n"),
        ((b"", None), b"\x01\x02\n"),
        ((b"\\N", b"\\."), b"\\\\N\x01\\\\.\n"),
        ((b"\x02", b"\x01"), b"\\002\x01\\001\n"),
        ((b"a\tb", b"a\nb\r"), b"a\tb\x01a\\nb\\r\n"),
        ((None,), b"\x02\n"),
        ((b"",), b"\n"),
    ],
)
def test_rows(row: tuple[bytes | None, ...], expected: bytes) -> None:
    """Backslashes, line ends and COPY's own characters are escaped, nothing else is."""
    assert expected == copy_text(framed(row)).data


@given(
    st.integers(1, 4).flatmap(
        lambda width: st.lists(
            st.tuples(*[st.none() | st.text().map(lambda text: text.encode().replace(b"\0", b""))] * width)
        )
    )
)
def test_any_text_survives(rows: list[tuple[bytes | None, ...]]) -> None:
    """Whatever characters texts hold, PostgreSQL reads what the source sent."""
    assert rows == read_back(copy_text(framed(*rows)).data)


def test_markers_are_counted_and_become_null() -> None:
    """Values that cannot go on are counted by column and kind."""
    text = copy_text(
        framed(
            (b"1", marker(LOSS, 1), marker(REFUSED, 2)),
            (b"2", marker(LOSS, 1), marker(BROKEN, 2)),
            (marker(LOSS, 4095), b"fc001", None),
        )
    )
    assert b"1\x01\x02\x01\x02\n2\x01\x02\x01\x02\n\x02\x01fc001\x01\x02\n" == text.data
    assert (Counter({1: 2, 4095: 1}), Counter({2: 1}), Counter({2: 1}), Counter()) == (
        text.losses,
        text.refused,
        text.broken,
        text.nul,
    )


def test_nul_characters_are_counted_once_per_value() -> None:
    """A text with two NUL characters is one text that PostgreSQL cannot hold."""
    text = copy_text(framed((b"a\0b\0", b"1"), (b"\0", b""), (b"c", b"\0")))
    assert Counter({0: 2, 1: 1}) == text.nul


def test_policies_for_nul_characters() -> None:
    """Text with NUL characters is as its column's policy says; other columns, rows and values are left alone."""
    text = copy_text(
        framed((b"a\0b\0", b"\0", b"\0"), (b"c", b"d", None)), {0: "replace", 1: "null", 2: "fail"}
    )
    assert [("a␀b␀".encode(), None, b"\0"), (b"c", b"d", None)] == read_back(text.data)
    assert Counter({0: 1, 1: 1, 2: 1}) == text.nul


def test_literals() -> None:
    """Markers are written into statements as hexadecimal literals."""
    assert ("0xFF", "0xFC303061") == (sql_literal(FIELD), sql_literal(marker(LOSS, 10)))
