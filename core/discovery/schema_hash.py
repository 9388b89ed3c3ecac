"""The fingerprint of a table's definition: equal wherever the same definition lives."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from typing import Any

from etlkit.tables import Column, Index

_ORDERED = frozenset({"BTREE", "HASH", "RTREE"})


def schema_hash(columns: Iterable[Column], indexes: Iterable[Index]) -> str:
    """Compute sha256 over canonical JSON of columns, types, nullability, key and indexes.

    Left out is what differs between servers that hold the same schema, or says nothing of the values:
    engine, display widths, default collations, AUTO_INCREMENT, comments, defaults, and the order in which
    indexes are listed.

    Args:
        columns: in the table's order.
        indexes: the primary key's included.

    Returns:
        64 hexadecimal digits.
    """
    definition = {
        "columns": [[column.name, column.column_type, column.nullable] for column in columns],
        "indexes": sorted(_matter_of(index) for index in indexes),
    }
    canonical = json.dumps(definition, ensure_ascii=True, separators=(",", ":"), sort_keys=True)
    return hashlib.sha256(canonical.encode("ascii")).hexdigest()


def _matter_of(index: Index) -> list[Any]:
    # Engines choose between BTREE and HASH on their own, and print prefixes of spatial indexes or do not.
    ordered = index.kind in _ORDERED
    prefixes = [length or 0 for length in index.prefix_lengths] if ordered else []
    return [index.name, index.unique, "" if ordered else index.kind, list(index.columns), prefixes]
