"""Judging the replica's server and our session on it."""

from __future__ import annotations

from collections import Counter
from typing import Literal

from etlkit.discovery.catalog import Catalog
from etlkit.doctor import checks
from etlkit.doctor.findings import Finding
from etlkit.doctor.mysql_facts import MySQLFacts
from etlkit.orchestration.own_database import is_same_database, is_same_server
from etlkit.wording import counted, size


def judge_writable(facts: MySQLFacts) -> Finding:
    """Judge whether the server can be written to at all.

    Args:
        facts: of the replica.

    Returns:
        A problem when it is a copy of another one, or read-only.
    """
    if facts.refuses_changes == "innodb_read_only":
        return checks.REPLICA_WRITABLE.problem(
            "The server is read-only (`innodb_read_only`).",
            "Start it without `innodb_read_only`, or name another server in `replica.url`.",
        )
    if facts.refuses_changes:
        return checks.REPLICA_WRITABLE.problem(
            f"The server is read-only (`{facts.refuses_changes}`); it may only follow another server.",
            "Name a server that accepts changes in `replica.url`; if this one follows none, let an administrator run: "
            "SET GLOBAL read_only = OFF;",
        )
    if facts.read_only:
        return checks.REPLICA_WRITABLE.problem(
            "Transactions are read-only by default (`transaction_read_only`, or `tx_read_only`).",
            "Let an administrator switch that off on the server, or name another one in `replica.url`.",
        )
    return checks.REPLICA_WRITABLE.ok("The server accepts changes.")


def judge_server(source: Catalog | None, replica: Catalog) -> Finding:
    """Judge whether the replica takes work from the source's server.

    Args:
        source: the source's catalog; None when it could not be read.
        replica: the replica's.

    Returns:
        A problem when both are one database, a warning when they are on one server.
    """
    if source is None:
        return checks.SERVER.skipped("Not checked, because the source's database cannot be read.")
    if not is_same_server(source, replica):
        return checks.SERVER.ok("The replica is on a server of its own.")
    if is_same_database(source, replica):
        return checks.SERVER.problem(
            "The replica is the source's own database, reached in another way; it must not be written.",
            "Name another database in `replica.url`, or leave the section `replica` out.",
        )
    return checks.SERVER.warning(
        "The replica is on the source's own server: whoever reads it, still burdens the clinic's machine.",
        "Set the replica up on another machine; leave it only if this one has the strength for both.",
    )


def judge_engine(facts: MySQLFacts, engine: Literal["InnoDB", "source"], source: Catalog | None) -> Finding:
    """Judge whether the server has the storage engine of the copies, and say what that promises.

    Args:
        facts: of the replica.
        engine: `replica.engine`.
        source: the source's catalog; None when it could not be read.

    Returns:
        A problem when InnoDB is missing, which at least etlkit's own tables need.
    """
    if not facts.has_innodb:
        return checks.ENGINE.problem(
            "The server has no InnoDB, which etlkit keeps its own record in, and by default the copies.",
            "Start the server with InnoDB, or name another one in `replica.url`.",
        )
    if engine == "InnoDB":
        return checks.ENGINE.ok(
            "Copies are kept in InnoDB: a table's rows and its state are committed together."
        )
    engines = Counter(each.engine for each in source.tables.values() if each.engine) if source else Counter()
    kinds = ", ".join(f"{name} ({counted(count, 'table')})" for name, count in engines.most_common())
    return checks.ENGINE.ok(
        f"Copies keep the storage engine of the source's table{f': {kinds}' if kinds else ''}. Only InnoDB commits a "
        "table's rows and its state together; elsewhere each statement counts by itself."
    )


def judge_local_infile(facts: MySQLFacts) -> Finding:
    """Judge whether rows can be written in the fastest way.

    Args:
        facts: of the replica.

    Returns:
        A warning when the server does not allow it.
    """
    if facts.local_infile:
        return checks.LOCAL_INFILE.ok("The server takes rows by LOAD DATA LOCAL.")
    return checks.LOCAL_INFILE.warning(
        "The server does not allow LOAD DATA LOCAL (`local_infile` is off), so rows are written by INSERT, which is "
        "slower.",
        "Write `local_infile = 1` below [mysqld] in the server's configuration, and let an administrator run: SET "
        "GLOBAL local_infile = 1;",
    )


def judge_packet_size(facts: MySQLFacts, source: MySQLFacts | None) -> Finding:
    """Judge whether every value that the source sends can be sent on.

    Args:
        facts: of the replica.
        source: of the source; None when it cannot be reached.

    Returns:
        A warning when the replica takes less at once.
    """
    limit = f"The server takes at most {size(facts.max_allowed_packet)} at once (`max_allowed_packet`)"
    if source is None:
        return checks.REPLICA_PACKET_SIZE.skipped(f"{limit}; how much the source sends is not known.")
    if facts.max_allowed_packet >= source.max_allowed_packet:
        return checks.REPLICA_PACKET_SIZE.ok(f"{limit}, and the source sends no more.")
    return checks.REPLICA_PACKET_SIZE.warning(
        f"{limit}, and the source sends up to {size(source.max_allowed_packet)}: a larger value fails its table.",
        f"Write `max_allowed_packet = {source.max_allowed_packet}` below [mysqld] in the replica's configuration, and "
        f"let an administrator run: SET GLOBAL max_allowed_packet = {source.max_allowed_packet};",
    )
