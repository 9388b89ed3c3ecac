"""One number says how a run ended."""

from __future__ import annotations

import pytest

from etlkit.events import TableFinished
from etlkit.orchestration.run import exit_code_of


@pytest.mark.parametrize(
    ("codes", "expected"),
    [
        ([], 0),
        ([0], 0),
        ([0, 0], 0),
        ([1], 3),
        ([0, 1, 0], 3),
        ([2, 2], 2),
        ([2, 0], 2),
        ([2, 1], 3),
        ([5], 5),
        ([0, 5, 5], 5),
        ([5, 1], 3),
        ([7], 7),
        ([7, 0, 7], 7),
        ([5, 7], 3),
        ([7, 1], 3),
    ],
)
def test_exit_code(codes: list[int], expected: int) -> None:
    """0 when nothing failed; 2, 5 or 7 when all failures share it; else 3, since the others were loaded."""
    outcomes = [
        TableFinished(table=f"t{number}", error="it failed" if code else None, exit_code=code)
        for number, code in enumerate(codes)
    ]
    assert expected == exit_code_of(outcomes)
