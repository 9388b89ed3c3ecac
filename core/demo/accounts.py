"""The system account that a private server runs as, and what that account can reach.

PostgreSQL and MariaDB refuse to run as root. Where we are root, the server becomes an unprivileged
user, which can often not read the folder where Python packages live (`/root`): then the server's
files are copied beside its data. Nobody's folder gets other permissions.
"""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO

import attrs

from etlkit.errors import PrivateServerError

USERS_OF_ROOT = ("postgres", "mysql", "nobody")
"""Accounts that root's servers run as: the first one that exists."""


@attrs.frozen(kw_only=True)
class ServerAccount:
    """A user of this machine who can run a server."""

    name: str
    """Login name."""

    uid: int
    """User id."""

    gid: int
    """Id of the user's own group."""

    switch: bool
    """Whether this process is root and has to become that user."""

    @classmethod
    def for_folder(cls, data_folder: Path) -> ServerAccount:
        """Choose the account for a server whose data live in `data_folder`.

        Args:
            data_folder: The server's data; its owner stays the server's account.

        Returns:
            The current user, or, for root, the owner of the data or the first of `USERS_OF_ROOT`.

        Raises:
            PrivateServerError: Root has no unprivileged account to use.
        """
        if os.geteuid() != 0:
            own = pwd.getpwuid(os.geteuid())
            return cls(name=own.pw_name, uid=own.pw_uid, gid=own.pw_gid, switch=False)
        owner = data_folder.stat().st_uid if data_folder.exists() else 0
        for entry in pwd.getpwall():
            if owner and entry.pw_uid == owner:
                return cls(name=entry.pw_name, uid=entry.pw_uid, gid=entry.pw_gid, switch=True)
        for name in USERS_OF_ROOT:
            try:
                entry = pwd.getpwnam(name)
            except KeyError:
                continue
            return cls(name=name, uid=entry.pw_uid, gid=entry.pw_gid, switch=True)
        raise PrivateServerError(
            "A database server must not run as root, and this machine has none of the users "
            f"{', '.join(USERS_OF_ROOT)}. Add one: useradd --system postgres"
        )

    def own(self, path: Path, mode: int) -> Path:
        """Make a file or folder the account's own.

        Args:
            path: What to hand over.
            mode: The permissions it gets.

        Returns:
            The same path.
        """
        if self.switch:
            os.chown(path, self.uid, self.gid)
        path.chmod(mode)
        return path

    def run(
        self, command: Sequence[str], *, folder: Path, environment: Mapping[str, str], text: str | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Run a command as this account to its end.

        Args:
            command: Program and arguments.
            folder: Current folder of the program.
            environment: All that the program sees of the environment.
            text: Standard input.

        Returns:
            Exit code and output; standard error is part of the output.
        """
        return subprocess.run(  # noqa: S603 - programs are found by us, nothing goes through a shell
            list(command),
            cwd=folder,
            env=dict(environment),
            input=text or "",
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            check=False,
            user=self.uid if self.switch else None,
            group=self.gid if self.switch else None,
            extra_groups=[] if self.switch else None,
        )

    def launch(
        self,
        command: Sequence[str],
        *,
        folder: Path,
        environment: Mapping[str, str],
        log: IO[bytes],
        last_signal: str | None,
    ) -> subprocess.Popen[bytes]:
        """Start a server as this account, in a session of its own so that Ctrl-C does not reach it.

        Args:
            command: Program and arguments.
            folder: Current folder of the program.
            environment: All that the program sees of the environment.
            log: Receives what the program prints.
            last_signal: Name of the signal that it gets when the thread that started it ends, even
                by SIGKILL; None leaves it running.

        Returns:
            The running process.
        """
        setpriv = shutil.which("setpriv")
        if last_signal and setpriv:
            command = [setpriv, "--pdeathsig", last_signal, "--", *command]
        return subprocess.Popen(  # noqa: S603 - programs are found by us, nothing goes through a shell
            list(command),
            cwd=folder,
            env=dict(environment),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            user=self.uid if self.switch else None,
            group=self.gid if self.switch else None,
            extra_groups=[] if self.switch else None,
        )

    def can_reach(self, path: Path) -> bool:
        """Tell whether the account may read a file, or enter and read a folder.

        Args:
            path: File or folder.

        Returns:
            True when it may.
        """
        if not self.switch:
            return os.access(path, os.R_OK | (os.X_OK if path.is_dir() else 0))
        probe = 'test -r "$1" && { test ! -d "$1" || test -x "$1"; }'
        command = ["/bin/sh", "-c", probe, "sh", str(path)]
        return self.run(command, folder=Path("/"), environment={}).returncode == 0

    def readable_copy(self, software: Path, parts: Sequence[str], copies: Path) -> Path:
        """Give a folder of programs that the account can read: the original, or else a copy.

        Args:
            software: Folder of the original programs.
            parts: What is needed of it, as relative paths.
            copies: Where a copy may be made; made again when the original is newer.

        Returns:
            `software`, or the folder of the copies.
        """
        if all(self.can_reach(software / part) for part in parts):
            return software
        made_from = copies / "made-from"
        stamp = "\n".join(f"{software / part} {(software / part).stat().st_mtime_ns}" for part in parts)
        if made_from.exists() and made_from.read_text() == stamp:
            return copies
        shutil.rmtree(copies, ignore_errors=True)
        copies.mkdir(parents=True)
        for part in parts:
            target = copies / part
            if (software / part).is_dir():
                shutil.copytree(software / part, target, symlinks=True)
            else:
                shutil.copy2(software / part, target)
        _let_all_read(copies)
        made_from.write_text(stamp)
        return copies


def _let_all_read(root: Path) -> None:
    """Let everybody read our copies, and run what its owner can run."""
    for folder, _, files in os.walk(root):
        Path(folder).chmod(0o755)
        for name in files:
            file = Path(folder, name)
            if not file.is_symlink():
                file.chmod(0o755 if file.stat().st_mode & 0o100 else 0o644)
