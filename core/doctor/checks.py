"""Every check of the doctor, in the order of its report; docs/doctor.md explains each."""

from __future__ import annotations

from collections.abc import Iterable

from etlkit.doctor.findings import Check, Finding, Section

SOURCE_CONNECTION = Check(section="source", name="connection", levels=("ok", "problem"))
SOURCE_VERSION = Check(section="source", name="version", levels=("ok", "warning"))
SOURCE_ENCRYPTION = Check(section="source", name="encryption", levels=("ok", "warning"))
READ_ONLY = Check(section="source", name="read_only", levels=("ok", "problem"))
GRANTS = Check(section="source", name="grants", levels=("ok", "warning", "problem"))
DATABASE = Check(section="source", name="database", levels=("ok", "warning", "problem"))
ENGINES = Check(section="source", name="engines", levels=("ok",))
DAMAGED_TABLES = Check(section="source", name="damaged_tables", levels=("ok", "warning"))
PACKET_SIZE = Check(section="source", name="packet_size", levels=("ok", "warning"))
CLOCK = Check(section="source", name="clock", levels=("ok", "warning"))
STATEMENT_LIMIT = Check(section="source", name="statement_limit", levels=("ok", "warning"))
LONG_READS = Check(section="source", name="long_reads", levels=("ok", "warning"))
PAUSES = Check(section="source", name="pauses", levels=("ok", "warning"))
ALLOWED_HOURS = Check(section="source", name="allowed_hours", levels=("ok", "warning"))

REPLICA_CONNECTION = Check(section="replica", name="connection", levels=("ok", "problem"))
REPLICA_VERSION = Check(section="replica", name="version", levels=("ok", "warning"))
REPLICA_ENCRYPTION = Check(section="replica", name="encryption", levels=("ok", "warning"))
REPLICA_WRITABLE = Check(section="replica", name="writable", levels=("ok", "problem"))
REPLICA_GRANTS = Check(section="replica", name="grants", levels=("ok", "warning", "problem"))
REPLICA_DATABASE = Check(section="replica", name="database", levels=("ok", "problem"))
SERVER = Check(section="replica", name="server", levels=("ok", "warning", "problem"))
ENGINE = Check(section="replica", name="engine", levels=("ok", "problem"))
DEFINITIONS = Check(section="replica", name="definitions", levels=("ok", "problem"))
NAMES = Check(section="replica", name="names", levels=("ok", "problem"))
REPLICA_TABLES = Check(section="replica", name="target_tables", levels=("ok", "problem"))
LOCAL_INFILE = Check(section="replica", name="local_infile", levels=("ok", "warning"))
REPLICA_PACKET_SIZE = Check(section="replica", name="packet_size", levels=("ok", "warning"))
RECORD = Check(section="replica", name="ledger", levels=("ok", "problem"))
REPLICA_DISK = Check(section="replica", name="disk", levels=("ok",))

WAREHOUSE_CONNECTION = Check(section="warehouse", name="connection", levels=("ok", "problem"))
WAREHOUSE_VERSION = Check(section="warehouse", name="version", levels=("ok", "problem"))
ENCODING = Check(section="warehouse", name="encoding", levels=("ok", "problem"))
WAREHOUSE_ENCRYPTION = Check(section="warehouse", name="encryption", levels=("ok", "warning"))
WRITABLE = Check(section="warehouse", name="writable", levels=("ok", "problem"))
RIGHTS = Check(section="warehouse", name="rights", levels=("ok", "problem"))
TARGET_TABLES = Check(section="warehouse", name="target_tables", levels=("ok", "problem"))
LEDGER = Check(section="warehouse", name="ledger", levels=("ok", "warning", "problem"))
DISK = Check(section="warehouse", name="disk", levels=("ok", "warning", "problem"))
SERVER_LOG = Check(section="warehouse", name="server_log", levels=("ok", "warning"))

PLUGINS = Check(section="plugins", name="plugins", levels=("ok", "problem"))
PLUGIN_LOCK = Check(section="plugins", name="lock", levels=("ok", "problem"))

SETTINGS = Check(section="configuration", name="settings", levels=("ok", "problem"))
ENV_FILE = Check(section="configuration", name="env_file", levels=("ok", "warning", "problem"))
TABLES_FILE = Check(section="configuration", name="tables_file", levels=("ok", "warning"))
MASKING = Check(section="configuration", name="masking", levels=("ok", "problem"))

CHECKS: tuple[Check, ...] = (
    SOURCE_CONNECTION,
    SOURCE_VERSION,
    SOURCE_ENCRYPTION,
    READ_ONLY,
    GRANTS,
    DATABASE,
    ENGINES,
    DAMAGED_TABLES,
    PACKET_SIZE,
    CLOCK,
    STATEMENT_LIMIT,
    LONG_READS,
    PAUSES,
    ALLOWED_HOURS,
    REPLICA_CONNECTION,
    REPLICA_VERSION,
    REPLICA_ENCRYPTION,
    REPLICA_WRITABLE,
    REPLICA_GRANTS,
    REPLICA_DATABASE,
    SERVER,
    ENGINE,
    DEFINITIONS,
    NAMES,
    REPLICA_TABLES,
    LOCAL_INFILE,
    REPLICA_PACKET_SIZE,
    RECORD,
    REPLICA_DISK,
    WAREHOUSE_CONNECTION,
    WAREHOUSE_VERSION,
    ENCODING,
    WAREHOUSE_ENCRYPTION,
    WRITABLE,
    RIGHTS,
    TARGET_TABLES,
    LEDGER,
    DISK,
    SERVER_LOG,
    PLUGINS,
    PLUGIN_LOCK,
    SETTINGS,
    ENV_FILE,
    TABLES_FILE,
    MASKING,
)
"""All of them."""


def unseen(questions: Iterable[Check], why: str) -> list[Finding]:
    """Say of checks that they could not be answered.

    Args:
        questions: which.
        why: the reason, as it follows "because".

    Returns:
        A finding for each.
    """
    return [check.skipped(f"Not checked, because {why}.") for check in questions]


def checks_of(section: Section) -> tuple[Check, ...]:
    """Give a section's checks.

    Args:
        section: which.

    Returns:
        In the order of the report.
    """
    return tuple(check for check in CHECKS if check.section == section)
