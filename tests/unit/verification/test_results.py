"""What a verification says, in words and as an exit code."""

from __future__ import annotations

from collections.abc import Sequence

import attrs
import pytest

from etlkit.verification.results import TableVerification, Verification, sample_of

EQUAL = TableVerification(table="a", rows=3, checked=3)
DIFFERENT = TableVerification(table="b", different=1, missing_in_source=2, missing_in_warehouse=1200)
ONE = TableVerification(table="c", missing_in_source=1)
KEPT = TableVerification(table="e", rows=3, checked=3, kept=2)
UNCHECKED = TableVerification(table="d", reason="never loaded")


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        (EQUAL, "equal"),
        (DIFFERENT, "1,203 rows differ"),
        (ONE, "1 row differs"),
        (UNCHECKED, "not checked: never loaded"),
        (KEPT, "equal but for 2 rows kept"),
        (attrs.evolve(KEPT, different=1), "1 row differs"),
    ],
)
def test_verified(found: TableVerification, expected: str) -> None:
    """A table is equal, or differs in a number of rows, or was not checked for a reason."""
    assert expected == found.verified


@pytest.mark.parametrize(
    ("tables", "expected"),
    [
        ([], 0),
        ([EQUAL, KEPT], 0),
        ([EQUAL, UNCHECKED], 3),
        ([EQUAL, ONE], 4),
        ([UNCHECKED, ONE, EQUAL], 4),
    ],
)
def test_exit_code(tables: Sequence[TableVerification], expected: int) -> None:
    """A difference says more than a table that was not checked, and that more than equality."""
    assert expected == Verification.of(tables, 0.0).exit_code


def test_a_sample_is_named_by_its_rows() -> None:
    """The way to check says how many rows were looked at."""
    assert ("sample of 1 row", "sample of 1,000 rows") == (sample_of(1), sample_of(1000))


def test_order() -> None:
    """Tables are in the order of their names, however they came."""
    found = Verification.of([UNCHECKED, ONE, EQUAL], 1.5)
    assert (["a", "c", "d"], 1.5) == ([each.table for each in found.tables], found.seconds)
