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
from etlkit.loading.ledger_entries import LedgerEntry, LedgerSnapshot
from etlkit.loading.shapes import Shape, shape_of
from etlkit.loading.source_identity import LoadedFrom, SourceIdentity, refuse_other_source
from etlkit.loading.trouble import warehouse_trouble
from etlkit.orchestration.allowed_hours import require_allowed_hour
from etlkit.orchestration.deployment import Deployment
from etlkit.orchestration.run import RunRequest, selected_tables
from etlkit.stopping import StopSignal
from etlkit.verification.by_digests import DigestCheck, has_digests
from etlkit.verification.checking import TableCheck
from etlkit.verification.deep import DeepCheck
from etlkit.verification.reading import to_compare
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
        refuse_other_source(self.deployment.ledger, LoadedFrom(database=now))
        known = self.deployment.ledger.snapshot()
        found: list[TableVerification] = []
        # Closed at once when this thread is interrupted, wherever it is: that is what ends the tables in work.
        with closing(self._outcomes(names, known)) as outcomes:
            for outcome in outcomes:
                found.append(outcome)
                _log.info("%d/%d table `%s`: %s", len(found), len(names), outcome.table, outcome.verified)
                self.finished(outcome)
        return Verification.of(found, time.monotonic() - began)

    def _outcomes(
        self, names: Sequence[str], known: LedgerSnapshot
    ) -> Generator[TableVerification, None, None]:
        pool = ThreadPoolExecutor(self.deployment.settings.run.threads, thread_name_prefix="etlkit-verify")
        futures = [pool.submit(self._outcome, name, known) for name in names]
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

    def _outcome(self, name: str, known: LedgerSnapshot) -> TableVerification:
        began = time.monotonic()
        try:
            self.stop.check()
            require_allowed_hour(self.deployment.settings.source.allowed_hours)
            return self._check(name, known).carry_out()
        except EtlkitError as error:
            reason = error.message
        except Exception as error:  # noqa: BLE001 - one table's failure must leave the others running
            # The message may hold a row's value, so only the kind of error and its place are told.
            place = traceback.extract_tb(error.__traceback__)[-1]
            where = f"{place.filename.rpartition('/')[2]}:{place.lineno}"
            reason = f"{type(error).__name__} at {where}; this is a defect of etlkit or of a plugin, please report it"
        return TableVerification(table=name, reason=reason, seconds=time.monotonic() - began)

    def _check(self, name: str, known: LedgerSnapshot) -> TableCheck:
        ledger = self.deployment.ledger
        # Read anew for each table: a run may have loaded it since.
        entry = ledger.entry(name) if name in known.entries else None
        if entry is None:
            raise NotChecked("never loaded")
        if self.deployment.discovery.catalog().find(name) is None:
            raise NotChecked("it is gone in the source; `etlkit analyze` takes it off the list")
        now = self._shape(entry)
        planner = attrs.evolve(
            self.deployment.planner(),
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
            connections=self.deployment.connections,
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
