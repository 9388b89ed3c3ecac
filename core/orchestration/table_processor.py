"""TableProcessor: one table and one hop; a failure becomes an outcome that others can go on beside."""

from __future__ import annotations

import logging
import time
import traceback
from types import TracebackType
from typing import Protocol, Self

from etlkit.config import Settings, TableConfig
from etlkit.connections import ConnectionFactory
from etlkit.discovery import SchemaDiscovery
from etlkit.errors import EtlkitError, ExtractionError, RunInterrupted, SourceBusy, ValueNotRepresentable
from etlkit.events import WAREHOUSE, TableFinished
from etlkit.orchestration.allowed_hours import require_allowed_hour
from etlkit.orchestration.quality import judged
from etlkit.orchestration.retries import Retries
from etlkit.stopping import StopSignal

_log = logging.getLogger(__name__)


class RecordsFailures(Protocol):
    """What remembers tables that failed."""

    def record_failure(self, run_id: str, outcome: TableFinished) -> None:
        """Record a load that failed, in a transaction of its own."""


class LoadsTables(Protocol):
    """What writes tables: into the warehouse, or into the replica."""

    @property
    def settings(self) -> Settings:
        """The deployment's."""

    @property
    def connections(self) -> ConnectionFactory:
        """Lends the connection that is read from."""

    @property
    def ledger(self) -> RecordsFailures:
        """Remembers what came of each table."""

    @property
    def run_id(self) -> str:
        """The run that loads are recorded under."""

    @property
    def stop(self) -> StopSignal:
        """When it is set, loads at work end by `RunInterrupted`."""

    def load_table(self, table: str, force_full: bool = False, limit: int | None = None) -> TableFinished:
        """Load one table."""

    def get_table_config(self, table: str) -> TableConfig:
        """Give a table's configuration."""

    def afresh(self) -> Self:
        """Give a loader for another try, which does not build upon what was known before the first one."""


class TableProcessor:
    """Loads tables, one at a time per call; may be called from several threads. A context manager."""

    def __init__(
        self,
        schema_discovery: SchemaDiscovery | None,
        loader: LoadsTables | None = None,
        limit: int | None = None,
        retries: Retries | None = None,
        *,
        hop: str = WAREHOUSE,
        reads_replica: bool = False,
    ) -> None:
        """Take what is needed; nothing is built here.

        Args:
            schema_discovery: what is known of the source.
            loader: writes to the warehouse, or to the replica.
            limit: read at most so many rows of each table.
            retries: how often a table is tried again; by default `run.retries` times.
            hop: where the loader writes, as `TableFinished.hop` says it.
            reads_replica: whether what the loader calls the source is the replica, which failures then say.

        Raises:
            ValueError: there is no SchemaDiscovery, or no loader.
        """
        if schema_discovery is None:
            raise ValueError("SchemaDiscovery instance is required")
        if loader is None:
            raise ValueError("PostgresLoader instance is required")
        self.schema_discovery = schema_discovery
        self.loader = loader
        self.limit = limit
        self.retries = retries or Retries(most=loader.settings.run.retries, stop=loader.stop)
        self.hop = hop
        self.reads_replica = reads_replica
        self._hopeless: str | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.loader.connections.close()

    def process_table(self, table: str, force_full: bool = False) -> TableFinished:
        """Load one table.

        Args:
            table: its name in the source.
            force_full: forget the watermark and read everything.

        Returns:
            What happened; `error` says what went wrong, if anything did, and what to do next.
        """
        began = time.monotonic()
        if self._hopeless is not None:
            return self._not_tried(table, self._hopeless)

        def load(loader: LoadsTables) -> TableFinished:
            require_allowed_hour(loader.settings.source.allowed_hours)
            return loader.load_table(table, force_full=force_full, limit=self.limit)

        try:
            outcome = self.retries.call(lambda: load(self.loader), again=lambda: load(self.loader.afresh()))
            return judged(outcome, self.loader.get_table_config(table).monitoring)
        except RunInterrupted as error:
            return self._failed(table, began, error.message, error.exit_code, alert=False)
        except ValueNotRepresentable as error:
            return self._failed(table, began, error.message, error.exit_code, losses=error.losses)
        except EtlkitError as error:
            message = error.message
            if self.reads_replica and type(error) in {ExtractionError, SourceBusy}:
                message += " (the source of this hop is the replica)"
            if error.fatal and self._hopeless is None:
                self._hopeless = message
            return self._failed(table, began, message, error.exit_code)
        except Exception as error:  # noqa: BLE001 - one table's failure must leave the others running
            # The message may hold a row's value, so only the kind of error and its place are told.
            place = traceback.extract_tb(error.__traceback__)[-1]
            _log.debug("table `%s`: %s at %s:%s", table, type(error).__name__, place.filename, place.lineno)
            where = f"{place.filename.rpartition('/')[2]}:{place.lineno}"
            return self._failed(
                table,
                began,
                f"table `{table}`: {type(error).__name__} at {where}; this is a defect of etlkit or of a plugin, "
                "please report it with this line",
                1,
            )

    def _not_tried(self, table: str, why: str) -> TableFinished:
        """Give the outcome of a table that is left out since every table would fail; that was logged once."""
        return TableFinished(
            table=table,
            hop=self.hop,
            strategy=self.loader.get_table_config(table).extraction_strategy,
            importance=self.loader.get_table_config(table).table_importance,
            verified="not checked: not loaded",
            error=f"table `{table}` was not tried, since another one showed that none can be loaded: {why}",
            exit_code=EtlkitError.exit_code,
        )

    def _failed(
        self,
        table: str,
        began: float,
        message: str,
        exit_code: int,
        *,
        alert: bool = True,
        losses: tuple[tuple[str, str, int, str], ...] = (),
    ) -> TableFinished:
        config = self.loader.get_table_config(table)
        outcome = TableFinished(
            table=table,
            hop=self.hop,
            strategy=config.extraction_strategy,
            importance=config.table_importance,
            seconds=time.monotonic() - began,
            verified="not checked: the load failed",
            losses=losses,
            error=message,
            exit_code=exit_code,
        )
        # The only line about it, also where a command watches: failures that call for attention are errors there.
        level = logging.ERROR if alert and config.monitoring.alert_on_failure else logging.WARNING
        where = "" if self.hop == WAREHOUSE else f" into the {self.hop}"
        _log.log(level, "%s table `%s` was not loaded%s: %s", config.table_importance, table, where, message)
        try:
            self.loader.ledger.record_failure(self.loader.run_id, outcome)
        except Exception as error:  # noqa: BLE001 - the first failure is the one to report
            _log.warning("table `%s`: its failure could not be recorded (%s)", table, type(error).__name__)
        return outcome
