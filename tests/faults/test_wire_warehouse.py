"""The network between etlkit and the warehouse fails, in every way and at every moment of a run.

What must hold after each (I1 to I7) is `support.invariants`. Runs try nothing again here, unless a test says so.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import attrs
import pytest
import sqlalchemy as sa

from etlkit.config import MySQLUrl, PostgresUrl, Settings, SourceSettings, WarehouseSettings
from etlkit.connections import ConnectionFactory
from support.databases import WarehouseDatabase
from support.fault_proxy import Fault, FaultProxy
from support.left_overs import sessions
from support.wired import LARGE, Wired

ALL = ("appointment", "commlog", "patient", "procedurelog", "recall", "securitylog", "walkinlist")
WELL = dict.fromkeys(ALL)
BROKE = "the connection to the warehouse broke before it confirmed anything; run again"

LEDGER = f"the ledger in the warehouse's schema `etlkit`: {BROKE}"
NO_WAY_IN = (
    "warehouse: {} broke the connection while it was being set up, or is another kind of server; try again, or correct "
    "`warehouse.url`"
)

KEYS_OF_RECONCILE = ("xact_lock.*'securitylog'", 'COPY "etlkit_keys"')


def kinds(*names: str) -> pytest.MarkDecorator:
    """Run a test on some kinds of source."""
    return pytest.mark.parametrize("wired", names, indirect=True)


def server(wired: Wired) -> str:
    """Name the warehouse as messages do."""
    return f"127.0.0.1:{wired.to_warehouse.port}"


def recorded(table: str) -> tuple[str, str]:
    """Fit the COMMIT of a table's load."""
    return f"INSERT INTO etlkit.table_loads.*'{table}'", "COMMIT"


@pytest.mark.parametrize(
    ("wired", "place", "words"),
    [
        ("mariadb-innodb", {"answered": 60}, NO_WAY_IN),
        ("mysql56", {"statement": "pg_advisory_xact_lock"}, LEDGER),
        ("mysql56", {"statement": "pg_try_advisory_xact_lock", "answered": 30}, LEDGER),
        ("mysql56", {"statement": "INSERT INTO etlkit.runs"}, LEDGER),
    ],
    ids=["login", "ledger", "lock of the run", "beginning of the run"],
    indirect=["wired"],
)
def test_reset_before_the_first_table(wired: Wired, place: Mapping[str, Any], words: str) -> None:
    """A connection that breaks before the first table ends the run before it loads anything."""
    said = wired.survives(lambda: wired.to_warehouse.strike_after(Fault.RESET, **place))
    assert {"run": f"Error: {words.format(server(wired))}"} == said


@pytest.mark.parametrize(
    ("wired", "table", "place"),
    [
        ("mysql56", "patient", {"statement": 'COPY "etlkit_stage" \\("PatNum"', "said": 2000}),
        ("mariadb-innodb", "walkinlist", {"statement": "DELETE FROM raw.walkinlist"}),
        ("mariadb-myisam", "appointment", {"statement": "UPDATE raw.appointment"}),
        ("mariadb-innodb", "recall", {"statement": "INSERT INTO etlkit.table_loads.*'recall'"}),
        ("mysql56", LARGE, {"statement": "COPY .*stage_.*CommlogNum", "said": 1_000_000}),
        ("mysql56", LARGE, {"statement": f"UPDATE raw.{LARGE}"}),
        ("mariadb-innodb", "securitylog", {"statement": KEYS_OF_RECONCILE, "said": 300}),
        ("mariadb-myisam", "securitylog", {"statement": "DELETE FROM raw.securitylog"}),
    ],
    ids=[
        "mid COPY",
        "deletes",
        "updates",
        "before COMMIT",
        "mid chunk",
        "apply of chunks",
        "keys of a reconcile",
        "deletes of a reconcile",
    ],
    indirect=["wired"],
)
def test_reset_in_a_table(wired: Wired, table: str, place: Mapping[str, Any]) -> None:
    """A connection that breaks while a table is written costs this table its load, and no other one."""
    said = wired.survives(lambda: wired.to_warehouse.strike_after(Fault.RESET, **place))
    assert WELL | {table: f"warehouse table `raw.{table}`: {BROKE}"} == said


