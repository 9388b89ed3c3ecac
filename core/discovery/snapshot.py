"""The snapshot behind `SchemaDiscovery`: the catalog and every table's analysis, made once and kept."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType
from typing import Any, Literal, TypeVar

from sqlalchemy import Engine

from etlkit.config.protection import Protection
from etlkit.discovery import ddl, privileges
from etlkit.discovery.analysis import AnalysedTable, analyse_table, as_in_catalog
from etlkit.discovery.catalog import Catalog, TableFacts
from etlkit.discovery.claims import Claims, claims_of
from etlkit.discovery.column_types import Looked
from etlkit.discovery.cursors import judged_cursor
from etlkit.discovery.exclusions import LeftOut, find_left_out
from etlkit.discovery.history import Usage, usage_of
from etlkit.discovery.reading import read_catalog
from etlkit.discovery.relationships import Relations, find_relations
from etlkit.discovery.value_evidence import Evidence, look_at_values
from etlkit.errors import SchemaAnalysisError, SchemaNotFoundError
from etlkit.registry import Registry
from etlkit.suggestions import suggestion
from etlkit.tables import CursorCandidate, TableAnalysis

CacheKind = Literal["schema", "config", "analysis"]
"""What `clear_cache` can forget."""

Value = TypeVar("Value")


class SourceSnapshot:
    """Frozen values about the source's schema, each read or computed at the first question and then kept."""

    def __init__(
        self,
        source_engine: Engine,
        source_db: str,
        registry: Registry | None = None,
        *,
        protection: Protection | None = None,
        options: Mapping[str, Mapping[str, Any]] = MappingProxyType({}),
        may_read: Callable[[], None] = lambda: None,
    ) -> None:
        """Name the source; nothing is read yet.

        Args:
            source_engine: a `mysql+pymysql` engine of the source.
            source_db: the database's name on that server.
            registry: the plugins to ask; without it, those installed are loaded when they are first needed.
            protection: what was decided about columns in etlkit.yml; their values are looked at.
            options: by table a person's choices for its strategy, which may bid by them.
            may_read: called before values of rows are looked at; raises when that is not allowed now.
        """
        self.source_engine = source_engine
        self.source_db = source_db
        self._registry = registry
        self._protection = protection or Protection()
        self._options = options
        self._may_read = may_read
        self._lock = threading.RLock()
        self._schema_cache: dict[Any, Any] = {}
        self._analysis_cache: dict[Any, Any] = {}
        self._config_cache: dict[Any, Any] = {}

    def clear_cache(self, kind: CacheKind | None = None) -> None:
        """Forget what was read or computed, and what was computed from it.

        Args:
            kind: `schema` (the catalog), `analysis` (relations, cursors, importance) or `config` (entries of
                `tables.yml`); None for all.

        Raises:
            ValueError: there is no such kind.
        """
        caches = {
            "schema": self._schema_cache,
            "analysis": self._analysis_cache,
            "config": self._config_cache,
        }
        if kind is not None and kind not in caches:
            raise ValueError(f"kind must be in {list(caches)} or None (got {kind!r})")
        with self._lock:
            for name in list(caches)[list(caches).index(kind or "schema") :]:
                caches[name].clear()

    def catalog(self) -> Catalog:
        """Give the snapshot of the catalog.

        Returns:
            The same frozen value until `clear_cache`.

        Raises:
            ConnectionFailed: the server cannot be reached, or refuses the user.
            SchemaNotFoundError: the server has no such database.
            SchemaAnalysisError: the user lacks a privilege.
        """
        return self._kept(
            self._schema_cache, "catalog", lambda: read_catalog(self.source_engine, self.source_db)
        )

    def analysis(self, table: str) -> TableAnalysis:
        """Give all that is known of a table: cursor chosen, importance, relations, update frequency.

        Args:
            table: its name.

        Returns:
            What classifiers and strategies decide upon.

        Raises:
            SchemaNotFoundError: there is no such base table.
            SchemaAnalysisError: this user must not read it.
            PluginError: a classifier or a habit failed.
        """
        return self._analysed(table).analysis

    def analyses(self, tables: Iterable[str] | None = None) -> dict[str, TableAnalysis]:
        """Give `analysis` of several tables.

        Args:
            tables: their names; None for all base tables but those excluded by default.

        Returns:
            By the names as the source spells them.

        Raises:
            SchemaDiscoveryError: as `analysis`.
            PluginError: a classifier failed.
        """
        return {each.analysis.name: each.analysis for each in self._all_analysed(tables)}

    def cursor(self, table: str, column: str) -> CursorCandidate:
        """Judge one column as a cursor, for a person who chose it.

        Args:
            table: its table.
            column: its name.

        Returns:
            The judgement; a refused one does not bind the person.

        Raises:
            SchemaNotFoundError: there is no such base table, or no such column in it.
        """
        facts = self._facts(table)
        found = facts.column(column)
        if found is None:
            names = [each.name for each in facts.columns]
            raise SchemaNotFoundError(
                f"The table `{facts.name}` has no column `{column}`; {suggestion(column, names)}"
            )
        return judged_cursor(facts, found, self._usage(facts))

    def _kept(self, cache: dict[Any, Any], key: Any, make: Callable[[], Value]) -> Value:
        with self._lock:
            if key not in cache:
                cache[key] = make()
            value: Value = cache[key]
            return value

    def _asked(self, key: Any, ask: Callable[[ddl.Place], Value]) -> Value:
        """Keep what the source answers about one table; others may ask meanwhile, for it may take long."""
        catalog, place = self.catalog(), self._source()
        with self._lock:
            if key in self._schema_cache:
                kept: Value = self._schema_cache[key]
                return kept
        answer = ask(place)
        with self._lock:
            # An answer from before `clear_cache` must not outlive it.
            if self._schema_cache.get("catalog") is catalog:
                self._schema_cache[key] = answer
        return answer

    def _source(self) -> ddl.Place:
        return ddl.Place(engine=self.source_engine, database=self.catalog().database)

    def _plugins(self) -> Registry:
        with self._lock:
            if self._registry is None:
                self._registry = Registry.load()
            return self._registry

    def _facts(self, table: str) -> TableFacts:
        catalog = self.catalog()
        hidden = (
            catalog.find(table) is None
            and table not in catalog.views
            and privileges.may_be_hidden(self._source(), table)
        )
        if hidden:
            raise SchemaAnalysisError(catalog.not_shown(table))
        return catalog.table(table)

    def _as_in_catalog(self) -> Mapping[str, TableAnalysis]:
        return self._kept(
            self._analysis_cache,
            "as in catalog",
            lambda: {name: as_in_catalog(facts) for name, facts in self.catalog().tables.items()},
        )

    def _usage(self, facts: TableFacts) -> Usage:
        return self._kept(
            self._analysis_cache,
            ("usage", facts.name),
            lambda: usage_of(self._as_in_catalog()[facts.name], self._plugins().habits),
        )

    def _looked(self, table: AnalysedTable) -> Looked:
        """Find the columns that would not get their plain type, and what their values say of it."""
        analysis = table.analysis
        claims: Claims = self._kept(
            self._config_cache,
            ("claims", analysis.name),
            lambda: claims_of(
                analysis,
                self._protection.overrides(analysis),
                self._plugins(),
                undecided=self._protection.undecided(analysis),
            ),
        )
        if not any(each.has_proof for each in claims.claims):
            return Looked(claims=claims)

        def ask(source: ddl.Place) -> Evidence:
            self._may_read()
            return look_at_values(source, analysis, claims.claims)

        return Looked(claims=claims, evidence=self._asked(("values", analysis.name), ask))

    def _left_out(self) -> Mapping[str, LeftOut]:
        return self._kept(
            self._analysis_cache,
            "left out",
            lambda: find_left_out(self._as_in_catalog(), self._plugins().exclusions),
        )

    def _usual(self) -> tuple[str, ...]:
        left_out = self._left_out()
        return tuple(name for name in self.catalog().tables if name not in left_out)

    def _relations(self) -> Relations:
        return self._kept(
            self._analysis_cache,
            "relations",
            lambda: find_relations(self._as_in_catalog(), self._plugins().relationships, self._left_out()),
        )

    def _analysed(self, table: str) -> AnalysedTable:
        facts = self._facts(table)
        self.catalog().require_readable(facts)
        return self._kept(
            self._analysis_cache,
            ("table", facts.name),
            lambda: analyse_table(
                facts,
                self._relations(),
                self._plugins().classifiers,
                self._usage(facts),
                self._options.get(facts.name, {}),
            ),
        )

    def _all_analysed(self, tables: Iterable[str] | None) -> tuple[AnalysedTable, ...]:
        names = self._usual() if tables is None else tables
        analysed = [self._analysed(table) for table in names]
        return tuple({each.analysis.name: each for each in analysed}.values())
