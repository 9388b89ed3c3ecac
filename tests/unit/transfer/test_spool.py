"""Rows that are read in one go are kept in memory first, then in a file."""

from __future__ import annotations

from collections import Counter

import pytest

from etlkit.errors import ExtractionError
from etlkit.transfer.chunk import Fetched
from etlkit.transfer.copy_text import CopyText
from etlkit.transfer.spool import Spool


def test_rows_come_back_in_their_order() -> None:
    """What was kept comes back whole, with all that was known of it, however large it is."""
    kept = [
        Fetched(data=b"a", rows=1),
        Fetched(data=b"", rows=0),
        Fetched(data=b"b" * 9_000_000, rows=7, watermark="5"),
        Fetched(data=b"c", rows=2, copied=CopyText(data=b"", losses=Counter({3: 1}))),
    ]
    with Spool() as spool:
        for each in kept:
            spool.add(each)
        assert kept == list(spool.kept())


def test_forgetting() -> None:
    """After clearing, only what was kept since comes back."""
    with Spool() as spool:
        spool.add(Fetched(data=b"b" * 9_000_000, rows=7))
        spool.clear()
        spool.add(Fetched(data=b"new", rows=1))
        assert [Fetched(data=b"new", rows=1)] == list(spool.kept())


def test_a_folder_that_cannot_be_written(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the file cannot be made, the folder and the reason are told."""
    monkeypatch.setattr("tempfile.tempdir", "/proc")
    with Spool() as spool:
        spool.add(Fetched(data=b"a", rows=1))
        with pytest.raises(ExtractionError) as caught:
            spool.add(Fetched(data=b"b" * 9_000_000, rows=1))
    assert (
        "rows read in one go could not be kept in `/proc` (no such file or directory); "
        "make room there, or name another folder in TMPDIR"
    ) == str(caught.value)
