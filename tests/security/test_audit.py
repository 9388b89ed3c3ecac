"""What `.ci/run` learns from pip-audit: a vulnerability fails, and silence is never taken for a good answer."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

AUDIT = Path(__file__).parents[2] / ".ci" / "audit.py"
NOT_AUDITED = (
    "NOT AUDITED: no service of vulnerabilities (pypi, osv) answers here for {}. "
    "Run it where one can be reached.\n"
)

CLEAN = {"name": "attrs", "version": "26.1", "vulns": []}
UNKNOWN = {
    "name": "attrs",
    "skip_reason": "Dependency not found on PyPI and could not be audited: attrs (26.1)",
}
BAD = {
    "name": "pyyaml",
    "version": "5.3",
    "vulns": [{"id": "PYSEC-2021-142", "fix_versions": ["5.4"], "aliases": []}],
}
SELF = {"name": "etlkit-core", "skip_reason": "distribution marked as editable"}


def audited(folder: Path, answers: dict[str, Any]) -> tuple[int, str]:
    """Let a stand-in for pip-audit print the services' answers; gives exit code and output."""
    (folder / "pip_audit.py").write_text(
        "import json, sys\n"
        f"found = json.loads({json.dumps(json.dumps(answers))})[sys.argv[sys.argv.index('-s') + 1]]\n"
        "if found is None:\n"
        "    sys.exit('ERROR: Failed to establish a new connection')\n"
        "print(json.dumps({'dependencies': found, 'fixes': []}))\n"
        "sys.exit(any(each.get('vulns') for each in found))\n"
    )
    done = subprocess.run(
        [sys.executable, str(AUDIT)],
        env={**os.environ, "PYTHONPATH": str(folder)},
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout


@pytest.mark.parametrize(
    ("answers", "code", "output"),
    [
        ({"pypi": [CLEAN, SELF]}, 0, "1 packages, nothing known against them.\n"),
        ({"pypi": [CLEAN, BAD]}, 1, "pyyaml 5.3: PYSEC-2021-142, mended in 5.4\n"),
        ({"pypi": [UNKNOWN], "osv": [CLEAN]}, 0, "1 packages, nothing known against them.\n"),
        ({"pypi": None, "osv": [BAD]}, 1, "pyyaml 5.3: PYSEC-2021-142, mended in 5.4\n"),
        ({"pypi": [UNKNOWN, SELF], "osv": None}, 3, NOT_AUDITED.format("1 of 1 packages")),
        ({"pypi": None, "osv": None}, 3, NOT_AUDITED.format("any package")),
        ({"pypi": [UNKNOWN, BAD], "osv": None}, 1, "pyyaml 5.3: PYSEC-2021-142, mended in 5.4\n"),
    ],
)
def test_what_the_services_say(tmp_path: Path, answers: dict[str, Any], code: int, output: str) -> None:
    """A vulnerability is a failure; packages that no service knows are named as not audited."""
    assert (code, output) == audited(tmp_path, answers)
