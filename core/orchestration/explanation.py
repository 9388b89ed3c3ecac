"""Why a table is loaded as it is: what was decided, by whom, and who was asked before. No row is read for it."""

from __future__ import annotations

from collections.abc import Sequence

import attrs

from etlkit.config import SETTINGS_FILE, TABLES_FILE, RunSettings, Settings, TableChoice, TableConfig
from etlkit.config.places import place_of
from etlkit.discovery.asking import choose_strategy
from etlkit.discovery.cursors import why_no_cursor
from etlkit.discovery.opinions import Bid, Judgement, Known, Opinions, Pointer, Voice, bids_for
from etlkit.discovery.proving import proving_of
from etlkit.errors import ConfigurationError, EtlkitError
from etlkit.orchestration.column_choices import ColumnChoices
from etlkit.orchestration.deployment import Deployment
from etlkit.orchestration.explained_columns import PLUGINS, ExplainedColumn, explained_columns
from etlkit.orchestration.explained_copy import ExplainedCopy, explained_copy
from etlkit.suggestions import suggestion
from etlkit.tables import CursorCandidate, TableAnalysis

DEFAULT = "default"
"""Decided by nobody: what holds where nothing is chosen."""


@attrs.frozen(kw_only=True)
class Decision:
    """What was decided, and where that stands."""

    chosen: str | None
    """The strategy, the level, the cursor ...; None for no cursor."""
    decided_by: str
    """`etlkit.yml`, `tables.yml` (where `etlkit analyze` writes what plugins said), `plugins` or `default`."""
    line: int | None = None
    """The line in that file."""
    reason: str | None = None
    """One sentence, where there is one."""
    by: Voice | None = None
    """The plugin that provides what was chosen."""


@attrs.frozen(kw_only=True)
class Explanation:
    """All decisions about one table."""

    table: str
    """Its name in the source."""
    loaded: bool
    """Whether runs load it: it stands in `tables.yml`, and nobody excludes it."""
    problem: str | None
    """Why it cannot be planned; None when it can. What follows is what would hold otherwise."""
    exclusion: Decision
    """Whether it is left out: `yes` or `no`."""
    exclusions: tuple[Judgement, ...]
    """All exclusions; the first one that says yes is on record."""
    strategy: Decision
    """The strategy."""
    bids: tuple[Bid, ...]
    """What all strategies bid now, the lowest first; refusals last."""
    importance: Decision
    """The level."""
    levels: tuple[Judgement, ...]
    """The classifiers that were asked now, in order, until one answered."""
    not_asked: tuple[str, ...]
    """Names of the classifiers behind it."""
    changes: Known
    """How its rows change, as far as that is known."""
    lookback: Known | None
    """What a habit says is read again behind a time cursor; a person's `lookback_seconds` wins over it."""
    cursor: Decision
    """The column that tells which rows changed."""
    candidates: tuple[CursorCandidate, ...]
    """All columns that look like cursors, best first; refused ones last."""
    columns: tuple[ExplainedColumn, ...]
    """What each column becomes, in the table's order."""
    points_to: tuple[Pointer, ...]
    """What the table's columns point to."""
    pointed_to_by: tuple[Pointer, ...]
    """What points to the table."""
    passed_over: tuple[Pointer, ...]
    """What rules say of its columns and does not count, because the source declares something else."""
    reconcile: Decision
    """How often it is proven equal to its source."""
    executor: Decision
    """What loads the tables of a run."""
    replica: ExplainedCopy | None = None
    """How it gets into the replica; None without one."""


def explain(deployment: Deployment, table: str) -> Explanation:
    """Explain how a table is loaded; nothing need have been loaded before, and no row is read.

    Args:
        deployment: whose table.
        table: its name in the source.

    Returns:
        The explanation.

    Raises:
        ConfigurationError: the source has no such table.
        SchemaDiscoveryError: the source's catalog cannot be read.
        PluginError: a plugin failed.
    """
    discovery = deployment.discovery
    known = discovery.catalog().find(table)
    if known is None:
        names = discovery.catalog().tables
        raise ConfigurationError(
            f"--explain names `{table}`, which is no table of the source; {suggestion(table, names)}"
        )
    opinions = discovery.opinions(known.name)
    settings = deployment.settings
    listed = settings.analyzed.get(known.name)
    if listed is None:
        now = {**settings.analyzed, known.name: _as_analysed(opinions, deployment)}
        deployment = attrs.evolve(deployment, settings=attrs.evolve(settings, analyzed=now))
    return _Explained(deployment=deployment, opinions=opinions, listed=listed).explanation()


def _as_analysed(opinions: Opinions, deployment: Deployment) -> TableConfig:
    table = opinions.table
    strategy = choose_strategy(table, deployment.registry.strategies).strategy
    proving = proving_of(table, deployment.registry.strategy(strategy).item)
    return TableConfig(
        extraction_strategy=strategy,
        incremental_column=table.cursor.column if table.cursor else None,
        table_importance=table.importance,
        batch_size=table.batch_size,
        reconcile=proving.schedule,
        schema_hash=table.schema_hash,
        reasons={"reconcile": proving.reason},
    )


