"""One bounded pipeline: a thread reads the next chunk while the caller writes the last one."""

from __future__ import annotations

import contextlib
import queue
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from types import TracebackType
from typing import Any, Self

from etlkit.source_session import MySQLConnection
from etlkit.stopping import StopSignal, interrupted
from etlkit.transfer.chunk import Chunk, Fetched, Loss
from etlkit.transfer.governor import Governor
from etlkit.transfer.keys import Key
from etlkit.transfer.quarantine import MOST, Quarantined
from etlkit.transfer.reader import Reader
from etlkit.transfer.source_queries import ReadAbandoned, SourceQueries

_POLL_SECONDS = 0.1
_LEAVING_SECONDS = 2.0


class Pipeline:
    """Chunks of one read, fetched ahead. A context manager; leaving it ends the read and drops the source's socket.

    The source's connection is held from the first to the last chunk of the read and given back at once then, so
    that the next table can be read while this one is still being applied.
    """

    def __init__(
        self,
        connect: Callable[[], AbstractContextManager[MySQLConnection]],
        make_reader: Callable[[SourceQueries], Reader],
        *,
        ahead: int,
        governor: Governor | None = None,
        interrupted: StopSignal | None = None,
        rows_read: Callable[[int], None] = lambda _: None,
    ) -> None:
        """Prepare, without connecting.

        Args:
            connect: lends a raw connection to the source.
            make_reader: makes the reader for that connection.
            ahead: how many chunks may wait.
            governor: says when the read may go on; None for at once.
            interrupted: when it is set, the read ends by `RunInterrupted`.
            rows_read: called with the rows given so far.
        """
        self._connect = connect
        self._make_reader = make_reader
        self._governor = governor
        self._queue: queue.Queue[Fetched | BaseException | None] = queue.Queue(maxsize=ahead)
        self._stop = StopSignal()
        self._interrupted = interrupted or StopSignal()
        self._rows_read = rows_read
        self._thread = threading.Thread(target=self._read, name="etlkit-reader", daemon=True)
        self.reader: Reader | None = None
        """The reader, once it is connected; its `began` is known from the first chunk on."""

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()
        # One that still waits for its turn at the source, or for the source's greeting, holds nothing: it is left
        # alone, and gives the connection back as soon as it gets it.
        self._thread.join(_LEAVING_SECONDS)

    def __iter__(self) -> Iterator[Chunk]:
        """Give the chunks in order.

        Yields:
            Chunks.

        Raises:
            EtlkitError: what the reader raised.
        """
        rows = 0
        while (item := self._next()) is not None:
            if isinstance(item, BaseException) or self.reader is None:
                raise item if isinstance(item, BaseException) else RuntimeError("rows without a reader")
            # Here and not where rows are fetched: the source renders the next chunk meanwhile.
            yield self.reader.finished(item)
            rows += item.rows
            self._rows_read(rows)

    def _next(self) -> Fetched | BaseException | None:
        while not self._interrupted.is_set():
            try:
                return self._queue.get(timeout=_POLL_SECONDS)
            except queue.Empty:
                continue
        return interrupted()

    def _read(self) -> None:
        try:
            with self._connect() as connection:
                source = SourceQueries(connection, self._stop, self._governor)
                with self._stop.calling(source.drop):
                    self._go_on()
                    self.reader = self._make_reader(source)
                    for fetched in self.reader.fetch():
                        self._put(fetched)
                        self._go_on()
                # Its socket may have been dropped after the last row: then it must not be lent to anybody else.
                self._go_on()
        except ReadAbandoned:
            return
        except BaseException as error:  # noqa: BLE001 - handed to the thread that waits for chunks
            self._put(error)
        else:
            self._put(None)

    def _go_on(self) -> None:
        if self._stop.is_set():
            raise ReadAbandoned  # the connection's block is left by an exception: the socket is dropped

    def _put(self, item: Fetched | BaseException | None) -> None:
        while not self._stop.is_set():
            with contextlib.suppress(queue.Full):
                self._queue.put(item, timeout=_POLL_SECONDS)
                return


class CopyFile:
    """Chunks as the file that psycopg2's COPY reads from; counts what went through."""

    def __init__(self, chunks: Iterator[Chunk]) -> None:
        """Wrap chunks.

        Args:
            chunks: in order.
        """
        self._chunks = chunks
        self._chunk = Chunk(data=b"", rows=0)
        self._place = 0
        self.rows = 0
        """Rows given."""
        self.size = 0
        """Bytes given."""
        self.losses: Counter[Loss] = Counter()
        """By column and rule, values that are not in what was given as they are."""
        self.quarantined: set[Quarantined] = set()
        """The values in quarantine among these; when there are more than a table may have, not all of them."""
        self.watermark: str | None = None
        """The watermark of what was given."""
        self.last_key: Key | None = None
        """The key behind which to go on; None when nothing is left."""

    def read(self, size: int) -> bytes:
        """Give the next bytes.

        Args:
            size: about so many; escapes may make them more, which psycopg2 takes as they are.

        Returns:
            Bytes; empty at the end.
        """
        while self._place >= len(self._chunk.data):
            chunk = next(self._chunks, None)
            if chunk is None:
                return b""
            self._chunk, self._place = chunk, 0
            self.rows += chunk.rows
            self.losses.update(chunk.losses)
            if chunk.quarantined and len(self.quarantined) <= MOST:
                self.quarantined.update(chunk.quarantined)
            self.watermark = chunk.watermark
            self.last_key = chunk.last_key
        # Piece by piece: it stays in the processor's cache, and the thread that reads, which waits for Python's lock
        # meanwhile, waits less.
        part = self._chunk.copy_text(self._place, size)
        self._place += size
        self.size += len(part)
        return part

    def readline(self, *_: Any) -> bytes:
        """Not used by COPY, but psycopg2 asks that a file has it."""
        raise NotImplementedError
