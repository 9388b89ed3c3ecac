"""Names and types of a table in the warehouse."""

from __future__ import annotations

import attrs
import pytest

from etlkit.errors import TargetConflict
from etlkit.loading.target import TargetColumn, TargetTable, target_name

TABLE = TargetTable(
    schema="raw",
    name="t",
    source="t",
    columns=(
        TargetColumn(name="id", source="id", type="integer"),
        TargetColumn(name="a", source="a", type="boolean", conversion="tinyint_to_boolean"),
    ),
    key=("id",),
)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("PatNum", "PatNum"),
        ("row", "row"),
        ("a b.c%`\"'", "a b.c%`\"'"),
        ("x" * 63, "x" * 63),
        ("x" * 64, "x" * 54 + "_7ce10097"),
        ("é" * 31 + "x", "é" * 31 + "x"),
        ("é" * 32, "é" * 27 + "_2e5152e6"),
    ],
)
def test_names(name: str, expected: str) -> None:
    """A name is kept; over 63 bytes its beginning stays whole characters and gets a suffix of its sha256."""
    assert expected == target_name(name)
    assert len(expected.encode()) <= 63


@pytest.mark.parametrize(("name", "shown"), [("", ""), ("a\0b", r"a\0b")])
def test_names_that_cannot_exist(name: str, shown: str) -> None:
    """PostgreSQL has no empty names and no NUL in them."""
    with pytest.raises(TargetConflict) as caught:
        target_name(name)
    assert f"the name `{shown}` cannot exist in PostgreSQL; rename it in the source" == str(caught.value)


def test_the_mapping_hash_is_stable() -> None:
    """The hash is the same in every process and version, or every table would be read again."""
    assert "1f4f0ac2e828916c6c0f6e5673940fcb1e9a954d94f7df626204ad3293f3535e" == TABLE.mapping_hash


@pytest.mark.parametrize(
    "changed",
    [
        attrs.evolve(TABLE, key=()),
        attrs.evolve(TABLE, columns=TABLE.columns[:1]),
        attrs.evolve(TABLE, columns=TABLE.columns[::-1]),
        attrs.evolve(TABLE, columns=(TABLE.columns[0], attrs.evolve(TABLE.columns[1], type="smallint"))),
        attrs.evolve(TABLE, columns=(TABLE.columns[0], attrs.evolve(TABLE.columns[1], conversion=None))),
        attrs.evolve(TABLE, columns=(TABLE.columns[0], attrs.evolve(TABLE.columns[1], source="b"))),
    ],
)
def test_the_mapping_hash_sees_every_change(changed: TargetTable) -> None:
    """Another column, order, type, conversion, source or key is another mapping."""
    assert TABLE.mapping_hash != changed.mapping_hash


def test_the_mapping_hash_leaves_the_place_out() -> None:
    """Where the table is does not matter to what its rows mean."""
    assert TABLE.mapping_hash == attrs.evolve(TABLE, schema="other").mapping_hash
