"""What the source is asked when a table is reconciled: statements, as pure functions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, Select, cast, func, literal_column, select
from sqlalchemy.dialects.mysql import INTEGER

from etlkit.loading.target import target_name
from etlkit.transfer.chunk_queries import Condition, all_of
from etlkit.transfer.keys import Keyset
from etlkit.transfer.rendering import RenderedColumn, RenderedTable

_NO_LIMIT: ColumnElement[Any] = literal_column(str(2**64 - 1))


def summary_statement(rendered: RenderedTable, conditions: Sequence[Condition | None]) -> Select[Any]:
    """Ask what a range of rows comes to.

    Args:
        rendered: the table, with digests.
        conditions: which rows.

    Returns:
        A SELECT of one row: rows, rows whose digest could be computed, BIT_XOR of the digests as a signed number
        (0 for none), and their SUM (NULL for none).
    """
    # A limit keeps the servers from merging the inner SELECT, which would compute each digest once per aggregate.
    rows = (
        select(rendered.digest().label("digest"))
        .select_from(rendered.source)
        .where(*all_of(conditions))
        .limit(_NO_LIMIT)
        .subquery("digests")
    )
    digest = rows.c.digest
    xor = cast(func.bit_xor(digest), INTEGER)
    sums: list[ColumnElement[Any]] = [func.count(), func.count(digest), xor, func.sum(digest)]
    return select(*sums)


def keys_statement(
    rendered: RenderedTable, keyset: Keyset, conditions: Sequence[Condition | None]
) -> Select[Any]:
    """Ask for the keys of a range with the digests of their rows.

    Args:
        rendered: the table, with digests.
        keyset: the key that ranges are cut by.
        conditions: which rows.

    Returns:
        A SELECT in the order of the key: the keyset's columns as they are compared, then the primary key's as they
        are rendered (in the order of `key_columns`), then the digest.
    """
    keys = keyset.expressions()
    fields = [each.expression for each in key_columns(rendered, keyset)]
    return (
        select(*keys, *fields, rendered.digest())
        .select_from(rendered.source)
        .where(*all_of(conditions))
        .order_by(*keys)
    )


def key_columns(rendered: RenderedTable, keyset: Keyset) -> list[RenderedColumn]:
    """Give the rendered columns of the key, in the key's order.

    Args:
        rendered: the table.
        keyset: the key.

    Returns:
        One for each column of the key.
    """
    by_name = {each.column.name: each for each in rendered.columns}
    return [by_name[column.name] for column in keyset.columns]


def key_names(keyset: Keyset) -> list[str]:
    """Give the names that the key's columns have in the warehouse.

    Args:
        keyset: the key.
    """
    return [target_name(column.name) for column in keyset.columns]
