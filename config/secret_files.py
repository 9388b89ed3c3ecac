"""Files that hold secrets are not for everybody on the machine; one that is open is not used."""

from __future__ import annotations

import shlex
import stat
from pathlib import Path

from etlkit.config.places import place_of
from etlkit.config.problems import Problem, report
from etlkit.config.settings import SETTINGS_FILE, Settings

ENV_FILE = ".env"
"""The file beside `etlkit.yml` that holds addresses with passwords."""


def check_secret_files(settings: Settings) -> None:
    """Make sure that only some may read `.env`, and `etlkit.yml` where it holds a password itself.

    A group may: it can be made of those who are to know. `etlkit doctor` warns about it.

    Args:
        settings: the deployment's.

    Raises:
        ConfigurationError: such a file is open to every user of this machine.
    """
    variables, file = settings.folder / ENV_FILE, settings.folder / SETTINGS_FILE
    if _is_open(variables):
        text = f"is open to every user of this machine; {_close(variables)}, and change the passwords in it"
        raise report(variables, [Problem(line=None, text=text)])
    if not _is_open(file):
        return
    problems = []
    for section in ("source", "replica", "warehouse"):
        server = getattr(settings, section)
        if server is None or server.url.password is None:
            continue
        place = place_of(file, section, "url")
        if place.reference is None:
            text = (
                f"`{section}.url` holds a password, and the file is open to every user of this machine; "
                f"{_close(file)}, or write the name of a variable instead, such as "
                f"`${{ETLKIT_{section.upper()}_URL}}`; and change the password"
            )
            problems.append(Problem(line=place.line, text=text))
    if problems:
        raise report(file, problems)


def _is_open(path: Path) -> bool:
    try:
        return bool(path.stat().st_mode & stat.S_IRWXO)
    except OSError:
        return False  # it is not there, or whoever reads it says what is wrong


def _close(path: Path) -> str:
    return f"run `chmod 600 {shlex.quote(str(path))}`"
