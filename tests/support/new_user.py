"""An environment of a new user's own: etlkit installed as a copy, and a shell whose `pip` asks no index."""

from __future__ import annotations

import os
import shutil
import subprocess
import sysconfig
import venv
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path

import attrs

ROOT = Path(__file__).resolve().parents[2]
FOLDERS = ("core", "plugins", "config")
FILES = ("pyproject.toml", "setup.cfg", "README.md", "LICENSE")

PIP = """#!/bin/sh
command="$1"
shift
exec python -m pip "$command" --quiet --disable-pip-version-check --no-index --no-build-isolation "$@"
"""
"""What is needed is there already: in the environment of the tests, which stands behind the user's own."""


@attrs.frozen(kw_only=True)
class NewUser:
    """Somebody who has installed etlkit and nothing else."""

    home: Path
    """The virtual environment."""

    @cached_property
    def env(self) -> Mapping[str, str]:
        """The variables of the user's shell."""
        kept = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
        path = os.pathsep.join([str(self.home / "bin"), os.environ["PATH"]])
        return {**kept, "PATH": path, "VIRTUAL_ENV": str(self.home)}

    def shell(
        self, script: str, folder: Path, env: Mapping[str, str] | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Run lines as they are typed, up to the first that fails.

        Args:
            script: the lines.
            folder: where they are typed.
            env: further variables.
        """
        return subprocess.run(
            ["/bin/bash", "-euc", script],
            cwd=folder,
            env={**self.env, **(env or {})},
            capture_output=True,
            text=True,
            check=False,
        )

    def done(self, script: str, folder: Path, env: Mapping[str, str] | None = None) -> str:
        """Run lines that must succeed; gives all that they printed."""
        ended = self.shell(script, folder, env)
        assert 0 == ended.returncode, ended.stdout + ended.stderr
        return ended.stdout + ended.stderr


def new_user(folder: Path) -> NewUser:
    """Make an environment and install etlkit into it.

    Args:
        folder: an empty folder.
    """
    user = NewUser(home=folder / "venv")
    venv.create(user.home, symlinks=True)
    [site] = (user.home / "lib").glob("python*/site-packages")
    # Dependencies come from the environment of the tests; what stands in the new one itself is found first.
    shared = dict.fromkeys(sysconfig.get_path(name) for name in ("purelib", "platlib"))
    (site / "zz_shared.pth").write_text("\n".join(shared) + "\n", encoding="utf-8")
    for name, text in (
        ("pip", PIP),
        ("pytest", '#!/bin/sh\nexec python -m pytest -p no:cacheprovider "$@"\n'),
    ):
        program = user.home / "bin" / name
        program.write_text(text, encoding="utf-8")
        program.chmod(0o755)
    # A build leaves files beside the sources, so a copy is built.
    sources = folder / "sources"
    sources.mkdir()
    for name in FOLDERS:
        shutil.copytree(ROOT / name, sources / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in FILES:
        shutil.copy(ROOT / name, sources)
    user.done("pip install --no-deps --no-compile .", sources)
    return user
