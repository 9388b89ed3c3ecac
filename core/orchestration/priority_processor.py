"""PriorityProcessor: all tables of a run, the important ones first, several at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from contextlib import closing
from functools import partial
from typing import TypedDict

import attrs

from etlkit.config import Settings
from etlkit.contracts import Executor
from etlkit.discovery import SchemaDiscovery
from etlkit.errors import PluginError, SchemaDiscoveryError
from etlkit.events import TableFinished
from etlkit.executing import outcomes
from etlkit.orchestration.order import levels, load_order
from etlkit.orchestration.table_processor import TableProcessor
from etlkit.providers import Provided
from etlkit.tables import TableAnalysis


class LevelOutcome(TypedDict):
    """What came of one importance level."""

    success: list[str]
    """Tables that were loaded."""
    failed: list[str]
    """Tables that were not."""
    total: int
    """Both together."""


class PriorityProcessor:
    """Loads tables in the order of importance and dependencies."""

    def __init__(
        self,
        schema_discovery: SchemaDiscovery | None,
        settings: Settings | None = None,
        *,
        processor: TableProcessor | None = None,
        executor: Provided[Executor] | None = None,
        tables: Sequence[str] | None = None,
        finished: Callable[[TableFinished], None] = lambda _: None,
    ) -> None:
        """Take what is needed; nothing is built here.

        Args:
            schema_discovery: what is known of the source.
            settings: the deployment's; by default those of the processor's loader.
            processor: loads a table.
            executor: says where, and how many at a time.
            tables: the tables to choose from; by default all that `tables.yml` names.
            finished: called in this thread with each table's outcome, as soon as it is there.

        Raises:
            ValueError: one of SchemaDiscovery, processor and executor is missing.
        """
        if schema_discovery is None:
            raise ValueError("SchemaDiscovery instance is required")
        if processor is None:
            raise ValueError("TableProcessor instance is required")
        if executor is None:
            raise ValueError("an executor is required; `Registry.executor` gives one by its name")
        self.schema_discovery = schema_discovery
        self.settings = settings or processor.loader.settings
        self.processor = processor
        self.executor = executor
        self.tables = list(self.settings.list_tables() if tables is None else tables)
        self.finished = finished

    def order(self, importance_levels: Iterable[str] | None = None) -> dict[str, TableAnalysis]:
        """Order the tables.

        Args:
            importance_levels: only these; all by default.

        Returns:
            By name in the order of loading, with the importance that configuration gives them.
        """
        known = {name: self._with_importance(name) for name in self.tables}
        wanted = None if importance_levels is None else set(importance_levels)
        chosen = {
            name: table for name, table in known.items() if wanted is None or table.importance in wanted
        }
        return {name: chosen[name] for name in load_order(chosen)}

    def process_by_priority(
        self,
        importance_levels: Iterable[str] | None = None,
        max_workers: int | None = None,
        force_full: bool = False,
    ) -> dict[str, LevelOutcome]:
        """Load the tables; one table's failure leaves the others running.

        Args:
            importance_levels: only these; all by default.
            max_workers: tables in work at the same time; by default `run.threads`.
            force_full: forget the watermarks and read everything.

        Returns:
            By level, the most important first, what came of it.

        Raises:
            PluginError: the executor failed.
        """
        ordered = self.order(importance_levels)
        found: dict[str, LevelOutcome] = {
            level: {"success": [], "failed": [], "total": 0}
            for level in levels(table.importance for table in ordered.values())
        }
        loads = outcomes(
            self.executor,
            partial(self.processor.process_table, force_full=force_full),
            list(ordered),
            max_workers or self.settings.run.threads,
            give_up=self.processor.loader.stop.set,
        )
        with closing(loads) as finished:
            for outcome in finished:
                level = found[ordered[outcome.table].importance]
                level["failed" if outcome.error else "success"].append(outcome.table)
                level["total"] += 1
                self.finished(outcome)
        return found

    def _with_importance(self, name: str) -> TableAnalysis:
        try:
            known = self.schema_discovery.analysis(name)
        except (SchemaDiscoveryError, PluginError):
            # Its load fails and tells why; the others run.
            known = TableAnalysis(name=name)
        return attrs.evolve(known, importance=self.settings.get_table_config(name).table_importance)
