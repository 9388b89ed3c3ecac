"""A place for rows that must be fetched in one go: memory first, then an unnamed file that no crash leaves behind."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from types import TracebackType
from typing import Self

import attrs

from etlkit.transfer.chunk import Chunk

_IN_MEMORY = 8 * 1024 * 1024


class Spool:
    """Keeps chunks in their order. A context manager."""

    def __init__(self) -> None:
        """Begin empty."""
        self._file = tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY)  # noqa: SIM115 - closed by __exit__
        self._chunks: list[tuple[int, Chunk]] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()

    def add(self, chunk: Chunk) -> None:
        """Keep a chunk.

        Args:
            chunk: whole rows.
        """
        self._file.write(chunk.data)
        self._chunks.append((len(chunk.data), attrs.evolve(chunk, data=b"")))

    def clear(self) -> None:
        """Forget everything."""
        self._file.seek(0)
        self._file.truncate()
        self._chunks.clear()

    def chunks(self) -> Iterator[Chunk]:
        """Give back the chunks.

        Yields:
            Chunks in their order.
        """
        self._file.seek(0)
        for length, chunk in self._chunks:
            yield attrs.evolve(chunk, data=self._file.read(length))
