"""What makes one source another one."""

from __future__ import annotations

from typing import Any

import attrs
import pytest

from etlkit.config import MySQLUrl
from etlkit.discovery.catalog import Catalog, SourceServer
from etlkit.loading.source_identity import SourceIdentity

KNOWN = SourceIdentity(kind="MySQL", server="1b2c", machine="m", place="clinic:3306", database="od")
UNKNOWN = attrs.evolve(KNOWN, kind="MariaDB", server=None)


@pytest.mark.parametrize(
    ("before", "changes", "expected"),
    [
        (KNOWN, {}, []),
        (KNOWN, {"place": "10.0.0.5:3307", "machine": "n"}, []),
        (KNOWN, {"server": "3d4e"}, ["the server was `1b2c` and is `3d4e`"]),
        (KNOWN, {"kind": "MariaDB", "server": "x"}, ["the server was a MySQL and is a MariaDB"]),
        (
            KNOWN,
            {"server": "3d4e", "database": "north"},
            ["the server was `1b2c` and is `3d4e`", "the database was `od` and is `north`"],
        ),
        (UNKNOWN, {"place": "other:3306"}, ["the server was at `clinic:3306` and is at `other:3306`"]),
        (
            UNKNOWN,
            {"machine": "n"},
            ["the server at `clinic:3306` is another one (its host name, port or data folder is)"],
        ),
        (UNKNOWN, {"server": "learnt by an upgrade"}, []),
        (
            UNKNOWN,
            {"server": "x", "place": "other:1"},
            ["the server was at `clinic:3306` and is at `other:1`"],
        ),
    ],
)
def test_differences(before: SourceIdentity, changes: dict[str, Any], expected: list[str]) -> None:
    """A server's own identity decides; where it has none, the configured place and the machine do."""
    assert expected == attrs.evolve(before, **changes).differences(before)


def test_of() -> None:
    """The place is what the deployment names, without user and password."""
    server = SourceServer(kind="MySQL", version=(8,), version_text="8", uid="1b2c", machine="m")
    catalog = Catalog(server=server, database="od")
    url = "mysql://reader:hunter2@clinic/OD"
    assert KNOWN == SourceIdentity.of(catalog, MySQLUrl.parse(url))
    socket = SourceIdentity.of(catalog, MySQLUrl.parse("mysql:///OD?unix_socket=/run/mysqld.sock"))
    assert "/run/mysqld.sock" == socket.place
