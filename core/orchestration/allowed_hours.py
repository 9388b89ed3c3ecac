"""When the clinic's server may be read."""

from __future__ import annotations

import datetime as dt

from etlkit.config import AllowedHours
from etlkit.errors import OutsideAllowedHours


def require_allowed_hour(hours: AllowedHours | None, now: dt.datetime | None = None) -> None:
    """Make sure that the source may be read at this moment.

    Args:
        hours: when it may; None for always.
        now: by this machine's clock; the present by default.

    Raises:
        OutsideAllowedHours: it may not.
    """
    moment = (now or dt.datetime.now().astimezone()).time()
    if hours is not None and not hours.include(moment):
        raise OutsideAllowedHours(
            f"the source may be read from {hours} only (`source.allowed_hours` in etlkit.yml), and it is "
            f"{moment:%H:%M}; run again then"
        )
