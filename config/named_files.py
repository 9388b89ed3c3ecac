"""The files that a configuration names, looked at before any server is asked."""

from __future__ import annotations

import ssl
from pathlib import Path

from etlkit.config.passwords import password_of
from etlkit.config.places import place_of
from etlkit.config.problems import Problem, report
from etlkit.config.settings import SETTINGS_FILE, Settings
from etlkit.errors import ConfigurationError


def check_named_files(settings: Settings) -> None:
    """Make sure that every `password_file` and every `ca_file` can be used.

    Args:
        settings: the deployment's.

    Raises:
        ConfigurationError: with every file that cannot be used, and the line that names it.
    """
    file = settings.folder / SETTINGS_FILE
    problems = []
    for section in ("source", "replica", "warehouse"):
        server = getattr(settings, section)
        if server is None:
            continue
        if server.password_file is not None:
            try:
                password_of(server, section)
            except ConfigurationError as error:
                line = place_of(file, section, "password_file").line
                problems.append(Problem(line=line, text=error.message))
        if server.ca_file is not None and (wrong := _wrong_certificates(server.ca_file)):
            line = place_of(file, section, "ca_file").line
            problems.append(Problem(line=line, text=f"`{section}.ca_file`: {server.ca_file} {wrong}"))
    if problems:
        raise report(file, problems)


def _wrong_certificates(path: Path) -> str | None:
    try:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.load_verify_locations(cafile=path)
    except ssl.SSLError:
        return "holds no certificates in the form PEM"
    except OSError as error:
        return f"cannot be read ({error.strerror})"
    return None
