"""A run: the tables of a deployment, each loaded and recorded, and one exit code for all of them."""

from __future__ import annotations

import logging
import time
import uuid
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from types import TracebackType

import attrs

from etlkit.config import TABLES_FILE
from etlkit.ending import end_signal
from etlkit.errors import (
    ConfigurationError,
    DriftRefused,
    EtlkitError,
    LockHeld,
    SomeTablesFailed,
)
from etlkit.events import RunFinished, RunStarting, TableFinished
from etlkit.orchestration.allowed_hours import require_allowed_hour
from etlkit.orchestration.audit import audit_of
from etlkit.orchestration.choices import check_tables
from etlkit.orchestration.deployment import Deployment
from etlkit.orchestration.hops import Hops, refused
from etlkit.orchestration.retries import Retries
from etlkit.orchestration.selection import selected
from etlkit.orchestration.source_tables import SourceTables

Event = RunStarting | TableFinished | RunFinished

_OF_THEIR_OWN = (ConfigurationError.exit_code, DriftRefused.exit_code, LockHeld.exit_code)

_log = logging.getLogger(__name__)


@attrs.frozen(kw_only=True)
class RunRequest:
    """What a run is asked to do."""

    select: tuple[str, ...] = ()
    """Patterns of tables to load; none for all."""
    exclude: tuple[str, ...] = ()
    """Patterns of tables to leave out."""
    full_refresh: bool = False
    """Whether watermarks are forgotten and every row is read."""
    limit: int | None = None
    """Read at most so many rows of each table; such a run removes nothing and remembers nothing."""
    reconcile: bool = False
    """Whether every difference is found and mended, instead of what the tables' strategies look for."""
    allow_deletes: bool = False
    """Whether loads may remove any share of a table's rows."""
    allow_drift: bool = False
    """Whether tables may change their shape in every way that can be done in place."""
    accept_source: bool = False
    """Whether to go on when the source is another one than before; every row is read then."""


