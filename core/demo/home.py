"""The quickstart's home: a folder with a source, a warehouse and a deployment between them; a replica if wanted."""

from __future__ import annotations

import os
import shlex
from collections.abc import Mapping
from pathlib import Path

import attrs

from etlkit.demo.mysql_server import PrivateMariaDB
from etlkit.demo.postgres_server import DATABASE as WAREHOUSE_DATABASE
from etlkit.demo.postgres_server import PrivatePostgres
from etlkit.demo.practice import DATABASE
from etlkit.demo.processes import HOST, write_private
from etlkit.demo.servers import USER, PrivateServer
from etlkit.errors import PrivateServerError

HOME_VARIABLE = "ETLKIT_QUICKSTART_HOME"
"""Names another home."""

SOURCE_VARIABLE = "ETLKIT_SOURCE_URL"
"""Names a source that is there already."""

WAREHOUSE_VARIABLE = "ETLKIT_WAREHOUSE_URL"
"""Names a warehouse that is there already."""

REPLICA_VARIABLE = "ETLKIT_REPLICA_URL"
"""By what a deployment finds the private replica."""

REPLICA_DATABASE = f"{DATABASE}_copy"
"""The replica's database."""


def default_home(environment: Mapping[str, str]) -> Path:
    """Give the folder where the quickstart lives unless somebody names another one.

    Args:
        environment: The environment's variables.

    Returns:
        A folder that other users can pass through for root, one of the user's own for others.
    """
    if environment.get(HOME_VARIABLE):
        return Path(environment[HOME_VARIABLE]).expanduser()
    if os.geteuid() == 0:
        return Path("/var/lib/etlkit-quickstart")
    data = environment.get("XDG_DATA_HOME") or "~/.local/share"
    return Path(data).expanduser() / "etlkit" / "quickstart"


@attrs.frozen(kw_only=True)
class QuickstartHome:
    """The servers of a quickstart, and where its deployment finds them."""

    folder: Path
    """The home."""

    given_source: str | None = attrs.field(default=None, repr=False)
    """URL of a source that is there already; None for a private MariaDB."""

    given_warehouse: str | None = attrs.field(default=None, repr=False)
    """URL of a warehouse that is there already; None for a private PostgreSQL."""

    @property
    def source(self) -> PrivateMariaDB:
        """The private source."""
        return PrivateMariaDB(self.folder / "source", keep_running=True)

    @property
    def replica(self) -> PrivateMariaDB | None:
        """The private replica; None when none was asked for yet."""
        folder = self.folder / "replica"
        return PrivateMariaDB(folder, keep_running=True) if folder.exists() else None

    @property
    def warehouse(self) -> PrivatePostgres:
        """The private warehouse."""
        return PrivatePostgres(self.folder / "warehouse", keep_running=True)

    @property
    def deployment(self) -> Path:
        """Folder with etlkit.yml."""
        return self.folder / "clinic"

    @property
    def servers(self) -> list[tuple[str, PrivateServer]]:
        """The private servers of this home, with what each is for."""
        own: list[tuple[str, PrivateServer]] = []
        if self.given_source is None:
            own.append(("source", self.source))
        if self.replica is not None:
            own.append(("replica", self.replica))
        if self.given_warehouse is None:
            own.append(("warehouse", self.warehouse))
        return own

    @property
    def source_url(self) -> str:
        """URL that etlkit reads from; of the private source, a user who may only read."""
        return self.given_source or self.source.reader_url(DATABASE)

    @property
    def replica_url(self) -> str | None:
        """URL of the private replica, of a user who may fill it; None when there is none."""
        return None if self.replica is None else self.replica.copier_url(REPLICA_DATABASE)

    @property
    def warehouse_url(self) -> str:
        """URL that etlkit writes to."""
        return self.given_warehouse or self.warehouse.url

    @property
    def practice_url(self) -> str:
        """URL of the practice's database in the private source, for who may change it.

        Raises:
            PrivateServerError: The source is somebody's own, or was never started.
        """
        if self.given_source is not None:
            raise PrivateServerError(
                f"{SOURCE_VARIABLE} names a source of your own; nothing is generated or changed in it."
            )
        if self.source.pid is None:
            raise PrivateServerError(
                f"The source in {self.source.folder} does not run; start it: examples/quickstart/run.sh"
            )
        return self.source.database_url(DATABASE)

    def start(self, *, replica: bool = False) -> None:
        """Start the private servers, and tell the deployment where source, replica and warehouse are.

        Args:
            replica: Make a replica, too; one that was made is started always.
        """
        if not self.folder.exists():
            self.folder.mkdir(parents=True)
            # Servers that root starts run as other users, who have to pass through to their own folders.
            self.folder.chmod(0o711 if os.geteuid() == 0 else 0o700)
        if replica:
            (self.folder / "replica").mkdir(exist_ok=True)
        for _, server in self.servers:
            server.start()
        self.deployment.mkdir(exist_ok=True)
        self.deployment.chmod(0o700)
        lines = [
            "# Written by the quickstart at each start; etlkit.yml refers to these names.",
            f"{SOURCE_VARIABLE}={_quoted(self.source_url)}",
            f"{WAREHOUSE_VARIABLE}={_quoted(self.warehouse_url)}",
        ]
        if (replica_url := self.replica_url) is not None:
            lines.append(f"{REPLICA_VARIABLE}={_quoted(replica_url)}")
        write_private(self.deployment / ".env", "\n".join(lines) + "\n")

    def stop(self) -> list[str]:
        """Stop the private servers.

        Returns:
            What had run: `source`, `replica`, `warehouse`.
        """
        stopped = []
        for role, server in self.servers:
            if server.pid is not None:
                server.stop()
                stopped.append(role)
        return stopped

    def query_command(self) -> str | None:
        """Give a command line that asks the private warehouse; None when the warehouse is somebody's own."""
        if self.given_warehouse is not None:
            return None
        server = self.warehouse
        words = [server.psql, "-h", HOST, "-p", server.access.port, "-U", USER, WAREHOUSE_DATABASE]
        return f"PGPASSFILE={shlex.quote(str(server.password_file))} {shlex.join(map(str, words))}"


def _quoted(value: str) -> str:
    """Write a value as `.env` files have it: between single quotes only these two have a meaning."""
    return "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"
