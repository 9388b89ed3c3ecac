"""How much of what a load met is in the warehouse as it is in the source, and whether that calls for a person."""

from __future__ import annotations

import logging
import math
import re

import attrs

from etlkit.config import Monitoring
from etlkit.events import TableFinished

_DIFFERING = re.compile(r"([\d,]+) differ")
_log = logging.getLogger(__name__)


def judged(outcome: TableFinished, monitoring: Monitoring) -> TableFinished:
    """Compare a load's quality with the table's `data_quality_threshold`; below it, log the alert.

    Args:
        outcome: of a load that is committed.
        monitoring: the table's.

    Returns:
        The outcome, with `alert` set when the quality is below the threshold.
    """
    rows, bad = rows_met(outcome), rows_not_equal(outcome)
    if not bad or 1 - bad / rows >= monitoring.data_quality_threshold:
        return outcome
    _log.log(
        logging.ERROR if monitoring.alert_on_failure else logging.WARNING,
        "table `%s`: %s%% of %s rows are in the %s as they are in the source, below the %s%% of "
        "`data_quality_threshold`; `etlkit report` names columns and rules",
        outcome.table,
        _floored(1 - bad / rows),
        f"{rows:,}",
        outcome.hop,
        f"{monitoring.data_quality_threshold * 100:g}",
    )
    return attrs.evolve(outcome, alert=True)


def rows_met(outcome: TableFinished) -> int:
    """Count the rows that a load read or compared.

    Args:
        outcome: the load's.

    Returns:
        Rows.
    """
    return max(outcome.read, outcome.inserted + outcome.updated + outcome.unchanged)


def rows_not_equal(outcome: TableFinished) -> int:
    """Count the rows that are not in the warehouse as they are in the source.

    Args:
        outcome: the load's.

    Returns:
        Rows with values that PostgreSQL cannot hold, each value as if it was another row's, and rows that were found
        to differ and could not be made equal; together at most as many as there are rows.
    """
    lost = min(outcome.read, sum(count for _, _, count, _ in outcome.losses))
    found = _DIFFERING.match(outcome.verified)
    differing = int(found[1].replace(",", "")) if found else 0
    return min(rows_met(outcome), lost + differing)


def _floored(share: float) -> str:
    # Rounded up, it could look like the threshold itself.
    return f"{math.floor(share * 10000) / 100:.2f}"
