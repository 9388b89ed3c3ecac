"""Watches the whole suite: a test fails when a password or a row's value shows up where it must not.

Looked at are what commands print in this process and in others, what tests print and log, the words that programs
are started with, every `EtlkitError` and what it leads back to, the ledger of every warehouse before it is dropped,
what our sessions made the servers log, and files that are left in a test's folder and in the temporary one.

Left out by name: the warehouse's own tables of data and the ledger's staged rows; of the ledger the positions
(`_POSITIONS`); commands that are asked for values (`_ASKED_FOR`); files that hold passwords by their purpose
(`_HOLDS_PASSWORDS`). A test that has to show a canary says so by `@pytest.mark.shows_canaries(reason="...")`.
"""

from __future__ import annotations

import os
import re
import subprocess
import tempfile
from collections.abc import Callable, Generator, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any
from unittest.mock import patch

import psycopg2
import psycopg2.sql
import pytest
from click.testing import CliRunner, Result

from etlkit.demo import PrivateMySQL, PrivatePostgres, PrivateServer
from etlkit.errors import EtlkitError
from support.canaries import CANARIES

MARK = "shows_canaries(reason): the test shows a password or a row's value on purpose"

_ASKED_FOR = ("--show-values", "--keys")
"""Options by which a person asks for values; passwords are looked for all the same."""
_POSITIONS = ["watermark", "last_key", "began", "quarantined", "key", "secret"]
"""Columns of the ledger that hold, as documented, the cursor, the place to go on at, the keys of quarantined values,
and the secret that goes into digests."""
_HOLDS_PASSWORDS = re.compile(r"etlkit\.yml|\.env.*|pw.*|password.*|pgpass|server\.json")
_PRINTS_ADDRESSES = ("-m", "etlkit.demo", "show")
"""A command that is there to print an address with its password, for scripts."""
_MOST_BYTES = 1_000_000
ORDINARY_FOLDER = tempfile.gettempdir()
"""Where temporary files are outside of tests."""


class CanaryWatch:
    """The pytest plugin."""

    def __init__(self) -> None:
        self._patches = ExitStack()
        self._logs: dict[Path, int] = {}
        self._postgres: set[Path] = set()
        self._files: set[tuple[str, int]] = set()
        self._temporary: tempfile.TemporaryDirectory[str] | None = None
        self._silenced = False

    def add_server(self, server: PrivateServer) -> None:
        """Watch for a server's passwords, and its log from here on."""
        CANARIES.add_password(server.access.password)
        if isinstance(server, PrivateMySQL):
            CANARIES.add_password(server._password_of("reader"))  # noqa: SLF001 - of no database in particular
        self._logs[server.log_file] = server.log_file.stat().st_size
        if isinstance(server, PrivatePostgres):
            self._postgres.add(server.log_file)

    def pytest_sessionstart(self, session: pytest.Session) -> None:
        """Begin to listen, and give temporary files a folder of their own."""
        self._patches.enter_context(patch.object(CliRunner, "invoke", _listening_invoke()))
        self._patches.enter_context(patch.object(subprocess.Popen, "__init__", _listening_start()))
        self._patches.enter_context(patch.object(subprocess.Popen, "communicate", _listening_communicate()))
        self._patches.enter_context(patch.object(EtlkitError, "__init__", _listening_error()))
        self._patches.enter_context(patch.object(EtlkitError, "__del__", _look_back, create=True))
        factory: pytest.TempPathFactory = session.config._tmp_path_factory  # type: ignore[attr-defined]  # noqa: SLF001
        factory.getbasetemp()  # stays where it is
        self._temporary = tempfile.TemporaryDirectory(prefix="etlkit-tmp-")
        Path(self._temporary.name).chmod(0o1777)
        self._patches.enter_context(patch.object(tempfile, "tempdir", self._temporary.name))
        self._patches.enter_context(patch.dict(os.environ, TMPDIR=self._temporary.name))

    def pytest_sessionfinish(self) -> None:
        """Stop listening."""
        self._patches.close()
        if self._temporary is not None:
            self._temporary.cleanup()

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Generator[None, bool, bool]:
        """Let a test show canaries on purpose."""
        self._silenced = item.get_closest_marker("shows_canaries") is not None
        return (yield)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """Fail a test, at its set-up, call or end, that showed a canary."""
        report = yield
        if report.passed:
            for name, content in report.sections:
                CANARIES.look(content, name)
        self.look_at_logs()
        if report.when == "teardown":
            self._look_at_files(item)
            CANARIES.forget_dropped()
        found = CANARIES.taken()
        if found and report.passed and not self._silenced:
            report.outcome = "failed"
            report.longrepr = "\n\n".join(["canaries were shown", *found])
        return report

    def look_at_logs(self) -> None:
        """Look at what the servers logged since the last time."""
        for path, seen in self._logs.items():
            if not path.exists() or path.stat().st_size <= seen:
                continue
            with path.open("rb") as file:
                file.seek(seen)
                said = file.read(_MOST_BYTES).decode(errors="replace")
            self._logs[path] = path.stat().st_size
            if path in self._postgres:
                said = "\n".join(_ours(said))
            CANARIES.look(said, f"{path.name} of {path.parent.name}")

    def _look_at_files(self, item: pytest.Item) -> None:
        folders = [Path(self._temporary.name)] if self._temporary is not None else []
        own = getattr(item, "funcargs", {}).get("tmp_path")
        if own is not None:
            folders.append(own)
        for folder in folders:
            for place, _, names in os.walk(folder):
                for name in names:
                    self._look_at_file(Path(place, name))

    def _look_at_file(self, path: Path) -> None:
        try:
            status = path.lstat()
            known = (str(path), status.st_mtime_ns)
            if known in self._files or not path.is_file() or _HOLDS_PASSWORDS.fullmatch(path.name):
                return
            self._files.add(known)
            with path.open("rb") as file:
                CANARIES.look(file.read(_MOST_BYTES), f"the file {path}")
        except FileNotFoundError:
            return  # it was temporary indeed


