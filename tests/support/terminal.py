"""A program on a terminal of its own: what it shows can be awaited, and answered."""

from __future__ import annotations

import os
import pty
import select
import subprocess
import sys
import time
from collections.abc import Mapping
from types import TracebackType
from typing import Self

_BEGIN = (
    "import fcntl, os, sys, termios; fcntl.ioctl(0, termios.TIOCSCTTY, 0); "
    "os.execv(sys.executable, [sys.executable, '-m', 'etlkit', *sys.argv[1:]])"
)
_PATIENCE_SECONDS = 60


class Terminal:
    """`etlkit` on a terminal; a context manager that ends it at the latest when the block ends."""

    def __init__(self, *arguments: str, env: Mapping[str, str | None] | None = None) -> None:
        """Name the command; variables that are None are taken out of the environment."""
        self._arguments = arguments
        changed = {**os.environ, "TERM": "xterm", "COLUMNS": "100", **(env or {})}
        self._env = {name: value for name, value in changed.items() if value is not None}
        self._seen = 0
        self.text = ""
        """All that was shown."""

    def __enter__(self) -> Self:
        self._master, slave = pty.openpty()
        self._process = subprocess.Popen(
            [sys.executable, "-c", _BEGIN, *self._arguments],
            stdin=slave,
            stdout=slave,
            stderr=slave,
            env=self._env,
            start_new_session=True,
        )
        os.close(slave)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._process.poll() is None:
            self._process.kill()
        self._process.wait()
        os.close(self._master)

    def expect(self, text: str) -> None:
        """Wait until a text is shown behind the last one that was waited for."""
        until = time.monotonic() + _PATIENCE_SECONDS
        while (found := self.text.find(text, self._seen)) < 0:
            assert time.monotonic() < until, f"{text!r} was not shown, but {self.text!r}"
            assert self._more(), f"{text!r} was not shown, but {self.text!r}"
        self._seen = found + len(text)

    def type(self, text: str, *, end: str = "\n") -> None:
        """Type a line."""
        os.write(self._master, (text + end).encode())

    def ended(self) -> int:
        """Wait for the end of the program, and give its exit code."""
        while self._more():
            pass
        return self._process.wait(_PATIENCE_SECONDS)

    def _more(self) -> bool:
        ready, _, _ = select.select([self._master], [], [], _PATIENCE_SECONDS)
        assert ready, f"nothing more was shown after {self.text!r}"
        try:
            data = os.read(self._master, 65536)
        except OSError:  # the last program on the terminal has ended
            return False
        self.text += data.decode(errors="replace")
        return bool(data)
