"""Comparing the tables of a deployment, several at a time; one that cannot be compared leaves the others."""

from __future__ import annotations

import logging
import time
import traceback
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed, wait
from contextlib import closing
from functools import partial

import attrs
import sqlalchemy as sa

from etlkit.errors import EtlkitError, NotChecked
from etlkit.events import REPLICA, WAREHOUSE
from etlkit.loading.ledger_entries import LedgerEntry, LedgerSnapshot
from etlkit.loading.shapes import Shape, shape_of
from etlkit.loading.source_identity import SourceIdentity, refuse_other_source
from etlkit.loading.trouble import warehouse_trouble
from etlkit.orchestration.allowed_hours import require_allowed_hour
from etlkit.orchestration.deployment import Deployment
from etlkit.orchestration.replica_hop import loaded_through
from etlkit.orchestration.run import RunRequest, selected_tables
from etlkit.stopping import StopSignal
from etlkit.verification.by_digests import DigestCheck, has_digests
from etlkit.verification.checking import TableCheck
from etlkit.verification.deep import DeepCheck
from etlkit.verification.reading import to_compare
from etlkit.verification.replica_check import GONE, ReplicaCheck
from etlkit.verification.results import TableVerification, Verification

_PATIENCE_SECONDS = 1.0

_log = logging.getLogger(__name__)


@attrs.frozen(kw_only=True)
class VerifyRequest:
    """What a verification is asked to do."""

    select: tuple[str, ...] = ()
    """Patterns of tables to compare; none for all."""
    exclude: tuple[str, ...] = ()
    """Patterns of tables to leave out."""
    deep: bool = False
    """Whether every column of every row is compared, also of tables that can be compared by digests."""
    sample: int | None = None
    """Compare every column of so many rows of each table, chosen at random; not together with `deep`."""
    values: bool = False
    """Whether the beginnings of differing values are given, and keys of every type."""


