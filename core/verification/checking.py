"""What every way of comparing one table has in common: its parts, how it ends, and what is made of the comparison."""

from __future__ import annotations

import abc
import datetime as dt
import time
from collections.abc import Callable

import attrs
import sqlalchemy as sa

from etlkit.connections import ConnectionFactory
from etlkit.contracts import Deletes
from etlkit.errors import ExtractionError, LoadError, NotChecked
from etlkit.loading.ledger import Ledger
from etlkit.loading.shapes import Shape
from etlkit.loading.table_plan import TablePlan
from etlkit.loading.trouble import warehouse_trouble
from etlkit.raising import raise_alone
from etlkit.stopping import StopSignal, interrupted
from etlkit.transfer.chunk_queries import cursor_is_number
from etlkit.verification.comparing import Compared, compared_by_key
from etlkit.verification.fitness import Fit, fit_of
from etlkit.verification.listing import columns_of, differences_of, visible_keys
from etlkit.verification.results import TableVerification

_READ = "etlkit_verify"
# For joining both sides, in this transaction only.
_SETTINGS = {"work_mem": "64MB"}


@attrs.frozen(kw_only=True)
class TableCheck(abc.ABC):
    """Compares one table, once; writes nothing but temporary tables."""

    what: TablePlan
    """How the table is read, and what it is in the warehouse."""
    now: Shape
    """What the warehouse's table looks like."""
    connections: ConnectionFactory
    """Lends the source's connection."""
    ledger: Ledger
    """The ledger, and the warehouse that holds it; only read."""
    values: bool = False
    """Whether the beginnings of differing values are given, and keys of every type."""
    stop: StopSignal = attrs.field(factory=StopSignal)
    """When it is set, the work ends by `RunInterrupted`."""
    rows_read: Callable[[int], None] = lambda _: None
    """Called after each chunk with the rows read so far."""

    def carry_out(self) -> TableVerification:
        """Read, and compare.

        Returns:
            What was found.

        Raises:
            NotChecked: the table has not the shape that was loaded, or was loaded meanwhile.
            EtlkitError: one of the servers refused something.
        """
        began = time.monotonic()
        target = self.what.target
        names = {each.name for each in target.columns}
        try:
            with warehouse_trouble(f"warehouse table `{target}`", names):
                found = self._compared()
        except (LoadError, ExtractionError):
            # To end the work at once, its statements are cancelled and its connections are dropped.
            if self.stop.is_set():
                raise_alone(interrupted())
            raise
        if found.differing and self._was_loaded():
            raise NotChecked("a run loaded it while it was compared; verify again")
        return attrs.evolve(found, seconds=time.monotonic() - began)

    @abc.abstractmethod
    def _compared(self) -> TableVerification:
        """Read, and compare, in this check's own way."""

    @property
    def _keeps(self) -> bool:
        """Whether rows that are gone in the source are meant to stay as they are."""
        return self.what.plan.deletes is Deletes.IGNORE

    def _prepared(self, connection: sa.Connection) -> tuple[sa.Table, Fit]:
        """Begin the warehouse's part: make the temporary table for what is read, and look how it fits."""
        read = self.what.target.table(schema=None, name=_READ, temporary=True)
        connection.execute(
            sa.select(*(sa.func.set_config(name, value, True) for name, value in _SETTINGS.items()))
        )
        connection.execute(sa.schema.CreateTable(read))
        return read, fit_of(connection, self.what, read, self.now)

    def _by_key(
        self, connection: sa.Connection, compared: Compared, *, only_read: bool = False
    ) -> TableVerification:
        """Let PostgreSQL compare what was read with what is there, and name what differs."""
        newer_than = self._newer_than()
        keys = visible_keys(self.what, values=self.values)
        less, more, different, newer, columns, first = connection.execute(
            compared_by_key(
                compared,
                only_read=only_read or self._keeps,
                keys=keys,
                values=self.values,
                newer_than=newer_than,
            )
        ).one()
        return TableVerification(
            table=self.what.analysis.name,
            missing_in_warehouse=less,
            missing_in_source=more,
            different=different,
            newer=None if newer_than is None else newer,
            columns=columns_of(self.what.target, columns or []),
            differences=differences_of(self.what.target, first or []) if keys else (),
        )

    def _newer_than(self) -> tuple[str, str] | None:
        """Find the cursor's name in the warehouse and its watermark, where rows can be compared with it."""
        state = self.what.before.state if self.what.before else None
        if state is None or state.cursor_column is None or state.watermark is None:
            return None
        for column, there in zip(self.what.rendered.columns, self.what.target.columns, strict=True):
            if column.column.name == state.cursor_column and column.conversion is None:
                parse = int if cursor_is_number(column.column) else dt.datetime.fromisoformat
                try:
                    parse(state.watermark)
                except ValueError:
                    # `0000-00-00`, which PostgreSQL does not know.
                    return None
                return there.name, state.watermark
        return None

    def _was_loaded(self) -> bool:
        before, after = self.what.before, self.ledger.entry(self.what.analysis.name)
        return (before and before.state.generation) != (after and after.state.generation)
