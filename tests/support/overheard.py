"""A wire to a server that remembers all that is said on it, in both directions."""

from __future__ import annotations

import contextlib
import socket
import threading
from types import TracebackType
from typing import Self

from sqlalchemy.engine import make_url

_HOST = "127.0.0.1"
_PIECE = 64 * 1024


class OverheardWire:
    """Forwards TCP connections to a server on this machine; a context manager that cuts them all at the end."""

    def __init__(self, port: int) -> None:
        """Name the server.

        Args:
            port: where the server listens.
        """
        self._port = port
        self._sockets: list[socket.socket] = []
        self._pieces: list[bytes] = []

    def __enter__(self) -> Self:
        self._listener = socket.create_server((_HOST, 0))
        self.port: int = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for each in (self._listener, *self._sockets):
            _cut(each)

    @property
    def heard(self) -> bytes:
        """All that was said so far, in the order it came."""
        return b"".join(self._pieces)

    def through(self, url: str) -> str:
        """Give the URL of the same server over this wire."""
        return make_url(url).set(host=_HOST, port=self.port).render_as_string(hide_password=False)

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                ours, _ = self._listener.accept()
                theirs = socket.create_connection((_HOST, self._port))
                self._sockets += [ours, theirs]
                for one, other in ((ours, theirs), (theirs, ours)):
                    threading.Thread(target=self._pass_on, args=(one, other), daemon=True).start()

    def _pass_on(self, one: socket.socket, other: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := one.recv(_PIECE):
                self._pieces.append(data)
                other.sendall(data)
        for each in (one, other):
            _cut(each)


def _cut(each: socket.socket) -> None:
    with contextlib.suppress(OSError):
        each.shutdown(socket.SHUT_RDWR)
    each.close()
