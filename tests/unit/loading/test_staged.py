"""What is said of a table that was compared."""

from __future__ import annotations

import pytest

from etlkit.loading.staged import EQUAL, REPAIRED, but_for, is_proof


@pytest.mark.parametrize(
    ("verified", "kept", "words"),
    [
        (EQUAL, 0, "equal"),
        (EQUAL, 1, "equal but for 1 row kept"),
        (REPAIRED, 1200, "equal after repair but for 1,200 rows kept"),
    ],
)
def test_rows_that_are_kept(verified: str, kept: int, words: str) -> None:
    """A table with rows that the source no longer has is never simply equal, but what was compared is proven."""
    assert words == but_for(verified, kept)
    assert is_proof(words)


@pytest.mark.parametrize("verified", ["not checked", "not checked: by cursor", "2 rows differ", ""])
def test_what_proves_nothing(verified: str) -> None:
    """Everything else is no proof."""
    assert not is_proof(verified)
