"""`etlkit run` as processes that are at work from their first moment on: forked from one that imported everything.

Run as a program, it reads the deployments to run, a JSON document per line, and writes the id of each process it forks
and, when that has ended, its exit code.
"""

from __future__ import annotations

import io
import json
import os
import select
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, redirect_stdout, suppress
from pathlib import Path
from typing import IO, Self

import attrs


@attrs.frozen
class ForkedRuns:
    """Starts runs, one after the other."""

    _process: subprocess.Popen[bytes]

    @classmethod
    @contextmanager
    def ready(cls) -> Iterator[Self]:
        """Start the process that others are forked from."""
        with subprocess.Popen(
            [sys.executable, "-m", "support.forked_runs"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            bufsize=0,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(each for each in sys.path if each)},
        ) as process:
            try:
                yield cls(process)
            finally:
                _end(process.stdin).close()

    def run(self, folder: Path, env: Mapping[str, str], *, kill_after: float | None = None) -> int:
        """Carry out `etlkit run`.

        Args:
            folder: the deployment's.
            env: what its `etlkit.yml` refers to.
            kill_after: after how many seconds the process is killed.

        Returns:
            The exit code; that of SIGKILL is negative.
        """
        told = _end(self._process.stdout)
        line = json.dumps({"folder": str(folder), "env": dict(env)}) + "\n"
        _end(self._process.stdin).write(line.encode())
        pid = int(told.readline())
        if kill_after is not None and not select.select([told], [], [], kill_after)[0]:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        return int(told.readline())


def _end(pipe: IO[bytes] | None) -> IO[bytes]:
    assert pipe is not None
    return pipe


def _serve() -> None:
    from etlkit.cli import main  # noqa: PLC0415 - only the program needs it
    from etlkit.orchestration import run  # noqa: F401, PLC0415 - imported before, not by each process

    with redirect_stdout(io.StringIO()):
        # So are the plugins.
        main(["plugins", "list"], standalone_mode=False)
    for line in sys.stdin:
        asked = json.loads(line)
        pid = os.fork()
        if pid == 0:
            os.environ.update(asked["env"])
            with (Path(asked["folder"]) / "said").open("w") as said:
                os.dup2(said.fileno(), 1)
                os.dup2(said.fileno(), 2)
            main(["run", "--json", "-C", asked["folder"]])
        sys.stdout.write(f"{pid}\n")
        sys.stdout.flush()
        _, status = os.waitpid(pid, 0)
        sys.stdout.write(f"{os.waitstatus_to_exitcode(status)}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    _serve()
