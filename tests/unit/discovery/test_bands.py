"""What follows from a table's size, and which tables are left out by their names."""

from __future__ import annotations

import pytest

from etlkit.discovery.bands import batch_size, max_extraction_minutes
from etlkit.discovery.describing import megabytes


@pytest.mark.parametrize(
    ("size_mb", "rare", "frequent"),
    [
        (0, 5000, 5000),
        (0.99, 5000, 5000),
        (1, 3000, 2000),
        (99, 3000, 2000),
        (100, 2000, 1000),
        (1000, 1000, 500),
    ],
)
def test_batches_shrink_with_size_and_frequency(size_mb: float, rare: int, frequent: int) -> None:
    """Batch sizes go by the bands 1, 100 and 1000 MB, and by how often a table changes."""
    assert (rare, frequent) == (batch_size(size_mb, "rare"), batch_size(size_mb, "frequent"))


@pytest.mark.parametrize(("size_mb", "expected"), [(0, 5), (49, 5), (378, 37), (1800, 180), (9000, 180)])
def test_patience_grows_with_size(size_mb: float, expected: int) -> None:
    """A load may take a minute for each 10 MB, at least 5 and at most 180."""
    assert expected == max_extraction_minutes(size_mb)


def test_megabytes_never_cross_a_threshold() -> None:
    """A size below a threshold is shown below it, so that the same decision follows from what is shown."""
    assert (0.999, 1.0, 0.015) == (megabytes(1024 * 1024 - 1), megabytes(1024 * 1024), megabytes(16384))
