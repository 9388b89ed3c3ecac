"""When a table was last proven equal, when that is due again, and how old a proof may be.

A proof is a comparison of every row: by digests, or because every row was read. A source whose checksum is still that
of the last proof proves it again, for a week: then the rows themselves are compared.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Protocol

import attrs
import sqlalchemy as sa

from etlkit.config import Schedule
from etlkit.events import TableFinished
from etlkit.loading.staged import EQUAL, REPAIRED, is_proof

_HOUR = dt.timedelta(hours=1)
_DAY = 24 * _HOUR


@attrs.frozen(kw_only=True)
class Age:
    """How old proofs of a table become."""

    due: dt.timedelta
    """The age from which on a run proves the table again."""
    stale: dt.timedelta
    """The age above which `etlkit status` says `stale`."""


AGES: Mapping[Schedule, Age] = MappingProxyType(
    {
        # Runs of a schedule do not begin to the second, and take longer on some days: an hour is left for that.
        "every_run": Age(due=dt.timedelta(), stale=30 * _HOUR),
        "daily": Age(due=_DAY - _HOUR, stale=30 * _HOUR),
        "weekly": Age(due=7 * _DAY - _HOUR, stale=8 * _DAY),
    }
)
"""By schedule; tables whose schedule is `never` are never due and never stale."""

BY_CHECKSUM = 7 * _DAY
"""How long checksums alone may renew a proof: two different tables have the same one with odds of 1 in 2^32."""

PROVEN = frozenset({EQUAL, REPAIRED})
"""What `TableFinished.verified` says of a table that was proven equal, without rows that are kept beside."""


def proof_values(outcome: TableFinished) -> dict[str, Any]:
    """Give what a load changes in `table_state` about proofs.

    Args:
        outcome: the load's.

    Returns:
        Columns and values; a checksum only holds as long as nothing is written.
    """
    values: dict[str, Any] = {}
    if outcome.inserted or outcome.updated or outcome.deleted:
        values["checksum"] = None
    if is_proof(outcome.verified):
        values |= {"proven_at": sa.func.now(), "compared_at": sa.func.now()}
    return values


class Provable(Protocol):
    """What is remembered of a table that may be proven equal."""

    @property
    def proven_at(self) -> dt.datetime | None:
        """When it last was; None for never."""

    @property
    def first_loaded_at(self) -> dt.datetime | None:
        """When its first load was committed."""


def is_due(schedule: Schedule, entry: Provable | None, now: dt.datetime | None) -> bool:
    """Tell whether a table is to be proven equal now.

    Args:
        schedule: the table's.
        entry: what is remembered of it.
        now: by the clock that the entry's times are of, the warehouse's or the replica's.

    Returns:
        False before the first load, which has nothing to be compared with.
    """
    if entry is None or now is None or schedule not in AGES:
        return False
    return entry.proven_at is None or now - entry.proven_at >= AGES[schedule].due


def is_stale(schedule: Schedule, entry: Provable, now: dt.datetime | None) -> bool:
    """Tell whether a table's last proof is older than it may be.

    Args:
        schedule: the table's.
        entry: what is remembered of it.
        now: by the clock that the entry's times are of.

    Returns:
        True as well for a table that was loaded that long ago and never proven.
    """
    if now is None or schedule not in AGES:
        return False
    return now - (entry.proven_at or entry.first_loaded_at or now) > AGES[schedule].stale


def proof_words(schedule: Schedule, entry: Provable, now: dt.datetime | None) -> str:
    """Word what a table's last proof is worth.

    Args:
        schedule: the table's.
        entry: what is remembered of it.
        now: by the clock that the entry's times are of.

    Returns:
        `stale`, `equal`, `not asked for` or `not yet`.
    """
    if is_stale(schedule, entry, now):
        return "stale"
    if entry.proven_at is not None:
        return "equal"
    return "not asked for" if schedule == "never" else "not yet"
