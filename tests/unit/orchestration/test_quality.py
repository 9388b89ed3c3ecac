"""A load whose rows are not in the warehouse as they are in the source is an alert, below the table's threshold."""

from __future__ import annotations

import logging

import pytest

from etlkit import TableFinished
from etlkit.config import Monitoring
from etlkit.orchestration.quality import judged, rows_met, rows_not_equal


def lost(*counts: int, **outcome: object) -> TableFinished:
    """What came of a load whose columns lost so many values."""
    losses = tuple((f"c{number}", "invalid_date", count, "null") for number, count in enumerate(counts))
    return TableFinished(table="patient", losses=losses, **outcome)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("outcome", "rows", "bad"),
    [
        (lost(), 0, 0),
        (lost(3, read=100), 100, 3),
        (lost(3, 4, read=100), 100, 7),
        (lost(90, 90, read=100), 100, 100),
        (lost(2, read=2, updated=2, unchanged=998), 1000, 2),
        (lost(9, read=2, updated=2, unchanged=998), 1000, 2),
        (lost(verified="equal after repair", read=5, updated=5, unchanged=95), 100, 0),
        (lost(1, verified="1,200 differ", read=10, unchanged=9990, updated=10), 10_000, 1201),
        (lost(verified="not checked: rows changed while they were compared", unchanged=10), 10, 0),
    ],
)
def test_what_counts(outcome: TableFinished, rows: int, bad: int) -> None:
    """Each lost value counts as a row, at most as many as were read; rows that were mended do not count."""
    assert (rows, bad) == (rows_met(outcome), rows_not_equal(outcome))


@pytest.mark.parametrize(
    ("count", "threshold", "alert"),
    [(0, 1, False), (1, 1, True), (50, 0.95, False), (51, 0.95, True), (1000, 0, False)],
)
def test_the_threshold(count: int, threshold: float, alert: bool) -> None:
    """A quality of exactly the threshold is good enough."""
    found = judged(lost(count, read=1000), Monitoring(data_quality_threshold=threshold))
    assert alert is found.alert


@pytest.mark.parametrize(("alert_on_failure", "level"), [(True, logging.ERROR), (False, logging.WARNING)])
def test_the_line(caplog: pytest.LogCaptureFixture, alert_on_failure: bool, level: int) -> None:
    """The log names table, share and threshold; where a person is wanted it is an error."""
    monitoring = Monitoring(alert_on_failure=alert_on_failure, data_quality_threshold=0.99)
    judged(lost(10_001, read=1_000_000), monitoring)
    assert [
        (
            level,
            (
                "table `patient`: 98.99% of 1,000,000 rows are in the warehouse as they are in the source, "
                "below the 99% of `data_quality_threshold`; `etlkit report` names columns and rules"
            ),
        )
    ] == [(each.levelno, each.message) for each in caplog.records]
