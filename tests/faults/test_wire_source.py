"""The network between the clinic's server and etlkit fails, in every way and at every moment of a run.

What must hold after each (I1 to I7) is `support.invariants`. Runs try nothing again here, unless a test says so.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

import pytest

from etlkit.config import MySQLUrl, PostgresUrl, Settings, SourceSettings, WarehouseSettings
from etlkit.connections import ConnectionFactory
from etlkit.transfer.chunk_queries import Prepared
from etlkit.transfer.source_queries import SourceQueries
from support.databases import SourceDatabase, WarehouseDatabase
from support.fault_proxy import Fault, FaultProxy
from support.left_overs import connections
from support.wired import LARGE, Wired

LOST = "the connection to the source was lost; run again (source error 2013)"
ALL = ("appointment", "commlog", "patient", "procedurelog", "recall", "securitylog", "walkinlist")
WELL = dict.fromkeys(ALL)


def kinds(*names: str) -> pytest.MarkDecorator:
    """Run a test on some kinds of source."""
    return pytest.mark.parametrize("wired", names, indirect=True)


def server(wired: Wired) -> str:
    """Name the source as messages do."""
    return f"127.0.0.1:{wired.to_source.port}"


def chunk_of(table: str) -> str:
    """Fit the statements that read rows of a table."""
    return f"SELECT (group_)?concat.*`{table}`"


@pytest.mark.parametrize(
    ("wired", "place"),
    [
        ("mariadb-innodb", {"answered": 20}),
        ("mariadb-myisam", {"said": 60}),
        ("mysql56", {"statement": "SET SESSION time_zone", "answered": 0}),
    ],
    ids=["greeting", "login", "session set-up"],
    indirect=["wired"],
)
def test_reset_while_connecting(wired: Wired, place: Mapping[str, Any]) -> None:
    """A connection that breaks before it is set up ends the run before it began."""
    said = wired.survives(lambda: wired.to_source.strike_after(Fault.RESET, **place))
    assert {
        "run": f"Error: source: {server(wired)} broke the connection while it was being set up, or is another kind of "
        "server; try again, or correct `source.url`"
    } == said


@kinds("mysql56")
def test_reset_in_the_catalog(wired: Wired) -> None:
    """A catalog that cannot be read to its end ends the run before it began."""
    catalog = "information_schema.columns"
    said = wired.survives(lambda: wired.to_source.strike_after(Fault.RESET, statement=catalog, answered=700))
    assert {
        "run": f"Error: The server at {server(wired)} cannot be reached, or ended the connection (error 2013), while "
        f"reading the catalog of `{wired.clinic.source.name}`. Check host, port, firewall and that the server runs, "
        "then try again."
    } == said


@pytest.mark.parametrize(
    ("wired", "table", "place"),
    [
        ("mariadb-innodb", "appointment", {"statement": "START TRANSACTION WITH CONSISTENT SNAPSHOT"}),
        ("mysql56", "walkinlist", {"statement": chunk_of("walkinlist"), "answered": 10}),
        ("mysql56", "appointment", {"statement": chunk_of("appointment"), "answered": 600}),
        ("mariadb-innodb", "recall", {"statement": chunk_of("recall"), "answered": 600}),
        ("mariadb-innodb", LARGE, {"statement": chunk_of(LARGE), "answered": 500_000}),
        ("mysql56", LARGE, {"statement": chunk_of(LARGE), "answered": 1_180_000}),
        ("mariadb-myisam", "securitylog", {"statement": "md5.*`securitylog`", "answered": 30}),
        ("mariadb-innodb", "securitylog", {"statement": ("md5.*`securitylog`", "md5"), "answered": 500}),
    ],
    ids=[
        "snapshot",
        "table without key",
        "incremental",
        "streaming",
        "mid chunk",
        "last chunk",
        "digest of a range",
        "digests of rows",
    ],
    indirect=["wired"],
)
def test_reset_in_a_table(wired: Wired, table: str, place: Mapping[str, Any]) -> None:
    """A connection that breaks while a table is read costs this table its load, and no other one."""
    said = wired.survives(lambda: wired.to_source.strike_after(Fault.RESET, **place))
    assert WELL | {table: f"table `{table}`: {LOST}"} == said


@kinds("mariadb-innodb")
def test_reset_of_checksums(wired: Wired) -> None:
    """Checksums only save work: when they are cut off, every table is read, and the run ends well."""
    said = wired.survives(
        lambda: wired.to_source.strike_after(Fault.RESET, statement="CHECKSUM TABLE", answered=20),
        recovered=True,
    )
    assert WELL == said


@kinds("mysql56")
def test_black_hole_behind_the_last_table(wired: Wired) -> None:
    """When everything is loaded, a source that is gone takes nothing back."""
    last = ("md5.*`securitylog`", "ROLLBACK")
    said = wired.survives(
        lambda: wired.to_source.strike_after(Fault.BLACK_HOLE, statement=last),
        recovered=True,
        WIRE_SILENCE="1",
        WIRE_STATEMENT="1",
    )
    assert WELL == said


@pytest.mark.parametrize(
    ("wired", "fault"),
    [("mysql56", Fault.BLACK_HOLE), ("mariadb-innodb", Fault.SILENCE)],
    ids=["packets are lost", "packets are acknowledged"],
    indirect=["wired"],
)
def test_a_source_of_which_nothing_is_heard(wired: Wired, fault: Fault) -> None:
    """It is given up after `silence_seconds`; what acknowledges every packet, after `statement_seconds` more."""
    said = wired.survives(
        lambda: wired.to_source.strike_after(fault, statement=chunk_of(LARGE), answered=100_000),
        "--select",
        LARGE,
        WIRE_SILENCE="1",
        # Far too long for the suite, where only packets that are lost can end the wait.
        WIRE_STATEMENT="1" if fault is Fault.SILENCE else "600",
    )
    assert {LARGE: f"table `{LARGE}`: {LOST}"} == said


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        (
            Fault.BLACK_HOLE,
            "no server answers at {} (no answer in time); start it, or correct `source.url`",
        ),
        (
            Fault.SILENCE,
            (
                "{} broke the connection while it was being set up, or is another kind of server; try again, or "
                "correct `source.url`"
            ),
        ),
    ],
    ids=["unreachable", "silent"],
)
@kinds("mariadb-myisam")
def test_a_source_that_does_not_greet(wired: Wired, fault: Fault, words: str) -> None:
    """A server that cannot be reached, or says nothing when it is, is given up after the time for connecting."""
    said = wired.survives(lambda: wired.to_source.strike(fault), WIRE_SILENCE="1")
    assert {"run": f"Error: source: {words.format(server(wired))}"} == said


@kinds("mariadb-innodb")
def test_recovery(wired: Wired) -> None:
    """A wire that breaks once costs a moment: what failed is tried again in the same run."""
    chunk = chunk_of(LARGE)
    said = wired.survives(
        lambda: wired.to_source.strike_after(Fault.RESET, statement=chunk, answered=500_000),
        recovered=True,
        WIRE_RETRIES="1",
    )
    assert WELL == said


@pytest.mark.parametrize(
    ("wired", "how"),
    [
        ("mysql56", {"slice_bytes": 1}),
        ("mariadb-innodb", {"bytes_per_second": 10_000}),
        ("mariadb-myisam", {"latency_seconds": 0.05}),
    ],
    ids=["byte by byte", "10 KB/s", "latency"],
    indirect=["wired"],
)
def test_slow_wires(wired: Wired, how: Mapping[str, Any]) -> None:
    """A wire that is slow makes a run slow, and nothing else."""

    def slow() -> None:
        for name, value in how.items():
            setattr(wired.to_source, name, value)

    said = wired.survives(slow, "--select", "patient", "--select", "recall", recovered=True)
    assert {"patient": None, "recall": None} == said


def over(wire: FaultProxy, source: SourceDatabase, warehouse: WarehouseDatabase, **more: Any) -> Settings:
    """Give settings whose source is at the other end of a wire."""
    return Settings(
        deployment="north",
        source=SourceSettings(url=MySQLUrl.parse(wire.through(source.reader_url)), **more),
        warehouse=WarehouseSettings(url=PostgresUrl.parse(warehouse.url)),
    )


MANY = Prepared(
    text="SELECT repeat('x', 10000) FROM information_schema.collations a, information_schema.collations b",
    names=(),
    given={},
)
"""About 400 MB."""


@pytest.mark.parametrize("source", ["mysql56"], indirect=True)
def test_the_rest_is_not_read(source: SourceDatabase, warehouse: WarehouseDatabase) -> None:
    """After an error the socket is dropped: nobody waits for the rest of a result, and the server stops sending it."""
    with (
        FaultProxy(source.server.access.port) as wire,
        ConnectionFactory(over(wire, source, warehouse)) as factory,
    ):

        def break_off() -> None:
            with factory.source_raw() as raw:
                for _ in SourceQueries(raw).stream(MANY):
                    raise KeyError

        with pytest.raises(KeyError):
            break_off()
        gone(source)
        assert wire.answered < 40_000_000


@pytest.mark.parametrize("source", ["mariadb-myisam", "mysql56"], indirect=True)
def test_a_client_that_takes_nothing(source: SourceDatabase, warehouse: WarehouseDatabase) -> None:
    """The server gives up a client that takes nothing for `silence_seconds`: its tables must not stay locked."""
    with (
        FaultProxy(source.server.access.port) as wire,
        ConnectionFactory(over(wire, source, warehouse, silence_seconds=1)) as factory,
    ):

        def take_nothing() -> None:
            with factory.source_raw() as raw:
                for _ in SourceQueries(raw).stream(MANY):
                    gone(source)
                    raise KeyError

        with pytest.raises(KeyError):
            take_nothing()


def gone(source: SourceDatabase) -> None:
    """Wait until the server has no connection of ours any more."""
    until = time.monotonic() + 30
    while connections(source):
        assert time.monotonic() < until
        time.sleep(0.01)
