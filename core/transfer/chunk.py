"""Rows between reading and writing: as they were fetched, and ready to be written."""

from __future__ import annotations

from collections import Counter

import attrs

from etlkit.errors import ConversionRefused, ValueNotRepresentable
from etlkit.transfer.copy_text import CopyText, copy_text
from etlkit.transfer.keys import Key
from etlkit.transfer.rendering import RenderedTable

_NUL = "text with a NUL character, which PostgreSQL cannot hold"
_BROKEN = "text that the source cannot convert to UTF-8 and back"


@attrs.frozen(kw_only=True)
class Fetched:
    """Rows as they came from the source; `finished` turns them into a `Chunk` in the thread that writes."""

    data: bytes
    """Framed as the source rendered them; COPY text where `copied` says so."""
    rows: int
    """How many rows it holds."""
    last_key: Key | None = None
    """The key behind which to go on; None when nothing is left, or when the table has no key."""
    watermark: str | None = None
    """The greatest cursor up to here, never later than the beginning of the read."""
    copied: CopyText | None = None
    """What was found in rows that were framed here, field by field; without their text, which is `data`."""


@attrs.frozen(kw_only=True)
class Chunk:
    """Rows ready to be written."""

    data: bytes
    """COPY text."""
    rows: int
    """How many rows it holds."""
    last_key: Key | None = None
    """The key behind which to go on; None when nothing is left, or when the table has no key."""
    losses: Counter[int] = attrs.field(factory=Counter)
    """By column number, values that are NULL here because PostgreSQL cannot hold them."""
    watermark: str | None = None
    """The greatest cursor up to here, never later than the beginning of the read."""


def finished(fetched: Fetched, table: str, rendered: RenderedTable) -> Chunk:
    """Turn rows into COPY text, and refuse those that must not be written.

    Args:
        fetched: the rows.
        table: the table's name, for messages.
        rendered: its columns.

    Returns:
        The rows, ready to be written.

    Raises:
        ConversionRefused: a value lies outside what a conversion accepts.
        ValueNotRepresentable: text holds a NUL character, or one that the source cannot convert.
    """
    text = (
        copy_text(fetched.data) if fetched.copied is None else attrs.evolve(fetched.copied, data=fetched.data)
    )
    if text.refused.total():
        each = "; ".join(
            f"{table}.{rendered.columns[number].column.name}: conversion "
            f"`{rendered.columns[number].conversion}` does not accept {count} of the values read"
            for number, count in sorted(text.refused.items())
        )
        raise ConversionRefused(
            f"{each}; nothing was written; take the conversion out of `column_overrides` or mend the source"
        )
    for found, what in ((text.nul, _NUL), (text.broken, _BROKEN)):
        if found.total():
            each = ", ".join(
                f"{table}.{rendered.columns[number].column.name} ({count} of the values read)"
                for number, count in sorted(found.items())
            )
            raise ValueNotRepresentable(
                f"{what}: {each}; nothing was written; mend the source, or convert the column"
            )
    return Chunk(
        data=text.data,
        rows=fetched.rows,
        last_key=fetched.last_key,
        losses=text.losses,
        watermark=fetched.watermark,
    )
