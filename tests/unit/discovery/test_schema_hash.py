"""What the fingerprint of a definition depends on, and what not."""

from __future__ import annotations

import attrs
import pytest

from etlkit.discovery.schema_hash import schema_hash
from etlkit.tables import Column, Index
from support.schema_facts import facts

TABLE = facts(
    "patient", "PatNum bigint auto_increment", "LName varchar(100)", "Note text?", indexes=("LName",)
)
KNOWN = "4917e387"


def hashed(columns: tuple[Column, ...] = TABLE.columns, indexes: tuple[Index, ...] = TABLE.indexes) -> str:
    """Hash the table, or a variant of it."""
    return schema_hash(columns, indexes)


def with_column(at: int, **changes: object) -> tuple[Column, ...]:
    """Give the table's columns with one changed."""
    columns = list(TABLE.columns)
    columns[at] = attrs.evolve(columns[at], **changes)
    return tuple(columns)


@pytest.mark.parametrize(
    "changes",
    [
        {"declared_type": "varchar(9) /*M!100301 COMPRESSED*/"},
        {"default": "x"},
        {"comment": "a comment"},
        {"charset": "latin1", "collation": "latin1_swedish_ci"},
        {"key": "MUL"},
    ],
)
def test_hash_ignores_what_differs_between_servers(changes: dict[str, str]) -> None:
    """Display widths, defaults, comments and collations do not change the hash."""
    assert hashed() == hashed(with_column(1, **changes))


@pytest.mark.parametrize("changes", [{"name": "lname"}, {"column_type": "varchar(255)"}, {"nullable": True}])
def test_hash_tells_columns_apart(changes: dict[str, object]) -> None:
    """A name, its case, a type or the permission to be NULL changes the hash."""
    assert hashed() != hashed(with_column(1, **changes))


def test_hash_tells_order_key_and_indexes_apart() -> None:
    """The order of columns, the key, an index's columns and its uniqueness change the hash."""
    primary, by_name = TABLE.indexes
    variants = [
        hashed(columns=TABLE.columns[::-1]),
        hashed(indexes=(by_name,)),
        hashed(indexes=(primary,)),
        hashed(indexes=(primary, attrs.evolve(by_name, unique=True))),
        hashed(indexes=(primary, attrs.evolve(by_name, prefix_lengths=(10,)))),
        hashed(indexes=(primary, attrs.evolve(by_name, kind="FULLTEXT"))),
    ]
    assert len({hashed(), *variants}) == len(variants) + 1


def test_hash_ignores_the_order_and_the_method_of_indexes() -> None:
    """Servers list indexes in any order, and choose between BTREE and HASH on their own."""
    primary, by_name = TABLE.indexes
    assert hashed() == hashed(indexes=(attrs.evolve(by_name, kind="HASH"), primary))


def test_hash_is_the_same_for_ever() -> None:
    """The hash is stored in `tables.yml` and in warehouses: it must not change with etlkit's version."""
    assert KNOWN == hashed()[:8]
