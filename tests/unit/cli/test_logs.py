"""What is written to standard error beside etlkit's own sentences: nothing."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from etlkit.cli import logs

PROGRAM = """
import logging
from etlkit.cli import logs
logs.set_up(as_json=False, verbose=True)
logging.getLogger("sqlalchemy.pool.impl.QueuePool").error("broke", exc_info=ValueError("of a driver"))
logs.tear_down()
"""


def test_the_pool_of_connections_is_not_heard() -> None:
    """The traceback that SQLAlchemy's pool logs when a connection broke in its hands is written nowhere."""
    result = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True)
    assert ("", "") == (result.stdout, result.stderr)


def test_standard_error_that_cannot_be_written(monkeypatch: pytest.MonkeyPatch) -> None:
    """What waits for a full disk is let go of, so that the end of the program does not fail by it."""
    with Path("/dev/full").open("w", encoding="utf-8") as full:
        monkeypatch.setattr("sys.stderr", full)
        full.write("lost")
        logs.settle()
        full.flush()
        full.write("lost as well")
