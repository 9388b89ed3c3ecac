"""Judging a warehouse: every sentence, for every level."""

from __future__ import annotations

import datetime as dt
from typing import Any

import attrs
import pytest

from etlkit.discovery.catalog import Catalog, SourceServer, TableFacts
from etlkit.doctor import Finding
from etlkit.doctor import warehouse_server as server
from etlkit.doctor.warehouse_facts import Relation, WarehouseFacts
from etlkit.loading.last_loads import LastRun

MB = 1024 * 1024
TABLE = Relation(is_table=True, own=True, bytes=MB)
FACTS = WarehouseFacts(
    version_number=160004,
    version="16.4 (Debian 16.4-1)",
    encoding="UTF8",
    cipher="",
    role="etl",
    database="dental",
    standby=False,
    read_only=False,
    logs_errors=False,
    may_create_schemas=True,
    may_create_temporary=True,
    schemas={},
    relations={},
    free_bytes=None,
)
CATALOG = Catalog(
    server=SourceServer(kind="MySQL", version=(8, 4, 0), version_text="8.4.0"),
    database="clinic",
    tables={
        "patient": TableFacts(name="patient", engine="InnoDB", data_bytes=6 * MB, index_bytes=2 * MB),
        "claim": TableFacts(name="claim", engine="InnoDB", data_bytes=2 * MB),
    },
)


def facts(**changes: Any) -> WarehouseFacts:
    """A warehouse that is as it should be, but for some things."""
    return attrs.evolve(FACTS, **changes)


def said(finding: Finding) -> tuple[str, str, str, str]:
    """A finding without its section."""
    return finding.check, finding.level, finding.message, finding.remedy


def test_version() -> None:
    """PostgreSQL 13 is the oldest."""
    assert ("version", "ok", "The server is PostgreSQL 16.4.", "") == said(server.judge_version(FACTS))
    expected = (
        "version",
        "problem",
        "The server is PostgreSQL 12.20, and 13 is the oldest that etlkit writes to.",
        "Update the server to PostgreSQL 13 or later.",
    )
    assert expected == said(server.judge_version(facts(version_number=120020, version="12.20")))


def test_encoding() -> None:
    """Another encoding than UTF8 is a problem."""
    expected = ("encoding", "ok", "The database's encoding is UTF8.", "")
    assert expected == said(server.judge_encoding(FACTS))
    expected = (
        "encoding",
        "problem",
        "The database's encoding is LATIN1, which cannot hold every character of the source.",
        (
            "Make a database with UTF8 and name it in `warehouse.url`: CREATE DATABASE \"dental_utf8\" ENCODING 'UTF8' "
            "TEMPLATE template0;"
        ),
    )
    assert expected == said(server.judge_encoding(facts(encoding="LATIN1")))


def test_writable() -> None:
    """A standby and a read-only database are problems."""
    assert ("writable", "ok", "The server accepts changes.", "") == said(server.judge_writable(FACTS))
    expected = (
        "writable",
        "problem",
        "The server is a standby, which only follows its primary server.",
        "Name the primary server in `warehouse.url`.",
    )
    assert expected == said(server.judge_writable(facts(standby=True, read_only=True)))
    expected = (
        "writable",
        "problem",
        "Transactions are read-only by default.",
        'Let an administrator run: ALTER ROLE "etl" IN DATABASE "dental" SET default_transaction_read_only = off;',
    )
    assert expected == said(server.judge_writable(facts(read_only=True)))


@pytest.mark.parametrize("schemas", [{}, {"raw": True}, {"raw": True, "etlkit": True}])
def test_rights(schemas: dict[str, bool]) -> None:
    """Schemas that are there and may be used, or that may be created, are enough."""
    expected = (
        "rights",
        "ok",
        "The user `etl` may write the schemas `raw` and `etlkit`, and create temporary tables.",
        "",
    )
    there = facts(schemas=schemas, may_create_schemas=len(schemas) < 2, relations={"t": TABLE})
    assert expected == said(server.judge_rights(there, "raw", {"t", "gone"}))


def test_no_rights() -> None:
    """All that is missing is told at once, with the statements that give it."""
    expected = (
        "rights",
        "problem",
        (
            "The user `etl` may not create temporary tables; not create the schema `my raw`; not create tables in the "
            'schema `etlkit`; not change `a"b` in the schema `my raw`, which others own.'
        ),
        (
            'Let an administrator run in the database `dental`: GRANT TEMPORARY ON DATABASE "dental" TO "etl"; '
            'CREATE SCHEMA "my raw" AUTHORIZATION "etl"; GRANT USAGE, CREATE ON SCHEMA "etlkit" TO "etl"; '
            'ALTER TABLE "my raw"."a""b" OWNER TO "etl";'
        ),
    )
    there = facts(
        may_create_schemas=False,
        may_create_temporary=False,
        schemas={"etlkit": False},
        relations={'a"b': attrs.evolve(TABLE, own=False), "other": attrs.evolve(TABLE, own=False)},
    )
    assert expected == said(server.judge_rights(there, "my raw", {'a"b'}))


