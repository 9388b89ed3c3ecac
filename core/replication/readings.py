"""Loads into the replica that are not finished: what of them lies aside, and where they go on."""

from __future__ import annotations

import attrs
import sqlalchemy as sa
from sqlalchemy.dialects.mysql import insert

from etlkit.replication.ledger_entries import Reading
from etlkit.replication.ledger_tables import READS
from etlkit.replication.trouble import replica_trouble

WHERE = "the ledger in the replica"
"""Begins the messages about it."""


class Readings:
    """The rows of `etlkit_reads`. Methods that take a connection take part in its transaction."""

    def __init__(self, engine: sa.Engine) -> None:
        """Prepare, without connecting.

        Args:
            engine: the replica; its sessions write.
        """
        self.engine = engine

    def reading(self, connection: sa.Connection, table: str) -> Reading | None:
        """Find a load of a table that is not finished.

        Args:
            connection: holds the table's lock.
            table: its name.

        Returns:
            Where it goes on, or None.
        """
        columns = [READS.c[each.name] for each in attrs.fields(Reading)]
        row = connection.execute(sa.select(*columns).where(READS.c.table_name == table)).mappings().first()
        return None if row is None else Reading(**row)

    def save_reading(self, connection: sa.Connection, run_id: str, table: str, reading: Reading) -> None:
        """Record how far a read got, in the transaction that keeps its rows aside.

        Args:
            connection: in that transaction.
            run_id: the run.
            table: the table's name.
            reading: the place.
        """
        values = {"run_id": run_id, **attrs.asdict(reading)}
        statement = insert(READS).values(table_name=table, **values)
        connection.execute(statement.on_duplicate_key_update(values))

    def end_reading(self, connection: sa.Connection, table: str) -> None:
        """Forget a read, which is in place or is not gone on with.

        Args:
            connection: holds the table's lock.
            table: its name.
        """
        connection.execute(sa.delete(READS).where(READS.c.table_name == table))

    def unfinished(self) -> dict[str, int]:
        """List the loads that are not finished.

        Returns:
            By table, the rows that lie aside.
        """
        with replica_trouble(WHERE), self.engine.connect() as connection:
            rows = connection.execute(sa.select(READS.c.table_name, READS.c.read))
            return {str(name): int(read) for name, read in rows}

    def sides(self) -> frozenset[str]:
        """List the tables that unfinished loads go on with."""
        with replica_trouble(WHERE), self.engine.connect() as connection:
            return frozenset(connection.scalars(sa.select(READS.c.side)))
