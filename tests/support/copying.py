"""Copying rows from one server to another as the replica's loads do, without their plans and their ledger."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import attrs
import sqlalchemy as sa
from sqlalchemy.dialects.mysql.pymysql import MySQLDialect_pymysql

from etlkit import SchemaDiscovery
from etlkit.config import MySQLUrl, PostgresUrl, ReplicaSettings, Settings, SourceSettings, WarehouseSettings
from etlkit.connections import ConnectionFactory
from etlkit.contracts import Chunks, Everything, LoadPlan, Write
from etlkit.loading.digest_statements import keys_statement, summary_statement
from etlkit.replication.reading import ExactReader
from etlkit.replication.rendering import render_exactly
from etlkit.replication.writing import RowWriter
from etlkit.source_session import lent_raw
from etlkit.tables import TableAnalysis
from etlkit.transfer.chunk_queries import Prepared
from etlkit.transfer.keys import Keyset
from etlkit.transfer.pipeline import Pipeline
from etlkit.transfer.source_queries import SourceQueries
from support.databases import SourceDatabase


@attrs.frozen(kw_only=True)
class Copying:
    """A source and a replica."""

    source: SourceDatabase
    """Where rows come from."""
    target: SourceDatabase
    """Where they go."""
    connections: ConnectionFactory
    """The product's own connections to both."""
    discovery: SchemaDiscovery
    """Of the source."""

    def both(self, *statements: str) -> None:
        """Run statements on both servers."""
        for each in (self.source, self.target):
            each.execute(*statements)

    def source_analysis(self, table: str) -> TableAnalysis:
        """What discovery says of a source's table; the catalog is read once."""
        return self.discovery.analysis(table)

    def copy(
        self,
        table: str,
        *,
        by_load: bool | None = None,
        replacing: bool = False,
        group_concat_max_len: int | None = None,
    ) -> int:
        """Copy all rows of a table; say whether by LOAD DATA, and how long several rows in one value may be."""
        analysis = self.source_analysis(table)
        rendered = render_exactly(analysis, self.source.name)
        plan = LoadPlan(
            table=table,
            strategy="tried",
            read=Everything(),
            write=Write.REPLACE,
            reason="A test.",
            chunks=Chunks(),
        )

        def reader(source: SourceQueries) -> ExactReader:
            if group_concat_max_len is not None:
                source.text(f"SET SESSION group_concat_max_len = {group_concat_max_len}")
            return ExactReader(source=source, analysis=analysis, rendered=rendered, plan=plan)

        rows = 0
        with (
            self.writing(by_load, replacing=replacing) as writer,
            Pipeline(self.connections.source_raw, reader, ahead=2) as pipeline,
        ):
            for chunk in pipeline:
                writer.write(self.named(table), rendered, chunk)
                rows += chunk.rows
        return rows

    @contextmanager
    def writing(self, by_load: bool | None = None, *, replacing: bool = False) -> Iterator[RowWriter]:
        """A writer in a transaction of its own."""
        with self.connections.replica().begin() as connection:
            writer = RowWriter.of(connection, replacing=replacing)
            if by_load is not None:
                writer.by_load = by_load
            yield writer

    def named(self, table: str) -> str:
        """A table of the replica in a statement."""
        quote = MySQLDialect_pymysql(paramstyle="named").identifier_preparer.quote_identifier
        return f"{quote(self.target.name)}.{quote(table)}"

    def differing(self, table: str, **options: bool) -> list[str]:
        """The first key columns of the rows that differ by their digests, which both servers compute."""
        (summed, theirs), (other, ours) = (
            self._digests(self.source, self.connections.source(), table, options),
            self._digests(self.target, self.connections.replica(), table, options),
        )
        assert (summed == other) == (theirs == ours)
        assert theirs.keys() == ours.keys()
        return [key for key in theirs if theirs[key] != ours[key]]

    def _digests(
        self, where: SourceDatabase, engine: sa.Engine, table: str, options: dict[str, bool]
    ) -> tuple[Any, dict[str, str]]:
        analysis = self.source_analysis(table)
        rendered = render_exactly(analysis, where.name, digests=True, **options)
        keyset = Keyset.of(analysis, rendered.source)
        with lent_raw(engine) as raw:
            server = SourceQueries(raw)
            summed = server.one(Prepared.of(summary_statement(rendered, [])))
            if keyset is None:
                return summed, {}
            rows = server.stream(Prepared.of(keys_statement(rendered, keyset, [])))
            return summed, {str(row[0]): str(row[-1]) for row in rows}


@contextmanager
def copying(source: SourceDatabase, target: SourceDatabase) -> Iterator[Copying]:
    """Connect a source to a replica."""
    settings = Settings(
        deployment="north",
        source=SourceSettings(url=MySQLUrl.parse(source.reader_url)),
        replica=ReplicaSettings(url=MySQLUrl.parse(target.server.copier_url(target.name))),
        warehouse=WarehouseSettings(url=PostgresUrl.parse("postgresql://nobody@127.0.0.1:1/none")),
    )
    with ConnectionFactory(settings) as connections:
        discovery = SchemaDiscovery(connections.source(), source.name)
        yield Copying(source=source, target=target, connections=connections, discovery=discovery)


def bytes_of(database: SourceDatabase, table: str, *, order: str = "id") -> list[tuple[Any, ...]]:
    """All rows of a table as their server stores them."""
    said = [
        # A number's or a date's own text; of ENUM and SET, the number; of other values, the bytes.
        f"cast(`{name}` as unsigned)"
        if kind.startswith(("enum", "set", "bit"))
        else f"hex(cast(`{name}` as binary))"
        for name, kind in database.rows(
            "select column_name, data_type from information_schema.columns "
            f"where table_schema = '{database.name}' and table_name = '{table}' order by ordinal_position"
        )
    ]
    return database.rows(f"select {', '.join(said)} from `{table}` order by {order}")
