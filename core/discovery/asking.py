"""Asking plugins what they think of a table, and saying whose answer it was."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import attrs
from sqlalchemy import ColumnElement

from etlkit.contracts import Classifier, Conversion, Fit, Refusal, Strategy
from etlkit.errors import ConfigurationError, ConfigurationGenerationError, PluginError
from etlkit.providers import Provided
from etlkit.tables import Column, TableAnalysis

STANDARD = "standard"
"""The level of a table that no classifier has an opinion of."""


@attrs.frozen(kw_only=True)
class Importance:
    """How much a table matters, and who said so."""

    level: str
    """The level."""
    reason: str
    """One sentence."""


@attrs.frozen(kw_only=True)
class Choice:
    """The strategy that bid lowest."""

    strategy: str
    """Its name."""
    cost: float
    """Its bid."""
    reason: str
    """Its words, and who it is."""


def importance_of(table: TableAnalysis, classifiers: Iterable[Provided[Classifier]]) -> Importance:
    """Ask one classifier after the other how much a table matters; the first answer holds.

    Args:
        table: shown with the level `standard`.
        classifiers: in the order to ask.

    Returns:
        The level and who gave it.

    Raises:
        PluginError: a classifier failed, or answered with something else than a level.
    """
    for provided, level in judgements(table, classifiers):
        if level is not None:
            who = f"{provided.item.name} of plugin {provided.plugin.name}"
            return Importance(level=level, reason=f"{level}: so says the classifier {who}.")
    return Importance(level=STANDARD, reason=f"{STANDARD}: no classifier says anything else.")


def judgements(
    table: TableAnalysis, classifiers: Iterable[Provided[Classifier]]
) -> Iterator[tuple[Provided[Classifier], str | None]]:
    """Ask classifiers how much a table matters, until one answers.

    Args:
        table: shown with the level `standard`.
        classifiers: in the order to ask.

    Yields:
        Each classifier that was asked, with its level; only the last one's can be other than None.

    Raises:
        PluginError: a classifier failed, or answered with something else than a level.
    """
    for provided in classifiers:
        level: str | None = _ask(provided, "classify", table, table, expecting=(str, type(None)))
        yield provided, level
        if level is not None:
            return


def choose_strategy(table: TableAnalysis, strategies: Mapping[str, Provided[Strategy]]) -> Choice:
    """Ask every strategy for its bid; the lowest wins, and among equals the first by name.

    Args:
        table: complete, with cursor and importance.
        strategies: by name.

    Returns:
        The choice.

    Raises:
        PluginError: a strategy failed, or answered with something else than a bid.
        ConfigurationGenerationError: every strategy refused the table, or there is none.
    """
    bids: list[Choice] = []
    refusals: list[str] = []
    for name, provided in sorted(strategies.items()):
        answer = bid(table, provided)
        if isinstance(answer, Fit):
            bids.append(Choice(strategy=name, cost=answer.cost, reason=answer.reason))
        else:
            refusals.append(f"{name} refuses: {answer.reason}")
    if not bids:
        said = "; ".join(refusals) or "no plugin provides any"
        raise ConfigurationGenerationError(
            f"No strategy can load the table `{table.name}` ({said}). "
            "Install or enable a plugin whose strategy can, or exclude the table."
        )
    return min(bids, key=lambda each: each.cost)


def bid(table: TableAnalysis, strategy: Provided[Strategy]) -> Fit | Refusal:
    """Ask one strategy for its bid.

    Args:
        table: complete, with cursor and importance.
        strategy: the strategy.

    Returns:
        Its bid, or its refusal.

    Raises:
        PluginError: the strategy failed, or answered with something else.
    """
    answer: Fit | Refusal = _ask(strategy, "fits", table, table, expecting=(Fit, Refusal))
    return answer


def matching_conversion(
    table: TableAnalysis, column: Column, conversions: Iterable[Provided[Conversion]]
) -> Provided[Conversion] | None:
    """Find the conversion that applies to a column without being asked for: the first that matches.

    Args:
        table: the column's table.
        column: the column.
        conversions: in the order to ask.

    Returns:
        The conversion; None when none matches.

    Raises:
        PluginError: a conversion failed, or answered with something else than True or False.
    """
    return next((each for each, matches in matches_of(table, column, conversions) if matches), None)


def matches_of(
    table: TableAnalysis, column: Column, conversions: Iterable[Provided[Conversion]]
) -> Iterator[tuple[Provided[Conversion], bool]]:
    """Ask conversions whether they apply to a column without being asked for, until one says so.

    Args:
        table: the column's table.
        column: the column.
        conversions: in the order to ask.

    Yields:
        Each conversion that was asked, with its answer; only the last one's can be True.

    Raises:
        PluginError: a conversion failed, or answered with something else than True or False.
    """
    for provided in conversions:
        matches: bool = _ask(provided, "matches", table, table, column, expecting=bool)
        yield provided, matches
        if matches:
            return


def configured_conversion(
    table: TableAnalysis, provided: Provided[Conversion], options: Mapping[str, str]
) -> Provided[Conversion]:
    """Let a conversion take a person's options.

    Args:
        table: the table of the column.
        provided: the conversion.
        options: by the conversion's own names; empty for none.

    Returns:
        The conversion to use.

    Raises:
        ConfigurationError: it takes no options.
        PlanRefused: it cannot mean these, or cannot serve the table.
        PluginError: it failed, or answered with something else than a conversion.
    """
    if provided.item.configure is not None:
        made: Conversion = _ask(provided, "configure", table, options, table, expecting=Conversion)
        made = attrs.evolve(made, name=provided.item.name)
        return _guarded(table, Provided(item=made, plugin=provided.plugin))
    if options:
        raise ConfigurationError(
            f"table `{table.name}`: conversion {provided.item.name} takes no options; take `options` out of "
            "`column_overrides`"
        )
    return _guarded(table, provided)


def _guarded(table: TableAnalysis, provided: Provided[Conversion]) -> Provided[Conversion]:
    """Let each function of a conversion fail as a plugin's, wherever it is called."""

    def target_type(column: Column) -> str:
        return str(_ask(provided, "target_type", table, column, expecting=str))

    def source_sql(value: ColumnElement[Any], column: Column) -> ColumnElement[Any]:
        made: ColumnElement[Any] = _ask(provided, "source_sql", table, value, column, expecting=ColumnElement)
        return made

    def accepts(value: ColumnElement[Any], column: Column) -> ColumnElement[bool]:
        made: ColumnElement[bool] = _ask(provided, "accepts", table, value, column, expecting=ColumnElement)
        return made

    item = attrs.evolve(
        provided.item,
        target_type=target_type,
        source_sql=source_sql,
        accepts=None if provided.item.accepts is None else accepts,
    )
    return Provided(item=item, plugin=provided.plugin)


def _ask(
    provided: Provided[Any],
    part: str,
    table: TableAnalysis,
    *arguments: object,
    expecting: type | tuple[type, ...],
) -> Any:
    try:
        return provided.call(part, *arguments, expecting=expecting)
    except PluginError as error:
        raise type(error)(f"table `{table.name}`: {error}") from error
