"""A dental practice that never was: Open Dental's tables with seeded rows, and days that pass in it."""

from __future__ import annotations

from etlkit.demo.practice.create import DATABASE, Practice, create_practice, read_practice
from etlkit.demo.practice.day import Change, Day, let_day_pass
from etlkit.demo.practice.tables import TABLES, planned_rows

__all__ = [
    "DATABASE",
    "TABLES",
    "Change",
    "Day",
    "Practice",
    "create_practice",
    "let_day_pass",
    "planned_rows",
    "read_practice",
]
