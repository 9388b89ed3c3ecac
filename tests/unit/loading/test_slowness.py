"""A load that takes longer than its table's `monitoring` allows is told, with the hop where there are two."""

from __future__ import annotations

import pytest

from etlkit.config import Monitoring
from etlkit.events import REPLICA, WAREHOUSE, TableFinished
from etlkit.loading.slowness import tell_slow


@pytest.mark.parametrize(
    ("hop", "seconds", "expected"),
    [
        (WAREHOUSE, 300.0, []),
        (WAREHOUSE, 420.0, ["table `patient` took 7 minutes; its limit in `monitoring` is 5"]),
        (
            REPLICA,
            420.0,
            ["table `patient` took 7 minutes on its way into the replica; its limit in `monitoring` is 5"],
        ),
    ],
)
def test_told_above_the_limit(
    hop: str, seconds: float, expected: list[str], caplog: pytest.LogCaptureFixture
) -> None:
    """The limit itself is not above it."""
    tell_slow(
        TableFinished(table="patient", hop=hop, seconds=seconds), Monitoring(max_extraction_time_minutes=5)
    )
    assert expected == [record.getMessage() for record in caplog.records]
