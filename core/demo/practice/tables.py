"""All tables of the practice, and how many rows each has."""

from __future__ import annotations

import types
from collections.abc import Mapping

from etlkit.demo.practice import clinical, insurance, messages, money, office, people, scheduling
from etlkit.demo.practice.shape import TableShape

_AREAS = (people, scheduling, clinical, money, insurance, office, messages)

TABLES: Mapping[str, TableShape] = types.MappingProxyType(
    {table.name: table for area in _AREAS for table in area.TABLES}
)
"""The tables by name."""


def planned_rows(scale: float = 1.0) -> dict[str, int]:
    """Give the number of rows that each table is created with.

    Args:
        scale: Size of the practice; 1 is a practice of two dentists with six years of history.

    Returns:
        Rows by table; lists of choices and settings have the same number at every scale.
    """
    return {
        name: shape.rows if shape.fixed else max(1, round(shape.rows * scale))
        for name, shape in TABLES.items()
    }
