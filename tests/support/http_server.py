"""A small server of this machine, for what is sent by HTTP: it keeps what it receives, and answers with pages."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import attrs


@attrs.frozen(kw_only=True)
class Received:
    """A request with a body."""

    method: str
    path: str
    body: str


@attrs.define(kw_only=True)
class HTTPServer:
    """The server, as a test sees it."""

    address: str
    """Host and port."""
    received: list[Received] = attrs.field(factory=list)
    """All requests that had a body, in their order."""
    pages: dict[str, str] = attrs.field(factory=dict)
    """By path what a GET is answered with; what is not there is not found."""
    status: int = 200
    """What requests with a body are answered with."""


@contextmanager
def http_server() -> Iterator[HTTPServer]:
    """Run a server on 127.0.0.1 while the block lasts."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            page = kept.pages.get(self.path)
            self._answer(404 if page is None else 200, page or "")

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            kept.received.append(Received(method=self.command, path=self.path, body=body))
            self._answer(kept.status, "")

        do_PUT = do_POST  # noqa: N815 - the name that the library calls

        def _answer(self, status: int, text: str) -> None:
            self.send_response(status)
            self.send_header("Content-Length", str(len(text.encode())))
            self.end_headers()
            self.wfile.write(text.encode())

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    kept = HTTPServer(address=f"127.0.0.1:{server.server_port}")
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield kept
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
