"""Loads that take longer than a table's `monitoring` allows are told."""

from __future__ import annotations

import logging

from etlkit.config import Monitoring
from etlkit.events import REPLICA, TableFinished

_log = logging.getLogger(__name__)


def tell_slow(outcome: TableFinished, monitoring: Monitoring) -> None:
    """Log that a load took too long, if it did.

    Args:
        outcome: the load's.
        monitoring: the table's.
    """
    if outcome.seconds > monitoring.max_extraction_time_minutes * 60:
        _log.warning(
            "table `%s` took %.0f minutes%s; its limit in `monitoring` is %d",
            outcome.table,
            outcome.seconds / 60,
            " on its way into the replica" if outcome.hop == REPLICA else "",
            monitoring.max_extraction_time_minutes,
        )
