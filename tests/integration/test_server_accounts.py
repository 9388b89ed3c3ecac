"""The user that root's servers run as, and what that user can reach."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from etlkit.demo import PrivateMariaDB
from etlkit.demo.accounts import ServerAccount
from etlkit.errors import PrivateServerError

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root has to become another user")


def test_closed_folder(tmp_path: Path) -> None:
    """A folder that the server's user cannot enter is refused; its permissions stay as they are."""
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    server = PrivateMariaDB(closed / "m")
    user = ServerAccount.for_folder(server.data_folder).name
    with pytest.raises(PrivateServerError) as caught:
        server.start()
    assert (
        f"The user {user}, as whom MariaDB runs, cannot enter {server.folder}. "
        "Choose a folder that everybody can pass through, such as one under /var/lib."
    ) == str(caught.value)
    assert stat.S_IMODE(closed.stat().st_mode) == 0o700


def test_readable_copy(server_folder: Path, tmp_path: Path) -> None:
    """Programs that the server's user cannot reach are copied, once, and again when they changed."""
    account = ServerAccount.for_folder(server_folder / "data")
    software = tmp_path / "software"
    (software / "bin").mkdir(parents=True)
    tmp_path.chmod(0o700)
    program = software / "bin" / "program"
    program.write_text("#!/bin/sh\necho one\n")
    program.chmod(0o700)

    def output() -> str:
        found = account.readable_copy(software, ["bin"], server_folder / "copies")
        assert server_folder / "copies" == found
        return account.run([str(found / "bin/program")], folder=server_folder, environment={}).stdout

    assert output() == "one\n"
    changed = (server_folder / "copies/bin/program").stat().st_ino
    assert output() == "one\n"
    assert changed == (server_folder / "copies/bin/program").stat().st_ino
    program.unlink()
    program.write_text("#!/bin/sh\necho two\n")
    program.chmod(0o700)
    assert output() == "two\n"


def test_no_unprivileged_user(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Root without an unprivileged user is told to add one."""
    monkeypatch.setattr("etlkit.demo.accounts.USERS_OF_ROOT", ("no-such-user",))
    with pytest.raises(PrivateServerError) as caught:
        ServerAccount.for_folder(tmp_path / "none")
    assert str(caught.value) == (
        "A database server must not run as root, and this machine has none of the users no-such-user. "
        "Add one: useradd --system postgres"
    )
