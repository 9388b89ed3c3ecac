"""Reading a table for a replica: what the source rendered is passed on byte for byte."""

from __future__ import annotations

from collections.abc import Sequence

import attrs

from etlkit.errors import ExtractionError
from etlkit.transfer.chunk import Chunk, Fetched
from etlkit.transfer.reader import Reader
from etlkit.transfer.sentinels import FIELD, NULL, ROW
from etlkit.transfer.wide_rows import WideRows, digits_of, encoded

_FRAME = (FIELD, ROW, NULL)


@attrs.define(kw_only=True)
class ExactReader(Reader):
    """Reads one table once, by `render_exactly`; its chunks are framed, and nothing in them was looked at."""

    def finished(self, fetched: Fetched) -> Chunk:
        """Pass on what was fetched.

        Args:
            fetched: what `fetch` gave.

        Returns:
            The same rows, framed.
        """
        return Chunk(
            data=fetched.data,
            rows=fetched.rows,
            framed=True,
            last_key=fetched.last_key,
            watermark=fetched.watermark,
        )

    def _wide_rows(self) -> WideRows:
        return FramedRows(self.rendered)

    def _may_miss_fields(self) -> bool:
        # A copy is exact or fails: that each row has all its fields is looked at for every table.
        return True


class FramedRows(WideRows):
    """Collects rows of `fields_statement` in the frame that the source would have given them."""

    def add(self, values: Sequence[str | bytes | None]) -> None:
        """Take a row.

        Args:
            values: its fields as the raw connection gives them.

        Raises:
            ExtractionError: the source could not compute a field, or its bytes are no UTF-8.
        """
        row = FIELD.join(self._framed(number, value) for number, value in enumerate(values)) + ROW
        self._lines.append(row)
        self.size += len(row)

    def _framed(self, number: int, value: str | bytes | None) -> bytes:
        if self._raw[number]:
            return NULL if value is None else digits_of(value)
        if value is None:
            raise self._too_large(number)
        field = encoded(value)
        if field != NULL and any(byte in field for byte in _FRAME):
            raise ExtractionError(
                f"table `{self._table}`: column `{self._names[number]}` holds bytes that are no text in its character "
                "set; mend the value in the source"
            )
        return field