@pytest.mark.parametrize(
    ("wired", "table"),
    [
        ("mysql56", "patient"),
        ("mariadb-innodb", "appointment"),
        ("mariadb-myisam", LARGE),
        ("mysql56", "recall"),
        ("mariadb-innodb", "securitylog"),
    ],
    indirect=["wired"],
)
def test_the_answer_to_commit_is_lost(wired: Wired, table: str) -> None:
    """A load that was committed counts, although nobody said so: the ledger is asked by the run's number."""
    said = wired.survives(
        lambda: wired.to_warehouse.strike_after(Fault.RESET, statement=recorded(table)), recovered=True
    )
    assert WELL == said


@pytest.mark.parametrize(
    ("wired", "table"),
    [("mariadb-myisam", "patient"), ("mysql56", LARGE), ("mariadb-innodb", "securitylog")],
    indirect=["wired"],
)
def test_commit_does_not_arrive(wired: Wired, table: str) -> None:
    """A load whose COMMIT never arrived failed, and kept nothing; the next run does it."""
    said = wired.survives(
        lambda: wired.to_warehouse.strike_after(Fault.HANG_UP, statement=recorded(table), forward=False)
    )
    assert WELL | {table: f"warehouse table `raw.{table}`: {BROKE}"} == said


@kinds("mysql56")
def test_the_answer_to_a_commit_of_a_chunk_is_lost(wired: Wired) -> None:
    """What a read that goes on chunk by chunk has staged is what the ledger says, whoever heard of it."""
    chunk = ("COPY .*stage_.*CommlogNum", "COMMIT")
    said = wired.survives(lambda: wired.to_warehouse.strike_after(Fault.RESET, statement=chunk))
    assert WELL | {LARGE: f"warehouse table `raw.{LARGE}`: {BROKE}"} == said


@kinds("mariadb-myisam")
def test_nothing_is_heard_of_a_commit(wired: Wired) -> None:
    """While nobody can be asked whether it took place, a load counts as failed; the next run finds it done."""
    said = wired.survives(
        lambda: wired.to_warehouse.strike_after(Fault.BLACK_HOLE, statement=recorded("patient")),
        "--select",
        "patient",
        WIRE_SILENCE="1",
    )
    assert {
        "patient": f"warehouse table `raw.patient`: {BROKE}",
    } == said


@pytest.mark.parametrize(
    ("wired", "fault", "place"),
    [
        ("mysql56", Fault.BLACK_HOLE, {"statement": "COPY .*stage_.*CommlogNum", "said": 100_000}),
        ("mariadb-myisam", Fault.SILENCE, {"statement": f"UPDATE raw.{LARGE}"}),
    ],
    ids=["packets are lost", "packets are acknowledged"],
    indirect=["wired"],
)
def test_a_warehouse_of_which_nothing_is_heard(wired: Wired, fault: Fault, place: Mapping[str, Any]) -> None:
    """It is given up by itself, and gives us up by itself: no session is left there with our locks."""

    def wait_for_the_server() -> None:
        # Of a machine that acknowledges in our place, the server can know nothing; its own limits end the session.
        if fault is Fault.BLACK_HOLE:
            ended(wired.clinic.warehouse)

    said = wired.survives(
        lambda: wired.to_warehouse.strike_after(fault, **place),
        "--select",
        LARGE,
        meanwhile=wait_for_the_server,
        WIRE_SILENCE="1",
    )
    assert {LARGE: f"warehouse table `raw.{LARGE}`: {BROKE}"} == said


