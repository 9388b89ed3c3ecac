"""Passwords from files and commands."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from etlkit.config import MySQLUrl, Secret, SourceSettings
from etlkit.config.passwords import password_of
from etlkit.errors import ConfigurationError

URL = MySQLUrl.parse("mysql://u@localhost/d")


def from_file(path: Path) -> Secret | None:
    """Read a password file."""
    return password_of(SourceSettings(url=URL, password_file=path), "source")


def from_command(command: str) -> Secret | None:
    """Run a password command."""
    return password_of(SourceSettings(url=URL, password_command=command), "source")


def test_from_the_address() -> None:
    """Without file and command the address's password is used, if it has one."""
    assert password_of(SourceSettings(url=URL), "source") is None
    url = MySQLUrl.parse("mysql://u:p%40@localhost/d")
    assert Secret("p@") == password_of(SourceSettings(url=url), "source")


@pytest.mark.parametrize("ending", ["", "\n", "\r\n"])
def test_from_a_file(tmp_path: Path, ending: str) -> None:
    """Line ends behind the password are not part of it; blanks are."""
    path = tmp_path / "pw"
    path.write_bytes((" pä ss " + ending).encode())
    path.chmod(0o600)
    assert Secret(" pä ss ") == from_file(path)


@pytest.mark.parametrize(
    ("content", "mode", "sentence"),
    [
        ("hunter2", 0o640, "is open to other users of this machine; run `chmod 600 {path}`"),
        ("hunter2", 0o604, "is open to other users of this machine; run `chmod 600 {path}`"),
        ("\n", 0o600, "is empty"),
        ("hunter2\nsecond\n", 0o600, "holds several lines; a password is one"),
        ("hun\0ter2", 0o600, "holds a NUL"),
        ("hunter2" * 10_000, 0o600, "holds more than 64.0 kB, which is no password"),
    ],
)
def test_bad_file(tmp_path: Path, content: str | None, mode: int, sentence: str) -> None:
    """A file that others can read, or that holds nothing, is refused."""
    path = tmp_path / "pw"
    if content is not None:
        path.write_text(content)
        path.chmod(mode)
    with pytest.raises(ConfigurationError) as caught:
        from_file(path)
    assert f"`source.password_file`: {path} {sentence.format(path=path)}" == str(caught.value)
    assert caught.value.__context__ is None


def test_no_file(tmp_path: Path) -> None:
    """A file that is not there is not named in the message: its name may be the password itself."""
    with pytest.raises(ConfigurationError) as caught:
        from_file(tmp_path / "hunter2")
    said = "`source.password_file` names a file that is not there; a path begins at the folder of etlkit.yml"
    assert said == str(caught.value)
    assert caught.value.__context__ is None


def test_from_a_command() -> None:
    """The first line of output is the password."""
    assert Secret("p w") == from_command(f"{sys.executable} -c 'print(\"p w\"); print(2)'")


@pytest.mark.parametrize(
    ("command", "sentence"),
    [
        ("{python} -c 'import sys; print(\"hunter2\"); sys.exit(3)'", "ended with status 3; try it by hand"),
        ("{python} -c 'pass'", "printed nothing; try it by hand"),
        (
            "{python} -c 'import sys; sys.stdout.buffer.write(bytes([255]))'",
            "printed something that is no text; try it by hand",
        ),
        (
            '{python} -c \'print("hun" + chr(0) + "ter2")\'',
            "printed something that is no text; try it by hand",
        ),
        (
            "{python} -c 'while True: print(\"hunter2\" * 999)'",
            "printed more than 64.0 kB, which is no password; try it by hand",
        ),
        ("no-such-program hunter2", "cannot be started (No such file or directory); try it by hand"),
        ("'hunter2", None),
        ("''", "cannot be started (Permission denied); try it by hand"),
        ("   ", None),
    ],
)
def test_bad_command(command: str, sentence: str | None) -> None:
    """A command that gives no password says so, and repeats neither its words nor its output."""
    with pytest.raises(ConfigurationError) as caught:
        from_command(command.format(python=sys.executable))
    no_command = "is no command: it wants a program and its arguments, with quotes in pairs; try it by hand"
    expected = sentence or no_command
    assert f"`source.password_command` {expected}" == str(caught.value)
    assert caught.value.__context__ is None
