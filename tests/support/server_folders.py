"""Where the data of the tests' servers lies: in memory where there is plenty of it, else on the disk.

The servers make and drop thousands of small files; on a disk, the system is busy with that for a third of the time.
"""

from __future__ import annotations

import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

MEMORY = Path("/dev/shm")  # noqa: S108 - folders get names of their own
"""A file system in memory, which every Linux has; a container's may be tiny, and then the disk is used."""
BYTES = 3 << 30
"""Memory that must be free for each process that runs tests; its servers' files take a third of that."""

_PREFIX = "etlkit-tests-"


@contextmanager
def server_folder_in(disk: Path | str, *, memory: Path = MEMORY, needed: int | None = None) -> Iterator[Path]:
    """Make a folder for servers, which their own users can pass through, and remove it at the end.

    Args:
        disk: where, if memory is short.
        memory: the file system in memory.
        needed: bytes that must be free there; by default enough for all processes of these tests.

    Yields:
        The folder.
    """
    wanted = BYTES * int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1")) if needed is None else needed
    place = memory if _free(memory) >= wanted else Path(disk)
    _remove_orphans(memory)
    with tempfile.TemporaryDirectory(prefix=f"{_PREFIX}{os.getpid()}-", dir=place) as name:
        Path(name).chmod(0o711)
        yield Path(name)


def _free(memory: Path) -> int:
    try:
        status = os.statvfs(memory)
        available = re.search(r"MemAvailable:\s+(\d+) kB", Path("/proc/meminfo").read_text())
    except OSError:
        return 0
    # Servers' programs may be copied beside their data.
    if not available or status.f_flag & os.ST_NOEXEC or not os.access(memory, os.W_OK):
        return 0
    free = min(status.f_bavail * status.f_frsize, int(available[1]) * 1024)
    for limit in ("memory.max", "memory/memory.limit_in_bytes"):
        said = Path("/sys/fs/cgroup", limit)
        if said.exists() and (text := said.read_text().strip()).isdecimal():
            free = min(free, int(text))
    return free


def _remove_orphans(memory: Path) -> None:
    """Give back the memory of tests that were killed."""
    for each in memory.glob(f"{_PREFIX}*-*"):
        process = each.name.removeprefix(_PREFIX).partition("-")[0]
        if process.isdecimal() and not Path("/proc", process).exists() and each.stat().st_uid == os.getuid():
            shutil.rmtree(each, ignore_errors=True)
