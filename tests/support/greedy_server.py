"""A server that answers each question by asking for a file, as the protocol lets it."""

from __future__ import annotations

import socket
import struct
import threading
from types import TracebackType
from typing import Self

from pymysql.constants import CLIENT

_OK = b"\x00\x00\x00\x02\x00\x00\x00"
_QUIT = b"\x01"
_ABILITIES = CLIENT.PROTOCOL_41 | CLIENT.SECURE_CONNECTION | CLIENT.PLUGIN_AUTH | CLIENT.LOCAL_FILES


class GreedyServer:
    """Serves one connection. A context manager; what it was given is complete behind the block."""

    def __init__(self, wanted: str) -> None:
        """Prepare.

        Args:
            wanted: the file that it asks for.
        """
        self._wanted = wanted.encode()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self.port: int = self._listener.getsockname()[1]
        """Where it listens."""
        self.given = b""
        """What it was given."""

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._thread.join(30)
        self._listener.close()

    def _serve(self) -> None:
        client, _ = self._listener.accept()
        with client, client.makefile("rb") as wire:
            abilities = struct.pack("<I", _ABILITIES)
            greeting = b"\x0a10.11.6-MariaDB\x00\x01\x00\x00\x00" + b"s" * 8 + b"\x00" + abilities[:2]
            greeting += b"\x21\x02\x00" + abilities[2:] + b"\x15" + b"\x00" * 10 + b"s" * 12 + b"\x00"
            client.sendall(_packet(greeting + b"mysql_native_password\x00", 0))
            _, number = _read(wire)
            client.sendall(_packet(_OK, number + 1))
            while (question := _read(wire))[0] not in {b"", _QUIT}:
                said, number = question
                if said[1:].lstrip().upper().startswith(b"SET "):
                    client.sendall(_packet(_OK, number + 1))
                    continue
                client.sendall(_packet(b"\xfb" + self._wanted, number + 1))
                while (part := _read(wire))[0]:
                    said, number = part
                    self.given += said
                if part[1] < 0:
                    return
                client.sendall(_packet(_OK, part[1] + 1))


def _packet(body: bytes, number: int) -> bytes:
    return struct.pack("<I", len(body))[:3] + bytes([number % 256]) + body


def _read(wire: object) -> tuple[bytes, int]:
    """Give a packet and its number; nothing and -1 where the client hung up."""
    try:
        head = wire.read(4)  # type: ignore[attr-defined]
    except ConnectionError:
        head = b""
    if len(head) < 4:
        return b"", -1
    return wire.read(int.from_bytes(head[:3], "little")), head[3]  # type: ignore[attr-defined]
