"""From the places of rows that differ to the ranges that are read of the source."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from etlkit.loading.digest_comparison import RangeCompared
from etlkit.transfer.keys import Key, KeyRange


def compared(changed: Sequence[int]) -> RangeCompared:
    """A range of 100 rows behind the key 50, whose keys are 51, 52 and so on."""
    keys = [(str(each),) for each in range(51, 151)]
    return RangeCompared(
        range=KeyRange(lower=("50",), upper=("150",)),
        rows=100,
        theirs=None,
        equal=False,
        keys=keys,
        changed=changed,
    )


@pytest.mark.parametrize(
    ("changed", "gap", "most", "expected"),
    [
        ([], 20, None, []),
        ([0], 20, None, [(("50",), ("51",))]),
        ([3, 4, 23, 24, 45], 20, None, [(("53",), ("75",)), (("95",), ("96",))]),
        ([3, 4, 6], 1, None, [(("53",), ("55",)), (("56",), ("57",))]),
        ([3, 4, 6], 1, 1, [(("53",), ("54",))]),
        ([3, 4, 6], 1, 0, []),
    ],
)
def test_spans(
    changed: Sequence[int], gap: int, most: int | None, expected: list[tuple[Key | None, Key]]
) -> None:
    """Rows close to each other are in one range; it begins behind the key before the first of them."""
    assert expected == compared(changed).spans(gap, most=most)


def test_the_first_row_of_all() -> None:
    """Before the first row of a table there is no key."""
    first = RangeCompared(range=KeyRange(), rows=1, theirs=None, equal=False, keys=[("1",)], changed=[0])
    assert [(None, ("1",))] == first.spans(20)
