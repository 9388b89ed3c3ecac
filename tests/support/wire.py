"""A wire between a program and a server that becomes slow, or dead, in the middle of what the server says.

It remembers what was said in both directions.
"""

from __future__ import annotations

import contextlib
import math
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Self

from sqlalchemy.engine import make_url

_HOST = "127.0.0.1"
_PIECE = 64 * 1024
_TRICKLE_BYTES = 2000
_TRICKLE_SECONDS = 0.02


class Wire:
    """Forwards TCP connections to a server on this machine; a context manager that cuts them all at the end."""

    def __init__(self, port: int, *, after: int | None = None, trickle: bool = False) -> None:
        """Name the server.

        Args:
            port: where the server listens.
            after: bytes that the server may say, on all connections together, before the wire becomes slow; None for
                a wire that never does.
            trickle: go on by little pieces then, instead of passing nothing more.
        """
        self._port = port
        self._left = math.inf if after is None else after
        self._pieces: list[bytes] = []
        self._trickle = trickle
        self._over = threading.Event()
        self._sockets: list[socket.socket] = []
        self.slow = threading.Event()
        """Set when the wire became slow."""

    def __enter__(self) -> Self:
        self._listener = socket.create_server((_HOST, 0))
        self.port: int = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        for each in (self._listener, *self._sockets):
            _cut(each)

    def through(self, url: str) -> str:
        """Give the URL of the same server over this wire."""
        return make_url(url).set(host=_HOST, port=self.port).render_as_string(hide_password=False)

    @property
    def heard(self) -> bytes:
        """All that was said so far, in both directions, connections and pieces in the order they came."""
        return b"".join(self._pieces)

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                ours, _ = self._listener.accept()
                theirs = socket.create_connection((_HOST, self._port))
                self._sockets += [ours, theirs]
                threading.Thread(target=self._ask, args=(ours, theirs), daemon=True).start()
                threading.Thread(target=self._answer, args=(theirs, ours), daemon=True).start()

    def _ask(self, ours: socket.socket, theirs: socket.socket) -> None:
        with _cutting(ours, theirs):
            while data := ours.recv(_PIECE):
                self._pieces.append(data)
                theirs.sendall(data)

    def _answer(self, theirs: socket.socket, ours: socket.socket) -> None:
        with _cutting(ours, theirs):
            while data := theirs.recv(_PIECE if self._left > 0 else _TRICKLE_BYTES):
                if self._left <= 0:
                    self.slow.set()
                    if self._over.wait(_TRICKLE_SECONDS if self._trickle else None):
                        return
                self._pieces.append(data)
                ours.sendall(data)
                self._left -= len(data)


@contextmanager
def _cutting(*sockets: socket.socket) -> Iterator[None]:
    with contextlib.suppress(OSError):
        yield
    for each in sockets:
        _cut(each)


def _cut(each: socket.socket) -> None:
    with contextlib.suppress(OSError):
        each.shutdown(socket.SHUT_RDWR)
    each.close()
