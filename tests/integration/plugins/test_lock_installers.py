"""A lock does not depend on who installed: pip and uv give the same one, which both installations then pass."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import attrs
import pytest

from support.example_plugin import EXAMPLE

ROOT = Path(__file__).resolve().parents[3]
SETTINGS = """\
deployment: north
source: {url: "mysql://reader@127.0.0.1:1/opendental"}
warehouse: {url: "postgresql://etl@127.0.0.1:1/dental"}
"""
PIP = (
    *(sys.executable, "-m", "pip", "--disable-pip-version-check", "install", "--quiet"),
    "--no-index",
    "--no-deps",
)
UV = (sys.executable, "-m", "uv", "pip", "install", "--quiet", "--no-cache", "--no-index", "--no-deps")


@attrs.frozen
class Machine:
    """A folder with etlkit and the example installed, and a deployment."""

    site: Path
    folder: Path

    def etlkit(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Call what is installed there."""
        environment = {name: value for name, value in os.environ.items() if not name.startswith("ETLKIT_")}
        return subprocess.run(
            [sys.executable, "-m", "etlkit", *arguments, "-C", "north"],
            env={**environment, "PYTHONPATH": str(self.site)},
            cwd=self.folder,
            capture_output=True,
            text=True,
            check=False,
        )

    @property
    def lock(self) -> Path:
        """The lock."""
        return self.folder / "north" / "plugins.lock.yml"


@pytest.fixture(scope="module")
def machines(tmp_path_factory: pytest.TempPathFactory) -> tuple[Machine, Machine]:
    """The same two wheels, installed by pip and by uv; each locked by what is installed."""
    folder = tmp_path_factory.mktemp("lock")
    sources = folder / "sources"
    for name in ("core", "plugins", "config"):
        shutil.copytree(ROOT / name, sources / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "setup.cfg", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, sources)
    example = shutil.copytree(
        EXAMPLE, folder / "example", ignore=shutil.ignore_patterns("*.egg-info", "build")
    )
    build = (sys.executable, "-m", "pip", "--disable-pip-version-check", "wheel", "--quiet", "--no-deps")
    subprocess.run([*build, "--no-build-isolation", "-w", folder / "wheels", sources, example], check=True)
    wheels = sorted((folder / "wheels").glob("*.whl"))
    assert 2 == len(wheels)
    made = []
    for name, installer in (("pip", PIP), ("uv", UV)):
        machine = Machine(folder / name / "site", folder / name)
        python = ("--python", sys.executable) if installer is UV else ()
        subprocess.run([*installer, *python, "--target", machine.site, *wheels], check=True)
        (machine.folder / "north").mkdir()
        (machine.folder / "north" / "etlkit.yml").write_text(SETTINGS)
        done = machine.etlkit("plugins", "lock")
        assert 0 == done.returncode, done.stderr
        made.append(machine)
    return made[0], made[1]


def test_the_same_lock(machines: tuple[Machine, Machine]) -> None:
    """The files are the same, byte for byte, and hold a digest for etlkit and for the example."""
    by_pip, by_uv = (machine.lock.read_bytes() for machine in machines)
    assert by_pip == by_uv
    assert 2 == by_pip.count(b"\n  sha256: ") + by_pip.count(b"\n    sha256: ")
    assert b"editable" not in by_pip


def test_the_other_ones_lock(machines: tuple[Machine, Machine]) -> None:
    """What was locked where uv installed is what pip installed, also with `--locked`, and compiled by then."""
    by_pip, by_uv = machines
    shutil.copy(by_uv.lock, by_pip.lock)
    assert (0, "") == ((done := by_pip.etlkit("plugins", "lock", "--check")).returncode, done.stderr)
    nothing = "Error: north/tables.yml: there are no tables in it yet; `etlkit analyze -C north` finds them\n"
    assert (2, nothing) == ((done := by_pip.etlkit("plan", "--locked")).returncode, done.stderr)


def test_a_file_of_etlkit_itself(machines: tuple[Machine, Machine]) -> None:
    """A lock holds etlkit itself as well."""
    machine = machines[1]
    path = machine.site / "etlkit" / "plugins" / "strategies" / "full_table.py"
    before = path.read_text()
    path.unlink()  # uv may have made a link to its own copy
    path.write_text(f"{before}# more\n")
    done = machine.etlkit("run")
    assert 6 == done.returncode
    changed = "(since the installation changed: `etlkit/plugins/strategies/full_table.py`)"
    [line] = done.stderr.splitlines()[1:-1]
    assert (True, True) == (line.startswith("  etlkit-core: locked is content "), line.endswith(changed))
