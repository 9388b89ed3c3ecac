"""A wire of our own between etlkit and a server, which can fail in every way that a real network fails.

A proxy listens on 127.0.0.1 and forwards to a server on this machine. Its faults are switched while connections are
open, and strike at a byte or at a statement, so that a test knows where in a conversation it failed.
"""

from __future__ import annotations

import asyncio
import ctypes
import enum
import re
import socket
import struct
import threading
from collections.abc import Callable, Coroutine
from types import TracebackType
from typing import Any, Self, TypeVar

import attrs
from sqlalchemy.engine import make_url

_HOST = "127.0.0.1"
_PIECE = 64 * 1024
_WAITING_PIECES = 64
_PATIENCE_SECONDS = 60
_CRAWL_BYTES = 100_000

_LINGER_ZERO = struct.pack("ii", 1, 0)
# Not among Python's constants; the numbers are Linux's.
_ATTACH_FILTER, _DETACH_FILTER = 26, 27
_DROP_EVERYTHING = ctypes.create_string_buffer(struct.pack("HBBI", 0x06, 0, 0, 0))  # BPF_RET | BPF_K, 0 bytes
_FILTER = struct.pack("HL", 1, ctypes.addressof(_DROP_EVERYTHING))

Given = TypeVar("Given")


class Fault(enum.Enum):
    """What can happen to a connection."""

    RESET = "both ends get a TCP reset"
    HANG_UP = "both ends see the other one close the connection in order"
    BLACK_HOLE = (
        "packets are lost from now on: nothing is passed on and nothing acknowledged, on no connection"
    )
    SILENCE = "nothing is passed on any more, on no connection, although every packet is acknowledged"
    STALL = "nothing is passed on any more, on this connection, although every packet is acknowledged"
    CRAWL = "everything is passed on by little pieces from now on"


@attrs.frozen(kw_only=True)
class _Strike:
    """A fault that waits for its moment."""

    fault: Fault
    said: float = float("inf")
    """It strikes when so many bytes in all were said by clients,"""
    answered: float = float("inf")
    """or so many by the server."""
    statements: tuple[re.Pattern[bytes], ...] = ()
    """Before the bytes are counted, clients say something that fits these, one after the other."""
    forward: bool = True
    """Whether the server gets the statement."""


