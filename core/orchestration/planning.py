"""From configuration, discovery and the ledger to one table's plan; nothing is read or written here but the ledger."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, partial
from typing import Self

import attrs

from etlkit.config import Secret, Settings, TableConfig
from etlkit.config.protection import Protection, undecided_words
from etlkit.contracts import Commit, Deletes, Differences, Everything, LoadPlan, Strategy, Write
from etlkit.discovery import SchemaDiscovery
from etlkit.discovery.asking import choose_strategy
from etlkit.errors import ConfigurationError, DriftRefused, PlanRefused
from etlkit.loading.ledger import Ledger
from etlkit.loading.ledger_entries import LedgerSnapshot
from etlkit.loading.proofs import is_due
from etlkit.loading.shapes import Shape
from etlkit.loading.table_plan import TablePlan
from etlkit.loading.target import target_name, target_of
from etlkit.orchestration.asking import asked_plan, table_analysis
from etlkit.orchestration.column_choices import ColumnChoices, column_choices
from etlkit.orchestration.outdated import brought_up_to_date
from etlkit.registry import Registry
from etlkit.tables import TableAnalysis
from etlkit.transfer.rendering import render


@attrs.frozen(kw_only=True)
class Planner:
    """Makes the plan of each table's load."""

    settings: Settings
    """The deployment's."""
    discovery: SchemaDiscovery
    """What is known of the source."""
    registry: Registry
    """Its plugins."""
    ledger: Ledger
    """What was loaded before."""
    known: LedgerSnapshot | None = None
    """What it held at one moment; without it, the ledger is asked at each table."""
    masking_key: Callable[[], Secret | None] = lambda: None
    """Gives the key of keyed conversions; None where the deployment has none."""

    def plan(
        self, table: str, *, force_full: bool = False, limit: int | None = None, reconcile: bool = False
    ) -> TablePlan:
        """Decide how a table is loaded now.

        Args:
            table: its name in the source.
            force_full: forget the watermark and read everything.
            limit: make a plan for at most so many rows: nothing is removed, nothing is remembered.
            reconcile: make a plan that finds every difference: by digests where the rows are kept with them, else by
                reading everything.

        Returns:
            The plan.

        Raises:
            SchemaNotFoundError: the source has no such table.
            ConfigurationError: a choice names a strategy, conversion or column that is not there.
            PlanRefused: the strategy cannot serve the table.
            DriftRefused: the table is protected, and nobody decided about one of its columns.
            PluginError: a plugin's function failed.
        """
        analysis, config, chosen = self.decided(table)
        strategy = self.registry.strategy(config.extraction_strategy)
        secret = self.ledger.secret() if keeps_digests(strategy.item, config, analysis) else None
        known_now = self.ledger.snapshot() if self.known is None else self.known
        before, there = known_now.entries.get(table), known_now.tables.get(target_name(table))
        # What the warehouse has of such a column becomes NULL, so it must not be left out there.
        left_out = frozenset(
            name for name in chosen.absent if there is None or target_name(name) not in there.types
        )
        if len(left_out) == len(analysis.columns):
            raise PlanRefused(
                f"table `{table}`: every column of it is left out by a conversion; `exclude: true` leaves it out"
            )
        ignored = self._ignored(analysis, there) if before is not None else frozenset()
        rendered = render(
            analysis,
            self.discovery.catalog().database,
            chosen.conversions,
            chosen.types,
            without=ignored | left_out,
            policies=chosen.policies,
            variants=chosen.variants,
            secret=secret,
        )
        target = target_of(analysis, rendered, self.settings.warehouse.schema)
        known = (
            before is not None
            and before.mapping_hash == target.mapping_hash
            # A column that somebody dropped there is made anew, and filled for all rows.
            and there is not None
            and there.types.keys() >= {column.name for column in target.columns}
            and there.key == target.key
        )
        state = before.state if before is not None and known and not force_full else None
        by_digests = reconcile and state is not None and secret is not None and bool(analysis.primary_key)
        due = is_due(config.reconcile, before, known_now.taken_at)
        anew = (reconcile and not by_digests) or (due and has_masked_key(analysis))
        plan = asked_plan(strategy, analysis, None if anew else state)
        if by_digests:
            plan = reconciling(plan)
        if there is None and plan.write is not Write.REPLACE:
            plan = attrs.evolve(plan, write=Write.REPLACE)
        if limit is not None:
            write = Write.MERGE if analysis.primary_key and there is not None else plan.write
            reason = f"at most {limit} rows, as asked for; nothing is removed and the table's state is kept"
            # A part of the table cannot be compared with the whole of it.
            read = Everything() if isinstance(plan.read, Differences) else plan.read
            plan = attrs.evolve(plan, read=read, write=write, commit=Commit.ONCE, reason=reason)
        plan = attrs.evolve(plan, deletes=self._deletes(analysis, plan))
        target = attrs.evolve(target, marks=plan.deletes is Deletes.TOMBSTONE)
        return TablePlan(
            analysis=analysis,
            config=config,
            rendered=rendered,
            target=target,
            plan=plan,
            before=before,
            builds_upon_it=known,
            proof_due=limit is None and due,
            kept=known_now.kept.get(table, {}),
            left_out=left_out,
        )

    def decided(self, table: str) -> tuple[TableAnalysis, TableConfig, ColumnChoices]:
        """Decide all that does not depend on what was loaded before.

        Args:
            table: its name in the source.

        Returns:
            The table as its strategy sees it, its configuration, and what was chosen of its columns.

        Raises:
            EtlkitError: as `plan`.
        """
        found = self.discovery.analysis(table)
        config = self._decided(found, self.settings.get_table_config(table))
        # Many columns may ask, and without `known` each answer would be a question to the ledger.
        there = cache(partial(self._there, table))
        config = brought_up_to_date(found, config, self.settings, self.registry, there)
        chosen = column_choices(
            found,
            config,
            self.registry,
            self.masking_key,
            asked=Protection.of(self.settings).overrides(found),
            there=there,
        )
        analysis = attrs.evolve(self.analysis(table, config), hidden=chosen.hidden)
        analysis, config = self._without_hidden(analysis, config)
        return analysis, config, chosen

    def proving(self, loaded: TablePlan) -> TablePlan:
        """Decide how a table is proven equal that was just loaded by a plan.

        Args:
            loaded: that plan, of a table whose rows are kept with digests.

        Returns:
            The plan to read differences, upon the state that the load left.
        """
        before = self.ledger.entry(loaded.analysis.name)
        return attrs.evolve(loaded, plan=reconciling(loaded.plan), before=before, proof_due=False)

    def afresh(self) -> Self:
        """Give a planner that asks the ledger anew at each table.

        Returns:
            The planner.
        """
        return attrs.evolve(self, known=None)

    def analysis(self, table: str, config: TableConfig) -> TableAnalysis:
        """Lay a table's configuration over what discovery found.

        Args:
            table: its name in the source.
            config: its configuration.

        Returns:
            The table as strategies see it.

        Raises:
            SchemaDiscoveryError: the source has no such table or column, or it may not be read.
            ConfigurationError: a person chose a cursor that is no column.
        """
        return table_analysis(self.settings, self.discovery, table, config)

    def _there(self, table: str) -> Shape | None:
        known = self.ledger.snapshot() if self.known is None else self.known
        return known.tables.get(target_name(table))

    def _deletes(self, analysis: TableAnalysis, plan: LoadPlan) -> Deletes:
        """Find out what happens to rows that are gone: what a person chose, else what the strategy did."""
        chosen = self.settings.choice(analysis.name).deletes
        deletes = plan.deletes if chosen is None else Deletes(chosen)
        if deletes is Deletes.HARD or analysis.primary_key:
            return deletes
        why = "without a primary key nothing tells which rows are gone, so a table is only kept equal as a whole"
        if chosen is None:
            raise PlanRefused(
                f"table `{analysis.name}`: strategy `{plan.strategy}` plans `deletes: {deletes.value}`, but {why}"
            )
        raise ConfigurationError(
            f"`tables.{analysis.name}.deletes` is `{chosen}`, but the table has no primary key: {why}; leave it out, "
            "or give the table a primary key in the source"
        )

    def _ignored(self, analysis: TableAnalysis, there: Shape | None) -> frozenset[str]:
        """Find the columns that are new in the source and that the drift policy leaves out."""
        if there is None or self.settings.drift.add_column != "ignore":
            return frozenset()
        new = [column.name for column in analysis.columns if target_name(column.name) not in there.types]
        return frozenset(new) if len(new) < len(analysis.columns) else frozenset()

    def _decided(self, found: TableAnalysis, config: TableConfig) -> TableConfig:
        """Lay what was decided about columns over a table's configuration; refuse where nobody decided."""
        protection = Protection.of(self.settings)
        undecided = protection.undecided(found)
        if undecided:
            raise DriftRefused(undecided_words(found.name, undecided))
        return attrs.evolve(
            config, column_overrides={**config.column_overrides, **protection.overrides(found)}
        )

    def _without_hidden(
        self, analysis: TableAnalysis, config: TableConfig
    ) -> tuple[TableAnalysis, TableConfig]:
        """Choose another strategy where the analysed one follows or compares what must not leave the source."""
        cursor, chosen = config.incremental_column, self.settings.choice(analysis.name)
        if cursor not in analysis.hidden and not has_masked_key(analysis):
            return analysis, config
        if cursor in analysis.hidden:
            if chosen.incremental_column is not None:
                raise PlanRefused(
                    f"table `{analysis.name}`: `incremental_column` is `{cursor}`, which a conversion masks, and the "
                    "ledger would keep a value of it; choose another column, or `keep` for this one"
                )
            analysis = attrs.evolve(analysis, cursor=None)
            config = attrs.evolve(config, incremental_column=None)
        if chosen.extraction_strategy is None:
            choice = choose_strategy(analysis, self.registry.strategies)
            config = attrs.evolve(config, extraction_strategy=choice.strategy)
        return analysis, config


