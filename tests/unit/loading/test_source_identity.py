"""What makes one source another one."""

from __future__ import annotations

from typing import Any

import attrs
import pytest

from etlkit.config import MySQLUrl
from etlkit.discovery.catalog import Catalog, SourceServer
from etlkit.loading.source_identity import LoadedFrom, SourceIdentity

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


REPLICA = attrs.evolve(KNOWN, server="5f6a", place="office:3306", database="copy")
DIRECT, TWO_HOPS = LoadedFrom(database=KNOWN), LoadedFrom(database=REPLICA, origin=KNOWN)
MOVED = attrs.evolve(TWO_HOPS, database=attrs.evolve(REPLICA, server="7b8c"))


@pytest.mark.parametrize(
    ("before", "now", "expected"),
    [
        (DIRECT, DIRECT, None),
        (TWO_HOPS, TWO_HOPS, None),
        (TWO_HOPS, attrs.evolve(TWO_HOPS, database=attrs.evolve(REPLICA, place="10.0.0.5:3306")), None),
        (DIRECT, TWO_HOPS, "they came from the source itself, and come through a replica now"),
        (TWO_HOPS, DIRECT, "they came through a replica, and come from the source itself now"),
        (TWO_HOPS, MOVED, "the replica is another one: the server was `5f6a` and is `7b8c`"),
    ],
)
def test_another_way(before: LoadedFrom, now: LoadedFrom, expected: str | None) -> None:
    """A replica that comes between, goes away or moves is another way from the same source."""
    assert [] == now.differences(before)
    assert expected == now.another_way(before)


@pytest.mark.parametrize(
    ("before", "now", "expected"),
    [
        (DIRECT, LoadedFrom(database=REPLICA), ["the server was `1b2c` and is `5f6a`"]),
        (TWO_HOPS, LoadedFrom(database=REPLICA), ["the server was `1b2c` and is `5f6a`"]),
        (LoadedFrom(database=REPLICA), TWO_HOPS, ["the server was `5f6a` and is `1b2c`"]),
        (
            TWO_HOPS,
            attrs.evolve(TWO_HOPS, origin=attrs.evolve(KNOWN, server="3d4e")),
            ["the server was `1b2c` and is `3d4e`"],
        ),
    ],
)
def test_another_source(before: LoadedFrom, now: LoadedFrom, expected: list[str]) -> None:
    """What counts is the clinic's own database; a replica in its place is another source until a person says so."""
    assert expected == [each for each in now.differences(before) if "database" not in each]


def test_of() -> None:
    """The place is what the deployment names, without user and password."""
    server = SourceServer(kind="MySQL", version=(8,), version_text="8", uid="1b2c", machine="m")
    catalog = Catalog(server=server, database="od")
    url = "mysql://reader:hunter2@clinic/OD"
    assert KNOWN == SourceIdentity.of(catalog, MySQLUrl.parse(url))
    socket = SourceIdentity.of(catalog, MySQLUrl.parse("mysql:///OD?unix_socket=/run/mysqld.sock"))
    assert "/run/mysqld.sock" == socket.place