def test_target_tables() -> None:
    """What has a table's name and is not etlkit's, or is no table, is a problem."""
    view = attrs.evolve(TABLE, is_table=False)
    there = facts(relations={"patient": TABLE, "claim": TABLE, "view": view, "other": TABLE})
    expected = (
        "target_tables",
        "ok",
        "Nothing in the schema `raw` is in the way of a table to load.",
        "",
    )
    assert expected == said(server.judge_target_tables(there, "raw", ["patient", "new"], {"patient"}))
    expected = (
        "target_tables",
        "problem",
        "The schema `raw` holds `claim`, `view`, which etlkit did not make; it does not write to them.",
        "Rename or drop them, or set another `warehouse.schema` in etlkit.yml.",
    )
    wanted = ["view", "patient", "claim"]
    assert expected == said(server.judge_target_tables(there, "raw", wanted, {"patient", "view"}))


def test_last_run() -> None:
    """A run that has not ended, or not well, is a warning."""
    began = dt.datetime(2026, 3, 1, 20, 15, tzinfo=dt.UTC)
    run = LastRun(run_id="1", started_at=began, finished_at=began, exit_code=0, tables=3)
    when = f"{began.astimezone():%Y-%m-%d %H:%M:%S}"
    expected = ("ledger", "ok", "There is no ledger yet; the first `etlkit run` makes it.", "")
    assert expected == said(server.judge_last_run(None))
    expected = ("ledger", "ok", f"The last run began at {when} and loaded every table.", "")
    assert expected == said(server.judge_last_run(run))
    expected = (
        "ledger",
        "warning",
        f"The last run began at {when} and ended with exit code 3.",
        "`etlkit status` shows what failed.",
    )
    assert expected == said(server.judge_last_run(attrs.evolve(run, exit_code=3)))
    expected = (
        "ledger",
        "warning",
        f"The last run began at {when} and has not ended.",
        "If no run is at work it was killed: run again, which goes on where it was.",
    )
    assert expected == said(server.judge_last_run(attrs.evolve(run, finished_at=None, exit_code=None)))


@pytest.mark.parametrize(
    ("free", "level", "message", "remedy"),
    [
        (34, "ok", "and 34.0 MB are free there.", ""),
        (33, "warning", "and 33.0 MB are free there; a run needs about 17.0 MB.", "Make room soon: the source grows."),
        (16, "problem", "and 16.0 MB are free there; a run needs about 17.0 MB.", "Make room before the first run."),
    ],
)  # fmt: skip
def test_disk(free: int, level: str, message: str, remedy: str) -> None:
    """There must be room for what is not loaded yet and once more for the largest table."""
    there = facts(free_bytes=free * MB, relations={"patient": TABLE})
    said_before = "The source has 10.0 MB, the warehouse holds 1.0 MB of it, "
    assert ("disk", level, said_before + message, remedy) == said(server.judge_disk(there, CATALOG))


def test_disk_that_cannot_be_seen() -> None:
    """Where the free space or the source's size is not known, that is said."""
    expected = (
        "disk",
        "skipped",
        (
            "The source has 10.0 MB, the warehouse holds 0 B of it; the free space of its server cannot be seen "
            "from here."
        ),
        "Look on the server (`df -h`) that about 18.0 MB are free.",
    )
    assert expected == said(server.judge_disk(FACTS, CATALOG))
    expected = ("disk", "skipped", "The size of the source is not known.", "")
    assert expected == said(server.judge_disk(FACTS, None))
    expected = (
        "disk",
        "skipped",
        "The size of the source is not known, and 1.0 MB are free in the warehouse.",
        "",
    )
    assert expected == said(server.judge_disk(facts(free_bytes=MB), None))


def test_server_log() -> None:
    """A server whose log repeats what it refuses is warned of, with the statements that end it."""
    message = "The server's log repeats nothing of what it refuses of this user."
    assert ("server_log", "ok", message, "") == said(server.judge_server_log(FACTS))
    expected = (
        "server_log",
        "warning",
        "When the server refuses a row of the user `etl`, it writes the row into its own log.",
        (
            'If others read that log, let a superuser run: ALTER ROLE "etl" SET log_min_messages = log; '
            'ALTER ROLE "etl" SET log_min_error_statement = panic; ALTER ROLE "etl" SET log_error_verbosity = terse;'
        ),
    )
    assert expected == said(server.judge_server_log(facts(logs_errors=True)))
