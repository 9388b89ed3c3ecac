"""Files that hold passwords are refused where every user of the machine may read them."""

from __future__ import annotations

from pathlib import Path

import pytest

from etlkit.config import Settings
from etlkit.config.secret_files import check_secret_files
from etlkit.errors import ConfigurationError

ENV = {"S": "mysql://reader:hunter2@127.0.0.1/dental", "W": "postgresql://etl:hunter2@127.0.0.1/dental"}
BY_NAME = 'deployment: north\nsource: {url: "${S}"}\nwarehouse: {url: "${W}"}\n'
WRITTEN = (
    "deployment: north\nsource:\n  url: mysql://reader:hunter2@127.0.0.1/dental\nwarehouse:\n"
    "  url: postgresql://etl:hunter2@127.0.0.1/dental\n"
)


def check(folder: Path, text: str, mode: int) -> None:
    """Look at a deployment's files, of which the first has a mode."""
    file = folder / "etlkit.yml"
    file.write_text(text)
    file.chmod(mode)
    check_secret_files(Settings.load(folder, ENV))


@pytest.mark.parametrize("mode", [0o600, 0o640])
def test_what_some_may_read(tmp_path: Path, mode: int) -> None:
    """A file of its owner's is used, and one of a group's."""
    (tmp_path / ".env").write_text("X=1\n")
    (tmp_path / ".env").chmod(mode)
    check(tmp_path, WRITTEN, mode)
    assert mode == (tmp_path / "etlkit.yml").stat().st_mode & 0o777


def test_what_holds_no_password(tmp_path: Path) -> None:
    """A configuration that only names variables may be read by anybody."""
    check(tmp_path, BY_NAME, 0o644)
    check(tmp_path, WRITTEN.replace(":hunter2", ""), 0o644)
    assert not (tmp_path / ".env").exists()


@pytest.mark.parametrize("mode", [0o644, 0o602])
def test_variables_that_everybody_may_read(tmp_path: Path, mode: int) -> None:
    """`.env` is refused as a whole, since any of its variables may be a secret."""
    env = tmp_path / ".env"
    env.write_text("X=1\n")
    env.chmod(mode)
    with pytest.raises(ConfigurationError) as caught:
        check(tmp_path, BY_NAME, 0o600)
    assert (
        f"{env}: is open to every user of this machine; run `chmod 600 {env}`, and change the passwords in it"
    ) == str(caught.value)


def test_passwords_that_everybody_may_read(tmp_path: Path) -> None:
    """Each address with a password is told with its line and the two ways out."""
    with pytest.raises(ConfigurationError) as caught:
        check(tmp_path, WRITTEN, 0o644)
    file = tmp_path / "etlkit.yml"
    assert [
        f"{file}:{line}: `{section}.url` holds a password, and the file is open to every user of this machine; run "
        f"`chmod 600 {file}`, or write the name of a variable instead, such as `${{ETLKIT_{section.upper()}_URL}}`; "
        "and change the password"
        for line, section in ((3, "source"), (5, "warehouse"))
    ] == str(caught.value).splitlines()
