"""What a private server needs of the machine: ports, processes, private files, patience."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable
from pathlib import Path

HOST = "127.0.0.1"
"""The only address that a private server listens on."""


def write_private(path: Path, text: str) -> None:
    """Write a file that only its owner can read, whole or not at all.

    Args:
        path: The file.
        text: All of its content.
    """
    draft = path.with_name(path.name + ".new")
    draft.unlink(missing_ok=True)
    draft.touch(mode=0o600, exist_ok=False)
    draft.write_text(text, encoding="utf-8")
    draft.replace(path)


def made(folder: Path) -> Path:
    """Make a folder when it is not there.

    Args:
        folder: The folder; the one that holds it exists.

    Returns:
        The same folder.
    """
    folder.mkdir(exist_ok=True)
    return folder


def command_line(pid: int) -> bytes:
    """Give a process's program and arguments.

    Args:
        pid: Process id.

    Returns:
        The arguments, each ended by a NUL; nothing when the process ended, a zombie included.
    """
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except (FileNotFoundError, ProcessLookupError):
        return b""


def free_port() -> int:
    """Find a TCP port of the loopback address that nothing listens on."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


def is_free(port: int) -> bool:
    """Tell whether a server could listen on a port of the loopback address.

    Args:
        port: TCP port.
    """
    with socket.socket() as probe:
        # The connections of a server that has just ended do not keep the next one off its port.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
        return True


def wait_until(condition: Callable[[], bool], patience: float) -> bool:
    """Ask again and again until a condition holds.

    Args:
        condition: What is waited for.
        patience: Seconds after which waiting ends.

    Returns:
        Whether it came to hold in time.
    """
    end = time.monotonic() + patience
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(0.05)
    return True
