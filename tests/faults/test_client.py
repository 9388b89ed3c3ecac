"""This machine fails: no room, no memory, a clock that jumps, a folder that cannot be written."""

from __future__ import annotations

import ctypes
import datetime as dt
import os
import re
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from support.clinic import Clinic
from support.databases import SourceDatabase, WarehouseDatabase
from support.invariants import Invariants
from support.scene import scene_of

ONE_KIND = pytest.mark.parametrize("source", ["mariadb-innodb"], indirect=True)
MEGABYTE = 1024 * 1024


@contextmanager
def limited(what: int, most: int) -> Iterator[None]:
    """Limit what this process may have of something, while the block runs."""
    soft, hard = resource.getrlimit(what)
    resource.setrlimit(what, (most, hard))
    try:
        yield
    finally:
        resource.setrlimit(what, (soft, hard))


@pytest.mark.parametrize("source", ["mariadb-myisam"], indirect=True)
def test_a_full_folder_for_temporary_files(source: SourceDatabase, warehouse: WarehouseDatabase) -> None:
    """Rows of a table without a key that cannot be kept here fail that table only."""
    with scene_of(
        source,
        warehouse,
        prepare=[
            "create table history (Note text not null)",
            "insert into history select repeat('canary', 200) from seq_1_to_8000",
        ],
    ) as scene:
        with scene.watched(), limited(resource.RLIMIT_FSIZE, MEGABYTE):
            ended = scene.ends(scene.running.run)
        words = (
            f"rows read in one go could not be kept in `{tempfile.gettempdir()}` (file too large); make room there, or "
            "name another folder in TMPDIR"
        )
        assert (3, {"history": words}) == ended
        scene.recovers()


@ONE_KIND
def test_no_memory(source: SourceDatabase, warehouse: WarehouseDatabase) -> None:
    """A row that does not fit into this machine's memory fails its table, in words; the others are loaded."""
    with scene_of(source, warehouse, prepare=["alter table visit add Scan longtext not null"]) as scene:
        scene.loaded()
        source.execute("update visit set Scan = repeat('canary', 8000000)")
        pages = int(Path("/proc/self/statm").read_text().split()[0])
        with limited(resource.RLIMIT_AS, pages * resource.getpagesize() + 90 * MEGABYTE):
            ended = scene.ends(scene.running.run)
        words = (
            "this machine has no memory left for it; end other programs, run with `--threads 1`, or give the machine "
            "more memory, and run again"
        )
        assert (3, {"visit": f"table `visit`: {words}"}) == ended
        source.execute("update visit set Scan = 'small'")
        with scene.watched():
            assert (0, {}) == scene.ends(scene.running.run)
        scene.recovers(recovered=True)


