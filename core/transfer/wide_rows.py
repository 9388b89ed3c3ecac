"""Rows too large to be one value on the source: fetched field by field, framed here, one row at a time."""

from __future__ import annotations

import binascii
from collections.abc import Sequence

import attrs

from etlkit.errors import ExtractionError
from etlkit.transfer.copy_text import DELIMITER, NULL_MARK, CopyText, copy_text, examined
from etlkit.transfer.policies import BROKEN_TEXT, INVALID_DATE, NUL_CHARACTER
from etlkit.transfer.quarantine import MOST, Quarantined, key_text
from etlkit.transfer.rendering import RenderedTable

_DELIMITER = DELIMITER.encode()
_NULL = NULL_MARK.encode()


class WideRows:
    """Collects rows of `fields_statement` as COPY text."""

    def __init__(self, rendered: RenderedTable) -> None:
        """Begin empty.

        Args:
            rendered: the table.
        """
        self._raw = [each.raw is not None for each in rendered.columns]
        self._table = rendered.source.name
        self._names = [each.column.name for each in rendered.columns]
        self._policies = [{0: each.policy} if each.policy else None for each in rendered.columns]
        self._key = rendered.key
        self._lines: list[bytes] = []
        self._found = CopyText(data=b"")
        self._quarantined: list[Quarantined] = []
        self._marked: list[tuple[int, str]] = []
        self.size = 0
        """Bytes collected."""

    def __len__(self) -> int:
        return len(self._lines)

    def add(self, values: Sequence[str | bytes | None]) -> None:
        """Take a row.

        Args:
            values: its fields as the raw connection gives them.

        Raises:
            ExtractionError: the source could not compute a field.
        """
        line = _DELIMITER.join(self._field(number, value) for number, value in enumerate(values)) + b"\n"
        if self._marked:
            self._quarantine(values)
        self._lines.append(line)
        self.size += len(line)

    def take(self) -> tuple[CopyText, int]:
        """Give what was collected, and begin again.

        Returns:
            The COPY text and its number of rows.
        """
        text = attrs.evolve(self._found, data=b"".join(self._lines), quarantined=self._quarantined)
        rows = len(self._lines)
        self._lines, self._quarantined = [], []
        self._found, self.size = CopyText(data=b""), 0
        return text, rows

    def _quarantine(self, values: Sequence[str | bytes | None]) -> None:
        marked, self._marked = self._marked, []
        if len(self._quarantined) <= MOST:
            key = key_text(self._part(number, values[number]) for number in self._key)
            self._quarantined += [Quarantined(number=number, rule=rule, key=key) for number, rule in marked]

    def _part(self, number: int, value: str | bytes | None) -> bytes:
        said = encoded(value or b"")
        return b"\\x" + digits_of(said) if self._raw[number] else examined(said, self._policies[number]).data

    def _field(self, number: int, value: str | bytes | None) -> bytes:
        if self._raw[number]:
            if value is None:
                return _NULL
            return b"\\\\x" + digits_of(value)
        if value is None:
            raise self._too_large(number)
        text = copy_text(encoded(value), self._policies[number])
        self._found.losses.update(text.losses)
        self._found.refused.update(text.refused)
        self._found.broken.update(text.broken)
        if text.nul:
            self._found.nul[number] += 1
        if self._key and self._policies[number] == {0: "quarantine"}:
            found = ((INVALID_DATE, text.losses), (BROKEN_TEXT, text.broken), (NUL_CHARACTER, text.nul))
            self._marked += [(number, rule) for rule, counts in found if counts]
        return text.data

    def _too_large(self, number: int) -> ExtractionError:
        return ExtractionError(
            f"table `{self._table}`: column `{self._names[number]}` holds a value larger than the source can send; "
            "raise max_allowed_packet on the source"
        )


def encoded(value: str | bytes) -> bytes:
    """Give the bytes of a field.

    Args:
        value: as the raw connection gave it.
    """
    return value if isinstance(value, bytes) else value.encode()


def digits_of(value: str | bytes) -> bytes:
    """Write bytes as hexadecimal digits.

    Args:
        value: as the raw connection gave it.
    """
    # In capitals, as the source's HEX writes them: the same row has the same bytes, whichever way it came.
    return binascii.hexlify(encoded(value)).upper()
