"""A private database server: a real server in a folder of ours, for the quickstart, demos and tests.

A folder holds everything of its server: data, socket, log, port and password. A server that already
runs in the folder is found again, whoever started it.
"""

from __future__ import annotations

import abc
import atexit
import contextlib
import fcntl
import json
import os
import secrets
import shutil
import signal
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import ClassVar, Self

import attrs

from etlkit.demo.accounts import ServerAccount
from etlkit.demo.processes import command_line, free_port, is_free, made, wait_until, write_private
from etlkit.errors import PrivateServerError

USER = "etlkit"
"""The administrator that each private server is made with."""

LONGEST_SOCKET = 107
"""Bytes that Linux allows for the path of a unix socket."""


@attrs.frozen(kw_only=True)
class Access:
    """How to reach a private server; kept in `server.json` of its folder, readable by its owner only."""

    kind: str
    """Product and version line, so that no other server opens the same data."""

    port: int
    """TCP port on 127.0.0.1."""

    password: str = attrs.field(repr=False)
    """Password of the administrator."""


class PrivateServer(abc.ABC):
    """A server that belongs to a folder."""

    last_signal: ClassVar[signal.Signals] = signal.SIGTERM
    """Asks the server for a quick and clean end."""

    def __init__(
        self,
        folder: Path | str,
        *,
        settings: Mapping[str, str] | None = None,
        keep_running: bool = False,
        patience: float = 60.0,
    ) -> None:
        """Name the folder; nothing is started yet.

        Args:
            folder: The server's own folder, made when it is not there.
            settings: The server's own options by name, given to it when it starts.
            keep_running: Leave the server running when this process ends.
            patience: Seconds that a start or a stop may take.
        """
        self.folder = Path(folder).absolute()
        self.settings = dict(settings or {})
        self.keep_running = keep_running
        self.patience = patience
        self._process: subprocess.Popen[bytes] | None = None

    @property
    @abc.abstractmethod
    def kind(self) -> str:
        """Product and version line, such as `PostgreSQL 16`."""

    @property
    @abc.abstractmethod
    def url(self) -> str:
        """URL of the administrator, password included."""

    @property
    @abc.abstractmethod
    def pid_file(self) -> Path:
        """The file whose first word is the server's process id."""

    @property
    @abc.abstractmethod
    def socket(self) -> Path:
        """The server's unix socket."""

    @abc.abstractmethod
    def probe(self) -> str | None:
        """Connect once; give the reason when the server does not answer yet."""

    @abc.abstractmethod
    def _install(self, account: ServerAccount, password: str) -> None:
        """Fill the empty data folder."""

    @abc.abstractmethod
    def _command(self, account: ServerAccount, access: Access) -> list[str]:
        """Give the command that runs the server in the foreground."""

    @abc.abstractmethod
    def _prepare(self, account: ServerAccount, access: Access) -> None:
        """Do what each start needs first."""

    @abc.abstractmethod
    def _complete(self) -> None:
        """Do what needs the server to answer; called after every start."""

    @property
    def data_folder(self) -> Path:
        """Folder of the server's data."""
        return self.folder / "data"

    @property
    def run_folder(self) -> Path:
        """Folder of the server's socket and temporary files."""
        return self.folder / "run"

    @property
    def log_file(self) -> Path:
        """What the server printed."""
        return self.folder / "server.log"

    @property
    def access(self) -> Access:
        """How to reach the server.

        Raises:
            PrivateServerError: No server was ever started in the folder.
        """
        access = self._read_access()
        if access is None:
            raise PrivateServerError(f"No {self.kind} was made in {self.folder} yet; start it first.")
        return access

    @property
    def pid(self) -> int | None:
        """Process id of the server that runs in the folder, whoever started it."""
        try:
            pid = int(self.pid_file.read_text().split()[0])
        except (FileNotFoundError, ValueError, IndexError):
            return None
        # A stale pid file can name another program by now.
        return pid if str(self.data_folder).encode() in command_line(pid) else None

    def start(self) -> Self:
        """Start the server, or find the one that runs in the folder; return when it answers.

        Returns:
            The server itself.

        Raises:
            PrivateServerError: A program is missing, or the server does not come up.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        with self._alone():
            if self.pid is None:
                self._start()
            self._wait_until_ready()
            self._complete()
        return self

    def stop(self) -> None:
        """Stop the server that runs in the folder; do nothing when there is none."""
        if not self.folder.exists():
            return
        with self._alone():
            pid = self.pid
            if pid is None:
                return
            os.kill(pid, self.last_signal)
            if not self._gone(pid):
                os.kill(pid, signal.SIGKILL)
                self._gone(pid)

    def remove(self) -> None:
        """Stop the server and delete its folder."""
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def log_end(self, lines: int = 15) -> str:
        """Give the last lines of the server's log.

        Args:
            lines: How many.
        """
        try:
            return "\n".join(self.log_file.read_text(errors="replace").splitlines()[-lines:])
        except FileNotFoundError:
            return "(no log)"

    def environment(self) -> dict[str, str]:
        """Give the environment of the server's programs: nothing of ours leaks into it."""
        kept = {name: os.environ[name] for name in ("TZ",) if name in os.environ}
        return {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C.UTF-8", "HOME": "/nonexistent", **kept}

    def _start(self) -> None:
        account = self._make_folders()
        access = self._read_access()
        if access is None:
            # What an interrupted installation left is no server yet.
            shutil.rmtree(self.data_folder)
            account.own(made(self.data_folder), 0o700)
            access = Access(kind=self.kind, port=free_port(), password=secrets.token_urlsafe(18))
            self._install(account, access.password)
            self._write_access(access)
        elif access.kind != self.kind:
            raise PrivateServerError(
                f"{self.folder} holds the data of {access.kind}, and {self.kind} was asked for. "
                "Choose another folder, or remove that one."
            )
        if not is_free(access.port):
            access = attrs.evolve(access, port=free_port())
            self._write_access(access)
        self.pid_file.unlink(missing_ok=True)
        self._prepare(account, access)
        self._launch(account, access)

    def _make_folders(self) -> ServerAccount:
        account = ServerAccount.for_folder(self.data_folder)
        if len(os.fsencode(self.socket)) > LONGEST_SOCKET:
            raise PrivateServerError(
                f"The socket of {self.kind} would be {self.socket}, and a socket's path is limited to "
                f"{LONGEST_SOCKET} bytes. Choose a shorter folder."
            )
        if account.switch and self.folder.stat().st_uid == 0:
            # Others may pass through to what is theirs, not look around.
            self.folder.chmod(0o711)
        account.own(made(self.data_folder), 0o700)
        account.own(made(self.run_folder), 0o700)
        if not account.can_reach(self.data_folder):
            raise PrivateServerError(
                f"The user {account.name}, as whom {self.kind} runs, cannot enter {self.folder}. "
                "Choose a folder that everybody can pass through, such as one under /var/lib."
            )
        return account

    def _launch(self, account: ServerAccount, access: Access) -> None:
        with self.log_file.open("ab") as log:
            self.log_file.chmod(0o600)
            self._process = account.launch(
                self._command(account, access),
                folder=self.data_folder,
                environment=self.environment(),
                log=log,
                last_signal=None if self.keep_running else self.last_signal.name.removeprefix("SIG"),
            )
        if not self.keep_running:
            atexit.register(self.stop)

    def _ended(self) -> bool:
        return self._process is not None and self._process.poll() is not None

    def _wait_until_ready(self) -> None:
        reason: str | None = "no answer"

        def settled() -> bool:
            nonlocal reason
            reason = self.probe() if self.pid is not None else "the process is not there"
            return reason is None or self._ended()

        wait_until(settled, self.patience)
        if reason is not None:
            raise PrivateServerError(
                f"{self.kind} in {self.folder} does not come up ({reason}). The end of its log, "
                f"{self.log_file}:\n{self.log_end()}"
            )

    def _gone(self, pid: int) -> bool:
        def absent() -> bool:
            if self._process is not None and self._process.pid == pid:
                return self._process.poll() is not None
            return not command_line(pid)

        return wait_until(absent, self.patience)

    @contextlib.contextmanager
    def _alone(self) -> Iterator[None]:
        """Keep a second starter or stopper of the same folder waiting."""
        with (self.folder / "lock").open("a") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def _read_access(self) -> Access | None:
        try:
            return Access(**json.loads((self.folder / "server.json").read_text()))
        except FileNotFoundError:
            return None

    def _write_access(self, access: Access) -> None:
        write_private(self.folder / "server.json", json.dumps(attrs.asdict(access)))
