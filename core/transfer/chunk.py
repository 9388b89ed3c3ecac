"""Rows between reading and writing: as they were fetched, and ready to be written."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import attrs

from etlkit.errors import ConversionRefused, ValueNotRepresentable
from etlkit.transfer.copy_text import CopyText, as_copy_text, examined
from etlkit.transfer.keys import Key
from etlkit.transfer.policies import BROKEN_TEXT, INVALID_DATE, NUL_CHARACTER, WORDS, policy_of
from etlkit.transfer.quarantine import Quarantined
from etlkit.transfer.rendering import RenderedTable

Loss = tuple[int, str]
"""A column's number, and the rule by which values of it were not stored as they are."""


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
    """COPY text; framed bytes where `framed` says so."""
    rows: int
    """How many rows it holds."""
    framed: bool = False
    """Whether `as_copy_text` is left to be done, piece by piece as the rows are written."""
    last_key: Key | None = None
    """The key behind which to go on; None when nothing is left, or when the table has no key."""
    losses: Counter[Loss] = attrs.field(factory=Counter)
    """By column and rule, values that are not here as they are because PostgreSQL cannot hold them."""
    quarantined: Sequence[Quarantined] = ()
    """The values in quarantine among these, by their rows' keys."""
    watermark: str | None = None
    """The greatest cursor up to here, never later than the beginning of the read."""

    def copy_text(self, begin: int = 0, size: int | None = None) -> bytes:
        """Give a piece of the COPY text.

        Args:
            begin: where in `data` it begins.
            size: bytes of `data`; None for all that are left.

        Returns:
            The text, longer than the piece where it needs escapes; empty behind the end.
        """
        piece = self.data[begin:] if size is None else self.data[begin : begin + size]
        return as_copy_text(piece) if self.framed else piece


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
        ValueNotRepresentable: PostgreSQL cannot hold a value, and the column's policy is to fail.
    """
    policies = {each.number: each.policy for each in rendered.columns if each.policy is not None}
    text = (
        examined(fetched.data, policies, rendered.key)
        if fetched.copied is None
        else attrs.evolve(fetched.copied, data=fetched.data)
    )
    if text.refused.total():
        each = "; ".join(
            f"{table}.{rendered.columns[number].column.name}: conversion "
            f"`{rendered.columns[number].conversion}` does not accept {count} of the values read"
            for number, count in sorted(text.refused.items())
        )
        raise ConversionRefused(
            f"{each}; nothing was written; mend the source, or take the conversion out of `column_overrides`; "
            "`etlkit analyze` counts such values in the whole table"
        )
    losses: Counter[Loss] = Counter()
    for rule, found in ((NUL_CHARACTER, text.nul), (BROKEN_TEXT, text.broken), (INVALID_DATE, text.losses)):
        failing = [each for each in sorted(found) if policy_of(rule, rendered.columns[each].policy) == "fail"]
        if failing:
            each = ", ".join(
                f"{table}.{rendered.columns[number].column.name} ({found[number]} of the values read)"
                for number in failing
            )
            raise ValueNotRepresentable(
                f"{WORDS[rule]}: {each}; nothing was written; mend the source, or choose another `policy` for the "
                "column in `column_overrides`",
                tuple((rendered.columns[each].column.name, rule, found[each], "fail") for each in failing),
            )
        losses.update({(number, rule): count for number, count in found.items()})
    return Chunk(
        data=text.data,
        rows=fetched.rows,
        framed=fetched.copied is None,
        last_key=fetched.last_key,
        losses=losses,
        quarantined=text.quarantined,
        watermark=fetched.watermark,
    )
