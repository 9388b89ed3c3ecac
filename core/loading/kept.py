"""What the warehouse keeps although the source no longer has it: columns and tables that are gone, and wider columns.

They are told in the ledger, and those that are gone also by a mark behind their comment, for who looks at the
warehouse alone. A comment of somebody else stays in front of the mark.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import attrs
import sqlalchemy as sa

from etlkit.loading.drift import Drift
from etlkit.loading.ledger_tables import KEPT
from etlkit.loading.shapes import comments_of
from etlkit.loading.target import OWN_COLUMNS, TargetTable

GONE = "gone"
"""The source no longer has the column or table."""
NARROWER = "narrower"
"""The source's type became narrower, and the warehouse's column stays as wide as it was."""
ITSELF = ""
"""Stands for the table itself where a column's name is expected."""

_MARK = re.compile(r" ?\[etlkit: gone in the source since [^\]]*\]$")
_MINUTE = sa.func.to_char(sa.func.timezone("UTC", sa.func.now()), 'YYYY-MM-DD HH24:MI "UTC"')


@attrs.frozen(kw_only=True)
class Kept:
    """Something that the warehouse keeps."""

    column: str
    """A column's name in the warehouse; empty for the table itself."""
    reason: str
    """`gone` or `narrower`."""
    type: str | None = None
    """The narrower type that the source has."""
    since: Any = attrs.field(default=None, eq=False)
    """When a run found it, by the warehouse's clock."""


def read_kept(connection: sa.Connection, schema: str) -> dict[str, dict[str, Kept]]:
    """Read what is kept of all tables.

    Args:
        connection: to the warehouse.
        schema: the schema that the deployment loads into.

    Returns:
        By the table's name in the source and by column.
    """
    found: dict[str, dict[str, Kept]] = {}
    for row in connection.execute(sa.select(KEPT).where(KEPT.c.target_schema == schema)):
        kept = Kept(column=row.column_name, reason=row.reason, type=row.type, since=row.since)
        found.setdefault(row.table_name, {})[row.column_name] = kept
    return found


def columns_to_keep(drift: Drift | None) -> dict[str, Kept]:
    """Say which columns a load leaves in the warehouse though the source has them no longer, or narrower.

    Args:
        drift: the difference that the load met.

    Returns:
        By column.
    """
    if drift is None:
        return {}
    gone = {name: Kept(column=name, reason=GONE) for name in drift.dropped if name not in OWN_COLUMNS}
    return gone | {
        name: Kept(column=name, reason=NARROWER, type=kind) for name, kind in drift.narrowed.items()
    }


def renew_kept(
    connection: sa.Connection,
    *,
    run_id: str,
    target: TargetTable,
    known: Mapping[str, Kept],
    now: Mapping[str, Kept],
) -> None:
    """Bring ledger and marks up to date, in the transaction that makes it so; nothing is written without a change.

    Args:
        connection: in that transaction.
        run_id: the run.
        target: the table.
        known: what was kept before.
        now: what is kept now.
    """
    over = [name for name in known if known[name] != now.get(name)]
    begun = [now[name] for name in now if now[name] != known.get(name)]
    if over:
        connection.execute(
            sa.delete(KEPT).where(
                KEPT.c.target_schema == target.schema,
                KEPT.c.table_name == target.source,
                KEPT.c.column_name.in_(over),
            )
        )
    if begun:
        place = {"target_schema": target.schema, "table_name": target.source, "run_id": run_id}
        connection.execute(
            sa.insert(KEPT),
            [
                {**place, "column_name": each.column, "reason": each.reason, "type": each.type}
                for each in begun
            ],
        )
    _mark(
        connection,
        target,
        gone={each.column for each in begun if each.reason == GONE},
        back={name for name in over if known[name].reason == GONE},
    )


def _mark(connection: sa.Connection, target: TargetTable, *, gone: set[str], back: set[str]) -> None:
    if not gone | back:
        return
    table = sa.Table(target.name, sa.MetaData(), schema=target.schema)
    comments = comments_of(connection, table)
    minute = connection.scalar(sa.select(_MINUTE))
    for name in sorted(gone | back):
        if name not in comments:
            continue  # somebody took the column away in the warehouse
        bare = _MARK.sub("", comments[name] or "")
        mark = f" [etlkit: gone in the source since {minute}]" if name in gone else ""
        comment = f"{bare}{mark}".lstrip(" ") or None
        if name == ITSELF:
            table.comment = comment
            connection.execute(
                sa.schema.SetTableComment(table) if comment else sa.schema.DropTableComment(table)
            )
        else:
            column: sa.Column[Any] = sa.Column(name, sa.Text, comment=comment)
            table.append_column(column)
            connection.execute(
                sa.schema.SetColumnComment(column) if comment else sa.schema.DropColumnComment(column)
            )
