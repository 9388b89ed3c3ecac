"""What the benchmarks share: timing whole commands, and saying what came of it."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import MappingProxyType

import attrs

from etlkit.demo import PrivateMariaDB, PrivatePostgres


@attrs.frozen(kw_only=True)
class Taken:
    """What a command took, all of its processes together."""

    seconds: float
    """Wall time."""
    cpu: float
    """Processor seconds of the client's processes."""
    megabytes: float
    """Peak memory of the largest client process, in MB of 1024 * 1024 bytes."""


def measured(command: Sequence[str], environment: dict[str, str]) -> Taken:
    """Run a command to its end.

    Args:
        command: its words.
        environment: its environment.

    Returns:
        What it took.
    """
    # A process of its own asks for the resources of its children, of which it has no others.
    script = (
        "import resource, subprocess, sys, time\n"
        "began = time.monotonic()\n"
        "done = subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL)\n"
        "used = resource.getrusage(resource.RUSAGE_CHILDREN)\n"
        "print(time.monotonic() - began, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024)\n"
        "sys.exit(done.returncode)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, *command],
        env=environment,
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    seconds, cpu, megabytes = (float(each) for each in done.stdout.split())
    return Taken(seconds=seconds, cpu=cpu, megabytes=megabytes)


def say(line: str) -> None:
    """Print a line at once, for who waits."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


@contextmanager
def private_servers(
    source: Mapping[str, str] = MappingProxyType({}), warehouse: Mapping[str, str] = MappingProxyType({})
) -> Iterator[tuple[PrivateMariaDB, PrivatePostgres, Path]]:
    """Run a source and a warehouse of the benchmark's own.

    Args:
        source: settings of the source, beside those that all benchmarks have.
        warehouse: settings of the warehouse, likewise.

    Yields:
        Both, and a folder that is gone at the end.
    """
    with tempfile.TemporaryDirectory(prefix="etlkit-bench-") as name:
        folder = Path(name)
        folder.chmod(0o711)
        settings = {"innodb-buffer-pool-size": "1G", "key-buffer-size": "256M", **source}
        with (
            PrivateMariaDB(folder / "source", settings=settings) as clinic,
            PrivatePostgres(folder / "warehouse", settings={"max_wal_size": "4GB", **warehouse}) as postgres,
        ):
            yield clinic, postgres, folder
