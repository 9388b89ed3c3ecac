"""Where the tests' servers keep their data."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from support.server_folders import server_folder_in


@pytest.fixture
def memory(tmp_path: Path) -> Path:
    """A folder that stands for the one in memory."""
    made = tmp_path / "memory"
    made.mkdir()
    return made


def test_memory_where_there_is_enough(tmp_path: Path, memory: Path) -> None:
    """The folder lies in memory, others can pass through it, and at the end it is gone."""
    with server_folder_in(tmp_path, memory=memory, needed=1) as folder:
        assert (memory, 0o40711) == (folder.parent, folder.stat().st_mode)
    assert not folder.exists()


@pytest.mark.parametrize("name", ["memory", "absent"])
def test_disk_where_there_is_not(tmp_path: Path, memory: Path, name: str) -> None:
    """Where memory is short, or no such file system is there, the folder lies on the disk."""
    with server_folder_in(tmp_path, memory=memory.with_name(name), needed=1 << 60) as folder:
        assert tmp_path == folder.parent


def test_what_killed_tests_left(tmp_path: Path, memory: Path) -> None:
    """Folders of processes that are gone are removed, those of others stay."""
    with subprocess.Popen([sys.executable, "-c", ""]) as gone:
        gone.wait()
    orphan, other = (memory / f"etlkit-tests-{number}-x" for number in (gone.pid, os.getppid()))
    orphan.mkdir()
    other.mkdir()
    with server_folder_in(tmp_path, memory=memory, needed=1):
        assert (False, True) == (orphan.exists(), other.exists())
