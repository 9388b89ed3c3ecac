"""A table that has another name in the source gets it in the warehouse as well, and so does what the ledger knows."""

from __future__ import annotations

from typing import TYPE_CHECKING

import sqlalchemy as sa

from etlkit.loading.alterations import RenameTable
from etlkit.loading.ledger_tables import KEPT, QUARANTINE, STATES
from etlkit.loading.target import TargetTable, target_name
from etlkit.loading.trouble import write_trouble

if TYPE_CHECKING:
    from etlkit.loading.ledger import Ledger


def move_table(ledger: Ledger, old: str, new: str, *, there: str) -> None:
    """Rename a table, and its entries, by one transaction; views, grants and indexes stay on it.

    Args:
        ledger: the deployment's.
        old: its name in the source until now.
        new: its name there from now on.
        there: what it is called in the warehouse.

    Raises:
        LoadError: the warehouse refused it.
        LockHeld: another run writes the table.
    """
    target = TargetTable(schema=ledger.schema, name=there, source=old, columns=(), key=())
    with write_trouble(target), ledger.engine.begin() as connection:
        # The rest of a broken read would be looked for under the new name.
        if ledger.lock_table(connection, old, {}):
            ledger.broken_reads.drop(connection, old)
        table = sa.Table(there, sa.MetaData(), schema=ledger.schema)
        if target_name(new) != there:
            connection.execute(RenameTable(table, target_name(new)))
        for entries in (STATES, KEPT, QUARANTINE):
            named = {"target_name": target_name(new)} if entries is STATES else {}
            connection.execute(
                sa.update(entries)
                .values(table_name=new, **named)
                .where(entries.c.target_schema == ledger.schema, entries.c.table_name == old)
            )
