"""What every plugin thinks of one table, each answer with who gave it: for people who ask why."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import attrs

from etlkit.contracts import Conversion, Fit
from etlkit.discovery.analysis import AnalysedTable, as_in_catalog
from etlkit.discovery.asking import STANDARD, bid, judgements, matches_of
from etlkit.discovery.exclusions import all_exclusions, is_own
from etlkit.discovery.history import Source
from etlkit.discovery.relationships import Relation, Relations, ends
from etlkit.providers import PluginInfo, Provided
from etlkit.registry import Registry
from etlkit.tables import Column, CursorCandidate, TableAnalysis


@attrs.frozen(kw_only=True)
class Voice:
    """Something that a plugin provides, and the plugin."""

    name: str
    """The name of the strategy, classifier, conversion or whatever else it is."""
    plugin: str
    """The plugin's name."""
    distribution: str
    """The distribution that announces it."""
    version: str
    """The distribution's version."""

    @classmethod
    def of(cls, provided: Provided[Any]) -> Voice:
        """Name an object of a plugin.

        Args:
            provided: the object, with the plugin.
        """
        return cls.named(provided.item.name, provided.plugin)

    @classmethod
    def named(cls, name: str, plugin: PluginInfo) -> Voice:
        """Name what a plugin provides.

        Args:
            name: the object's name.
            plugin: its plugin.
        """
        return cls(name=name, plugin=plugin.name, distribution=plugin.distribution, version=plugin.version)

    def __str__(self) -> str:
        source = f"{self.distribution} {self.version}" if self.distribution else "not installed"
        return f"`{self.name}` of plugin `{self.plugin}` ({source})"


@attrs.frozen(kw_only=True)
class Bid:
    """A strategy's answer."""

    by: Voice
    """The strategy."""
    cost: float | None
    """Its bid; None when it refuses."""
    reason: str
    """Its words."""


@attrs.frozen(kw_only=True)
class Judgement:
    """A classifier's answer, or an exclusion's."""

    by: Voice
    """Who was asked."""
    answer: str | bool | None
    """The level, None for a classifier that passes; whether the table is left out."""


@attrs.frozen(kw_only=True)
class Match:
    """Who was asked what becomes of a column that nobody decided about."""

    by: Voice | None
    """The conversion that applies by itself; None when none does."""
    conversion: Provided[Conversion] | None = attrs.field(repr=False)
    """The same, to work with."""
    before: tuple[str, ...]
    """Names of the conversions that were asked before and passed, in order."""


@attrs.frozen(kw_only=True)
class Pointer:
    """One column that points to a table, and everybody who says so."""

    table: str
    """The table that points."""
    column: str
    """The column that points."""
    referenced_table: str
    """The table pointed to."""
    referenced_column: str
    """The column pointed to."""
    by: Voice | None
    """The rule that counts as the origin; None for a declared foreign key."""
    also: tuple[Voice, ...] = ()
    """Rules that say the same."""
    counts: bool = True
    """False for what a rule says of a column that the source itself declares otherwise."""


@attrs.frozen(kw_only=True)
class Known:
    """What is known of how a program uses a table."""

    what: str
    """Such as `append_only`."""
    reason: str
    """A clause that follows "because"."""
    by: Voice | None
    """The habit that says so; None where the catalog shows it, or nobody knows."""


@attrs.frozen(kw_only=True)
class Opinions:
    """What is thought of one table, but for what depends on a deployment's choices."""

    table: TableAnalysis
    """The table as discovery sees it."""
    exclusions: tuple[Judgement, ...]
    """All exclusions; the first one that says yes is on record."""
    levels: tuple[Judgement, ...]
    """The classifiers that were asked, in order."""
    not_asked: tuple[str, ...]
    """Names of the classifiers behind the one that answered."""
    changes: Known
    """How its rows change."""
    lookback: Known | None
    """What is read again behind a time cursor; None where no habit says anything."""
    candidates: tuple[CursorCandidate, ...]
    """All columns that look like cursors, best first; refused ones last."""
    points_to: tuple[Pointer, ...]
    """What the table's columns point to."""
    pointed_to_by: tuple[Pointer, ...]
    """What points to the table."""
    passed_over: tuple[Pointer, ...]
    """What rules say of its columns and does not count, because the source declares something else."""


