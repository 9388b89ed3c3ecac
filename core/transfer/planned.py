"""What reading a table needs to know of its plan, whichever hop it is for."""

from __future__ import annotations

from typing import Protocol

from etlkit.contracts import LoadPlan
from etlkit.tables import TableAnalysis
from etlkit.transfer.rendering import RenderedTable


class Planned(Protocol):
    """A table's load, decided but not begun."""

    @property
    def analysis(self) -> TableAnalysis:
        """The table."""

    @property
    def rendered(self) -> RenderedTable:
        """How its rows leave the source."""

    @property
    def plan(self) -> LoadPlan:
        """What to read, and in which budgets."""
