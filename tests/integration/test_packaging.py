"""Wheel, source distribution and every way to install hold the same modules as the tree, and start the same program."""

from __future__ import annotations

import configparser
import hashlib
import io
import json
import os
import shutil
import subprocess
import sys
import sysconfig
import tarfile
import tomllib
import venv
import zipfile
from collections.abc import Mapping
from pathlib import Path

import attrs
import pytest

ROOT = Path(__file__).resolve().parents[2]
FOLDERS = {"core": "etlkit", "plugins": "etlkit/plugins", "config": "etlkit/config"}
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
DIST_INFO = f"etlkit_core-{PROJECT['version']}.dist-info"
FILES = {
    "/".join([FOLDERS[folder], *path.relative_to(ROOT / folder).parts]): path.relative_to(ROOT).as_posix()
    for folder in FOLDERS
    for path in (ROOT / folder).rglob("*")
    if path.is_file() and "__pycache__" not in path.parts
}
"""What is to be installed, by its place in the wheel, with its place in the tree."""
MODULES = sorted(
    place.removesuffix(".py").removesuffix("/__init__").replace("/", ".")
    for place in FILES
    if place.endswith(".py")
)

IMPORT_ALL = """
import importlib, importlib.metadata, json, pkgutil, sys
import etlkit
names = ["etlkit", *(each.name for each in pkgutil.walk_packages(etlkit.__path__, "etlkit."))]
from etlkit.registry import Registry
print(json.dumps({
    "modules": {name: importlib.import_module(name).__file__ for name in names},
    "plugins": {each.name: each.module for each in Registry.load().plugins if each.distribution == "etlkit-core"},
    "typed": importlib.resources.files("etlkit").joinpath("py.typed").is_file(),
}))
"""


@attrs.frozen(kw_only=True)
class Built:
    """What `python -m build` made."""

    sdist: Path
    """The source distribution."""
    from_sdist: Path
    """The wheel that was built of it."""
    from_tree: Path
    """The wheel that was built of the tree."""


@attrs.frozen(kw_only=True)
class Installed:
    """An environment in which etlkit is installed."""

    programs: Path
    """Where its commands are."""
    sources: Path
    """The tree that it was installed from."""
    found: Mapping[str, Mapping[str, str]]
    """What its own Python sees."""