@attrs.frozen(kw_only=True)
class _Explained:
    deployment: Deployment
    opinions: Opinions
    listed: TableConfig | None

    @property
    def settings(self) -> Settings:
        return self.deployment.settings

    @property
    def name(self) -> str:
        return self.opinions.table.name

    @property
    def choice(self) -> TableChoice:
        return self.settings.choice(self.name)

    def explanation(self) -> Explanation:
        analysis, config, chosen, problem = self._planned()
        opinions = self.opinions
        exclusion = self._exclusion()
        # A table whose cursor is masked, or gone, was bid for without it.
        bid_for = opinions.table if self._holds(config) else attrs.evolve(analysis, cursor=None)
        return Explanation(
            table=self.name,
            loaded=self.listed is not None and not self.choice.exclude,
            problem=problem,
            exclusion=exclusion,
            exclusions=opinions.exclusions,
            strategy=self._strategy(config),
            bids=bids_for(bid_for, self.deployment.registry),
            importance=self._importance(config),
            levels=opinions.levels,
            not_asked=opinions.not_asked,
            changes=opinions.changes,
            lookback=opinions.lookback,
            cursor=self._cursor(config),
            candidates=opinions.candidates,
            columns=explained_columns(opinions.table, self.settings, self.deployment.registry, chosen),
            points_to=opinions.points_to,
            pointed_to_by=opinions.pointed_to_by,
            passed_over=opinions.passed_over,
            reconcile=self._decision("reconcile", config.reconcile, config.reasons.get("reconcile")),
            executor=self._executor(),
            replica=explained_copy(self.deployment, self.name),
        )

    def _planned(self) -> tuple[TableAnalysis, TableConfig, ColumnChoices | None, str | None]:
        try:
            analysis, config, chosen = self.deployment.planner().decided(self.name)
        except EtlkitError as error:
            return self.opinions.table, self.settings.get_table_config(self.name), None, error.message
        return analysis, config, chosen, None

    def _holds(self, config: TableConfig) -> bool:
        """Tell whether the strategy that was configured is the one that is used."""
        configured = self.settings.get_table_config(self.name)
        return (configured.extraction_strategy, configured.incremental_column) == (
            config.extraction_strategy,
            config.incremental_column,
        )

    def _decision(
        self, key: str, chosen: str | None, reason: str | None, *, by: Voice | None = None
    ) -> Decision:
        """Say where a choice stands, by its key under `tables`."""
        if getattr(self.choice, key) is not None:
            decided_by, reason = SETTINGS_FILE, None
        elif self.listed is None:
            decided_by = PLUGINS
        elif getattr(self.listed, key) != chosen:
            decided_by, reason = PLUGINS, f"{TABLES_FILE} says otherwise, which cannot hold any more."
        else:
            decided_by = TABLES_FILE
        line = None
        if decided_by != PLUGINS:
            line = place_of(self.settings.folder / decided_by, "tables", self.name, key).line
        return Decision(chosen=chosen, decided_by=decided_by, line=line, reason=reason, by=by)

    def _strategy(self, config: TableConfig) -> Decision:
        name = config.extraction_strategy
        provided = self.deployment.registry.strategies.get(name)
        by = None if provided is None else Voice.of(provided)
        return self._decision("extraction_strategy", name, config.reasons.get("strategy"), by=by)

    def _importance(self, config: TableConfig) -> Decision:
        level = config.table_importance
        said = next((each.by for each in self.opinions.levels if each.answer == level), None)
        by = None if self.choice.table_importance is not None else said
        return self._decision("table_importance", level, config.reasons.get("importance"), by=by)

    def _cursor(self, config: TableConfig) -> Decision:
        name = config.incremental_column
        reason = why_no_cursor(self.opinions.candidates) if name is None else config.reasons.get("cursor")
        return self._decision("incremental_column", name, reason)

    def _exclusion(self) -> Decision:
        file = self.settings.folder / SETTINGS_FILE
        line = place_of(file, "tables", self.name, "exclude").line
        if line is not None:
            return Decision(
                chosen="yes" if self.choice.exclude else "no", decided_by=SETTINGS_FILE, line=line
            )
        if self.listed is not None:
            return Decision(chosen="no", decided_by=TABLES_FILE)
        said = next((each.by for each in self.opinions.exclusions if each.answer), None)
        reason = None if said else f"It is not in {TABLES_FILE}; `etlkit analyze` would add it."
        return Decision(chosen="yes" if said else "no", decided_by=PLUGINS, by=said, reason=reason)

    def _executor(self) -> Decision:
        name = self.settings.run.executor
        line = place_of(self.settings.folder / SETTINGS_FILE, "run", "executor").line
        by = Voice.of(self.deployment.registry.executor(name))
        if line is None and name == RunSettings().executor:
            return Decision(chosen=name, decided_by=DEFAULT, by=by)
        return Decision(chosen=name, decided_by=SETTINGS_FILE, line=line, by=by)


def plain_columns(columns: Sequence[ExplainedColumn]) -> tuple[ExplainedColumn, ...]:
    """Find the columns that nobody decided anything about.

    Args:
        columns: of a table.

    Returns:
        Those that keep their plain type and that no conversion applies to.
    """
    return tuple(each for each in columns if each.decided_by == DEFAULT)
