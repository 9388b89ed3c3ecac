"""Comparing what PostgreSQL stores, byte by byte: where `=` and IS DISTINCT FROM would be too kind, or do not exist.

json has no equality; -0 equals 0, and a case-insensitive text equals another spelling. Here they differ.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from etlkit.loading.target import Named


def differ(
    values: Sequence[sa.ColumnElement[Any]], others: Sequence[sa.ColumnElement[Any]]
) -> sa.ColumnElement[bool]:
    """Ask whether any value differs from the one in its place.

    Args:
        values: at least one.
        others: as many, of the same types; see `fitting`.

    Returns:
        A condition that is never NULL: NULL differs from every value, and not from NULL.
    """
    return _record(values).op("*<>", is_comparison=True)(_record(others))


def fitting(column: sa.ColumnElement[Any], staged: sa.ColumnElement[Any]) -> sa.ColumnElement[Any]:
    """Give a staged value the type that its column has in the warehouse.

    Args:
        column: the warehouse's, with the type it has there.
        staged: the staged one.

    Returns:
        The staged value, cast where the column is wider.
    """
    return staged if str(column.type) == str(staged.type) else sa.cast(staged, column.type)


def digest(values: Sequence[sa.ColumnElement[Any]]) -> sa.ColumnElement[Any]:
    """Compute what stands for a whole row where rows are compared without a key.

    Args:
        values: the row's.

    Returns:
        The sha256 of the row's text, which is exact for every type. It is sorted as bytes, without the database's
        collation, and many more digests than rows fit into memory.
    """
    said = sa.cast(sa.func.row(*values), sa.Text)
    return sa.func.sha256(sa.func.convert_to(said, sa.literal_column("'UTF8'")))


def _record(values: Sequence[sa.ColumnElement[Any]]) -> sa.ColumnElement[Any]:
    # With the cast PostgreSQL compares two records; without, it would look for the operator of each column.
    return sa.cast(sa.func.row(*values), Named("record"))
