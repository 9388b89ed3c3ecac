"""The brake: which loads it stops."""

from __future__ import annotations

import attrs
import pytest

from etlkit.errors import DeletesRefused
from etlkit.loading.brake import LEAST_ROWS, refuse_mass_deletes
from etlkit.loading.target import TargetColumn, TargetTable

KEYED = TargetTable(
    schema="raw",
    name="patient",
    source="patient",
    columns=(TargetColumn(name="PatNum", source="PatNum", type="bigint"),),
    key=("PatNum",),
)
KEYLESS = attrs.evolve(KEYED, key=())


def stopped(target: TargetTable, rows: int, inserted: int, deleted: int, share: float = 0.5) -> bool:
    """Whether a load is stopped."""
    try:
        refuse_mass_deletes(target, {"inserted": inserted, "deleted": deleted}, rows=rows, share=share)
    except DeletesRefused:
        return True
    return False


@pytest.mark.parametrize(
    ("rows", "inserted", "deleted", "share", "expected"),
    [
        (100, 0, 100, 0.5, True),
        (101, 0, 99, 0.5, False),
        (0, 0, 200, 0.5, True),
        (0, 0, 200, 1, False),
        (0, 0, LEAST_ROWS - 1, 0.5, False),
        (0, 0, LEAST_ROWS, 0.5, True),
        (200, 200, 200, 0.5, True),
        (300, 100, 0, 0, False),
        (199, 0, 1, 0, True),
        (500, 500, 0, 0.5, False),
    ],
)
def test_keyed(rows: int, inserted: int, deleted: int, share: float, *, expected: bool) -> None:
    """The share is of the rows that were there: what is left and what goes, without what is new."""
    assert expected == stopped(KEYED, rows, inserted, deleted, share)


@pytest.mark.parametrize(
    ("rows", "inserted", "deleted", "expected"),
    [(200, 200, 200, False), (100, 100, 200, True), (101, 101, 200, False), (0, 0, 100, True)],
)
def test_keyless(rows: int, inserted: int, deleted: int, *, expected: bool) -> None:
    """Without a key every row is written anew, so what counts is by how many rows the table shrinks."""
    assert expected == stopped(KEYLESS, rows, inserted, deleted)


def test_message() -> None:
    """The message has the table, both counts, the setting and the ways out."""
    with pytest.raises(DeletesRefused) as caught:
        refuse_mass_deletes(KEYED, {"deleted": 1200}, rows=800, share=0.5)
    assert (
        "table `patient`: 1,200 of the 2,000 rows in the warehouse would be removed, and a load that removes a share "
        "of 0.5 or more is stopped (`max_deleted_share`): the source may have been emptied, or restored from an older "
        "copy. Nothing was changed. Mend the source and run again; or, when these rows are gone for good, run once "
        "with `--allow-deletes --select patient`"
    ) == str(caught.value)
    assert 1 == DeletesRefused.exit_code


def test_marks() -> None:
    """Marking is told as marking."""
    with pytest.raises(DeletesRefused) as caught:
        refuse_mass_deletes(attrs.evolve(KEYED, marks=True), {"deleted": 1200}, rows=800, share=0.5)
    assert str(caught.value).startswith(
        "table `patient`: 1,200 of the 2,000 rows in the warehouse would be marked as gone, and a load that "
    )