@attrs.frozen(kw_only=True)
class Verify:
    """Carries out one verification; writes nothing but temporary tables."""

    deployment: Deployment
    """Whose tables."""
    request: VerifyRequest = VerifyRequest()
    """What is asked for."""
    finished: Callable[[TableVerification], None] = lambda _: None
    """Called with each table's outcome, in the thread that called `carry_out`."""
    stop: StopSignal = attrs.field(factory=StopSignal)
    """When it is set, tables in work end at once."""

    def carry_out(self) -> Verification:
        """Compare the tables.

        Returns:
            What came of each.

        Raises:
            ConfigurationError: nothing was analysed yet, or a pattern fits no table.
            OutsideAllowedHours: the source may not be read now.
            ConnectionFailed: one of the servers cannot be reached.
            SourceChanged: the source is another one than the tables were loaded from.
            SchemaDiscoveryError: the source's catalog cannot be read.
        """
        began = time.monotonic()
        require_allowed_hour(self.deployment.settings.source.allowed_hours)
        asked = RunRequest(select=self.request.select, exclude=self.request.exclude)
        names = selected_tables(self.deployment, asked)
        # Asked first, so that a server that does not answer is one failure and not one of each table.
        catalog = self.deployment.discovery.catalog()
        now = SourceIdentity.of(catalog, self.deployment.settings.source.url)
        second = self.deployment.second_hop
        refuse_other_source(self.deployment.ledger, loaded_through(self.deployment, second, now))
        copy = None if second is None else ReplicaCheck.of(self.deployment, second, now, self.stop)
        known = self.deployment.ledger.snapshot()
        checks = [] if copy is None else [partial(self._outcome_of_copy, copy, name) for name in names]
        checks += [partial(self._outcome, name, known, copy) for name in names]
        found: list[TableVerification] = []
        # Closed at once when this thread is interrupted, wherever it is: that is what ends the tables in work.
        with closing(self._outcomes(checks)) as outcomes:
            for outcome in outcomes:
                found.append(outcome)
                what = "" if outcome.hop == WAREHOUSE else " in the replica"
                _log.info(
                    "%d/%d table `%s`%s: %s", len(found), len(checks), outcome.table, what, outcome.verified
                )
                self.finished(outcome)
        return Verification.of(found, time.monotonic() - began)

    def _outcomes(
        self, checks: Sequence[Callable[[], TableVerification]]
    ) -> Generator[TableVerification, None, None]:
        pool = ThreadPoolExecutor(self.deployment.settings.run.threads, thread_name_prefix="etlkit-verify")
        futures = [pool.submit(check) for check in checks]
        complete = False
        try:
            for future in as_completed(futures):
                yield future.result()
            complete = True
        finally:
            pool.shutdown(wait=False, cancel_futures=True)
            while not complete:
                # Again and again: one that was just about to wait for something could not be woken up.
                self.stop.set()
                # Those that never began are not told of their end, so nobody may wait for them.
                begun = [each for each in futures if not each.cancelled()]
                complete = not wait(begun, _PATIENCE_SECONDS).not_done

    def _outcome_of_copy(self, copy: ReplicaCheck, name: str) -> TableVerification:
        def check() -> TableVerification:
            require_allowed_hour(self.deployment.settings.source.allowed_hours)
            return copy.carry_out(name)

        return self._found(name, REPLICA, check)

    def _outcome(self, name: str, known: LedgerSnapshot, copy: ReplicaCheck | None) -> TableVerification:
        def check() -> TableVerification:
            deployment = self.deployment.warehouse_hop()
            require_allowed_hour(deployment.settings.source.allowed_hours)
            if copy is not None and name in known.entries and copy.is_gone(name):
                raise NotChecked(GONE)
            return self._check(deployment, name, known).carry_out()

        return self._found(name, WAREHOUSE, check)

    def _found(self, name: str, hop: str, check: Callable[[], TableVerification]) -> TableVerification:
        began = time.monotonic()
        try:
            self.stop.check()
            return check()
        except EtlkitError as error:
            reason = error.message
        except Exception as error:  # noqa: BLE001 - one table's failure must leave the others running
            # The message may hold a row's value, so only the kind of error and its place are told.
            place = traceback.extract_tb(error.__traceback__)[-1]
            where = f"{place.filename.rpartition('/')[2]}:{place.lineno}"
            reason = f"{type(error).__name__} at {where}; this is a defect of etlkit or of a plugin, please report it"
        return TableVerification(table=name, hop=hop, reason=reason, seconds=time.monotonic() - began)

    def _check(self, deployment: Deployment, name: str, known: LedgerSnapshot) -> TableCheck:
        ledger = deployment.ledger
        # Read anew for each table: a run may have loaded it since.
        entry = ledger.entry(name) if name in known.entries else None
        if entry is None:
            raise NotChecked("never loaded")
        if deployment.discovery.catalog().find(name) is None:
            raise NotChecked(GONE)
        now = self._shape(entry)
        planner = attrs.evolve(
            deployment.planner(),
            known=attrs.evolve(known, entries={name: entry}, tables={entry.target_name: now}),
        )
        planned = planner.plan(name, force_full=True)
        by_digests = not self.request.deep and self.request.sample is None and has_digests(planned, now)
        check: Callable[..., TableCheck] = (
            DigestCheck if by_digests else partial(DeepCheck, sample=self.request.sample)
        )
        return check(
            what=to_compare(planned, digests=by_digests),
            now=now,
            connections=deployment.connections,
            ledger=ledger,
            values=self.request.values,
            stop=self.stop,
        )

    def _shape(self, entry: LedgerEntry) -> Shape:
        table = sa.Table(entry.target_name, sa.MetaData(), schema=self.deployment.ledger.schema)
        with (
            warehouse_trouble(f"warehouse table `{table.schema}.{table.name}`"),
            self.deployment.ledger.engine.connect() as connection,
        ):
            shape = shape_of(connection, table)
        if shape is None or not shape.is_table:
            raise NotChecked("its table is gone in the warehouse; run `etlkit run` first")
        return shape
