"""The quarantine: which rows of the warehouse have NULL where the source has a value that PostgreSQL cannot hold.

An entry is written, and taken away, by the transaction that writes its row. It names the row's key, never a value.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

import sqlalchemy as sa

from etlkit.errors import ValueNotRepresentable
from etlkit.loading.ledger_tables import QUARANTINE
from etlkit.loading.table_plan import TablePlan
from etlkit.loading.target import Named
from etlkit.transfer.chunk import Chunk
from etlkit.transfer.quarantine import MOST, Quarantined

_Entry = tuple[str, str, str]  # column, rule, key


class TooManyQuarantined(ValueNotRepresentable):
    """So many values of a table would be quarantined that they are no exception; the rows must be read again."""


def few(chunks: Iterable[Chunk], what: TablePlan, found: Collection[Quarantined] = ()) -> Iterator[Chunk]:
    """Pass chunks on, as long as not too many of their values are quarantined.

    Args:
        chunks: of a load.
        what: the load's plan.
        found: what an earlier part of the same read found.

    Yields:
        The chunks.

    Raises:
        TooManyQuarantined: there are more than a table may have.
    """
    count = len(found)
    for chunk in chunks:
        count += len(chunk.quarantined)
        if count > MOST:
            raise _too_many(what)
        yield chunk


def renew(
    connection: sa.Connection,
    *,
    run_id: str,
    what: TablePlan,
    found: Collection[Quarantined],
    seen: Sequence[sa.Table] | None,
) -> None:
    """Bring a table's entries up to date with what was read, in the transaction that writes the rows.

    Args:
        connection: in the load's transaction, which holds the table's lock.
        run_id: the run.
        what: the load's plan.
        found: the values in quarantine among what was read.
        seen: tables that hold the keys of the rows that were read, or found gone; None when every row was read.

    Raises:
        TooManyQuarantined: there are more than a table may have.
    """
    if not _concerns(what):
        return
    names = [each.column.name for each in what.rendered.columns]
    wanted: set[_Entry] = {(names[each.number], each.rule, each.key) for each in found}
    there = {(row.column_name, row.rule, row.key): row.entry_id for row in connection.execute(_entries(what))}
    others = {number: entry[2] for entry, number in there.items() if entry not in wanted}
    gone = set(others) if seen is None else _among(connection, what, others, seen)
    if gone:
        connection.execute(sa.delete(QUARANTINE).where(QUARANTINE.c.entry_id.in_(gone)))
    if len(there) - len(gone) + len(wanted - there.keys()) > MOST:
        raise _too_many(what)
    if new := sorted(wanted - there.keys()):
        place = {"target_schema": what.target.schema, "table_name": what.target.source, "run_id": run_id}
        connection.execute(
            sa.insert(QUARANTINE),
            [{**place, "column_name": column, "rule": rule, "key": key} for column, rule, key in new],
        )


def _concerns(what: TablePlan) -> bool:
    """Tell whether the table may have entries: it has them by a policy that it has, or had until now."""
    changed = what.before is not None and what.before.mapping_hash != what.target.mapping_hash
    return changed or any(each.policy == "quarantine" for each in what.rendered.columns)


def _entries(what: TablePlan) -> sa.Select[tuple[int, str, str, str]]:
    columns = QUARANTINE.c
    return sa.select(columns.entry_id, columns.column_name, columns.rule, columns.key).where(
        columns.target_schema == what.target.schema, columns.table_name == what.target.source
    )


def _among(
    connection: sa.Connection, what: TablePlan, keys: Mapping[int, str], seen: Sequence[sa.Table]
) -> set[int]:
    """Find the entries whose keys are in any of some tables; PostgreSQL compares keys as it does when it merges."""
    if not keys or not seen:
        return set()
    types = {column.name: column.type for column in what.target.columns}
    key = what.target.key
    given = sa.values(
        sa.column("entry_id", sa.BigInteger),
        *(sa.column(f"part_{place}", sa.Text) for place, _ in enumerate(key)),
        name="given",
    ).data([(number, *json.loads(text)) for number, text in keys.items()])
    parts = [sa.cast(given.c[f"part_{place}"], Named(types[name])) for place, name in enumerate(key)]
    found: set[int] = set()
    for table in seen:
        same = [table.c[name] == part for name, part in zip(key, parts, strict=True)]
        found.update(connection.scalars(sa.select(given.c.entry_id).where(sa.exists().where(*same))))
    return found


def _too_many(what: TablePlan) -> TooManyQuarantined:
    columns = [each.column.name for each in what.rendered.columns if each.policy == "quarantine"]
    named = ", ".join(f"`{name}`" for name in columns)
    return TooManyQuarantined(
        f"table `{what.target.source}`: PostgreSQL cannot hold more than {MOST:,} of its values in the quarantined "
        f"columns ({named}), which is no exception any more; nothing of this load was kept; mend the source, or choose "
        "another `policy` for the column in `column_overrides`"
    )
