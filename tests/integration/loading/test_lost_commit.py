"""The answer to COMMIT is cut off: what was committed counts, what was not is told as a failure."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from etlkit.errors import LoadError
from support.fault_proxy import Fault, FaultProxy
from support.loading import Loading, loading_of

pytestmark = pytest.mark.parametrize("source", ["mariadb-innodb"], indirect=True)


COMMIT = "^Q....COMMIT"
"""A simple query of PostgreSQL's protocol."""


@contextmanager
def through(loading: Loading) -> Iterator[tuple[Loading, FaultProxy]]:
    """Load over a wire, unencrypted so that it can read the protocol."""
    with (
        FaultProxy(loading.warehouse.server.access.port) as wire,
        loading_of(loading.source, loading.warehouse, wire.through(loading.warehouse.url)) as made,
    ):
        yield made, wire


def fill(loading: Loading) -> None:
    """Make and load a table, and change it."""
    loading.source.execute(
        "CREATE TABLE t (id INT PRIMARY KEY, v INT)", "INSERT INTO t VALUES (1, 1), (2, 2)"
    )
    loading.load("t")
    loading.source.execute("UPDATE t SET v = 20 WHERE id = 2")


def test_a_commit_that_took_place(loading: Loading) -> None:
    """When only the answer was lost, the load is found committed and counts."""
    fill(loading)
    with through(loading) as (relayed, wire):
        plan = relayed.plan("t")
        wire.strike_after(Fault.HANG_UP, statement=COMMIT)
        assert 1 == relayed.carry_out(plan).updated
    assert [(1, 1), (2, 20)] == loading.there()
    assert 2 == loading.warehouse.value("SELECT generation FROM etlkit.table_state")


def test_a_commit_that_did_not(loading: Loading) -> None:
    """When the COMMIT never arrived, the load failed, kept nothing, and the next one does it."""
    fill(loading)
    with through(loading) as (relayed, wire):
        plan = relayed.plan("t")
        wire.strike_after(Fault.HANG_UP, statement=COMMIT, forward=False)
        with pytest.raises(LoadError) as caught:
            relayed.carry_out(plan)
        assert (
            "warehouse table `raw.t`: the connection to the warehouse broke before it confirmed anything; run again"
        ) == str(caught.value)
        assert [(1, 1), (2, 2)] == loading.there()
        assert (2, 0, 1, 0, 1) == relayed.load("t")