@ONE_KIND
@pytest.mark.parametrize("command", [("run", "--json"), ("run",)], ids=" ".join)
def test_output_that_cannot_be_written(clinic: Clinic, command: tuple[str, ...]) -> None:
    """A command whose output goes to a full disk says so and fails, and what was loaded is whole."""
    invariants = Invariants.of_clinic(clinic)
    with invariants.watching(), Path("/dev/full").open("w") as full:
        process = subprocess.run(
            [sys.executable, "-m", "etlkit", *command, "-C", str(clinic.folder)],
            env={**os.environ, **clinic.env},
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert (
        "Error: standard output cannot be written (no space left on device); what was loaded until now is kept; make "
        "room there, or send the output elsewhere"
    ) == process.stderr.splitlines()[-1]
    invariants.hold_after(process.returncode, "", process.stderr)


@ONE_KIND
def test_a_log_that_cannot_be_written(clinic: Clinic) -> None:
    """Who loses the log's lines loses nothing else: a run whose log goes to a full disk loads everything."""
    invariants = Invariants.of_clinic(clinic)
    with invariants.watching(), Path("/dev/full").open("w") as full:
        process = subprocess.run(
            [sys.executable, "-m", "etlkit", "run", "--json", "-C", str(clinic.folder)],
            env={**os.environ, **clinic.env},
            stdout=subprocess.PIPE,
            stderr=full,
            text=True,
            check=False,
        )
    invariants.hold_after(process.returncode, process.stdout, "", recovered=True)


def contents(folder: Path) -> dict[str, bytes]:
    """Give the files of a folder."""
    return {each.name: each.read_bytes() for each in folder.iterdir()}


@ONE_KIND
def test_a_full_disk_under_the_deployment(clinic: Clinic) -> None:
    """What `analyze` cannot write whole it leaves as it was, and `run` needs nothing written."""
    before = contents(clinic.folder)
    with limited(resource.RLIMIT_FSIZE, 0):
        result = clinic.etlkit("analyze")
    words = "cannot be written (File too large); make the folder writable and try again"
    said = re.sub(r"schema_analysis_\w+\.json", "schema_analysis_NOW.json", result.stderr)
    assert (1, f"Error: {clinic.folder}/schema_analysis_NOW.json: {words}\n") == (result.exit_code, said)
    assert before == contents(clinic.folder)
    with limited(resource.RLIMIT_FSIZE, 0):
        clinic.done("run", "--json")


class Header(ctypes.Structure):
    """Linux's `__user_cap_header_struct`, version 3: of this thread."""

    _fields_ = (("version", ctypes.c_uint32), ("pid", ctypes.c_int))


class Capabilities(ctypes.Structure):
    """Linux's `__user_cap_data_struct`: the first of two."""

    _fields_ = (
        ("effective", ctypes.c_uint32),
        ("permitted", ctypes.c_uint32),
        ("inheritable", ctypes.c_uint32),
    )


@contextmanager
def bound_by_modes() -> Iterator[None]:
    """Let root be bound by the modes of files like anybody, as long as the block runs (capabilities(7))."""
    libc, may_override = ctypes.CDLL(None, use_errno=True), 1 << 1
    header, both = Header(0x20080522, 0), (Capabilities * 2)()
    assert 0 == libc.capget(ctypes.byref(header), both)
    before = both[0].effective
    both[0].effective = before & ~may_override
    assert 0 == libc.capset(ctypes.byref(header), both)
    try:
        yield
    finally:
        both[0].effective = before
        assert 0 == libc.capset(ctypes.byref(header), both)


@contextmanager
def not_writable(folder: Path) -> Iterator[None]:
    """Let this process write to no file of a folder."""
    for each in folder.iterdir():
        each.chmod(0o444)
    folder.chmod(0o555)
    try:
        with bound_by_modes():
            yield
    finally:
        folder.chmod(0o755)


@ONE_KIND
def test_a_read_only_folder(clinic: Clinic) -> None:
    """A deployment that may not be written can be run; `analyze` says that it needs to write."""
    before = contents(clinic.folder)
    with not_writable(clinic.folder):
        result = clinic.etlkit("analyze")
        last = clinic.loaded()
    assert all(each["error"] is None for each in last.values())
    words = "cannot be written (Permission denied); make the folder writable and try again"
    said = re.sub(r"schema_analysis_\w+\.json", "schema_analysis_NOW.json", result.stderr)
    assert (1, f"Error: {clinic.folder}/schema_analysis_NOW.json: {words}\n") == (result.exit_code, said)
    assert before == contents(clinic.folder)


def shifted(monkeypatch: pytest.MonkeyPatch, by: dt.timedelta) -> None:
    """Let this process's clock be wrong; what measures durations is another clock."""
    right, moment = time.time, dt.datetime

    class Wrong(moment):
        @classmethod
        def now(cls, tz: dt.tzinfo | None = None) -> dt.datetime:
            return moment.now(tz) + by

    monkeypatch.setattr(time, "time", lambda: right() + by.total_seconds())
    monkeypatch.setattr(dt, "datetime", Wrong)


@pytest.mark.parametrize("days", [-3000, 3000])
@pytest.mark.parametrize("source", ["mariadb-innodb"], indirect=True)
def test_a_clock_that_is_wrong(
    source: SourceDatabase, warehouse: WarehouseDatabase, monkeypatch: pytest.MonkeyPatch, days: int
) -> None:
    """A clock that jumps by years between two runs changes nothing: watermarks and stamps are the servers'."""
    with scene_of(source, warehouse, strategy="incremental") as scene:
        scene.loaded()
        shifted(monkeypatch, dt.timedelta(days=days))
        with scene.watched():
            assert (0, {}) == scene.ends(scene.running.run)
        newest = source.value("select cast(max(DateTStamp) as char) from patient")
        assert newest >= scene.state_of("patient")[0][1] > "2024-01-01"
        assert [] == warehouse.rows(
            "select 1 from etlkit.runs where abs(extract(epoch from now() - started_at)) > 600"
        )
        source.execute("update patient set LName = 'canary again' where PatNum = 7")
        scene.recovers(recovered=True)
