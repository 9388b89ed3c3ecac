"""The generated practice in tests: how it is asked for, and which of its tables change."""

from __future__ import annotations

from collections.abc import Callable

from etlkit.demo.practice.day import DELETES, EDITS, INSERTS
from support.clinic import Clinic

MakePractice = Callable[..., Clinic]
"""What the fixture `make_practice` gives; called with a scale, and with `only` for a practice of few tables."""

CHANGING = frozenset({*INSERTS, *EDITS, *DELETES, "preference"})
"""The tables that a day needs."""