def opinions_of(analysed: AnalysedTable, relations: Relations, registry: Registry) -> Opinions:
    """Ask every plugin about a table.

    Args:
        analysed: the table.
        relations: those of the whole schema.
        registry: the plugins.

    Returns:
        What they think.

    Raises:
        PluginError: a plugin failed.
    """
    name = analysed.analysis.name
    plugins = {each.name: each for each in registry.plugins if each.status == "active"}
    levels = levels_for(analysed.analysis, registry)
    return Opinions(
        table=analysed.analysis,
        exclusions=exclusions_for(as_in_catalog(analysed.facts), registry),
        levels=levels,
        not_asked=tuple(each.item.name for each in registry.classifiers[len(levels) :]),
        changes=_known(analysed.analysis.update_frequency, analysed.usage.why, plugins),
        lookback=(
            None
            if analysed.usage.lookback_why is None
            else _known(f"{analysed.usage.lookback_seconds} seconds", analysed.usage.lookback_why, plugins)
        ),
        candidates=analysed.candidates,
        points_to=pointers(relations, relations.outgoing[name], plugins),
        pointed_to_by=pointers(relations, relations.incoming[name], plugins),
        passed_over=passed_over(relations, name, plugins),
    )


def bids_for(table: TableAnalysis, registry: Registry) -> tuple[Bid, ...]:
    """Ask every strategy for its bid.

    Args:
        table: complete, with cursor and importance.
        registry: whose strategies.

    Returns:
        The bids, the lowest first; refusals last.

    Raises:
        PluginError: a strategy failed.
    """
    found = []
    for provided in registry.strategies.values():
        answer = bid(table, provided)
        cost = answer.cost if isinstance(answer, Fit) else None
        found.append(Bid(by=Voice.of(provided), cost=cost, reason=" ".join(answer.reason.split())))
    return tuple(sorted(found, key=lambda each: (each.cost is None, each.cost or 0.0, each.by.name)))


def levels_for(table: TableAnalysis, registry: Registry) -> tuple[Judgement, ...]:
    """Ask the classifiers, until one answers.

    Args:
        table: the table.
        registry: whose classifiers.

    Returns:
        Those that were asked, in order.

    Raises:
        PluginError: a classifier failed.
    """
    shown = attrs.evolve(table, importance=STANDARD)
    asked = judgements(shown, registry.classifiers)
    return tuple(Judgement(by=Voice.of(each), answer=level) for each, level in asked)


def exclusions_for(table: TableAnalysis, registry: Registry) -> tuple[Judgement, ...]:
    """Ask every exclusion.

    Args:
        table: as the catalog has it.
        registry: whose exclusions.

    Returns:
        All answers, in order; the first one that is True is on record. etlkit's own is among them where it is True.

    Raises:
        PluginError: an exclusion failed.
    """
    asked = all_exclusions(registry.exclusions) if is_own(table) else registry.exclusions
    return tuple(
        Judgement(by=Voice.of(each), answer=each.call("excludes", table, expecting=bool)) for each in asked
    )


def match_for(table: TableAnalysis, column: Column, registry: Registry) -> Match:
    """Ask the conversions which of them applies to a column by itself.

    Args:
        table: the column's table.
        column: the column.
        registry: whose conversions.

    Returns:
        The answer, and who was asked before.

    Raises:
        PluginError: a conversion failed.
    """
    before: list[str] = []
    for provided, matches in matches_of(table, column, registry.conversions):
        if matches:
            return Match(by=Voice.of(provided), conversion=provided, before=tuple(before))
        before.append(provided.item.name)
    return Match(by=None, conversion=None, before=tuple(before))


def pointers(
    relations: Relations, counted: Iterable[Relation], plugins: Mapping[str, PluginInfo]
) -> tuple[Pointer, ...]:
    """Tell of relations who says so.

    Args:
        relations: those of the whole schema.
        counted: the ones to tell of.
        plugins: the deployment's, by name.

    Returns:
        One for each, in the order given.
    """
    return tuple(
        attrs.evolve(
            _pointer(each, plugins),
            also=tuple(
                Voice.named(said.origin, plugins[said.plugin])
                for said in relations.said
                if said.plugin and ends(said) == ends(each) and said.origin != each.origin
            ),
        )
        for each in counted
    )


def passed_over(relations: Relations, table: str, plugins: Mapping[str, PluginInfo]) -> tuple[Pointer, ...]:
    """Find what rules say of a table's columns and does not count, because the source declares something else.

    Args:
        relations: those of the whole schema.
        table: the table.
        plugins: the deployment's, by name.

    Returns:
        In the order it was said.
    """
    counted = {ends(each) for each in relations.outgoing[table]}
    return tuple(
        attrs.evolve(_pointer(said, plugins), counts=False)
        for said in relations.said
        if said.table == table and ends(said) not in counted
    )


def _known(what: str, why: Source, plugins: Mapping[str, PluginInfo]) -> Known:
    by = Voice.named(why.habit, plugins[why.plugin]) if why.habit else None
    return Known(what=what, reason=why.reason, by=by)


def _pointer(relation: Relation, plugins: Mapping[str, PluginInfo]) -> Pointer:
    by = Voice.named(relation.origin, plugins[relation.plugin]) if relation.plugin else None
    table, column, referenced_table, referenced_column = ends(relation)
    return Pointer(
        table=table,
        column=column,
        referenced_table=referenced_table,
        referenced_column=referenced_column,
        by=by,
    )
