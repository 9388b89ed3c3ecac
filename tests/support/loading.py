"""Loading the tables of a test's source into its warehouse, one at a time."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import attrs
import sqlalchemy as sa

from etlkit.config import (
    DriftSettings,
    MySQLUrl,
    PostgresUrl,
    Settings,
    SourceSettings,
    TableChoice,
    WarehouseSettings,
)
from etlkit.contracts import LoadPlan
from etlkit.events import TableFinished
from etlkit.loading.load import Load
from etlkit.loading.postgres_loader import PostgresLoader
from etlkit.loading.table_plan import TablePlan
from etlkit.orchestration.deployment import Deployment
from support.databases import SourceDatabase, WarehouseDatabase

Counts = tuple[int, int, int, int, int]
"""Rows read, inserted, updated, deleted and unchanged."""


@attrs.define(kw_only=True)
class Loading:
    """Loads tables of one source into one warehouse; discovery looks anew at each load."""

    source: SourceDatabase
    warehouse: WarehouseDatabase
    deployment: Deployment

    @property
    def engine(self) -> sa.Engine:
        """The product's own engine of the warehouse."""
        return self.deployment.ledger.engine

    def choose(self, *, drift: Mapping[str, str] | None = None, **tables: TableChoice) -> None:
        """Write into `etlkit.yml`."""
        settings = self.deployment.settings
        self.deployment = attrs.evolve(
            self.deployment,
            settings=attrs.evolve(
                settings,
                drift=DriftSettings(**drift) if drift else settings.drift,
                tables={**settings.tables, **tables},
            ),
        )

    def plan(
        self, table: str, *, limit: int | None = None, force_full: bool = False, **changes: Any
    ) -> TablePlan:
        """Plan a load now; `changes` are laid over the strategy's plan."""
        self.deployment.discovery.clear_cache()
        made = self.deployment.planner().plan(table, limit=limit, force_full=force_full)
        plan: LoadPlan = attrs.evolve(made.plan, **changes)
        return attrs.evolve(made, plan=plan)

    def carry_out(
        self,
        plan: TablePlan,
        *,
        limit: int | None = None,
        run_id: str = "",
        rows_read: Callable[[int], None] = lambda _: None,
        max_deleted_share: float = 1,
        allow_drift: bool = False,
    ) -> TableFinished:
        """Carry a plan out; `rows_read` is called behind each chunk."""
        return Load(
            what=plan,
            connections=self.deployment.connections,
            ledger=self.deployment.ledger,
            run_id=run_id or uuid.uuid4().hex,
            drift=self.deployment.settings.drift,
            allow_drift=allow_drift,
            max_deleted_share=max_deleted_share,
            limit=limit,
            rows_read=rows_read,
        ).carry_out()

    def outcome(
        self,
        table: str,
        *,
        limit: int | None = None,
        force_full: bool = False,
        run_id: str = "",
        allow_drift: bool = False,
        **changes: Any,
    ) -> TableFinished:
        """Load a table."""
        plan = self.plan(table, limit=limit, force_full=force_full, **changes)
        return self.carry_out(plan, limit=limit, run_id=run_id, allow_drift=allow_drift)

    def load(self, table: str, **options: Any) -> Counts:
        """Load a table and count."""
        return counts(self.outcome(table, **options))

    def loader(self, run_id: str = "run") -> PostgresLoader:
        """The product's loader."""
        self.deployment.discovery.clear_cache()
        return PostgresLoader(
            settings=self.deployment.settings,
            planner=self.deployment.planner(),
            connections=self.deployment.connections,
            ledger=self.deployment.ledger,
            run_id=run_id,
        )

    def there(self, columns: str = "*", table: str = "t") -> list[tuple[Any, ...]]:
        """Rows of the warehouse's table, sorted by text."""
        return sorted(self.warehouse.rows(f'SELECT {columns} FROM raw."{table}"'), key=repr)

    def versions(self, table: str = "t", key: str = "id") -> dict[Any, tuple[Any, ...]]:
        """By key, which physical version of its row the warehouse holds."""
        rows = self.warehouse.rows(f'SELECT "{key}", ctid::text, xmin::text FROM raw."{table}"')
        return {first: tuple(rest) for first, *rest in rows}


def counts(outcome: TableFinished) -> Counts:
    """What a load counted."""
    return outcome.read, outcome.inserted, outcome.updated, outcome.deleted, outcome.unchanged


def settings_for(source_url: str, warehouse_url: str) -> Settings:
    """Settings of a deployment."""
    return Settings(
        deployment="north",
        source=SourceSettings(url=MySQLUrl.parse(source_url)),
        warehouse=WarehouseSettings(url=PostgresUrl.parse(warehouse_url)),
    )


@contextmanager
def loading_of(
    source: SourceDatabase, warehouse: WarehouseDatabase, warehouse_url: str = ""
) -> Iterator[Loading]:
    """Open a deployment, its ledger made; as another user of the warehouse where a URL is given."""
    with Deployment.of(settings_for(source.reader_url, warehouse_url or warehouse.url)) as deployment:
        deployment.ledger.ensure()
        yield Loading(source=source, warehouse=warehouse, deployment=deployment)
