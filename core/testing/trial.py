"""One table on its way from a real source to a real warehouse, loaded by etlkit itself in chunks of a few rows."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from types import ModuleType
from typing import Any, Self

import attrs

from etlkit.config import MySQLUrl, PostgresUrl, Settings, SourceSettings, TableChoice, WarehouseSettings
from etlkit.contracts import Chunks, LoadPlan
from etlkit.events import TableFinished
from etlkit.hookspecs import hookimpl
from etlkit.loading.postgres_loader import MakesPlans, PostgresLoader
from etlkit.loading.table_plan import TablePlan
from etlkit.orchestration.deployment import Deployment
from etlkit.registry import Registry
from etlkit.testing.contract import Database

FEW_ROWS = 4
"""Rows of a chunk, so that a table of some twenty rows has several borders."""
FEW_BYTES = 300
"""Rendered bytes of a chunk; about `FEW_ROWS` rows."""


class Crash(Exception):
    """Stands for whatever ends a load between two chunks."""


@attrs.define(kw_only=True)
class _Watched:
    """Makes the plans of another planner, cut into small chunks where that is asked for, and keeps the last one."""

    planner: MakesPlans
    small: bool
    last: TablePlan | None = None

    def plan(
        self, table: str, *, force_full: bool = False, limit: int | None = None, reconcile: bool = False
    ) -> TablePlan:
        made = self.planner.plan(table, force_full=force_full, limit=limit, reconcile=reconcile)
        if self.small:
            made = attrs.evolve(made, plan=attrs.evolve(made.plan, chunks=_small(made.plan.chunks)))
        self.last = made
        return made

    def proving(self, loaded: TablePlan) -> TablePlan:
        return self.planner.proving(loaded)

    def afresh(self) -> Self:
        return self


@attrs.frozen(kw_only=True)
class Trial:
    """Loads one table, again and again."""

    source: Database
    """Where it is."""
    warehouse: Database
    """Where it goes."""
    deployment: Deployment
    """Between the two, with the plugin under test and no other."""
    table: str
    """The table's name."""

    def load(
        self, *, small: bool = True, rows_read: Callable[[int], None] = lambda _: None
    ) -> tuple[LoadPlan, TableFinished]:
        """Load the table once.

        Args:
            small: whether chunks have a few rows, instead of the plan's budgets.
            rows_read: called behind each chunk with the rows read so far.

        Returns:
            The plan that was carried out, and what came of it.

        Raises:
            EtlkitError: the load failed.
        """
        self.deployment.discovery.clear_cache()
        planner = _Watched(planner=self.deployment.planner(), small=small)
        outcome = PostgresLoader(
            settings=self.deployment.settings,
            planner=planner,
            connections=self.deployment.connections,
            ledger=self.deployment.ledger,
            run_id=uuid.uuid4().hex,
            allow_deletes=True,
            rows_read=lambda _, rows: rows_read(rows),
        ).load_table(self.table)
        if planner.last is None:
            raise RuntimeError("a load without a plan")
        return planner.last.plan, outcome


@contextmanager
def trial(
    source: Database,
    warehouse: Database,
    registry: Registry,
    table: str,
    choice: TableChoice,
    **settings: Any,
) -> Iterator[Trial]:
    """Open a deployment of one table.

    Args:
        source: where the table is.
        warehouse: where it goes.
        registry: the plugins.
        table: the table's name.
        choice: what `tables: <name>:` in `etlkit.yml` would say of it.
        **settings: further settings.

    Yields:
        What loads it.
    """
    # Test servers are asked in whatever way they can be reached.
    made = Settings(
        deployment="contract",
        source=SourceSettings(url=MySQLUrl.parse(source.url), insecure=True),
        warehouse=WarehouseSettings(url=PostgresUrl.parse(warehouse.url), insecure=True),
        tables={table: choice},
        **settings,
    )
    with Deployment.of(made, registry) as deployment:
        deployment.ledger.ensure()
        yield Trial(source=source, warehouse=warehouse, deployment=deployment, table=table)


def registry_of_only(provided: Mapping[str, Sequence[Any]]) -> Registry:
    """Make a registry of some objects, without what else their plugins provide.

    Args:
        provided: by hook, the objects.

    Returns:
        The registry.
    """
    module = ModuleType("contract")
    for hook, items in provided.items():
        vars(module)[hook] = _yielding(hook, items)
    return Registry.of(module)


def _yielding(hook: str, items: Sequence[Any]) -> Callable[[], Iterator[Any]]:
    def provide() -> Iterator[Any]:
        yield from items

    provide.__name__ = hook
    return hookimpl(provide)


def _small(chunks: Chunks) -> Chunks:
    return attrs.evolve(
        chunks,
        rows=min(chunks.rows, FEW_ROWS),
        max_bytes=min(chunks.max_bytes, FEW_BYTES),
        kept_seconds=0.0,
    )
