"""Whole runs in this process: a deployment that was analysed, and what a run of it told."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import attrs

from etlkit.config import MySQLUrl, PostgresUrl, Settings, SourceSettings, TableConfig, WarehouseSettings
from etlkit.orchestration.deployment import Deployment
from etlkit.orchestration.run import Event, Run, RunRequest
from etlkit.registry import Registry
from support.databases import SourceDatabase, WarehouseDatabase


@attrs.define(kw_only=True)
class Running:
    """A deployment whose runs are carried out one after the other."""

    source: SourceDatabase
    warehouse: WarehouseDatabase
    deployment: Deployment
    events: list[Event] = attrs.field(factory=list)
    """What the last run told."""

    def change(self, **settings: Any) -> None:
        """Change settings."""
        self.deployment = attrs.evolve(
            self.deployment, settings=attrs.evolve(self.deployment.settings, **settings)
        )

    def analyse(self, levels: Mapping[str, str] | None = None) -> None:
        """Decide how each table is loaded, as `etlkit analyze` does; some levels may be given."""
        discovery = self.deployment.discovery
        discovery.clear_cache()
        found = {
            name: TableConfig.from_dict(discovery.get_pipeline_configuration(name))
            for name in discovery.usual_tables()
        }
        for name, level in (levels or {}).items():
            found[name] = attrs.evolve(found[name], table_importance=level)
        self.change(analyzed=found)

    def run(self, **request: Any) -> int:
        """Carry out a run, discovery looking anew; gives its exit code."""
        self.deployment.discovery.clear_cache()
        self.events.clear()
        made = Run(deployment=self.deployment, request=RunRequest(**request), tell=self.events.append)
        return made.carry_out().exit_code


@contextmanager
def running_of(
    source: SourceDatabase,
    warehouse: WarehouseDatabase,
    *,
    registry: Registry | None = None,
    source_url: str = "",
    **changes: Any,
) -> Iterator[Running]:
    """Open a deployment.

    Args:
        source: the clinic's database.
        warehouse: where to.
        registry: plugins instead of those that are installed.
        source_url: to read as another user.
        changes: of the settings; `connections` and `statement_seconds` belong to the source.
    """
    of_source = {name: changes.pop(name) for name in ("connections", "statement_seconds") if name in changes}
    settings = Settings(
        deployment="north",
        source=SourceSettings(url=MySQLUrl.parse(source_url or source.reader_url), **of_source),
        warehouse=WarehouseSettings(url=PostgresUrl.parse(warehouse.url)),
        **changes,
    )
    with Deployment.of(settings, registry) as deployment:
        yield Running(source=source, warehouse=warehouse, deployment=deployment)
