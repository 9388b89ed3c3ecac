"""Private servers and a generated dental practice: what the quickstart, demos and tests run on."""

from __future__ import annotations

from etlkit.demo.mysql_server import PrivateMariaDB, PrivateMySQL
from etlkit.demo.postgres_server import PrivatePostgres
from etlkit.demo.servers import PrivateServer

__all__ = ["PrivateMariaDB", "PrivateMySQL", "PrivatePostgres", "PrivateServer"]