class FaultProxy:
    """Forwards TCP connections; a context manager that resets what is left of them at its end.

    All methods may be called while connections are open. Counts are of all connections together.
    """

    def __init__(self, port: int) -> None:
        """Name the server.

        Args:
            port: where it listens on 127.0.0.1.
        """
        self._server = port
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="fault-proxy", daemon=True)
        self._links: set[_Link] = set()
        self._strike: _Strike | None = None
        self._lost = False
        self._silent = False
        self.struck = threading.Event()
        """Set when the fault that was asked for has happened."""
        self.connections = 0
        """Connections that were made."""
        self.said = 0
        """Bytes that clients said, and the server was given."""
        self.answered = 0
        """Bytes that the server answered, and clients were given."""
        self.latency_seconds = 0.0
        """How long each answer is under way."""
        self.slice_bytes = 0
        """Pass on so few bytes at a time; 0 for no limit."""
        self.bytes_per_second = 0
        """Pass on so few in a second and direction; 0 for no limit."""

    def __enter__(self) -> Self:
        self._listener = socket.create_server((_HOST, 0))
        self.port: int = self._listener.getsockname()[1]
        self._thread.start()
        self._accepting = self._done(asyncio.start_server(self._accept, sock=self._listener, limit=_PIECE))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._done(self._end())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def through(self, url: str) -> str:
        """Give the URL of the same server over this wire.

        Args:
            url: of the server.
        """
        return make_url(url).set(host=_HOST, port=self.port).render_as_string(hide_password=False)

    @property
    def open(self) -> int:
        """Connections that are open now."""
        return len(self._links)

    @property
    def armed(self) -> bool:
        """Whether a fault still waits for its moment."""
        return self._strike is not None

    def strike(self, fault: Fault) -> None:
        """Let a fault happen now, to every connection.

        Args:
            fault: which one.
        """
        self._call(lambda: self._happen(fault, set(self._links)))

    def strike_after(
        self,
        fault: Fault,
        *,
        said: int | None = None,
        answered: int | None = None,
        statement: str | tuple[str, ...] = (),
        forward: bool = True,
    ) -> None:
        """Let a fault happen once, later; a reset meets the connection that is talking then, and no other one.

        Args:
            fault: which one.
            said: bytes that clients may still say.
            answered: bytes that the server may still answer.
            statement: a regular expression; bytes are counted from the moment when a client says something that
                fits. Without a number of bytes, nothing of the answer to it is passed on. Of several, the last one
                counts, and they are said one after the other.
            forward: whether the server gets that statement at all.
        """
        statements = (statement,) if isinstance(statement, str) else statement
        if statements and said is None:
            answered = answered or 0
        # With a statement, the counts begin when it is said.
        before = (0, 0) if statements else (self.said, self.answered)
        wanted = _Strike(
            fault=fault,
            said=float("inf") if said is None else before[0] + said,
            answered=float("inf") if answered is None else before[1] + answered,
            statements=tuple(re.compile(each.encode(), re.DOTALL) for each in statements),
            forward=forward,
        )

        def set_up() -> None:
            self.struck.clear()
            self._strike = wanted

        self._call(set_up)

    def heal(self) -> None:
        """Be a good wire again; connections that are still open go on."""

        def well() -> None:
            self._strike = None
            self.latency_seconds, self.slice_bytes, self.bytes_per_second = 0.0, 0, 0
            self._lose(lost=False)
            self._silent = False
            for link in self._links:
                link.passing.set()

        self._call(well)

    def cut_all(self) -> None:
        """Forget what is open, on both sides, as when the machine in between is restarted; then be a good wire."""
        self.strike(Fault.RESET)
        self.heal()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            there, back = await asyncio.open_connection(_HOST, self._server, limit=_PIECE)
        except OSError:
            _reset(writer)
            return
        link = _Link(proxy=self, client=(reader, writer), server=(there, back))
        if not self._silent:
            link.passing.set()
        self._links.add(link)
        try:
            await link.carry()
        finally:
            self._links.discard(link)

    async def _end(self) -> None:
        self._strike = None
        self._accepting.close()
        for link in list(self._links):
            link.reset()
        self._lose(lost=False)
        waiting = [each for each in asyncio.all_tasks(self._loop) if each is not asyncio.current_task()]
        for each in waiting:
            each.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)

    def _happen(self, fault: Fault, links: set[_Link]) -> None:
        self._strike = None
        if fault is Fault.RESET:
            for link in links:
                link.reset()
        elif fault is Fault.HANG_UP:
            for link in links:
                link.hang_up()
        elif fault is Fault.CRAWL:
            self.bytes_per_second = _CRAWL_BYTES
        else:
            self._silent = fault is not Fault.STALL
            for link in set(self._links) if self._silent else links:
                link.passing.clear()
            if fault is Fault.BLACK_HOLE:
                self._lose(lost=True)
        self.struck.set()

    def _lose(self, *, lost: bool) -> None:
        """Lose every packet that arrives from now on, or none."""
        if lost == self._lost:
            return
        self._lost = lost
        for each in (self._listener, *(end for link in self._links for end in link.sockets())):
            if lost:
                each.setsockopt(socket.SOL_SOCKET, _ATTACH_FILTER, _FILTER)
            else:
                each.setsockopt(socket.SOL_SOCKET, _DETACH_FILTER, 0)
        if not lost:
            # Of clients that gave up meanwhile nothing was heard, and nothing will be unless they are asked.
            for link in self._links:
                link.ask_client()

    def _call(self, what: Callable[[], None]) -> None:
        async def called() -> None:
            what()

        self._done(called())

    def _done(self, what: Coroutine[Any, Any, Given]) -> Given:
        return asyncio.run_coroutine_threadsafe(what, self._loop).result(_PATIENCE_SECONDS)


_End = tuple[asyncio.StreamReader, asyncio.StreamWriter]


