"""Reads that commit per chunk and were broken off: what is staged of them, and where they go on."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Mapping
from typing import Any

import attrs
import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from etlkit.errors import LockHeld
from etlkit.loading.ledger_tables import RESUMES, SCHEMA
from etlkit.transfer.chunk import Loss
from etlkit.transfer.policies import INVALID_DATE
from etlkit.transfer.quarantine import Quarantined

_AS_JSON = {"losses", "quarantined"}


@attrs.frozen(kw_only=True)
class Resume:
    """Where a broken read that commits per chunk goes on."""

    run_id: str
    """The run that wrote it last."""
    plan: str
    """Digest of the plan; a read only goes on under the same one."""
    stage: str
    """The table in schema `etlkit` that holds what was read."""
    last_key: str | None = None
    """The key behind which to go on, as `etlkit.transfer.keys.to_json` writes it; None before the first chunk."""
    watermark: str | None = None
    """The watermark of the chunks so far."""
    began: str | None = None
    """When the read began, on the cursor's clock."""
    read: int = 0
    """Rows staged so far."""
    rendered_bytes: int = 0
    """Bytes staged so far."""
    losses: Mapping[Loss, int] = attrs.field(factory=dict)
    """By column and rule, values so far that are not staged as they are."""
    quarantined: Collection[Quarantined] = ()
    """The values in quarantine so far, by their rows' keys."""
    complete: bool = False
    """Whether everything was read, so that only applying is left."""


@attrs.frozen
class BrokenReads:
    """The rows of `table_resume` that belong to one schema; every method takes part in its caller's transaction."""

    schema: str
    """The schema that the deployment loads into."""

    def find(self, connection: sa.Connection, table: str) -> Resume | None:
        """Find where a broken read goes on.

        Args:
            connection: in a transaction that holds the table's lock.
            table: its name in the source.

        Returns:
            The place, or None.
        """
        row = connection.execute(sa.select(RESUMES).where(*self._of(table))).mappings().first()
        if row is None:
            return None
        known = {each.name: row[each.name] for each in attrs.fields(Resume) if each.name not in _AS_JSON}
        return Resume(
            **known, losses=_losses(row["losses"]), quarantined=_quarantined(row["quarantined"] or "[]")
        )

    def save(self, connection: sa.Connection, table: str, resume: Resume, *, owner: str | None) -> None:
        """Record how far a read got, in the transaction that stages its rows.

        Args:
            connection: in that transaction.
            table: its name in the source.
            resume: the place.
            owner: the run that wrote the place before; None when there was none.

        Raises:
            LockHeld: another run went on with the read meanwhile.
        """
        values = attrs.asdict(resume, recurse=False) | {
            "losses": _losses_text(resume.losses),
            "quarantined": _quarantined_text(resume.quarantined),
        }
        if owner is None:
            statement: Any = (
                insert(RESUMES)
                .values(target_schema=self.schema, table_name=table, **values)
                .on_conflict_do_nothing()
            )
        else:
            statement = sa.update(RESUMES).values(values).where(*self._of(table), RESUMES.c.run_id == owner)
        if connection.execute(statement).rowcount != 1:
            raise LockHeld(f"table `{table}`: another run went on with its load; run again when that is done")

    def drop(self, connection: sa.Connection, table: str) -> None:
        """Forget a broken read and remove what it staged.

        Args:
            connection: in a transaction that holds the table's lock.
            table: its name in the source.
        """
        connection.execute(sa.schema.DropTable(stage_table(self.schema, table), if_exists=True))
        connection.execute(sa.delete(RESUMES).where(*self._of(table)))

    def remains(self, table: str) -> sa.ColumnElement[bool]:
        """Ask, as a part of another statement, whether a broken read left something.

        Args:
            table: its name in the source.

        Returns:
            A boolean expression.
        """
        return sa.exists().where(*self._of(table))

    def _of(self, table: str) -> tuple[sa.ColumnElement[bool], ...]:
        return RESUMES.c.target_schema == self.schema, RESUMES.c.table_name == table


def _losses_text(losses: Mapping[Loss, int]) -> str:
    return json.dumps({f"{number}:{rule}": count for (number, rule), count in sorted(losses.items())})


def _losses(text: str) -> dict[Loss, int]:
    found = {}
    for name, count in json.loads(text).items():
        # In an older etlkit's ledger there is no rule: there was one only.
        number, _, rule = name.partition(":")
        found[int(number), rule or INVALID_DATE] = count
    return found


def _quarantined_text(quarantined: Collection[Quarantined]) -> str:
    return json.dumps(sorted([each.number, each.rule, each.key] for each in quarantined))


def _quarantined(text: str) -> frozenset[Quarantined]:
    return frozenset(Quarantined(number=number, rule=rule, key=key) for number, rule, key in json.loads(text))


def stage_table(schema: str, table: str) -> sa.Table:
    """Name the table that holds the rows of a read that commits per chunk.

    Args:
        schema: the schema it will be applied to.
        table: the table's name in the source.

    Returns:
        A table without columns; the same for the same arguments.
    """
    digest = hashlib.sha256(f"{schema}\0{table}".encode()).hexdigest()[:24]
    return sa.Table(f"stage_{digest}", sa.MetaData(), schema=SCHEMA)