@attrs.frozen(kw_only=True)
class Run:
    """Carries out one run."""

    deployment: Deployment
    """Whose tables."""
    request: RunRequest = RunRequest()
    """What is asked for."""
    tell: Callable[[Event], None] = lambda _: None
    """Called with each event, in the thread that called `carry_out`; the plugins' observers are told as well."""
    rows_read: Callable[[str, int], None] = lambda *_: None
    """Called from the tables' threads with a table's name and the rows read of it so far."""

    def carry_out(self) -> RunFinished:
        """Load the tables.

        Returns:
            What came of each table, with the exit code that says it in one number; see `exit_code_of`.

        Raises:
            ConfigurationError: nothing was analysed yet, or a pattern fits no table.
            OutsideAllowedHours: the source may not be read now.
            ConnectionFailed: one of the servers cannot be reached.
            LockHeld: another run of this deployment is at work.
            SourceChanged: the source is another one than before.
            SchemaDiscoveryError: the source's catalog cannot be read.
        """
        with ExitStack() as unbegun:
            unbegun.push(self._tell_that_it_cannot_begin)
            return self._carry_out(unbegun)

    def _carry_out(self, unbegun: ExitStack) -> RunFinished:
        began = time.monotonic()
        require_allowed_hour(self.deployment.settings.source.allowed_hours)
        chosen = selected_tables(self.deployment, self.request)
        ledger, run_id = self.deployment.ledger, uuid.uuid4().hex
        retries = Retries(most=self.deployment.settings.run.retries, stop=end_signal())
        retries.call(self.deployment.discovery.catalog)
        retries.call(ledger.ensure)
        with ledger.run_lock(run_id) as lock:
            hops = Hops(
                deployment=self.deployment,
                request=self.request,
                run_id=run_id,
                retries=retries,
                may_go_on=lock.keep,
                rows_read=self.rows_read,
            )
            hops.require_source()

            def finished(outcome: TableFinished) -> None:
                outcomes.append(attrs.evolve(outcome, alert_on_failure=self._is_watched(outcome.table)))
                self._tell(outcomes[-1])

            # Read once for all tables: what another run commits meanwhile is told by the table's generation.
            known = ledger.snapshot()
            tables = SourceTables(
                deployment=self.deployment, known=known, allow_drift=self.request.allow_drift
            )
            standing = tables.standing(chosen)
            tables.tell(standing)
            outcomes = [self._refused(name, error) for name, error in standing.refused.items()]
            hops = attrs.evolve(hops, deployment=tables.settled(standing, run_id))
            if standing.renamed:
                known = ledger.snapshot()
            ordered = hops.order(standing.names, known)
            self._record_start(run_id)
            unbegun.pop_all()
            ended: tuple[int, str | None] = (EtlkitError.exit_code, None)
            try:
                self._tell(RunStarting(run_id=run_id, deployment=self._name, tables=ordered, hops=hops.names))
                for outcome in outcomes:
                    ledger.record_failure(run_id, outcome)
                    self._tell(outcome)
                hops.carry_out(ordered, known, finished)
                ended = exit_code_of(outcomes), None
            except BaseException as failure:
                ended = _explained(failure)
                raise
            finally:
                event = RunFinished(
                    run_id=run_id,
                    deployment=self._name,
                    exit_code=ended[0],
                    tables=tuple(outcomes),
                    seconds=time.monotonic() - began,
                    whole=not (self.request.select or self.request.exclude),
                    error=ended[1],
                )
                try:
                    retries.call(lambda: ledger.runs.finish(event), at_the_end=True)
                finally:
                    self._tell(event)
        return event

    def _refused(self, name: str, error: EtlkitError) -> TableFinished:
        outcome = refused(self.deployment.settings, name, error)
        return attrs.evolve(outcome, alert_on_failure=self._is_watched(name))

    @property
    def _name(self) -> str:
        return self.deployment.settings.deployment

    def _record_start(self, run_id: str) -> None:
        audit = audit_of(self.deployment, self.request)
        versions = audit["versions"]
        self.deployment.ledger.runs.start(
            run_id, self._name, versions["etlkit"], audit, versions["plugin_lock"]
        )

    def _is_watched(self, table: str) -> bool:
        return self.deployment.settings.get_table_config(table).monitoring.alert_on_failure

    def _tell_that_it_cannot_begin(
        self, kind: type[BaseException] | None, failure: BaseException | None, trace: TracebackType | None
    ) -> None:
        if failure is not None:
            exit_code, error = _explained(failure)
            # Observers only: who asked for the run is told by the exception.
            self.deployment.registry.notify(
                RunFinished(run_id="", deployment=self._name, exit_code=exit_code, tables=(), error=error)
            )

    def _tell(self, event: Event) -> None:
        self.deployment.registry.notify(event)
        self.tell(event)


def selected_tables(deployment: Deployment, request: RunRequest) -> list[str]:
    """Choose the tables of a run.

    Args:
        deployment: whose tables.
        request: with its patterns.

    Returns:
        Names, sorted.

    Raises:
        ConfigurationError: nothing was analysed yet, or a pattern fits no table.
    """
    settings = deployment.settings
    if not settings.analyzed:
        raise ConfigurationError(
            f"{settings.folder / TABLES_FILE}: there are no tables in it yet; "
            f"`etlkit analyze -C {settings.folder}` finds them"
        )
    check_tables(settings, deployment.registry)
    return selected(deployment.levels(), request.select, request.exclude)


def _explained(failure: BaseException) -> tuple[int, str]:
    if isinstance(failure, EtlkitError):
        return failure.exit_code, failure.message
    if isinstance(failure, KeyboardInterrupt):
        return EtlkitError.exit_code, "interrupted"
    # The message may hold a row's value.
    return EtlkitError.exit_code, f"{type(failure).__name__}; this is a defect of etlkit or of a plugin"


def exit_code_of(outcomes: Sequence[TableFinished]) -> int:
    """Give the exit code of a run.

    Args:
        outcomes: of its tables.

    Returns:
        0 when none failed; 2 (configuration), 5 (drift refused) or 7 (somebody else holds the lock) when it is what
        all failures are; else 3.
    """
    codes = {outcome.exit_code for outcome in outcomes if outcome.error is not None}
    if not codes:
        return 0
    shared = codes.pop()
    return shared if not codes and shared in _OF_THEIR_OWN else SomeTablesFailed.exit_code
