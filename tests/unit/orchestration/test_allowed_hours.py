"""The source is read within the hours that the deployment allows, by the clock of this machine."""

from __future__ import annotations

import datetime as dt

import pytest

from etlkit.config import AllowedHours
from etlkit.errors import OutsideAllowedHours
from etlkit.orchestration.allowed_hours import require_allowed_hour


def at(text: str) -> dt.datetime:
    """A moment of some day."""
    return dt.datetime.fromisoformat(f"2024-03-01T{text}:00+01:00")


@pytest.mark.parametrize(
    ("hours", "inside", "outside"),
    [
        ("20:00-06:00", ["20:00", "23:59", "00:00", "05:59"], ["06:00", "12:00", "19:59"]),
        ("08:00-17:30", ["08:00", "17:29"], ["07:59", "17:30", "00:00"]),
        ("22:00-24:00", ["22:00", "23:59"], ["00:00", "21:59"]),
        ("00:00-06:00", ["00:00", "05:59"], ["06:00", "23:59"]),
    ],
)
def test_hours(hours: str, inside: list[str], outside: list[str]) -> None:
    """The first moment is inside, the last one is not, also when the hours go over midnight."""
    for moment in inside:
        require_allowed_hour(AllowedHours.parse(hours), at(moment))
    for moment in outside:
        with pytest.raises(OutsideAllowedHours) as caught:
            require_allowed_hour(AllowedHours.parse(hours), at(moment))
        shown = AllowedHours.parse(hours)
        assert (
            f"the source may be read from {shown} only (`source.allowed_hours` in etlkit.yml), and it is "
            f"{moment}; run again then"
        ) == str(caught.value)
        assert 1 == caught.value.exit_code


def test_without_hours() -> None:
    """A deployment that says nothing allows every moment."""
    require_allowed_hour(None, at("12:00"))


def test_the_present() -> None:
    """Without a moment, the present one by this machine's clock counts."""
    now = dt.datetime.now().astimezone()
    around = AllowedHours(
        start=(now - dt.timedelta(hours=1)).time(), end=(now + dt.timedelta(hours=1)).time()
    )
    require_allowed_hour(around)
    with pytest.raises(OutsideAllowedHours):
        require_allowed_hour(AllowedHours(start=around.end, end=around.start))