@pytest.mark.parametrize(
    ("wired", "place"),
    [
        ("mysql56", {"statement": f"UPDATE raw.{LARGE}"}),
        ("mariadb-innodb", {"statement": "COPY .*stage_.*CommlogNum", "said": 100_000}),
    ],
    ids=["answer", "mid COPY"],
    indirect=["wired"],
)
def test_nothing_is_heard_on_one_connection(wired: Wired, place: Mapping[str, Any]) -> None:
    """A session that is at rest, or waits for rows that we sent long ago, is given up; the others go on."""
    said = wired.survives(lambda: wired.to_warehouse.strike_after(Fault.STALL, **place), WIRE_SILENCE="1")
    assert WELL | {LARGE: f"warehouse table `raw.{LARGE}`: {BROKE}"} == said


@pytest.mark.parametrize(
    ("wired", "place"),
    [
        ("mysql56", {"statement": 'COPY "etlkit_stage" \\("PatNum"', "said": 2000}),
        ("mariadb-innodb", {"statement": "UPDATE etlkit.runs"}),
    ],
    ids=["mid COPY", "end of the run"],
    indirect=["wired"],
)
def test_recovery(wired: Wired, place: Mapping[str, Any]) -> None:
    """A wire that breaks once costs a moment: what failed is tried again in the same run."""
    said = wired.survives(
        lambda: wired.to_warehouse.strike_after(Fault.RESET, **place), recovered=True, WIRE_RETRIES="1"
    )
    assert WELL == said


@pytest.mark.parametrize(
    ("wired", "how"),
    [
        ("mariadb-myisam", {"slice_bytes": 1}),
        ("mysql56", {"bytes_per_second": 10_000}),
        ("mariadb-innodb", {"latency_seconds": 0.02}),
    ],
    ids=["byte by byte", "10 KB/s", "latency"],
    indirect=["wired"],
)
def test_slow_wires(wired: Wired, how: Mapping[str, Any]) -> None:
    """A wire that is slow makes a run slow, and nothing else."""

    def slow() -> None:
        for name, value in how.items():
            setattr(wired.to_warehouse, name, value)

    said = wired.survives(slow, "--select", "patient", recovered=True)
    assert {"patient": None} == said


@contextmanager
def over(wire: FaultProxy, warehouse: WarehouseDatabase) -> Iterator[sa.Connection]:
    """Connect to a warehouse at the other end of a wire as the product does, with a second of patience."""
    settings = Settings(
        deployment="north",
        source=SourceSettings(url=MySQLUrl.parse("mysql://nobody@localhost:1/none")),
        warehouse=WarehouseSettings(url=PostgresUrl.parse(wire.through(warehouse.url)), silence_seconds=1),
    )
    with ConnectionFactory(settings) as factory, factory.warehouse().connect() as connection:
        yield connection


def test_a_statement_takes_long(warehouse: WarehouseDatabase) -> None:
    """A statement may take longer than `silence_seconds`, as long as the warehouse is at work on it."""
    with FaultProxy(warehouse.server.access.port) as wire, over(wire, warehouse) as connection:
        assert "done" == connection.scalar(sa.text("SELECT 'done' FROM pg_sleep(2.5)"))
        assert wire.connections > 1


def test_a_statement_takes_long_when_the_warehouse_is_full(warehouse: WarehouseDatabase) -> None:
    """A warehouse that has no connection left for the question is there nevertheless."""
    administrator = sa.make_url(warehouse.url)
    user = f"user_of_{warehouse.name}"
    warehouse.execute(f"CREATE ROLE {user} LOGIN CONNECTION LIMIT 1 PASSWORD '{administrator.password}'")
    try:
        url = administrator.set(username=user).render_as_string(hide_password=False)
        alone = attrs.evolve(warehouse, url=url)
        with FaultProxy(warehouse.server.access.port) as wire, over(wire, alone) as connection:
            assert "done" == connection.scalar(sa.text("SELECT 'done' FROM pg_sleep(2.5)"))
            assert wire.connections > 1
        ended(warehouse)
    finally:
        warehouse.execute(f"DROP ROLE {user}")


def ended(warehouse: WarehouseDatabase) -> None:
    """Wait until the server has no session of ours any more."""
    until = time.monotonic() + 30
    while at_work := sessions(warehouse):
        assert time.monotonic() < until, at_work
        time.sleep(0.01)
