"""The wire that fails does what its faults say: else a test of a fault would prove nothing."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Iterator

import pytest

from support.fault_proxy import Fault, FaultProxy

HOST = "127.0.0.1"


@pytest.fixture
def proxy() -> Iterator[FaultProxy]:
    """A wire to a server that repeats what it hears."""
    with socket.create_server((HOST, 0)) as listener:
        threading.Thread(target=repeat, args=(listener,), daemon=True).start()
        with FaultProxy(listener.getsockname()[1]) as made:
            yield made
        listener.shutdown(socket.SHUT_RDWR)


def repeat(listener: socket.socket) -> None:
    """Repeat what each client says, until the listener is closed."""
    while True:
        try:
            client, _ = listener.accept()
        except OSError:
            return
        threading.Thread(target=answer, args=(client,), daemon=True).start()


def answer(client: socket.socket) -> None:
    """Repeat what one client says."""
    with contextlib.suppress(OSError), client:
        while data := client.recv(65536):
            client.sendall(data)


def called(proxy: FaultProxy) -> socket.socket:
    """Connect through the proxy, and make sure that both sides are there."""
    client = socket.create_connection((HOST, proxy.port), timeout=20)
    assert b"hello" == asked(client, b"hello")
    return client


def asked(client: socket.socket, words: bytes) -> bytes:
    """Say something, and give the whole answer."""
    client.sendall(words)
    return heard(client, len(words))


def heard(client: socket.socket, size: int) -> bytes:
    """Give the next bytes, or less at an end."""
    answered = b""
    while len(answered) < size and (data := client.recv(size - len(answered))):
        answered += data
    return answered


def test_counts(proxy: FaultProxy) -> None:
    """A good wire passes everything on, and counts."""
    large = b"x" * 300_000
    with called(proxy) as client:
        assert large == asked(client, large)
        assert (1, 1, 300_005, 300_005) == (proxy.connections, proxy.open, proxy.said, proxy.answered)


@pytest.mark.parametrize("direction", ["said", "answered"])
def test_reset_after_bytes(proxy: FaultProxy, direction: str) -> None:
    """A reset strikes behind exactly so many bytes, meets the connection that talks, and happens once."""
    with called(proxy) as silent, called(proxy) as client:
        proxy.strike_after(Fault.RESET, **{direction: 1000})
        client.sendall(b"x" * 1001)
        with pytest.raises(ConnectionResetError):
            heard(client, 10_000)
        assert proxy.struck.is_set()
        assert 1010 == getattr(proxy, direction)
        assert b"still here" == asked(silent, b"still here")
        called(proxy).close()


def test_hang_up(proxy: FaultProxy) -> None:
    """A connection that is hung up ends in order."""
    with called(proxy) as client:
        proxy.strike(Fault.HANG_UP)
        assert b"" == client.recv(1)


@pytest.mark.parametrize(("forward", "before"), [(True, 12), (False, 5)])
def test_statement(proxy: FaultProxy, *, forward: bool, before: int) -> None:
    """The answer to a statement is cut off; the server has got the statement, or not."""
    with called(proxy) as client:
        proxy.strike_after(Fault.RESET, statement="commit", forward=forward)
        client.sendall(b"commit;")
        with pytest.raises(ConnectionResetError):
            client.recv(1)
        assert (before, 5) == (proxy.said, proxy.answered)


def test_bytes_behind_a_statement(proxy: FaultProxy) -> None:
    """Bytes are counted from a statement on."""
    with called(proxy) as client:
        proxy.strike_after(Fault.RESET, statement="select", answered=20)
        assert b"x" * 100 == asked(client, b"x" * 100)
        client.sendall(b"select" + b"y" * 30)
        with pytest.raises(ConnectionResetError):
            heard(client, 36)
        assert 125 == proxy.answered


def test_black_hole(proxy: FaultProxy) -> None:
    """In a black hole nothing is acknowledged, on open connections and on new ones."""
    with called(proxy) as client, called(proxy) as patient:
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, 300)
        proxy.strike(Fault.BLACK_HOLE)
        client.sendall(b"lost")
        with pytest.raises(TimeoutError, match="Connection timed out"):  # the system's, not the socket's own
            client.recv(1)
        with pytest.raises(TimeoutError):
            socket.create_connection((HOST, proxy.port), timeout=0.3)
        proxy.heal()
        assert b"well" == asked(patient, b"well")


def test_stall(proxy: FaultProxy) -> None:
    """A connection that stalls leaves the others alone, and goes on when the wire is well again."""
    with called(proxy) as other, called(proxy) as client:
        proxy.strike_after(Fault.STALL, statement=("one", "two"))
        assert b"two, one" == asked(client, b"two, one")
        client.sendall(b"two")
        assert proxy.struck.wait(20)
        assert b"others" == asked(other, b"others")
        proxy.heal()
        assert b"two" == heard(client, 3)


def test_silence(proxy: FaultProxy) -> None:
    """Silence acknowledges everything and answers nothing; when it ends, the connection goes on."""
    with called(proxy) as client:
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, 100)
        proxy.strike_after(Fault.SILENCE, answered=2)
        client.sendall(b"kept")
        assert proxy.struck.wait(20)
        client.settimeout(0.3)
        assert b"ke" == heard(client, 2)
        with pytest.raises(TimeoutError, match="timed out"):
            client.recv(1)
        client.settimeout(20)
        proxy.heal()
        assert b"pt" == heard(client, 2)


def test_slices(proxy: FaultProxy) -> None:
    """Slices arrive one by one, and all of them arrive."""
    with called(proxy) as client:
        proxy.slice_bytes = 1
        assert b"slowly, slowly" == asked(client, b"slowly, slowly")


def test_slow_wires(proxy: FaultProxy) -> None:
    """Latency delays each answer, and a bandwidth is kept to."""
    with called(proxy) as client:
        proxy.latency_seconds, proxy.bytes_per_second = 0.2, 10_000
        client.settimeout(0.1)
        client.sendall(b"x" * 2000)
        with pytest.raises(TimeoutError):
            client.recv(1)
        client.settimeout(20)
        assert b"x" * 2000 == heard(client, 2000)
