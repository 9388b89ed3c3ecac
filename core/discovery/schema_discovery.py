"""`SchemaDiscovery`: the one place that answers every question about the source's schema."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from copy import deepcopy
from pathlib import Path
from typing import Any

from etlkit.discovery import describing, generation
from etlkit.discovery.analysis import AnalysedTable
from etlkit.discovery.complete import complete_schema
from etlkit.discovery.configuration import pipeline_configuration
from etlkit.discovery.counting import count_rows
from etlkit.discovery.documents import (
    CompleteConfiguration,
    CompleteSchema,
    DependencyTree,
    IncrementalColumn,
    PipelineConfiguration,
    TableRelationships,
    TableSchema,
    TableSizeInfo,
    UsagePatterns,
)
from etlkit.discovery.opinions import Opinions, opinions_of
from etlkit.discovery.replica_schema import ReplicaDiscovery
from etlkit.discovery.validation import configuration_problems
from etlkit.errors import SchemaNotFoundError


class SchemaDiscovery(ReplicaDiscovery):
    """Answers every question about the source's schema from one snapshot of its catalog.

    The catalog is read at the first question, in at most 9 queries whatever the number of tables, and kept
    until `clear_cache` forgets it. Documents are plain dicts and the caller's to change; frozen values are
    shared. All methods may be called from several threads.

    Example:
        from sqlalchemy import create_engine
        from etlkit import SchemaDiscovery

        engine = create_engine("mysql+pymysql://reader:secret@clinic/opendental", hide_parameters=True)
        discovery = SchemaDiscovery(engine, "opendental")
        for column in discovery.get_incremental_columns("appointment"):
            print(column["column_name"], column["fitness"]["reasons"])
    """

    def discover_all_tables(self) -> list[str]:
        """List the base tables by name; views are none, and nothing is excluded.

        Raises:
            SchemaDiscoveryError: the catalog cannot be read; see `catalog`.
        """
        return list(self.catalog().tables)

    def usual_tables(self) -> list[str]:
        """List the base tables by name, without those excluded by default.

        Raises:
            SchemaDiscoveryError: the catalog cannot be read; see `catalog`.
            PluginError: an exclusion failed.
        """
        return list(self._usual())

    def get_table_schema(self, table: str) -> TableSchema:
        """Describe a table's definition, with the statement that creates it (one query the first time).

        Args:
            table: its name.

        Raises:
            SchemaNotFoundError: there is no such base table.
            SchemaAnalysisError: this user must not read its definition.
        """
        facts = self._facts(table)
        return describing.table_schema(facts, self.catalog(), self._create_statement(facts))

    def get_table_size_info(self, table: str, *, exact: bool = False) -> TableSizeInfo:
        """Describe a table's size as the catalog has it.

        Args:
            table: its name.
            exact: whether to count the rows where the catalog only estimates them; reads a whole index.
                The count is kept until `clear_cache`.

        Raises:
            SchemaNotFoundError: there is no such base table.
            SchemaAnalysisError: this user must not read it.
        """
        facts = self._facts(table)
        if not exact or facts.row_count_exact:
            return describing.size_info(facts, None)
        rows = self._asked(("rows", facts.name), lambda source: count_rows(source, facts.name))
        return describing.size_info(facts, rows)

    def get_incremental_columns(self, table: str) -> list[IncrementalColumn]:
        """Judge the columns that look like cursors, the best first, refused ones last.

        Args:
            table: its name.

        Raises:
            SchemaDiscoveryError: as `analysis`.
            PluginError: a classifier failed.
        """
        return describing.incremental_columns(self._analysed(table))

    def has_schema_changed(self, table: str, stored_hash: str) -> bool:
        """Tell whether a table's definition in the snapshot differs from an earlier one.

        Args:
            table: its name.
            stored_hash: the earlier `schema_hash`.

        Raises:
            SchemaNotFoundError: there is no such base table.
        """
        return self._facts(table).schema_hash != stored_hash

    def analyze_table_relationships(
        self, tables: Iterable[str] | None = None
    ) -> dict[str, TableRelationships]:
        """Tell which tables point to which; relations to tables that were not asked for included.

        Args:
            tables: names; None for all base tables but those excluded by default.

        Raises:
            SchemaDiscoveryError: as `analysis`.
        """
        with self._lock:  # Relations and tables come from one snapshot.
            analysed, relations = self._all_analysed(tables), self._relations()
        return {each.analysis.name: describing.relationships(each, relations) for each in analysed}

    def analyze_table_usage_patterns(self, tables: Iterable[str] | None = None) -> dict[str, UsagePatterns]:
        """Tell how tables are used, as far as the catalog can tell.

        Args:
            tables: names; None for all base tables but those excluded by default.

        Raises:
            SchemaDiscoveryError: as `analysis`.
        """
        return {each.analysis.name: describing.usage_patterns(each) for each in self._all_analysed(tables)}

    def determine_table_importance(self, tables: Iterable[str] | None = None) -> dict[str, str]:
        """Tell how much tables matter, as the classifiers say.

        Args:
            tables: names; None for all base tables but those excluded by default.

        Raises:
            SchemaDiscoveryError: as `analysis`.
            PluginError: a classifier failed.
        """
        return {name: each.importance for name, each in self.analyses(tables).items()}

    def get_pipeline_configuration(self, table: str) -> PipelineConfiguration:
        """Decide how a table is loaded: its entry in `tables.yml`.

        Args:
            table: its name.

        Raises:
            SchemaDiscoveryError: as `analysis`.
            ConfigurationGenerationError: no strategy can load the table.
            PluginError: a plugin failed.
        """
        analysed = self._analysed(table)
        self._looked(analysed)  # The values are looked at before anybody has to wait for the entry.
        return deepcopy(self._configured(analysed))

    def analyze_complete_schema(self, tables: Iterable[str] | None = None) -> CompleteSchema:
        """Answer every question for many tables in one pass.

        Args:
            tables: names; None for all base tables but those excluded by default.

        Raises:
            SchemaDiscoveryError: as `analysis`.
            ConfigurationGenerationError: no strategy can load one of the tables.
            PluginError: a plugin failed.
        """
        self._look_at(tables)
        with self._lock:  # Everything comes from one snapshot.
            analysed = self._all_analysed(tables)
            configurations = {each.analysis.name: deepcopy(self._configured(each)) for each in analysed}
            return complete_schema(
                self.catalog(), analysed, self._relations(), self._left_out(), configurations
            )

    def generate_complete_configuration(self, output_dir: Path | str | None = None) -> CompleteConfiguration:
        """Write `tables.yml`, `tables_summary.txt` and `schema_analysis_<timestamp>.json`.

        Each file is written whole or not at all.

        Args:
            output_dir: the folder, which exists; None for the current one.

        Returns:
            What `tables.yml` holds. Estimates of sizes and rows that moved by less than a fifth are kept as
            they were, so that a second analysis changes nothing.

        Raises:
            SchemaDiscoveryError: as `analysis`.
            ConfigurationGenerationError: no strategy can load one of the tables, or a file cannot be written.
            PluginError: a plugin failed.
        """
        return {
            "tables": generation.generate(self.generation_input(), Path(output_dir or ".")).configurations
        }

    def generation_input(self) -> generation.Input:
        """Give what `generation.generate` works on: the analysis of all tables but those excluded by default.

        Raises:
            SchemaDiscoveryError: as `analysis`.
            PluginError: a plugin failed.
        """
        self._look_at(None)
        with self._lock:  # Everything comes from one snapshot.
            analysed = self._all_analysed(None)
            return generation.Input(
                catalog=self.catalog(),
                analysed=analysed,
                relations=self._relations(),
                left_out=self._left_out(),
                registry=self._plugins(),
                looked={each.analysis.name: self._looked(each) for each in analysed},
            )

    def get_table_dependencies_recursive(self, table: str, depth: int = 3) -> DependencyTree:
        """Follow the tables that a table points to; cycles and self references end their branch.

        Args:
            table: where to begin.
            depth: levels below it.

        Raises:
            SchemaNotFoundError: there is no such base table.
        """
        return describing.dependency_tree(self._facts(table).name, depth, self._relations().depends_on)

    def validate_table_configuration(self, table: str, config: Mapping[str, Any]) -> list[str]:
        """Say what is wrong with a table's configuration.

        Args:
            table: its name.
            config: an entry as in `tables.yml`, or part of one.

        Returns:
            One sentence for each problem; empty when all is well.

        Raises:
            SchemaDiscoveryError: the catalog cannot be read, or this user must not read the table.
            PluginError: a plugin failed.
        """
        try:
            analysed = self._analysed(table)
        except SchemaNotFoundError as error:
            return [str(error)]
        return configuration_problems(config, self.catalog(), analysed, self._plugins())

    def opinions(self, table: str) -> Opinions:
        """Tell what every plugin thinks of a table, and who it is; rows are not read.

        Args:
            table: its name.

        Raises:
            SchemaDiscoveryError: as `analysis`.
            PluginError: a plugin failed.
        """
        with self._lock:  # Everything comes from one snapshot.
            return opinions_of(self._analysed(table), self._relations(), self._plugins())

    def _look_at(self, tables: Iterable[str] | None) -> None:
        """Look at the values of columns before others have to wait for the answers, for it may take long."""
        for each in self._all_analysed(tables):
            self._looked(each)

    def _configured(self, table: AnalysedTable) -> PipelineConfiguration:
        name = table.analysis.name
        return self._kept(
            self._config_cache,
            name,
            lambda: pipeline_configuration(
                table, self._plugins(), describing.moment(self.catalog()), self._looked(table).decided(name)
            ),
        )
