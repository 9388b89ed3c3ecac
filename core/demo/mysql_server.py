"""A private MariaDB, and what it shares with the MySQL servers that speak the same language."""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path
from typing import ClassVar

import pymysql
from sqlalchemy.engine import URL

from etlkit.demo.accounts import ServerAccount
from etlkit.demo.processes import HOST
from etlkit.demo.servers import USER, Access, PrivateServer
from etlkit.errors import PrivateServerError, PrivateServerMissing
from etlkit.server_access import REPLICA_RIGHTS

READER = "reader"
"""The user who may only read, as etlkit's user in a clinic should."""

COPIER = "copier"
"""The user who may fill one database, as etlkit's user of a replica should."""

DEFAULT_SETTINGS = {
    "character-set-server": "utf8mb4",
    "innodb-buffer-pool-size": "128M",
    "key-buffer-size": "64M",
    "local-infile": "1",
    "max-allowed-packet": "64M",
    "max-connections": "100",
}
"""Small enough for a laptop; any of them can be given anew."""


class PrivateMySQL(PrivateServer):
    """A server of the MySQL family in a folder of its own."""

    accounts_to_drop: ClassVar[str]
    """Statement that removes the accounts without a password that an installation makes."""

    @property
    def url(self) -> str:
        """URL of the administrator, `mysql://user:password@127.0.0.1:port`."""
        return self._url(USER, None)

    @property
    def socket(self) -> Path:
        """The server's unix socket."""
        return self.run_folder / "mysql.sock"

    @property
    def pid_file(self) -> Path:
        """The file whose first word is the server's process id."""
        return self.run_folder / "mysql.pid"

    def database_url(self, database: str) -> str:
        """Give the administrator's URL of one database.

        Args:
            database: Name of the database.
        """
        return self._url(USER, database)

    def reader_url(self, database: str) -> str:
        """Give the URL of a user who may read one database and do nothing else.

        Args:
            database: Name of the database; the user is allowed to read it now.
        """
        with self.connect() as connection, connection.cursor() as cursor:
            self._grant(cursor, "select", database, READER)
        return self._url(READER, database)

    def copier_url(self, database: str) -> str:
        """Give the URL of a user who may fill one database and do nothing else.

        Args:
            database: Name of the database; it is made if it is not there, and the user is allowed to fill it now.
        """
        with self.connect() as connection, connection.cursor() as cursor:
            cursor.execute(f"create database if not exists `{database.replace('`', '``')}`")
            self._grant(cursor, ", ".join(REPLICA_RIGHTS), database, COPIER)
        return self._url(COPIER, database)

    def connect(self, database: str | None = None) -> pymysql.connections.Connection[pymysql.cursors.Cursor]:
        """Connect as the administrator, over TCP, with utf8mb4.

        Args:
            database: The connection's database; none without it.

        Returns:
            An open connection that commits each statement.
        """
        return pymysql.connect(
            host=HOST,
            port=self.access.port,
            user=USER,
            password=self.access.password,
            database=database,
            charset="utf8mb4",
            autocommit=True,
            local_infile=True,
            ssl_disabled=True,  # on 127.0.0.1, and the server is ours
        )

    def probe(self) -> str | None:
        """Connect once; give the reason when the server does not answer yet."""
        try:
            self.connect().close()
        except pymysql.err.OperationalError as error:
            return f"error {error.args[0]}"
        return None

    def _grant(self, cursor: pymysql.cursors.Cursor, privileges: str, database: str, user: str) -> None:
        name = database.replace("`", "``")
        for host in (HOST, "localhost"):
            cursor.execute(
                f"grant {privileges} on `{name}`.* to %s@%s identified by %s",
                (user, host, self._password_of(user)),
            )

    def _url(self, user: str, database: str | None) -> str:
        url = URL.create("mysql", user, self._password_of(user), HOST, self.access.port, database)
        return url.render_as_string(hide_password=False)

    def _password_of(self, user: str) -> str:
        """Give a password that needs no keeping, and tells nothing about the administrator's."""
        own = self.access.password
        return own if user == USER else hashlib.sha256(f"{user} {own}".encode()).hexdigest()[:24]

    @property
    def _first_statements(self) -> Path:
        return self.run_folder / "first.sql"

    def _prepare(self, account: ServerAccount, access: Access) -> None:
        # The server runs these before it listens, so it can never be reached without a password.
        grants = [
            f"grant all privileges on *.* to '{USER}'@'{host}' identified by '{access.password}'"
            " with grant option;"
            for host in (HOST, "localhost")
        ]
        self._first_statements.touch()
        account.own(self._first_statements, 0o600)
        lines = [self.accounts_to_drop, "flush privileges;", *grants]
        self._first_statements.write_text("\n".join(lines) + "\n")

    def _complete(self) -> None:
        self._first_statements.unlink(missing_ok=True)

    def _arguments(self, access: Access) -> list[str]:
        """Give the options that every server of the family understands."""
        settings = {**DEFAULT_SETTINGS, **self.settings}
        return [
            f"--datadir={self.data_folder}",
            f"--socket={self.socket}",
            f"--pid-file={self.pid_file}",
            f"--tmpdir={self.run_folder}",
            f"--init-file={self._first_statements}",
            f"--port={access.port}",
            f"--bind-address={HOST}",
            "--skip-name-resolve",
            *(f"--{name}={value}" for name, value in settings.items()),
        ]


class PrivateMariaDB(PrivateMySQL):
    """A MariaDB from the system's packages in a folder of its own."""

    accounts_to_drop = (
        "delete from mysql.global_priv where User not in ('etlkit', 'reader', 'copier', 'mariadb.sys');"
    )

    @property
    def kind(self) -> str:
        """Product and version line; MariaDB opens the data of older versions by itself."""
        return "MariaDB"

    def _install(self, account: ServerAccount, password: str) -> None:
        result = account.run(
            [
                _program("mariadb-install-db"),
                "--no-defaults",
                f"--datadir={self.data_folder}",
                f"--tmpdir={self.run_folder}",
                "--auth-root-authentication-method=normal",
                "--skip-name-resolve",
                "--skip-test-db",
                # Names are not resolved anyway, so a machine that cannot resolve its own is none the worse.
                "--force",
            ],
            folder=self.data_folder,
            environment=self.environment(),
        )
        if result.returncode:
            raise PrivateServerError(f"mariadb-install-db failed in {self.folder}:\n{result.stdout[-2000:]}")

    def _command(self, account: ServerAccount, access: Access) -> list[str]:
        return [_program("mariadbd"), "--no-defaults", *self._arguments(access)]


def _program(name: str) -> str:
    found = shutil.which(name) or shutil.which(name, path="/usr/sbin:/usr/local/sbin:/usr/bin")
    if found is None:
        raise PrivateServerMissing(
            f"The program {name} was not found. "
            "Install MariaDB: apt-get install mariadb-server-core mariadb-client-core"
        )
    return found
