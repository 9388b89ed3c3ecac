"""A table in the warehouse gets the shape that the source asks for: in place, by the transaction of the load.

Nothing is dropped but the old primary key's constraint and views that are put back. Rows stay what they are until what
was read is applied to them, by the same transaction.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

import attrs
import sqlalchemy as sa

from etlkit.contracts import Deletes
from etlkit.errors import DriftRefused
from etlkit.loading import apply
from etlkit.loading.alterations import AlterColumns, DropKey, RenameColumn
from etlkit.loading.dependents import Dependents
from etlkit.loading.drift import Drift, listed
from etlkit.loading.patient_lock import locked
from etlkit.loading.shapes import numbers_of
from etlkit.loading.table_plan import TablePlan
from etlkit.loading.target import TargetTable
from etlkit.loading.warehouse_table import add_key
from etlkit.raising import raise_alone
from etlkit.wording import counted

# A change that PostgreSQL refuses for what it is (appendix A of its manual), and not for the moment.
_REFUSED = ("0A", "22", "23", "2B", "42", "55006")
_KNOWS_TYPES = (16,)
"""From this version on PostgreSQL can say whether a text is a value of a type."""


@attrs.define(kw_only=True)
class Reshaping:
    """One table's change of shape."""

    what: TablePlan
    """The table's load."""
    connection: sa.Connection
    """In the load's transaction."""
    stage: sa.Table
    """The rows that were read: every row of the source, unless the change is one that needs none."""
    drift: Drift
    """The change, permitted."""
    check: Callable[[], None] = lambda: None
    """Called while somebody else's lock is waited for; raises when the load is to end."""
    table: sa.Table = attrs.field(init=False)
    """The table as it is now."""
    removed: int = attrs.field(default=0, init=False)
    """Rows that had to be taken out, because the new primary key does not tell them apart."""
    _step: str = attrs.field(default="", init=False)
    _dependents: Dependents = attrs.field(factory=Dependents, init=False)

    @property
    def _target(self) -> TargetTable:
        return self.what.target

    @property
    def _new_key(self) -> bool:
        """Whether the primary key is built anew."""
        retyped = any(name in self.drift.retyped for name in self.drift.there.key)
        return self.drift.rekeyed or retyped

    @property
    def _alters(self) -> bool:
        """Whether anything is done to the table that keeps readers waiting."""
        drift = self.drift
        return bool(drift.added or drift.widened or drift.retyped or drift.renamed or self._new_key)

    @contextmanager
    def done(self) -> Iterator[Reshaping]:
        """Change the table, let rows be applied to it, and put back the views that were in the way.

        Yields:
            This, with the table as it is now.

        Raises:
            DriftRefused: PostgreSQL does not let it happen, or rows that are kept do not fit.
        """
        with self._refusing():
            if self._alters:
                self._dependents = self._found(self.drift.now.types)
                self._refuse_foreign()
                locked(self.connection, self._target, self._dependents, self.check)
            self._rename()
            self._alter()
            if self._new_key:
                self._replace_key()
        self.table = self._target.itself(self.drift.types)
        yield self
        with self._refusing():
            self._step = "making the views anew that depend on it"
            self._dependents.put_back(self.connection)

    def counted(self, counts: dict[str, int]) -> dict[str, int]:
        """Count rows that were taken out and came back as updated.

        Args:
            counts: rows inserted, updated and deleted when what was read was applied.

        Returns:
            The same, with the rows that were taken out before.
        """
        if not self.removed:
            return counts
        back = min(self.removed, counts.get("inserted", 0))
        return {
            **counts,
            "inserted": counts.get("inserted", 0) - back,
            "updated": counts.get("updated", 0) + back,
            "deleted": counts.get("deleted", 0) + self.removed - back,
        }

    def _rename(self) -> None:
        for old, new in self.drift.renamed.items():
            self._step = f"renaming the column `{old}`"
            self.connection.execute(RenameColumn(self._target.itself(), old, new))
        if self.drift.renamed and self._dependents.views:
            # Their definitions have the new names now.
            self._dependents = self._found(self.drift.there.types)

    def _found(self, types: Mapping[str, str]) -> Dependents:
        """Find the views that stand in the way of the change, given the columns that the table has."""
        drift = self.drift
        old = {new: name for name, new in drift.renamed.items()}
        changing = [name if name in types else old[name] for name in (*drift.widened, *drift.retyped)]
        if not changing and not self._new_key:
            return Dependents()
        oid, numbers, key = numbers_of(self.connection, self._target.itself())
        constraint = key.oid if key is not None and self._new_key else 0
        return Dependents.of(self.connection, oid, [numbers[name] for name in changing], constraint)

    def _alter(self) -> None:
        drift, there = self.drift, self.drift.there
        self._refuse_lost_values()
        self._step = "taking down the views that depend on it"
        self._dependents.take_down(self.connection)
        if self._new_key:
            self._step = "replacing the primary key"
            key = numbers_of(self.connection, self._target.itself())[2]
            if key is not None:
                self.connection.execute(DropKey(self._target.itself(), key.name))
        # Of a type that changes, values become NULL until the rows are applied.
        loose = {name for name in there.key if name not in drift.wanted.key or name in drift.retyped}
        alter = AlterColumns(
            self._target.itself(),
            added=drift.added,
            widened=drift.widened,
            retyped=drift.retyped,
            nullable=sorted(loose) if self._new_key else (),
            checking=self._checks,
        )
        self._step = f"changing the columns {listed((*drift.added, *drift.widened, *drift.retyped))}"
        if alter.does_something:
            self.connection.execute(alter)

    @property
    def _checks(self) -> bool:
        return (self.connection.dialect.server_version_info or ()) >= _KNOWS_TYPES

    def _replace_key(self) -> None:
        self._step = "replacing the primary key"
        if not self._target.key:
            return
        table = self._target.itself(self.drift.types)
        unclear = apply.unclear_by_key(self._target, table)
        if self.what.plan.deletes is not Deletes.HARD:
            stays = apply.must_stay(self._target, table, self.stage)
            if rows := self.connection.scalar(
                sa.select(sa.func.count()).select_from(table).where(unclear, stays)
            ):
                deletes = self.what.plan.deletes.value
                raise DriftRefused(
                    f"table `{self._target.source}`: {counted(rows, 'row')} of `{self._target}` would have no value in "
                    f"the new primary key ({listed(self._target.key)}), or the same as another row, so nothing tells "
                    f"which of them `deletes: {deletes}` keeps. Nothing was changed. Choose `deletes: hard` for the "
                    f"table, or rename `{self._target}` and run again, which loads the new shape beside it"
                )
        self.removed = self.connection.execute(sa.delete(table).where(unclear)).rowcount
        add_key(self.connection, self._target)

    def _refuse_lost_values(self) -> None:
        """Refuse a change of type by which rows that the source no longer has would lose a value."""
        deletes = self.what.plan.deletes
        if deletes is Deletes.HARD or not self.drift.retyped:
            return
        renamed = {new: old for old, new in self.drift.renamed.items()}
        table = self._target.itself(self.drift.there.types)
        known = not self._new_key and not renamed.keys() & set(self._target.key)
        stays = apply.must_stay(self._target, table, self.stage) if known else sa.true()
        for name, kind in self.drift.retyped.items():
            text = sa.cast(table.c[name], sa.Text)
            fits = sa.func.pg_input_is_valid(text, kind) if self._checks else sa.false()
            lost = (
                sa.select(sa.func.count()).select_from(table).where(table.c[name].is_not(None), ~fits, stays)
            )
            if rows := self.connection.scalar(lost):
                raise DriftRefused(
                    f"{self._kept_rows(rows)}, would lose the value of `{name}`, which is none of {kind}. Nothing was "
                    "changed. Choose another `pg_type` for the column, `deletes: hard` for the table, or rename "
                    f"`{self._target}` and run again, which loads the new shape beside it"
                )

    def _kept_rows(self, rows: int) -> str:
        return (
            f"table `{self._target.source}`: {counted(rows, 'row')} of `{self._target}` that the source no longer has, "
            f"and that `deletes: {self.what.plan.deletes.value}` keeps"
        )

    def _refuse_foreign(self) -> None:
        foreign = self._dependents.foreign
        if not foreign:
            return
        names = ", ".join(f"{each.name} (of {each.owner})" for each in foreign)
        owners = ", ".join(dict.fromkeys(each.owner for each in foreign))
        raise DriftRefused(
            f"table `{self._target.source}`: views stand in the way of its change, and etlkit's user may not take them "
            f"down and put them back: {names}. Nothing was changed. Make the user a member of their owner (`GRANT "
            f"{owners} TO ...`), or drop them, run again, and create them anew"
        )

    @contextmanager
    def _refusing(self) -> Iterator[None]:
        try:
            yield
        except sa.exc.DBAPIError as error:
            code = getattr(error.orig, "pgcode", None) or ""
            if not code.startswith(_REFUSED):
                raise
            depends = f" What depends on it: {self._dependents}." if str(self._dependents) else ""
            raise_alone(
                DriftRefused(
                    f"table `{self._target.source}` cannot be changed in place: PostgreSQL refused {self._step} "
                    f"(SQLSTATE {code}).{depends} Nothing was changed. Drop what is in the way, run again, and create "
                    f"it anew; or rename `{self._target}` and run again, which loads the new shape beside it"
                )
            )
