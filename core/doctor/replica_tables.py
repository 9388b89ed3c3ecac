"""Judging what is in the replica's database, and what will come into it."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from etlkit.discovery.catalog import Catalog
from etlkit.doctor import checks
from etlkit.doctor.findings import Finding
from etlkit.loading.source_identity import SourceIdentity
from etlkit.wording import names, size

GROWTH = 2
"""How many times larger a table is in InnoDB than in MyISAM, about."""


def judge_target_tables(replica: Catalog, wanted: Iterable[str], known: Collection[str]) -> Finding:
    """Judge whether something else has the name of a table to copy.

    Args:
        replica: the replica's catalog.
        wanted: tables to copy.
        known: tables that etlkit copied.

    Returns:
        A problem when a run would refuse to touch it.
    """
    taken = sorted(name for name in wanted if name in replica.tables and name not in known)
    if taken:
        return checks.REPLICA_TABLES.problem(
            f"The database `{replica.database}` holds {names(taken)}, which etlkit did not make; it does not write to "
            "them.",
            "Rename or drop them, or name a database for etlkit alone in `replica.url`.",
        )
    return checks.REPLICA_TABLES.ok(
        f"Nothing in the database `{replica.database}` is in the way of a table to copy."
    )


def judge_record(before: SourceIdentity | None, now: SourceIdentity | None, database: str) -> Finding:
    """Judge whether the replica copies the source that is configured.

    Args:
        before: which source the replica says that it copies; None before the first run.
        now: the source; None when its catalog could not be read.
        database: the replica's.

    Returns:
        A problem when it is another one.
    """
    if before is None:
        return checks.RECORD.ok("There is no copy yet; the first `etlkit run` makes it.")
    if now is None:
        return checks.RECORD.skipped("Not checked, because the source's database cannot be read.")
    if differences := now.differences(before):
        return checks.RECORD.problem(
            f"The database `{database}` copies another source: {'; '.join(differences)}.",
            "When the clinic's database moved, `etlkit run --accept-source` goes on with it and compares every row "
            "once; another clinic needs another database in `replica.url`.",
        )
    return checks.RECORD.ok(f"The database `{database}` copies this source.")


def judge_disk(source: Catalog | None, replica: Catalog, wanted: Iterable[str]) -> Finding:
    """Say how much room the copies need; how much there is, these servers do not tell.

    Args:
        source: the source's catalog; None when it could not be read.
        replica: the replica's.
        wanted: tables to copy.

    Returns:
        Nothing worse than that it could not be checked. A load needs room for what is not there yet, and once more for
        the largest table while it is made anew.
    """
    if source is None:
        return checks.REPLICA_DISK.skipped("The size of the source is not known.")
    tables = [source.tables[name] for name in wanted if name in source.tables]
    total = sum(each.total_bytes for each in tables)
    held = sum(replica.tables[each.name].total_bytes for each in tables if each.name in replica.tables)
    missing = [each for each in tables if each.name not in replica.tables]
    said = f"The tables to copy have {size(total)} in the source, and {size(held)} in the replica so far"
    if not missing:
        return checks.REPLICA_DISK.ok(f"{said}; no table is missing.")
    needed = sum(_copied(each.engine, each.total_bytes) for each in missing)
    largest = max(_copied(each.engine, each.total_bytes) for each in tables)
    return checks.REPLICA_DISK.skipped(
        f"{said}; the free space of its server cannot be seen from here.",
        f"Look on the server (`df -h`) that about {size(needed + largest)} are free.",
    )


def _copied(engine: str, size_in_source: int) -> int:
    return size_in_source if engine == "InnoDB" else GROWTH * size_in_source
