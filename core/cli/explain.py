"""`etlkit plan --explain TABLE`: who decided how a table is loaded, in sections."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import attrs

from etlkit.cli import output
from etlkit.discovery.opinions import Bid, Judgement, Known, Pointer
from etlkit.orchestration.deployment import Deployment
from etlkit.orchestration.explained_columns import PLUGINS, ExplainedColumn
from etlkit.orchestration.explained_copy import ExplainedCopy
from etlkit.orchestration.explanation import DEFAULT, Decision, Explanation, explain, plain_columns
from etlkit.tables import CursorCandidate
from etlkit.wording import counted, names, one_line

_PLACES = {PLUGINS: "as the plugins say now", DEFAULT: "by default"}


def show_explanation(deployment: Deployment, table: str, *, as_json: bool) -> None:
    """Print why a table is loaded as it is.

    Args:
        deployment: whose table.
        table: its name in the source.
        as_json: one JSON document instead of text.

    Raises:
        EtlkitError: there is no such table, or it cannot be explained.
    """
    found = explain(deployment, table)
    if as_json:
        output.write_json(_document(found))
        return
    output.say(*(one_line(line) for line in _lines(found)))


def _document(found: Explanation) -> dict[str, Any]:
    document = attrs.asdict(found)
    if found.replica is None:
        del document["replica"]
    return document


def _lines(found: Explanation) -> Iterator[str]:
    loaded = "" if found.loaded else ", which runs do not load"
    yield f"Table `{found.table}`{loaded}"
    if found.problem is not None:
        yield ""
        yield "It cannot be planned, and this is what would hold otherwise:"
        yield from (f"  {line}" for line in found.problem.splitlines())
    yield from _section(
        "Left out", found.exclusion, _answers("Exclusions, all of which are asked", found.exclusions)
    )
    yield from _section("Strategy", found.strategy, _bids(found.bids))
    yield from _section("Importance", found.importance, _levels(found))
    yield ""
    yield f"Rows: {_known(found.changes)}"
    if found.lookback is not None:
        yield f"  Read again behind a time cursor: {_known(found.lookback)}"
    yield from _section("Cursor", found.cursor, _candidates(found.candidates))
    yield ""
    yield f"Columns: {len(found.columns):,}"
    yield from _columns(found.columns)
    yield ""
    # A column that points to its own table is in both.
    pointers = dict.fromkeys((*found.points_to, *found.passed_over, *found.pointed_to_by))
    yield "Relationships:" if pointers else "Relationships: none"
    yield from (f"  {_pointed(each)}" for each in pointers)
    yield from _section("Proven equal to the source", found.reconcile, ())
    yield from _section("Executor", found.executor, ())
    if found.replica is not None:
        yield from _copy(found.replica)


def _section(title: str, decision: Decision, details: Iterable[str]) -> Iterator[str]:
    yield ""
    yield f"{title}: {decision.chosen or 'none'}, {_place(decision.decided_by, decision.line)}"
    if decision.by is not None:
        yield f"  {decision.by}"
    if decision.reason is not None:
        yield f"  {decision.reason}"
    yield from (f"  {each}" for each in details)


def _copy(copy: ExplainedCopy) -> Iterator[str]:
    yield ""
    yield f"Into the replica `{copy.database}`, exactly as it is and without conversions:"
    if copy.problem is not None:
        yield f"  It cannot be planned: {copy.problem}"
    if copy.reason is not None:
        yield f"  {copy.reason}"
    yield from (f"  adapted: {each}" for each in copy.adapted)
    yield from (f"  made anew: {each}" for each in copy.differences)


def _place(decided_by: str, line: int | None) -> str:
    return _PLACES.get(decided_by) or f"from {decided_by}{'' if line is None else f':{line}'}"


def _answers(title: str, judgements: Iterable[Judgement]) -> Iterator[str]:
    answers = [(_answer(each.answer), str(each.by)) for each in judgements]
    if answers:
        yield f"{title}:"
        yield from _aligned(answers)


def _answer(answer: str | bool | None) -> str:
    if answer is None:
        return "passes"
    return answer if isinstance(answer, str) else "yes" if answer else "no"


def _levels(found: Explanation) -> Iterator[str]:
    yield from _answers("Classifiers, asked until one answers", found.levels)
    if found.not_asked:
        yield f"Not asked any more: {_named(found.not_asked)}"


def _bids(bids: Iterable[Bid]) -> Iterator[str]:
    yield "Bids now, of which the lowest wins where nothing was chosen:"
    yield from _aligned(
        ("refuses" if each.cost is None else f"{each.cost:g}", f"{each.by}: {each.reason}") for each in bids
    )


def _known(known: Known) -> str:
    says = "" if known.by is None else f"; so says {known.by}"
    return f"{known.what}, because {known.reason}{says}"


def _candidates(candidates: Iterable[CursorCandidate]) -> Iterator[str]:
    rows = [
        ("refused" if each.refused else f"{each.score:.2f}", f"`{each.column}`: {' '.join(each.reasons)}")
        for each in candidates
    ]
    if rows:
        yield "Columns that look like one, by score:"
        yield from _aligned(rows)


def _columns(columns: tuple[ExplainedColumn, ...]) -> Iterator[str]:
    plain = plain_columns(columns)
    for each in columns:
        if each not in plain:
            yield from _column(each)
    if plain:
        asked = len(plain[0].asked_before)
        keep, it = ("keeps its", "it") if len(plain) == 1 else ("keep their", "them")
        listed = names([each.column for each in plain])
        none = (
            f"none of {counted(asked, 'conversion')} applies to {it}" if asked else "there are no conversions"
        )
        yield f"  {counted(len(plain), 'column')} {keep} plain type, since {none} by itself: {listed}"


def _column(column: ExplainedColumn) -> Iterator[str]:
    becomes = (
        f"becomes {column.type}"
        if column.type
        else "is not loaded"
        if not column.loaded
        else "cannot be loaded"
    )
    masked = ", its own values stay in the source" if column.masks else ""
    place = "by itself" if column.decided_by == PLUGINS else _place(column.decided_by, column.line)
    by = "without a conversion" if column.conversion is None else f"by {column.conversion}"
    if not column.applies:
        becomes, by = f"keeps its plain type {column.type}", f"in spite of {column.conversion}"
    yield f"  `{column.column}` {becomes} {by}, {place}{masked}"
    if column.reason is not None:
        yield f"    {column.reason}"
    if column.asked_before:
        yield f"    asked before, and passed: {_named(column.asked_before)}"


def _pointed(pointer: Pointer) -> str:
    to = f"`{pointer.table}.{pointer.column}` points to `{pointer.referenced_table}.{pointer.referenced_column}`"
    by = "declared as a foreign key in the source" if pointer.by is None else f"so says {pointer.by}"
    also = "".join(f", and {each}" for each in pointer.also)
    but = (
        ""
        if pointer.counts
        else ", which does not count, since the source declares something else of the column"
    )
    return f"{to}: {by}{also}{but}"


def _aligned(rows: Iterable[tuple[str, str]]) -> Iterator[str]:
    kept = list(rows)
    width = max((len(first) for first, _ in kept), default=0)
    yield from (f"  {first:>{width}}  {rest}" for first, rest in kept)


def _named(listed: Iterable[str]) -> str:
    return ", ".join(f"`{each}`" for each in listed)
