"""Quarantined values by the primary keys of their rows, so that somebody can find and mend them in the source."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence

import attrs

from etlkit.transfer.policies import BROKEN_TEXT, INVALID_DATE, Policy
from etlkit.transfer.sentinels import BROKEN, FIELD, LOSS, MARKERS, NULL, REFUSED, ROW

MOST = 5000
"""How many values of one table may be quarantined; more are no exception."""

_RULES = {LOSS: INVALID_DATE, BROKEN: BROKEN_TEXT}
_NO_VALUE = (NULL, LOSS, REFUSED, BROKEN)


@attrs.frozen(kw_only=True)
class Quarantined:
    """A value that PostgreSQL cannot hold, by its place; never the value itself."""

    number: int
    """The column's number."""
    rule: str
    """The rule."""
    key: str
    """The primary key of its row: a JSON list of texts, as the source rendered them."""


def quarantined_columns(policies: Mapping[int, Policy]) -> frozenset[int]:
    """Choose the columns whose values are quarantined.

    Args:
        policies: by column number.

    Returns:
        Their numbers.
    """
    return frozenset(number for number, policy in policies.items() if policy == "quarantine")


def marked(framed: bytes, columns: frozenset[int], key: Sequence[int]) -> Iterator[Quarantined]:
    """Find the rows of the markers in framed rows; only the rows that hold one are looked at.

    Args:
        framed: whole rows as the source rendered them.
        columns: the numbers of the columns whose markers count.
        key: the numbers of the primary key's columns, in its order.

    Yields:
        One for each of these markers.
    """
    for found in MARKERS.finditer(framed):
        number, rule = int(found[2], 16), _RULES.get(found[1])
        if rule is not None and number in columns:
            begin = framed.rfind(ROW, 0, found.start()) + 1
            row = framed[begin : framed.index(ROW, found.end())]
            fields = row.split(FIELD, max(key) + 1)
            yield Quarantined(number=number, rule=rule, key=key_text(fields[each] for each in key))


def key_text(parts: Iterable[bytes]) -> str:
    """Write the key of a row.

    Args:
        parts: the key's fields in its order, as the source rendered them.

    Returns:
        A JSON list; null for a part that has no value, whose row the warehouse refuses.
    """
    texts = [None if part.startswith(_NO_VALUE) else part.decode(errors="replace") for part in parts]
    return json.dumps(texts, ensure_ascii=False)
