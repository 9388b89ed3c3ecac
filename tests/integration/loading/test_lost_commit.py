"""The answer to COMMIT is cut off: what was committed counts, what was not is told as a failure."""

from __future__ import annotations

import selectors
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import attrs
import pytest
from sqlalchemy.engine import make_url

from etlkit.errors import LoadError
from support.loading import Loading, loading_of

pytestmark = pytest.mark.parametrize("source", ["mariadb-innodb"], indirect=True)

COMMIT = b"Q\x00\x00\x00\x0bCOMMIT\x00"
"""A simple query of PostgreSQL's protocol."""


@attrs.define
class Wire:
    """A TCP relay to the warehouse that can cut a connection at its next COMMIT."""

    port: int
    cut: str = ""
    """`before` the server gets the COMMIT, `after` it answered, or empty for not at all."""


@contextmanager
def wire_to(port: int) -> Iterator[Wire]:
    """Relay connections to a port of this machine."""
    listener = socket.create_server(("127.0.0.1", 0))
    wire = Wire(listener.getsockname()[1])

    def accept() -> None:
        while True:
            try:
                client, _ = listener.accept()
            except OSError:
                return
            server = socket.create_connection(("127.0.0.1", port))
            threading.Thread(target=relay, args=(client, server, wire), daemon=True).start()

    thread = threading.Thread(target=accept, daemon=True)
    thread.start()
    yield wire
    listener.shutdown(socket.SHUT_RDWR)
    listener.close()
    thread.join()


def relay(client: socket.socket, server: socket.socket, wire: Wire) -> None:
    """Pass bytes on in both directions until one side ends or the wire is cut."""
    with selectors.DefaultSelector() as selector, client, server:
        selector.register(client, selectors.EVENT_READ, server)
        selector.register(server, selectors.EVENT_READ, client)
        while True:
            for key, _ in selector.select():
                data = key.fileobj.recv(65536)  # type: ignore[union-attr]
                if not data:
                    return
                if wire.cut and key.fileobj is client and data == COMMIT:
                    if wire.cut == "after":
                        server.sendall(data)
                        server.recv(65536)
                    wire.cut = ""
                    return
                key.data.sendall(data)


@contextmanager
def through(loading: Loading) -> Iterator[tuple[Loading, Wire]]:
    """Load through a relay, unencrypted so that it can read the protocol."""
    url = make_url(loading.warehouse.url)
    with wire_to(url.port or 5432) as wire:
        relayed = url.set(port=wire.port).render_as_string(hide_password=False)
        with loading_of(loading.source, loading.warehouse, relayed) as made:
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
        wire.cut = "after"
        assert 1 == relayed.carry_out(plan).updated
    assert [(1, 1), (2, 20)] == loading.there()
    assert 2 == loading.warehouse.value("SELECT generation FROM etlkit.table_state")


def test_a_commit_that_did_not(loading: Loading) -> None:
    """When the COMMIT never arrived, the load failed, kept nothing, and the next one does it."""
    fill(loading)
    with through(loading) as (relayed, wire):
        plan = relayed.plan("t")
        wire.cut = "before"
        with pytest.raises(LoadError) as caught:
            relayed.carry_out(plan)
        assert (
            "warehouse table `raw.t`: the connection to the warehouse broke before it confirmed anything; run again"
        ) == str(caught.value)
        assert [(1, 1), (2, 2)] == loading.there()
        assert (2, 0, 1, 0, 1) == relayed.load("t")
