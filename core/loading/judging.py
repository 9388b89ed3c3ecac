"""A load meets a table of another shape: the policy judges, and says what becomes of it."""

from __future__ import annotations

from collections.abc import Sequence

import attrs
import sqlalchemy as sa

from etlkit.config import DriftSettings
from etlkit.contracts import Everything, Write
from etlkit.errors import LoadError
from etlkit.loading.drift import Drift
from etlkit.loading.drift_policy import permitted
from etlkit.loading.renames import Rename, found_renamed, key_pairs
from etlkit.loading.shapes import Shape, shape_of
from etlkit.loading.table_plan import TablePlan
from etlkit.loading.target import Named, TargetTable


class EveryRowNeeded(Exception):
    """The shape must change in a way that needs every row, and the plan reads a part: the load begins again."""


@attrs.frozen(kw_only=True)
class Judge:
    """Judges the difference between one table and what is loaded into it."""

    what: TablePlan
    """The table's load."""
    policy: DriftSettings
    """The deployment's."""
    allow: bool = False
    """Whether everything is allowed, for this run."""
    limited: bool = False
    """Whether a part of the rows is read, so that nothing may happen that needs all of them."""

    def before(self, connection: sa.Connection, stage: sa.Table, now: Shape) -> Drift | None:
        """Judge before rows are read.

        Args:
            connection: in a transaction.
            stage: the table that they will be staged in.
            now: the warehouse's table.

        Returns:
            The difference; None when there is none.

        Raises:
            DriftRefused: the policy refuses a part of it.
            EveryRowNeeded: the plan reads a part of the rows only.
        """
        drift = self.between(connection, stage, now)
        if drift is None:
            return None
        may_be = {} if self.policy.rename == "keep" else key_pairs(drift, self.what.gone_before)
        # A key whose column was only renamed is no other key; the values tell.
        self._permit(attrs.evolve(drift, renamed=may_be))
        if drift.needs_every_row and not self.limited and not self._reads_every_row:
            raise EveryRowNeeded
        return drift

    def between(self, connection: sa.Connection, stage: sa.Table, now: Shape) -> Drift | None:
        """Find the difference, without a judgement.

        Args:
            connection: in a transaction.
            stage: the table that rows are staged in.
            now: the warehouse's table.

        Returns:
            The difference; None when there is none.
        """
        what = self.what
        if what.fits(now):
            return None
        # PostgreSQL is asked how it spells the staged types: `pg_type` may say int4 for integer.
        staged = shape_of(connection, stage)
        if staged is None:
            raise LoadError(f"the staged rows of table `{what.target.source}` are gone; run again")
        wanted = attrs.evolve(staged, key=what.target.key, types={**what.target.types, **staged.types})
        drift = Drift(now=now, wanted=wanted)
        return None if drift.same else drift

    def settled(
        self, connection: sa.Connection, stage: sa.Table, now: Shape, drift: Drift | None
    ) -> Drift | None:
        """Judge once rows were staged, which tell a renamed column from another one.

        Args:
            connection: in the load's transaction.
            stage: the staged rows.
            now: the warehouse's table.
            drift: as `before` gave it.

        Returns:
            What is to be done.

        Raises:
            DriftRefused: the policy refuses a part of it.
        """
        if drift is None or self.policy.rename == "keep":
            return drift
        found = found_renamed(connection, _whole(self.what.target, now), stage, drift, self.what.gone_before)
        if not found:
            return self._permit(drift)
        return self._permit(attrs.evolve(drift, renamed={each.old: each.new for each in found}), found)

    def _permit(self, drift: Drift, renames: Sequence[Rename] = ()) -> Drift:
        return permitted(
            drift,
            self.policy,
            self.what.target,
            allow=self.allow and not self.limited,
            accepted=self.what.accepted,
            renames=renames,
        )

    @property
    def _reads_every_row(self) -> bool:
        plan = self.what.plan
        return isinstance(plan.read, Everything) and plan.write is Write.REPLACE


def _whole(target: TargetTable, now: Shape) -> sa.Table:
    """Give the warehouse's table with all of its columns, also those that the source does not have."""
    columns = (sa.Column(name, Named(kind)) for name, kind in now.types.items())
    return sa.Table(target.name, sa.MetaData(), *columns, schema=target.schema)
