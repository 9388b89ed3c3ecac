"""Where a password comes from when the address does not hold it: a file of its owner's, or a command."""

from __future__ import annotations

import os
import re
import select
import shlex
import stat
import subprocess
import time
from pathlib import Path

from etlkit.config.secrets import Secret
from etlkit.config.types import ReplicaSettings, SourceSettings, WarehouseSettings
from etlkit.errors import ConfigurationError
from etlkit.wording import size

COMMAND_SECONDS = 30
"""How long a password command may take."""

_BYTES = 64 * 1024


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
        return secret_in_file(server.password_file, f"`{section}.password_file`")
    if server.password_command is not None:
        return secret_of_command(server.password_command, f"`{section}.password_command`")
    return server.url.password


def secret_in_file(path: Path, named: str) -> Secret:
    """Read a secret from a file.

    Args:
        path: the file.
        named: the key that names it, for messages.

    Returns:
        The file's text without line ends behind it.

    Raises:
        ConfigurationError: the file cannot be read, is open to others, or is empty.
    """
    failure: str
    place = f"{named}: {path}"
    try:
        open_to_others = path.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO)
        with path.open("rb") as file:
            content = file.read(_BYTES + 1)
        text = content.decode("utf-8-sig").rstrip("\r\n")
    except FileNotFoundError:
        # Its name is not repeated: it may be the password itself, in the wrong place.
        place, failure = named, "names a file that is not there; a path begins at the folder of etlkit.yml"
    except UnicodeDecodeError:
        failure = "is not UTF-8"
    except OSError as error:
        failure = f"cannot be read ({error.strerror})"
    else:
        if open_to_others:
            failure = f"is open to other users of this machine; run `chmod 600 {shlex.quote(str(path))}`"
        elif len(content) > _BYTES:
            failure = f"holds more than {size(_BYTES)}, which is no password"
        elif not text:
            failure = "is empty"
        elif wrong := re.search(r"[\0\r\n]", text):
            failure = "holds a NUL" if wrong[0] == "\0" else "holds several lines; a password is one"
        else:
            return Secret(text)
    raise ConfigurationError(f"{place} {failure}")


def secret_of_command(command: str, named: str) -> Secret:
    """Let a command tell a secret.

    Args:
        command: the command, which runs without a shell.
        named: the key that names it, for messages.

    Returns:
        The first line of its output.

    Raises:
        ConfigurationError: it cannot be started, fails, takes too long, or prints nothing.
    """
    # Neither the command's arguments nor what it printed are repeated: both may be secret.
    failure: str
    try:
        status, printed = _printed(shlex.split(command))
        line = next(iter(printed.decode().splitlines()), "")
    except UnicodeDecodeError:
        failure = "printed something that is no text"
    except (ValueError, IndexError):  # unbalanced quotes, a NUL, no words
        failure = "is no command: it wants a program and its arguments, with quotes in pairs"
    except subprocess.TimeoutExpired:
        failure = f"took longer than {COMMAND_SECONDS} seconds"
    except OSError as error:
        failure = f"cannot be started ({error.strerror})"
    else:
        if len(printed) > _BYTES:
            failure = f"printed more than {size(_BYTES)}, which is no password"
        elif status != 0:
            failure = f"ended with status {status}"
        elif not line:
            failure = "printed nothing"
        elif "\0" in line:
            failure = "printed something that is no text"
        else:
            return Secret(line)
    raise ConfigurationError(f"{named} {failure}; try it by hand")


def _printed(arguments: list[str]) -> tuple[int, bytes]:
    """Run a command until it ends, takes too long, or prints more than a password may have."""
    ends = time.monotonic() + COMMAND_SECONDS
    printed = b""
    with subprocess.Popen(  # noqa: S603 -- a person named this command in the configuration
        arguments, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    ) as process:
        output = process.stdout
        try:
            while output is not None and len(printed) <= _BYTES:
                if not select.select([output], [], [], max(0, ends - time.monotonic()))[0]:
                    raise subprocess.TimeoutExpired(arguments, COMMAND_SECONDS)
                part = os.read(output.fileno(), _BYTES)
                if not part:
                    return process.wait(max(0, ends - time.monotonic())), printed
                printed += part
        finally:
            process.kill()  # one that has ended does not mind
    return 0, printed