def keeps_digests(strategy: Strategy, config: TableConfig, analysis: TableAnalysis) -> bool:
    """Tell whether a table's rows are kept with digests.

    Args:
        strategy: the table's.
        config: its configuration.
        analysis: the table.

    Returns:
        True where the strategy asks for them, and where they are what proves the table equal.
    """
    proven_by_them = config.reconcile != "never" and bool(analysis.primary_key) and not strategy.whole
    # They are compared key by key, and a masked key must not leave the source as it is.
    return (strategy.digests or proven_by_them) and not has_masked_key(analysis)


def has_masked_key(analysis: TableAnalysis) -> bool:
    """Tell whether a conversion masks a column of a table's primary key; then it is read and proven as a whole.

    Args:
        analysis: the table.

    Returns:
        False as well for a table without a primary key.
    """
    return not analysis.hidden.isdisjoint(analysis.primary_key)


def reconciling(plan: LoadPlan) -> LoadPlan:
    """Turn a plan into one that finds every difference.

    Args:
        plan: of a table whose rows are kept with digests.

    Returns:
        The plan to read differences.
    """
    return attrs.evolve(
        plan,
        read=Differences(),
        write=Write.MERGE,
        commit=Commit.ONCE,
        cursor=None,
        reason="Reconciles: compares digests, and reads, changes and removes exactly the rows that differ.",
    )
