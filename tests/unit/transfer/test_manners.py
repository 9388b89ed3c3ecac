"""What the section `source` means for reads, in figures and in words."""

from __future__ import annotations

import pytest

from etlkit.config import AllowedHours, MySQLUrl, SourceSettings
from etlkit.source_session import ServerVersion, session_statements
from etlkit.transfer.manners import Manners

URL = MySQLUrl.parse("mysql://reader@clinic/opendental")


@pytest.mark.parametrize("text", ["5.6.51", "5.7.7", "5.7.8", "8.4.0", "10.1.0-MariaDB", "10.11.6-MariaDB"])
def test_statement_limit(text: str) -> None:
    """A server is said to stop statements exactly when its sessions are told to."""
    version = ServerVersion.parse(text)
    manners = Manners(SourceSettings(url=URL, statement_seconds=60, silence_seconds=5))
    told = session_statements(version, 2**20, statement_seconds=60, silence_seconds=5, read_only=True)
    stops = any("max_statement_time = 60" in each or "max_execution_time = 60000" in each for each in told)
    expected = (
        "The server stops a statement after 60 seconds."
        if stops
        else "This server cannot stop a statement that takes too long; the connection ends after 65 seconds."
    )
    assert expected == manners.statement_limit(version.kind, version.version)


def test_document() -> None:
    """For programs, all figures are there under the names of the settings."""
    settings = SourceSettings(url=URL, duty_cycle=0.25, allowed_hours=AllowedHours.parse("20:00-06:00"))
    assert {
        "connections": 1,
        "read_only": True,
        "allowed_hours": "20:00-06:00",
        "statement_seconds": 300,
        "chunk_seconds": {"row_locks": 0.5, "table_locks": 0.25},
        "duty_cycle": {"row_locks": 0.25, "table_locks": 0.25},
        "max_threads_running": 10,
        "max_table_lock_waits": 20,
        "busy_patience_minutes": 10,
    } == Manners(settings).document()
    assert {"row_locks": 1.0, "table_locks": 0.5} == Manners(SourceSettings(url=URL)).document()["duty_cycle"]
