"""Certificates for servers of the tests."""

from __future__ import annotations

import asyncio
import queue
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import attrs
import trustme

from etlkit.demo.accounts import ServerAccount


@attrs.frozen(kw_only=True)
class Certificates:
    """A server's certificate for `localhost`, and who signed it."""

    authority: Path
    """The authority's certificate, for clients."""

    certificate: Path
    """The server's certificate."""

    key: Path
    """The server's key, which belongs to the user that the server runs as."""


def make_certificates(folder: Path) -> Certificates:
    """Sign a certificate for the name `localhost`, and not for its address.

    Args:
        folder: an existing folder that the server's user can pass through.
    """
    authority = trustme.CA()
    server = authority.issue_cert("localhost")
    made = Certificates(
        authority=folder / "ca.pem", certificate=folder / "server.pem", key=folder / "server.key"
    )
    authority.cert_pem.write_to_path(made.authority)
    server.cert_chain_pems[0].write_to_path(made.certificate)
    server.private_key_pem.write_to_path(made.key)
    account = ServerAccount.for_folder(folder / "data")
    for path in (made.authority, made.certificate):
        path.chmod(0o644)
    account.own(made.key, 0o600)
    return made


@contextmanager
def tls_in_front(port: int, certificates: Certificates) -> Iterator[int]:
    """Encrypt the way to a PostgreSQL that was built without TLS, as its own TLS would.

    Args:
        port: the server's port on 127.0.0.1.
        certificates: what to show to clients.

    Yields:
        The port on 127.0.0.1 that answers a client's wish for TLS.
    """
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificates.certificate, certificates.key)

    async def pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
        writer.close()

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await reader.readexactly(8)  # SSLRequest
            writer.write(b"S")
            await writer.start_tls(context)
            there, back = await asyncio.open_connection("127.0.0.1", port)
            await asyncio.gather(pump(reader, back), pump(there, writer))
        except (OSError, asyncio.IncompleteReadError):
            pass  # a client that does not trust the certificate hangs up
        finally:
            writer.close()

    async def serve() -> None:
        stop = asyncio.Event()
        async with await asyncio.start_server(answer, "127.0.0.1", 0) as server:
            running.put((server.sockets[0].getsockname()[1], asyncio.get_running_loop(), stop))
            await stop.wait()

    running: queue.Queue[tuple[int, asyncio.AbstractEventLoop, asyncio.Event]] = queue.Queue()
    thread = threading.Thread(target=lambda: asyncio.run(serve()))
    thread.start()
    front, loop, stop = running.get(timeout=10)
    try:
        yield front
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join()


def make_stranger(path: Path) -> Path:
    """Write the certificate of an authority that signed nothing of ours.

    Args:
        path: the file.

    Returns:
        The same path.
    """
    trustme.CA().cert_pem.write_to_path(path)
    return path
