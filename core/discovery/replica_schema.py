"""The part of `SchemaDiscovery` that is about copies of tables on other servers of the MySQL family."""

from __future__ import annotations

import logging

import attrs
from sqlalchemy import Engine

from etlkit.discovery import ddl
from etlkit.discovery.abilities import ServerAbilities, read_abilities
from etlkit.discovery.adaptation import AdaptedTable, adapted_table
from etlkit.discovery.catalog import TableFacts
from etlkit.discovery.differences import find_differences
from etlkit.discovery.engines import AS_IN_SOURCE, INNODB
from etlkit.discovery.replica import DefinitionDifference, ReplicaDefinition
from etlkit.discovery.rewriting import rewritten
from etlkit.discovery.snapshot import SourceSnapshot
from etlkit.discovery.trouble import told_plainly
from etlkit.tables import TableAnalysis

_log = logging.getLogger(__name__)


class ReplicaDiscovery(SourceSnapshot):
    """How tables of this source are made on other servers, and how those there differ from it."""

    def abilities(self) -> ServerAbilities:
        """Give what this server can hold: the collations and storage engines that it knows.

        Returns:
            The same frozen value until `clear_cache`; three queries the first time.

        Raises:
            ConnectionFailed: the server cannot be reached, or refuses the user.
            SchemaAnalysisError: it does not answer.
        """
        return self._abilities_of(self.source_engine, self.source_db)

    def replica_definition(
        self,
        table: str,
        replica: ReplicaDiscovery,
        *,
        target_table: str | None = None,
        storage_engine: str = INNODB,
    ) -> ReplicaDefinition:
        """Tell how a table is made on a replica; nothing is made.

        The number that the next row would get (`AUTO_INCREMENT=7`) is left out, for a copy numbers no rows.

        Args:
            table: its name in this source.
            replica: the schema of the replica.
            target_table: its name there; None for the same.
            storage_engine: `InnoDB`, or `source` for the source's own. Tables that InnoDB cannot hold keep their
                engine.

        Returns:
            The statement, with the table's full name, and what is adapted. The statement is as the server takes it;
            run it in a session whose sql_mode allows dates such as `0000-00-00`, as `replicate_schema` does.

        Raises:
            SchemaNotFoundError: there is no such base table.
            SchemaAnalysisError: this user must not read its definition, or the replica's server cannot hold it.
            ValueError: `storage_engine` is something else.
        """
        facts = self._facts(table)
        full_name = ddl.full_name(replica.catalog().database, target_table or facts.name)
        return self._definition(facts, replica.abilities(), full_name, storage_engine)

    def as_copied(
        self, analysis: TableAnalysis, replica: ReplicaDiscovery, *, storage_engine: str = INNODB
    ) -> TableAnalysis:
        """Give a table as its rows are copied: what the replica does not compute is a plain column of the source.

        Args:
            analysis: the table in this source.
            replica: the schema of the replica.
            storage_engine: as for `replica_definition`.

        Returns:
            The same table, without "generated" where the replica has a plain column.

        Raises:
            SchemaNotFoundError: there is no such base table.
            SchemaAnalysisError: the replica's server cannot hold it.
            ValueError: `storage_engine` is something else.
        """
        if not any(each.generated for each in analysis.columns):
            return analysis
        adapted = self._adapted(self._facts(analysis.name), replica.abilities(), storage_engine)
        plain = {each.name: each.extra for each in adapted.facts.columns if not each.generated}
        columns = (attrs.evolve(each, extra=plain.get(each.name, each.extra)) for each in analysis.columns)
        return attrs.evolve(analysis, columns=tuple(columns))

    def definition_differences(
        self,
        table: str,
        replica: ReplicaDiscovery,
        *,
        target_table: str | None = None,
        storage_engine: str = INNODB,
    ) -> tuple[DefinitionDifference, ...]:
        """Compare a replica's table with what `replica_definition` would make of it now.

        Both catalogs answer; no further query is needed once they are read.

        Args:
            table: its name in this source.
            replica: the schema of the replica.
            target_table: its name there; None for the same.
            storage_engine: as for `replica_definition`.

        Returns:
            The differences; empty when the table is defined as it is to be.

        Raises:
            SchemaNotFoundError: there is no such base table, here or there.
            SchemaAnalysisError: a user must not read its definition, or the replica's server cannot hold it.
            ValueError: `storage_engine` is something else.
        """
        facts = self._facts(table)
        adapted = self._adapted(facts, replica.abilities(), storage_engine)
        return find_differences(adapted.facts, replica._facts(target_table or facts.name))

    def replicate_schema(
        self,
        source_table: str,
        target_engine: Engine,
        target_db: str,
        target_table: str | None = None,
        drop_if_exists: bool = True,
        *,
        storage_engine: str = AS_IN_SOURCE,
    ) -> bool:
        """Create an empty copy of a table in another MySQL or MariaDB database, without its foreign keys.

        What the target's server cannot hold is adapted, and logged in one line. A table that is there is replaced
        in one step, after the new one exists: readers find one or the other.

        Args:
            source_table: its name in the source.
            target_engine: a `mysql+pymysql` engine of the target.
            target_db: the target's database.
            target_table: its name in the target; None for the same.
            drop_if_exists: whether to replace a table that is there, with all its rows.
            storage_engine: `source` for the source's own where the target has it, or `InnoDB`.

        Returns:
            True.

        Raises:
            SchemaNotFoundError: there is no such base table, or no such target database.
            TargetConflict: the target has a table of that name and `drop_if_exists` is False, or a view, or
                it is the source itself.
            SchemaAnalysisError: the target cannot hold the table, or refuses the definition.
            ValueError: `storage_engine` is something else.
        """
        facts = self._facts(source_table)
        target = ddl.Place(engine=target_engine, database=target_db)
        name = target_table or facts.name
        ddl.refuse_what_is_no_target(self._source(), facts.name, target, name)
        abilities = self._abilities_of(target_engine, target_db, ddl.creating(target, name))
        definition: ReplicaDefinition | None = None

        def statement(full_name: str) -> str:
            nonlocal definition
            definition = self._definition(facts, abilities, full_name, storage_engine)
            return definition.statement

        ddl.replicate(statement, target, name, replace=drop_if_exists)
        if definition is not None and definition.adaptations:
            _log.info(
                "`%s` of `%s`: adapted for %s: %s",
                # Whoever makes it under another name for a while knows that name alone.
                facts.name,
                target_db,
                abilities.server,
                "; ".join(map(str, definition.adaptations)),
            )
        return True

    def _abilities_of(self, engine: Engine, database: str, doing: str | None = None) -> ServerAbilities:
        def ask() -> ServerAbilities:
            with told_plainly(engine, database, doing or "asking what the server can hold"):
                return read_abilities(engine)

        return self._kept(self._schema_cache, ("abilities", engine), ask)

    def _adapted(self, facts: TableFacts, target: ServerAbilities, storage_engine: str) -> AdaptedTable:
        return adapted_table(facts, self.catalog().server, target, storage_engine)

    def _definition(
        self, facts: TableFacts, target: ServerAbilities, full_name: str, storage_engine: str
    ) -> ReplicaDefinition:
        adapted = self._adapted(facts, target, storage_engine)
        statement, left_out = rewritten(
            self._create_statement(facts), facts, self.catalog().server, adapted, full_name
        )
        return ReplicaDefinition(statement=statement, adaptations=(*adapted.adaptations, *left_out))

    def _create_statement(self, facts: TableFacts) -> str:
        return self._asked(("create", facts.name), lambda source: ddl.create_statement(source, facts.name))
