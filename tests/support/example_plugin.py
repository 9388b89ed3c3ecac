"""The plugin distribution in `examples/`, installed beside etlkit without touching its environment."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "plugin-distribution"
"""Where the distribution's sources are."""


def install_example(folder: Path) -> dict[str, str]:
    """Install the example distribution with pip into a folder of its own.

    Args:
        folder: an empty folder.

    Returns:
        An environment in which Python finds the installed distribution.
    """
    # A build leaves files beside the sources, so a copy is built.
    sources = shutil.copytree(
        EXAMPLE, folder / "sources", ignore=shutil.ignore_patterns("*.egg-info", "build")
    )
    target = folder / "installed"
    subprocess.run(
        [
            *(sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"),
            *("--no-deps", "--no-build-isolation", "--target", str(target), str(sources)),
        ],
        check=True,
    )
    path = os.pathsep.join([str(target), *filter(None, [os.environ.get("PYTHONPATH")])])
    return {**os.environ, "PYTHONPATH": path}
