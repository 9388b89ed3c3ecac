"""Judging what is in the replica's database, and what will come into it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence

import attrs

from etlkit.discovery.catalog import Catalog
from etlkit.discovery.replica import Adaptation
from etlkit.doctor import checks
from etlkit.doctor.findings import Finding, sentence
from etlkit.loading.source_identity import SourceIdentity
from etlkit.orchestration.kept_names import WAY_ON, names_not_kept
from etlkit.wording import counted, names, size

GROWTH = 2
"""How many times larger a table is in InnoDB than in MyISAM, about."""

_MOST_KINDS = 8


def judge_definitions(adapted: Mapping[str, Sequence[Adaptation]], refused: Mapping[str, str]) -> Finding:
    """Judge whether the replica's server can hold the tables, and say what becomes of them there.

    Args:
        adapted: by the name of a table that can be made what is not as in the source.
        refused: by the name of one that cannot be made the reason, as a sentence.

    Returns:
        A problem when a table cannot be made.
    """
    if refused:
        return checks.DEFINITIONS.problem(
            f"{counted(len(refused), 'table')} cannot be made on the replica's server: {' '.join(refused.values())}",
            "Exclude them in etlkit.yml (`tables:`, `exclude: true`), or name a server that can hold them in "
            "`replica.url`.",
        )
    tables: dict[str, list[str]] = {}
    for table, adaptations in adapted.items():
        for said in dict.fromkeys(map(_in_any_table, adaptations)):
            tables.setdefault(said, []).append(table)
    if not tables:
        return checks.DEFINITIONS.ok("Every table is made as it is in the source.")
    kinds = sorted(tables.items(), key=lambda each: -len(each[1]))
    listed = [
        f"{said} ({counted(len(found), 'table')}: {names(found)})" for said, found in kinds[:_MOST_KINDS]
    ]
    more = [f"and {len(kinds) - _MOST_KINDS} more"] if kinds[_MOST_KINDS:] else []
    same = sum(not each for each in adapted.values())
    return checks.DEFINITIONS.ok(
        f"{same} of {counted(len(adapted), 'table')} are made just as in the source. Adapted in the others: "
        f"{'; '.join([*listed, *more])}."
    )


def judge_names(replica: Catalog, wanted: Iterable[str]) -> Finding:
    """Judge whether the server keeps the tables' names.

    Args:
        replica: the replica's catalog.
        wanted: tables to copy.

    Returns:
        A problem when some would be called otherwise.
    """
    if lost := names_not_kept(wanted, replica.server):
        return checks.NAMES.problem(
            f"The server does not keep the names of {names(lost)}: its `lower_case_table_names` is "
            f"{replica.server.lower_case_table_names}.",
            sentence(WAY_ON),
        )
    return checks.NAMES.ok("The server keeps the names of the tables as they are.")


def judge_target_tables(replica: Catalog, wanted: Iterable[str], known: Collection[str]) -> Finding:
    """Judge whether something else has the name of a table to copy.

    Args:
        replica: the replica's catalog.
        wanted: tables to copy.
        known: tables that etlkit copied.

    Returns:
        A problem when a run would refuse to touch it.
    """
    taken = sorted(
        name
        for name in wanted
        if name in replica.views or (name not in known and replica.find(name) is not None)
    )
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
    copies = {each.name: replica.find(each.name) for each in tables}
    held = sum(each.total_bytes for each in copies.values() if each is not None)
    missing = [each for each in tables if copies[each.name] is None]
    said = f"The tables to copy have {size(total)} in the source, and {size(held)} in the replica so far"
    if not missing:
        return checks.REPLICA_DISK.ok(f"{said}; no table is missing.")
    needed = sum(_copied(each.engine, each.total_bytes) for each in missing)
    largest = max(_copied(each.engine, each.total_bytes) for each in tables)
    return checks.REPLICA_DISK.skipped(
        f"{said}; the free space of its server cannot be seen from here.",
        f"Look on the server (`df -h`) that about {size(needed + largest)} are free.",
    )


def _in_any_table(adaptation: Adaptation) -> str:
    """Word an adaptation without the names that only one table has."""
    if adaptation.what == "foreign key":
        return "foreign keys: left out"
    return str(attrs.evolve(adaptation, column=None))


def _copied(engine: str, size_in_source: int) -> int:
    return size_in_source if engine == "InnoDB" else GROWTH * size_in_source
