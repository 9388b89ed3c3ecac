"""What the warehouse does not hold as the source does: the losses of each table's last full read and of later loads."""

from __future__ import annotations

import datetime as dt
import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import attrs
import sqlalchemy as sa

from etlkit.loading.ledger import Ledger
from etlkit.loading.ledger_tables import LOADS, QUARANTINE, SCHEMA
from etlkit.loading.trouble import warehouse_trouble

_WHERE = f"the ledger in the warehouse's schema `{SCHEMA}`"


@attrs.frozen(kw_only=True)
class Loss:
    """Values of one column that PostgreSQL cannot hold."""

    column: str
    """The column's name in the source."""
    rule: str
    """The rule, as docs/types.md names it."""
    policy: str
    """What became of them: `null`, `replace` or `quarantine`."""
    full_read: int = 0
    """Values that the last full read met."""
    later: int = 0
    """Values that later loads met; one that is read twice counts twice."""


@attrs.frozen(kw_only=True)
class QuarantinedKey:
    """A row that has NULL in the warehouse until its value in the source can be held."""

    key: tuple[str | None, ...]
    """The parts of its primary key, as the source rendered them."""
    column: str
    """The column's name in the source."""
    rule: str
    """The rule, as docs/types.md names it."""
    since: dt.datetime
    """When a load met the value first."""


@attrs.frozen(kw_only=True)
class TableLosses:
    """What was lost of one table."""

    table: str
    """Its name in the source."""
    full_read_at: dt.datetime | None
    """When every row was read last; None when that is not known."""
    later_loads: int
    """Loads since then."""
    losses: tuple[Loss, ...]
    """By column, rule and policy; empty when the warehouse holds every value as the source does."""
    quarantined: tuple[QuarantinedKey, ...] = ()
    """The rows in quarantine now, by column, rule and time."""


def read_losses(ledger: Ledger) -> tuple[TableLosses, ...]:
    """Read what was lost of each table that was ever loaded.

    Args:
        ledger: the deployment's.

    Returns:
        By the table's name; nothing when no run ever wrote a ledger there.

    Raises:
        LoadError: the ledger cannot be read.
        ConnectionFailed: the warehouse cannot be reached.
    """
    if not ledger.exists():
        return ()
    committed = LOADS.c.target_schema == ledger.schema, LOADS.c.error.is_(None)
    full_reads = (
        sa.select(LOADS.c.table_name, sa.func.max(LOADS.c.load_id).label("load_id"))
        .where(*committed, LOADS.c.whole)
        .group_by(LOADS.c.table_name)
        .subquery()
    )
    since = (
        sa.select(
            LOADS.c.table_name,
            LOADS.c.losses,
            LOADS.c.ended_at,
            sa.func.coalesce(LOADS.c.load_id == full_reads.c.load_id, sa.false()).label("whole"),
        )
        .join_from(LOADS, full_reads, LOADS.c.table_name == full_reads.c.table_name, isouter=True)
        .where(*committed, LOADS.c.load_id >= sa.func.coalesce(full_reads.c.load_id, 0))
        .order_by(LOADS.c.table_name, LOADS.c.load_id)
    )
    tables: defaultdict[str, list[Any]] = defaultdict(list)
    with warehouse_trouble(_WHERE), ledger.engine.connect() as connection:
        for row in connection.execute(since):
            tables[row.table_name].append(row)
        keys = _quarantined(connection, ledger.schema)
    return tuple(_table(name, loads, keys.get(name, ())) for name, loads in tables.items())


def _quarantined(connection: sa.Connection, schema: str) -> Mapping[str, Sequence[QuarantinedKey]]:
    found: defaultdict[str, list[QuarantinedKey]] = defaultdict(list)
    if not sa.inspect(connection).has_table(QUARANTINE.name, schema=SCHEMA):
        return found  # the ledger of an older etlkit
    columns = QUARANTINE.c
    entries = (
        sa.select(QUARANTINE)
        .where(columns.target_schema == schema)
        .order_by(columns.column_name, columns.rule, columns.entry_id)
    )
    for row in connection.execute(entries):
        key = QuarantinedKey(
            key=tuple(json.loads(row.key)), column=row.column_name, rule=row.rule, since=row.seen_at
        )
        found[row.table_name].append(key)
    return found


def _table(name: str, loads: Iterable[Any], keys: Sequence[QuarantinedKey]) -> TableLosses:
    found: dict[tuple[str, str, str], Loss] = {}
    full_read_at, later = None, 0
    for load in loads:
        if load.whole:
            full_read_at = load.ended_at
        else:
            later += 1
        # An older etlkit had one policy only, and did not name it.
        for column, rule, count, *policy in json.loads(load.losses):
            key = (column, rule, policy[0] if policy else "null")
            loss = found.get(key) or Loss(column=column, rule=rule, policy=key[2])
            found[key] = (
                attrs.evolve(loss, full_read=loss.full_read + count)
                if load.whole
                else attrs.evolve(loss, later=loss.later + count)
            )
    losses = tuple(found[key] for key in sorted(found))
    return TableLosses(
        table=name,
        full_read_at=full_read_at,
        later_loads=later,
        losses=losses,
        quarantined=tuple(keys),
    )
