"""A watermark is the greatest cursor that was read, but never later than the read's beginning."""

from __future__ import annotations

import pytest

from etlkit.tables import Column
from etlkit.transfer.chunk_queries import earlier
from etlkit.transfer.watermark import Watermark


def cursor(kind: str) -> Column:
    """A column of this type."""
    return Column(name="c", data_type=kind, column_type=kind)


@pytest.mark.parametrize(
    ("kind", "began", "stamps", "expected"),
    [
        ("datetime", None, ["2024-01-02 00:00:00", "2024-01-01 00:00:00"], "2024-01-02 00:00:00"),
        (
            "datetime",
            "2024-01-01 12:00:00.999999",
            ["2024-01-01 00:00:00", "2037-01-01 00:00:00"],
            "2024-01-01 12:00:00",
        ),
        ("timestamp", "2024-01-01 12:00:00.123456", ["2037-01-01 00:00:00.123"], "2024-01-01 12:00:00.123"),
        ("date", "2024-01-01 12:00:00.000000", ["0001-01-01", "2024-01-01"], "2024-01-01"),
        ("date", "2024-01-01 12:00:00.000000", ["2024-01-02"], "2024-01-01"),
        ("datetime", "2024-01-01 12:00:00.000000", ["0000-00-00 00:00:00"], "0000-00-00 00:00:00"),
        ("bigint", None, ["9", "10", "-5"], "10"),
        ("bigint", "100", ["9", "99", "1000"], "100"),
        ("int", "-5", ["-9"], "-9"),
        ("int", "5", [None, None], None),
    ],
)
def test_watermarks(kind: str, began: str | None, stamps: list[str | None], expected: str | None) -> None:
    """Numbers are compared as numbers, times as times, in the precision of the cursor."""
    mark = Watermark(column=cursor(kind), began=began)
    for stamp in stamps:
        mark.take(stamp)
    assert expected == mark.value


def test_a_broken_read_goes_on_from_its_own() -> None:
    """What an earlier read reached is not lowered."""
    mark = Watermark(column=cursor("int"), began="100", value="50")
    mark.take("7")
    assert "50" == mark.value


def test_without_a_cursor() -> None:
    """A plan without cursor has no watermark."""
    mark = Watermark()
    mark.take("5")
    assert mark.value is None


@pytest.mark.parametrize(
    ("watermark", "seconds", "expected"),
    [
        ("2024-03-01 00:00:00", 1, "2024-02-29 23:59:59"),
        ("2024-01-01 00:00:00.500000", 300, "2023-12-31 23:55:00.500000"),
        ("2024-01-01", 86400, "2023-12-31 00:00:00"),
        ("0001-01-01 00:00:00", 300, "0001-01-01 00:00:00"),
        ("0000-00-00 00:00:00", 300, "0000-00-00 00:00:00"),
    ],
)
def test_lookbacks(watermark: str, seconds: int, expected: str) -> None:
    """A lookback goes back in the calendar, and stays where it cannot."""
    assert expected == earlier(watermark, seconds)
