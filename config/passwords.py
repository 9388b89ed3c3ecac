"""Where a password comes from when the address does not hold it: a file of its owner's, or a command."""

from __future__ import annotations

import shlex
import stat
import subprocess
from pathlib import Path

from etlkit.config.secrets import Secret
from etlkit.config.types import ReplicaSettings, SourceSettings, WarehouseSettings
from etlkit.errors import ConfigurationError

COMMAND_SECONDS = 30
"""How long a password command may take."""


def password_of(server: SourceSettings | ReplicaSettings | WarehouseSettings, section: str) -> Secret | None:
    """Find a server's password.

    Args:
        server: the section.
        section: its name, for messages.

    Returns:
        The password from the address, the file or the command; None when none of them is given.

    Raises:
        ConfigurationError: the file cannot be read or is open to others, or the command gave no password.
    """
    if server.password_file is not None:
        return _from_file(server.password_file, f"`{section}.password_file`")
    if server.password_command is not None:
        return _from_command(server.password_command, f"`{section}.password_command`")
    return server.url.password


def _from_file(path: Path, named: str) -> Secret:
    failure: str
    try:
        mode = path.stat().st_mode
        text = path.read_bytes().decode()
    except UnicodeDecodeError:
        failure = "is not UTF-8"
    except OSError as error:
        failure = f"cannot be read ({error.strerror})"
    else:
        if mode & (stat.S_IRWXG | stat.S_IRWXO):
            failure = f"is open to other users of this machine; run `chmod 600 {shlex.quote(str(path))}`"
        elif not text.strip("\r\n"):
            failure = "is empty"
        else:
            return Secret(text.removeprefix("\ufeff").rstrip("\r\n"))
    raise ConfigurationError(f"{named}: {path} {failure}")


def _from_command(command: str, named: str) -> Secret:
    # Neither the command's arguments nor what it printed are repeated: both may be secret.
    failure: str
    try:
        arguments = shlex.split(command)
        done = subprocess.run(  # noqa: S603 -- a person named this command in the configuration
            arguments, capture_output=True, timeout=COMMAND_SECONDS, check=False, stdin=subprocess.DEVNULL
        )
        lines = done.stdout.decode().splitlines()
    except (ValueError, IndexError):  # unbalanced quotes, no words, output that is no text
        failure = "is no command, or printed something that is no text"
    except subprocess.TimeoutExpired:
        failure = f"took longer than {COMMAND_SECONDS} seconds"
    except OSError as error:
        failure = f"cannot be started ({error.strerror})"
    else:
        if done.returncode == 0 and lines and lines[0]:
            return Secret(lines[0])
        failure = f"ended with status {done.returncode}" if done.returncode else "printed nothing"
    raise ConfigurationError(f"{named} {failure}; try it by hand")