@attrs.frozen(kw_only=True, eq=False)
class _Link:
    """One connection through the proxy; all of it happens in the proxy's thread."""

    proxy: FaultProxy
    client: _End
    server: _End
    passing: asyncio.Event = attrs.field(factory=asyncio.Event)
    """Set while anything is passed on."""

    def sockets(self) -> list[socket.socket]:
        """Both ends that are open, for their options."""
        return [
            writer.get_extra_info("socket")
            for _, writer in (self.client, self.server)
            if not writer.transport.is_closing()
        ]

    def ask_client(self) -> None:
        """Find out soon whether the client is still there."""
        writer = self.client[1]
        if not writer.transport.is_closing():
            its = writer.get_extra_info("socket")
            its.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
            its.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, 1)

    def reset(self) -> None:
        """Send a TCP reset to both ends."""
        _reset(self.client[1])
        _reset(self.server[1])

    def hang_up(self) -> None:
        """Close both ends in order."""
        for _, writer in (self.client, self.server):
            writer.close()

    async def carry(self) -> None:
        """Pass on until one end closes or the connection is cut."""
        both = (
            self._pass(self.client[0], self.server[1], answers=False),
            self._pass(self.server[0], self.client[1], answers=True),
        )
        try:
            async with asyncio.TaskGroup() as group:
                for each in both:
                    group.create_task(each)
        except* OSError:
            self.reset()
        finally:
            self.hang_up()

    async def _pass(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, answers: bool
    ) -> None:
        """Pass one direction on; in order, each piece when its time has come."""
        under_way: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue(_WAITING_PIECES)
        loop = asyncio.get_running_loop()

        async def receive() -> None:
            while True:
                data = await reader.read(_PIECE)
                delay = self.proxy.latency_seconds if answers else 0.0
                await under_way.put((loop.time() + delay, data))
                if not data:
                    return

        async with asyncio.TaskGroup() as group:
            group.create_task(receive())
            while True:
                due, data = await under_way.get()
                if due > loop.time():
                    await asyncio.sleep(due - loop.time())
                await self.passing.wait()
                if not data:
                    break
                for piece in self._pieces(data):
                    if not await self._give(writer, piece, answers=answers):
                        return
        self.hang_up()

    def _pieces(self, data: bytes) -> list[bytes]:
        size = self.proxy.slice_bytes or (self.proxy.bytes_per_second // 20) or len(data)
        return [data[place : place + size] for place in range(0, len(data), size)]

    async def _give(self, writer: asyncio.StreamWriter, data: bytes, *, answers: bool) -> bool:
        """Give bytes to an end, up to where a fault strikes; gives whether the connection lives on."""
        proxy = self.proxy
        strike = proxy._strike  # noqa: SLF001 - the other half of one thing
        if strike is not None and strike.statements:
            strike = self._listened(strike, data) if not answers else None
            if strike is None and proxy._strike is None:  # noqa: SLF001 - it struck before the statement
                return await self._survived() and await self._give(writer, data, answers=answers)
        left = len(data)
        if strike is not None:
            limit, passed = (strike.answered, proxy.answered) if answers else (strike.said, proxy.said)
            left = int(min(left, max(0, limit - passed)))
        if left:
            # Counted first: who sees the bytes may look at the count at once.
            if answers:
                proxy.answered += left
            else:
                proxy.said += left
            writer.write(data[:left])
            await writer.drain()
        if proxy.bytes_per_second:
            await asyncio.sleep(left / proxy.bytes_per_second)
        elif proxy.slice_bytes:
            await asyncio.sleep(0)  # a segment of its own
        if strike is None or left == len(data):
            return not writer.transport.is_closing()
        proxy._happen(strike.fault, {self})  # noqa: SLF001
        return await self._survived() and await self._give(writer, data[left:], answers=answers)

    async def _survived(self) -> bool:
        """Wait while nothing is passed on; gives whether the connection is still there."""
        await self.passing.wait()
        return not self.client[1].transport.is_closing()

    def _listened(self, strike: _Strike, data: bytes) -> _Strike | None:
        """Look for the statement that a strike waits for in what a client says."""
        proxy = self.proxy
        if not strike.statements[0].search(data):
            return None
        if strike.statements[1:]:
            proxy._strike = attrs.evolve(strike, statements=strike.statements[1:])  # noqa: SLF001
            return None
        if not strike.forward:
            proxy._happen(strike.fault, {self})  # noqa: SLF001
            return None
        proxy._strike = attrs.evolve(  # noqa: SLF001
            strike,
            statements=(),
            said=proxy.said + strike.said,
            answered=proxy.answered + strike.answered,
        )
        return proxy._strike  # noqa: SLF001


def _reset(writer: asyncio.StreamWriter) -> None:
    transport = writer.transport
    if not transport.is_closing():
        transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER_ZERO)
    transport.abort()
