"""Judging the source server and our session on it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable

from etlkit.config import AllowedHours
from etlkit.doctor import checks
from etlkit.doctor.findings import Check, Finding
from etlkit.source_session import ServerVersion
from etlkit.transfer.manners import Manners

OLDEST_MARIADB = (10, 3)
"""The oldest MariaDB that etlkit is made for; older ones are reached from 10.0 on."""
CLOCK_SECONDS = 60
"""How far the clocks may be apart."""

_PRODUCTS = {"mariadb": "MariaDB", "mysql": "MySQL"}


def judge_version(check: Check, version: ServerVersion) -> Finding:
    """Judge which server answers; versions that cannot be used at all are refused when connecting.

    Args:
        check: the source's or the replica's.
        version: kind and version.

    Returns:
        A warning for a MariaDB that nobody tries etlkit with.
    """
    name = f"{_PRODUCTS[version.kind]} {'.'.join(str(part) for part in version.version)}"
    if version.kind == "mariadb" and version.version < OLDEST_MARIADB:
        return check.warning(
            f"The server is {name}, and MariaDB 10.3 is the oldest that etlkit is made for.",
            "Update the server, or compare a few tables yourself after the first run.",
        )
    return check.ok(f"The server is {name}.")


def judge_read_only(*, read_only: bool) -> Finding:
    """Judge whether the server refuses to write for us.

    Args:
        read_only: whether the session is.

    Returns:
        A problem when it would write.
    """
    if read_only:
        return checks.READ_ONLY.ok("The session is read-only: the server refuses every change.")
    return checks.READ_ONLY.problem(
        "The session is not read-only, although etlkit asked for it.",
        "Connect to the server itself: a proxy between may drop the settings of a session.",
    )


def judge_clock(time_zone: str, clock_ahead: float) -> Finding:
    """Judge the server's clock.

    Args:
        time_zone: the server's own.
        clock_ahead: by how many seconds it is ahead of this machine's.

    Returns:
        A warning when the clocks are far apart.
    """
    zone = f"Its time zone is {time_zone}; the sessions of etlkit are in UTC"
    if abs(clock_ahead) <= CLOCK_SECONDS:
        return checks.CLOCK.ok(f"The server's clock and this machine's agree. {zone}.")
    side = "ahead of" if clock_ahead > 0 else "behind"
    apart = dt.timedelta(seconds=round(abs(clock_ahead)))
    return checks.CLOCK.warning(
        f"The server's clock is {apart} (h:mm:ss) {side} this machine's. {zone}.",
        "Set the wrong one by a time server: allowed hours go by this machine's clock, the times in rows by the "
        "server's.",
    )


def judge_statement_limit(version: ServerVersion, seconds: float | None, patience_seconds: int) -> Finding:
    """Judge whether the server stops a statement of ours that takes too long.

    Args:
        version: kind and version.
        seconds: the session's limit; None when there is none.
        patience_seconds: how long etlkit itself waits for the answer to a statement.

    Returns:
        A warning when the server cannot.
    """
    if seconds is not None:
        return checks.STATEMENT_LIMIT.ok(
            f"The server stops a statement of etlkit's after {seconds:g} seconds."
        )
    return checks.STATEMENT_LIMIT.warning(
        f"{_PRODUCTS[version.kind]} {'.'.join(str(part) for part in version.version)} cannot limit the time of a "
        f"statement; etlkit ends the connection after {patience_seconds} seconds, and the server may work on "
        "for a while.",
        "Nothing needs to be done: etlkit reads in small pieces. MySQL 5.7.8 and MariaDB 10.1 and later have a limit.",
    )


def judge_pauses(manners: Manners, engines: Iterable[str], threads_running: int | None) -> Finding:
    """Say how the source is spared, and judge whether a run would be held up now.

    Args:
        manners: what the settings mean.
        engines: storage engines of the tables.
        threads_running: statements at work on the server; None when it does not tell.

    Returns:
        A warning when the server is busy, or does not tell.
    """
    most = manners.settings.max_threads_running
    if threads_running is None:
        return checks.PAUSES.warning(
            "The server does not tell how busy it is (SHOW GLOBAL STATUS): etlkit rests between pieces, but does not "
            "pause for others.",
            "Name hours when nobody works in `source.allowed_hours`, or let it rest more by `source.duty_cycle`.",
        )
    if threads_running > most:
        return checks.PAUSES.warning(
            f"The server is busy: Threads_running is {threads_running}, and `source.max_threads_running` is {most}, so "
            "a run would wait.",
            "Run at a quieter hour, or raise `source.max_threads_running` in etlkit.yml.",
        )
    return checks.PAUSES.ok(
        " ".join([*manners.sentences(engines), f"Threads_running is {threads_running} now."])
    )


def judge_allowed_hours(hours: AllowedHours | None, now: dt.time) -> Finding:
    """Judge whether a run could read the source at this moment.

    Args:
        hours: `source.allowed_hours`.
        now: the time of day by this machine's clock.

    Returns:
        A warning outside the hours.
    """
    if hours is None:
        return checks.ALLOWED_HOURS.ok("The source may be read at any time.")
    if hours.include(now):
        return checks.ALLOWED_HOURS.ok(f"The source may be read from {hours}, and it is {now:%H:%M}.")
    return checks.ALLOWED_HOURS.warning(
        f"The source may be read from {hours} only, and it is {now:%H:%M}: a run would be refused now.",
        "Run within these hours, or change `source.allowed_hours` in etlkit.yml.",
    )