WATCH = CanaryWatch()
"""The plugin of this process."""


@contextmanager
def ledger_watched(server: PrivatePostgres, database: str) -> Iterator[None]:
    """Look at the ledger of a warehouse at the end of a block; it is about to be dropped."""
    try:
        yield
    finally:
        if server.pid is not None:
            look_at_ledger(server, database)


def look_at_ledger(server: PrivatePostgres, database: str) -> None:
    """Look at all that the ledger of a warehouse holds, but for its positions."""
    connection = server.connect(database)
    try:
        with connection.cursor() as cursor:
            cursor.execute("SET statement_timeout = '5s'")
            cursor.execute(
                "SELECT relname FROM pg_class WHERE relnamespace = to_regnamespace('etlkit') AND relkind = 'r' "
                r"AND relname NOT LIKE 'stage\_%'"  # staged rows are data that is on its way
            )
            rows = [
                psycopg2.sql.SQL("SELECT (to_jsonb(t) - %(positions)s)::text FROM etlkit.{} AS t").format(
                    psycopg2.sql.Identifier(name)
                )
                for (name,) in cursor.fetchall()
            ]
            if rows:
                cursor.execute(psycopg2.sql.SQL(" UNION ALL ").join(rows), {"positions": _POSITIONS})
                CANARIES.look("\n".join(text for (text,) in cursor.fetchall()), f"the ledger in {database}")
    finally:
        connection.close()


def _ours(log: str) -> Iterator[str]:
    """Lines of a PostgreSQL log that sessions of etlkit caused; what follows them begins with a tab."""
    ours = False
    for line in log.splitlines():
        if not line.startswith("\t"):
            ours = line.startswith("etlkit|")
        if ours:
            yield line


def _listening_invoke() -> Callable[..., Result]:
    invoke = CliRunner.invoke

    def listening(self: CliRunner, command: Any, args: Any = None, *rest: Any, **options: Any) -> Result:
        result = invoke(self, command, args, *rest, **options)
        words = args.split() if isinstance(args, str) else list(args or ())
        values = not any(each in _ASKED_FOR for each in words)
        where = f"`{' '.join(words[:2])}`"
        CANARIES.look(result.output, where, values=values)
        if result.exception is not None:
            CANARIES.look_at_error(result.exception, where, values=values)
        return result

    return listening


def _listening_start() -> Callable[..., None]:
    start = subprocess.Popen.__init__

    def listening(self: subprocess.Popen[Any], args: Any, *rest: Any, **options: Any) -> None:
        words = [args] if isinstance(args, str | bytes | os.PathLike) else list(args)
        CANARIES.look("\n".join(os.fsdecode(each) for each in words), "the command line of a program")
        start(self, args, *rest, **options)

    return listening


def _listening_communicate() -> Callable[..., tuple[Any, Any]]:
    communicate = subprocess.Popen.communicate

    def listening(self: subprocess.Popen[Any], *rest: Any, **options: Any) -> tuple[Any, Any]:
        said = communicate(self, *rest, **options)
        words = [str(each) for each in self.args] if isinstance(self.args, list | tuple) else [str(self.args)]
        if not any(tuple(words[at : at + 3]) == _PRINTS_ADDRESSES for at in range(len(words))):
            for each in said:
                CANARIES.look(
                    each, f"the output of `{' '.join(words)[:80]}`", values=not {*_ASKED_FOR} & {*words}
                )
        return said

    return listening


def _listening_error() -> Callable[..., None]:
    initialise = EtlkitError.__init__

    def listening(self: EtlkitError, message: str, *rest: Any, **options: Any) -> None:
        initialise(self, message, *rest, **options)
        CANARIES.look(message, f"a message of {type(self).__name__}")

    return listening


def _look_back(error: EtlkitError) -> None:
    """Look at what an error leads back to, when nobody needs it any more; its message was looked at before."""
    if error.__cause__ is not None or error.__context__ is not None:
        CANARIES.look_at_error(error, "what an error leads back to")


def register(config: pytest.Config) -> None:
    """Watch a session of pytest."""
    config.addinivalue_line("markers", MARK)
    config.pluginmanager.register(WATCH, "canary_watch")
