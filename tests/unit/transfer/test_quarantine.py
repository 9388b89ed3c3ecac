"""The keys of quarantined values, whichever way their rows came."""

from __future__ import annotations

import json

import attrs

from etlkit.tables import Column, TableAnalysis
from etlkit.transfer.chunk import Fetched, finished
from etlkit.transfer.copy_text import examined
from etlkit.transfer.policies import Policy
from etlkit.transfer.quarantine import MOST, Quarantined
from etlkit.transfer.rendering import RenderedTable, render
from etlkit.transfer.sentinels import BROKEN, FIELD, LOSS, NULL, ROW, marker
from etlkit.transfer.wide_rows import WideRows

POLICIES: dict[int, Policy] = {1: "quarantine", 3: "quarantine", 4: "null"}


def framed(*rows: tuple[bytes | None, ...]) -> bytes:
    """Rows as the source renders them."""
    return b"".join(FIELD.join(NULL if each is None else each for each in row) + ROW for row in rows)


def table(**policies: Policy) -> RenderedTable:
    """A table whose key is its last two columns, in the order `k`, `b`."""
    columns = tuple(
        Column(name=name, data_type=kind, column_type=kind, nullable=False)
        for name, kind in {"d": "date", "t": "text", "b": "varbinary", "k": "varchar"}.items()
    )
    return render(TableAnalysis(name="t", columns=columns, primary_key=("k", "b")), "d", policies=policies)


def test_keys_of_markers() -> None:
    """Each marker of a quarantined column is told with its row's key, in the key's order; other markers are not."""
    text = examined(
        framed(
            (b"1", b"2024-01-01", b"a", b"x", marker(LOSS, 4)),
            (b"2", marker(LOSS, 1), '"\n ü'.encode(), marker(BROKEN, 3), None),
            (b"3", marker(LOSS, 1), b"", b"y", None),
        ),
        POLICIES,
        (2, 0),
    )
    assert [
        Quarantined(number=1, rule="invalid_date", key='["\\"\\n ü", "2"]'),
        Quarantined(number=3, rule="broken_text", key='["\\"\\n ü", "2"]'),
        Quarantined(number=1, rule="invalid_date", key='["", "3"]'),
    ] == text.quarantined
    assert {1: 2, 4: 1} == dict(text.losses)


def test_keys_of_nul_characters() -> None:
    """A text with a NUL character is NULL, and told with its row's key as the key is stored."""
    text = examined(
        framed((b"k\0", b"x\0y\0", b"z"), (b"l", b"x", b"z\0")), {0: "replace", 1: "quarantine"}, (0,)
    )
    assert [Quarantined(number=1, rule="nul_character", key='["k␀"]')] == text.quarantined
    assert framed(("k␀".encode(), None, b"z"), (b"l", b"x", b"z\0")) == text.data


def test_without_a_key() -> None:
    """Without a key nothing is told, and the values are NULL."""
    text = examined(framed((b"\0", marker(LOSS, 1))), {0: "quarantine", 1: "quarantine"})
    assert ([], framed((None, None))) == (text.quarantined, text.data)


def test_too_many() -> None:
    """Of a chunk with far too many quarantined values no more are kept than are needed to know it."""
    rows = [(b"%d" % number, marker(LOSS, 1)) for number in range(3 * MOST)]
    assert MOST + 1 == len(examined(framed(*rows), POLICIES, (0,)).quarantined)
    rows = [(b"%d" % number, b"\0") for number in range(2 * MOST)]
    assert MOST + 1 == len(examined(framed(*rows), POLICIES, (0,)).quarantined)


def test_both_ways_to_read() -> None:
    """Rows that come field by field give the same keys as rows that come as one value."""
    rendered = table(d="quarantine", t="quarantine", k="replace")
    wide = WideRows(rendered)
    rows: list[tuple[bytes, bytes, bytes, bytes]] = [
        (marker(LOSS, 0), marker(BROKEN, 1), b"\x00\xab", b"k\\\x01"),
        (b"2024-01-01", b"", b"", b"l"),
        (b"2024-01-01", b"\0", b"", b"m\0"),
    ]
    for row in rows:
        wide.add(row)
    text, count = wide.take()
    fetched = Fetched(data=text.data, rows=count, copied=attrs.evolve(text, data=b""))
    packed = [(d, t, b"\\x" + b.hex().upper().encode(), k) for d, t, b, k in rows]
    chunks = [
        finished(fetched, "t", rendered),
        finished(Fetched(data=framed(*packed), rows=3), "t", rendered),
    ]
    assert chunks[0].copy_text() == chunks[1].copy_text()
    for chunk in chunks:
        assert {
            (0, "invalid_date", ("k\\\x01", "\\x00AB")),
            (1, "broken_text", ("k\\\x01", "\\x00AB")),
            (1, "nul_character", ("m␀", "\\x")),
        } == {(each.number, each.rule, tuple(json.loads(each.key))) for each in chunk.quarantined}
    wide.add(rows[1])
    assert [] == wide.take()[0].quarantined
