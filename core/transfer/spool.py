"""A place for rows that must be fetched in one go: memory first, then an unnamed file that no crash leaves behind."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from types import TracebackType
from typing import Self

import attrs

from etlkit.errors import ExtractionError
from etlkit.transfer.chunk import Fetched

_IN_MEMORY = 8 * 1024 * 1024


class Spool:
    """Keeps rows in their order. A context manager."""

    def __init__(self) -> None:
        """Begin empty."""
        self._file = tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY)  # noqa: SIM115 - closed by __exit__
        self._kept: list[tuple[int, Fetched]] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()

    def add(self, fetched: Fetched) -> None:
        """Keep rows.

        Args:
            fetched: whole rows.

        Raises:
            ExtractionError: the folder for temporary files is full or not to be written.
        """
        try:
            self._file.write(fetched.data)
        except OSError as error:
            reason = (error.strerror or type(error).__name__).lower()
            raise ExtractionError(
                f"rows read in one go could not be kept in `{tempfile.gettempdir()}` ({reason}); "
                "make room there, or name another folder in TMPDIR"
            ) from None
        self._kept.append((len(fetched.data), attrs.evolve(fetched, data=b"")))

    def clear(self) -> None:
        """Forget everything."""
        self._file.seek(0)
        self._file.truncate()
        self._kept.clear()

    def kept(self) -> Iterator[Fetched]:
        """Give the rows back.

        Yields:
            What was kept, in its order.
        """
        self._file.seek(0)
        for length, fetched in self._kept:
            yield attrs.evolve(fetched, data=self._file.read(length))
