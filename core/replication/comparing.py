"""Whether a table of the replica is the source's: by definition, count and digests; nothing is written."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

import attrs

from etlkit.contracts import Chunks, Differences, LoadPlan, Write
from etlkit.discovery import SchemaDiscovery
from etlkit.errors import SchemaNotFoundError
from etlkit.loading.stored_rows import same_order
from etlkit.replication.sides import Side, Sides
from etlkit.source_session import MySQLConnection
from etlkit.stopping import StopSignal
from etlkit.transfer import chunk_queries as queries
from etlkit.transfer.governor import Governor
from etlkit.transfer.source_queries import SourceQueries
from etlkit.transfer.trouble import read_trouble

Lends = Callable[[], AbstractContextManager[MySQLConnection]]


@attrs.frozen(kw_only=True)
class ReplicaComparison:
    """What came of comparing one table on both servers."""

    table: str
    """Its name."""
    definition: tuple[str, ...] = ()
    """In which ways the replica's definition differs from what it should be, in words."""
    source_rows: int = 0
    """Rows in the source."""
    replica_rows: int = 0
    """Rows in the replica."""
    missing: int = 0
    """Rows that only the source has, by key."""
    extra: int = 0
    """Rows that only the replica has, by key."""
    changed: int = 0
    """Rows that both have with different values; of a table without a key, 1 where rows differ in whichever way."""

    @property
    def differing(self) -> int:
        """Rows that are not the same on both servers."""
        return self.missing + self.extra + self.changed

    @property
    def equal(self) -> bool:
        """Whether definition and rows are the same."""
        return not self.definition and not self.differing and self.source_rows == self.replica_rows


@attrs.frozen(kw_only=True)
class Comparing:
    """Compares tables of one source with those of one replica."""

    source: SchemaDiscovery
    """The source's schema."""
    lent_source: Lends
    """Lends a raw connection to it."""
    replica: SchemaDiscovery
    """The replica's schema."""
    lent_replica: Lends
    """Lends a raw connection to it."""
    storage_engine: str = "InnoDB"
    """The storage engine that copies should have; `source` for each table's own."""
    governor: Governor | None = None
    """Says when reads of the source go on; None for at once."""
    stop: StopSignal = attrs.field(factory=StopSignal)
    """When it is set, comparing ends by `RunInterrupted`."""

    def table(self, name: str) -> ReplicaComparison:
        """Compare one table.

        On InnoDB the source is seen at one instant; rows of other engines that change meanwhile may be told as
        different.

        Args:
            name: the table.

        Returns:
            What differs. Where columns are not the same, rows are not compared.

        Raises:
            SchemaNotFoundError: the source has no such table.
            ExtractionError: the source refused something.
            LoadError: the replica refused something.
        """
        analysis = self.source.as_copied(
            self.source.analysis(name), self.replica, storage_engine=self.storage_engine
        )
        try:
            there = self.replica.analysis(name)
        except SchemaNotFoundError:
            return ReplicaComparison(table=name, definition=("the replica has no such table",))
        found = self.source.definition_differences(name, self.replica, storage_engine=self.storage_engine)
        words = tuple(each.words for each in found)
        if {each.name for each in analysis.columns} != {each.name for each in there.columns}:
            return ReplicaComparison(table=name, definition=words)
        signed = self.replica.catalog().server.kind != "MariaDB"
        with self._server(self.lent_source, self.governor) as source, self._server(self.lent_replica) as copy:
            sides = Sides(
                plan=LoadPlan(
                    table=name,
                    strategy="verify",
                    read=Differences(),
                    write=Write.MERGE,
                    reason="Compares, and writes nothing.",
                    chunks=Chunks(rows=analysis.batch_size),
                ),
                source=Side.of(analysis, self.source.catalog().database, source, signed_zeros=signed),
                replica=Side.of(analysis, self.replica.catalog().database, copy, signed_zeros=signed),
                database=self.replica.catalog().database,
            )
            keyset = sides.source.keyset
            ordered = keyset is None or same_order(keyset) or not self._sorts_differently(name)
            with read_trouble(name):
                source.rest(f"table `{name}`", analysis.engine)
                if analysis.engine == "InnoDB":
                    source.text(queries.SNAPSHOT)
            result = self._counted(attrs.evolve(sides, same_order=ordered))
            with read_trouble(name):
                source.text(queries.END_SNAPSHOT)
        return attrs.evolve(result, definition=words)

    def _counted(self, sides: Sides) -> ReplicaComparison:
        rows = missing = extra = changed = 0
        for each in sides.differences():
            self.stop.check()
            rows += each.rows
            missing += len(each.missing)
            extra += len(each.extra)
            changed += len(each.changed)
            if not each.equal and not (each.missing or each.extra or each.changed):
                # Without a key nobody knows which ones; at least one row is another one.
                changed += 1
        here = rows + extra - missing
        if sides.source.keyset is None:
            here = sides.ours_of_all().rows
        return ReplicaComparison(
            table=sides.source.analysis.name,
            source_rows=rows,
            replica_rows=here,
            missing=missing,
            extra=extra,
            changed=changed,
        )

    def _sorts_differently(self, name: str) -> bool:
        adapted = self.source.replica_definition(
            name, self.replica, storage_engine=self.storage_engine
        ).adaptations
        return any("collation" in str(each) or "character set" in str(each) for each in adapted)

    @contextmanager
    def _server(self, lends: Lends, governor: Governor | None = None) -> Iterator[SourceQueries]:
        with lends() as raw:
            server = SourceQueries(raw, self.stop, governor)
            with self.stop.calling(server.drop):
                self.stop.check()
                yield server
