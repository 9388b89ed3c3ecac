"""What the ledger keeps of proofs that no load wrote: those that a checksum renewed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import sqlalchemy as sa

from etlkit.events import TableFinished
from etlkit.loading.ledger_tables import LOADS, SCHEMA, STATES, load_values
from etlkit.loading.trouble import warehouse_trouble

_WHERE = f"the ledger in the warehouse's schema `{SCHEMA}`"


class ProofLedger:
    """The proofs of one schema's tables."""

    def __init__(self, engine: sa.Engine, schema: str) -> None:
        """Prepare, without connecting.

        Args:
            engine: the warehouse.
            schema: the schema that the deployment loads into.
        """
        self.engine = engine
        self.schema = schema

    def renew(
        self, run_id: str, outcomes: Sequence[TableFinished], checksums: Mapping[str, int]
    ) -> list[TableFinished]:
        """Record that tables are proven equal because their checksums are those of their last proofs.

        Args:
            run_id: the run that found it.
            outcomes: of the tables.
            checksums: by table.

        Returns:
            The outcomes that still hold: nobody wrote the table meanwhile.
        """
        if not outcomes:
            return []
        with warehouse_trouble(_WHERE), self.engine.begin() as connection:
            renewed = set(self._update(connection, checksums, {each.table for each in outcomes}))
            done = [each for each in outcomes if each.table in renewed]
            if done:
                rows = [load_values(run_id, self.schema, each) for each in done]
                connection.execute(sa.insert(LOADS), rows)
        return done

    def _update(
        self, connection: sa.Connection, checksums: Mapping[str, int], names: Iterable[str]
    ) -> Iterable[str]:
        given = sa.values(
            sa.column("table_name", sa.Text), sa.column("checksum", sa.BigInteger), name="given"
        ).data([(name, checksums[name]) for name in sorted(names)])
        statement = (
            sa.update(STATES)
            .values(proven_at=sa.func.now())
            .where(
                STATES.c.target_schema == self.schema,
                STATES.c.table_name == given.c.table_name,
                STATES.c.checksum == given.c.checksum,
            )
            .returning(STATES.c.table_name)
        )
        return connection.scalars(statement).all()

    def keep_checksums(self, run_id: str, checksums: Mapping[str, int]) -> None:
        """Keep the checksums that tables had when they were proven equal.

        Args:
            run_id: the run that proved it; tables that another run wrote since are left alone.
            checksums: by table.
        """
        if not checksums:
            return
        given = sa.values(
            sa.column("table_name", sa.Text), sa.column("checksum", sa.BigInteger), name="given"
        ).data(sorted(checksums.items()))
        statement = (
            sa.update(STATES)
            .values(checksum=given.c.checksum)
            .where(
                STATES.c.target_schema == self.schema,
                STATES.c.table_name == given.c.table_name,
                STATES.c.run_id == run_id,
            )
        )
        with warehouse_trouble(_WHERE), self.engine.begin() as connection:
            connection.execute(statement)