def run(*command: str | Path, cwd: Path) -> str:
    """Run a program, and show all that it said when it fails."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run(
        [*map(str, command)], cwd=cwd, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def copied(folder: Path) -> Path:
    """Copy what an installation needs: builds leave files beside the sources."""
    folder.mkdir()
    for name in FOLDERS:
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "setup.cfg", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, folder)
    return folder


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Built:
    """The distributions, built offline."""
    folder = tmp_path_factory.mktemp("built")
    sources = copied(folder / "sources")
    build = (sys.executable, "-m", "build", "--no-isolation", str(sources))
    # Without further options the wheel is built of the source distribution.
    run(*build, "--outdir", folder / "both", cwd=folder)
    run(*build, "--wheel", "--outdir", folder / "wheel", cwd=folder)
    [sdist] = (folder / "both").glob("*.tar.gz")
    [from_sdist] = (folder / "both").glob("*.whl")
    [from_tree] = (folder / "wheel").glob("*.whl")
    return Built(sdist=sdist, from_sdist=from_sdist, from_tree=from_tree)


@pytest.fixture(scope="module", params=["pip install .", "pip install -e ."])
def installed(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Installed:
    """A fresh environment with etlkit, installed in each of the ways that the README shows."""
    folder = tmp_path_factory.mktemp("installed")
    sources = copied(folder / "sources")
    home = folder / "venv"
    venv.create(home, symlinks=True)
    python = home / "bin" / "python"
    [site] = (home / "lib").glob("python*/site-packages")
    # Dependencies come from this environment; what stands in the new one itself is found first.
    shared = dict.fromkeys(sysconfig.get_path(name) for name in ("purelib", "platlib"))
    (site / "zz_shared.pth").write_text("\n".join(shared) + "\n", encoding="utf-8")
    pip = (sys.executable, "-m", "pip", "--python", python, "--disable-pip-version-check", "install")
    options = request.param.removeprefix("pip install ").split()
    run(*pip, "--quiet", "--no-deps", "--no-index", "--no-build-isolation", *options, cwd=sources)
    found = json.loads(run(python, "-I", "-c", IMPORT_ALL, cwd=folder))
    return Installed(programs=python.parent, sources=sources, found=found)


def contents(wheel: Path) -> dict[str, str]:
    """The files of a wheel by name, each with its digest."""
    with zipfile.ZipFile(wheel) as archive:
        return {name: hashlib.sha256(archive.read(name)).hexdigest() for name in archive.namelist()}


def test_the_wheel_holds_what_the_tree_holds(built: Built) -> None:
    """Every module and every file beside the modules is in the wheel, unchanged, and nothing else."""
    expected = {
        place: hashlib.sha256((ROOT / source).read_bytes()).hexdigest() for place, source in FILES.items()
    }
    found = contents(built.from_tree)
    assert expected == {
        name: digest for name, digest in found.items() if not name.startswith(f"{DIST_INFO}/")
    }
    assert "etlkit/py.typed" in found
    assert f"{DIST_INFO}/licenses/LICENSE" in found


def test_the_source_distribution_holds_the_tree_and_builds_the_same_wheel(built: Built) -> None:
    """Whoever builds from the source distribution gets what everybody else gets."""
    with tarfile.open(built.sdist) as archive:
        names = {member.name.partition("/")[2] for member in archive.getmembers() if member.isfile()}
    needed = {*FILES.values(), "pyproject.toml", "setup.cfg", "README.md", "LICENSE"}
    assert set() == needed - names
    made = {name for name in names - needed if "egg-info/" not in name}
    assert {"PKG-INFO"} == made
    assert contents(built.from_tree) == contents(built.from_sdist)


def test_the_wheel_announces_command_and_plugins(built: Built) -> None:
    """Entry points in setup.cfg would be dropped without a word, so what is in the wheel counts."""
    with zipfile.ZipFile(built.from_tree) as archive:
        text = archive.read(f"{DIST_INFO}/entry_points.txt").decode()
    parser = configparser.ConfigParser(delimiters=("=",))
    parser.optionxform = str  # type: ignore[assignment, method-assign]
    parser.read_file(io.StringIO(text))
    found = {section: dict(parser[section]) for section in parser.sections()}
    expected = {"console_scripts": PROJECT["scripts"], **PROJECT["entry-points"]}
    assert expected == found
    assert {"etlkit": "etlkit.cli:program"} == found["console_scripts"]


def test_an_installation_holds_every_module(installed: Installed) -> None:
    """Installed or editable, each module of the tree can be imported, and comes from this installation."""
    modules = installed.found["modules"]
    assert MODULES == sorted(modules)
    home = installed.sources.parent
    assert [] == [name for name, path in modules.items() if not Path(path).is_relative_to(home)]
    assert installed.found["typed"]


def test_an_installation_finds_its_plugins(installed: Installed) -> None:
    """The built-in plugins are found by their entry points, in every kind of installation."""
    assert PROJECT["entry-points"]["etlkit.plugins"] == installed.found["plugins"]


def test_the_command_starts(installed: Installed, tmp_path: Path) -> None:
    """`etlkit` and `python -m etlkit` are the same program, and list the built-in plugins."""
    command = installed.programs / "etlkit"
    module = (installed.programs / "python", "-m", "etlkit")
    assert PROJECT["version"] in run(command, "--version", cwd=tmp_path)
    assert run(command, "--version", cwd=tmp_path) == run(*module, "--version", cwd=tmp_path)
    listed = run(command, "plugins", "list", cwd=tmp_path)
    assert [] == [name for name in PROJECT["entry-points"]["etlkit.plugins"] if name not in listed]
