"""`etlkit plan`: what a run would do, and why."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import attrs
import click

from etlkit.cli import options, output
from etlkit.cli.explain import show_explanation
from etlkit.cli.output import Heading
from etlkit.contracts import Differences, Everything, Read, Since, Where
from etlkit.errors import ConfigurationError, DriftRefused, EtlkitError, SomeTablesFailed
from etlkit.loading.table_plan import TablePlan
from etlkit.orchestration.deployment import Deployment
from etlkit.orchestration.drift_outlook import Outlook, outlooks
from etlkit.orchestration.order import load_order
from etlkit.orchestration.prediction import Certainty, Prediction, predictions
from etlkit.orchestration.run import RunRequest, selected_tables
from etlkit.orchestration.source_tables import RenamedTable, SourceTables
from etlkit.transfer.manners import Manners
from etlkit.wording import counted, size

_HEADINGS = [
    Heading(text="table"),
    Heading(text="importance"),
    Heading(text="strategy"),
    Heading(text="cursor"),
    Heading(text="reads"),
    Heading(text="rows", number=True),
    Heading(text="size", number=True),
    Heading(text="why"),
]


@attrs.frozen(kw_only=True)
class _Planned:
    plans: tuple[TablePlan, ...]
    refused: dict[str, EtlkitError]
    predicted: dict[str, Prediction]
    schema: str
    drift: dict[str, Outlook]
    renamed: tuple[RenamedTable, ...]


@click.command()
@options.common
@options.as_json
@options.selection
@options.locked
@options.no_plugin
@options.option(
    "--explain", metavar="TABLE", help="Tell of one table who decided what, and who was asked before."
)
@options.allow_drift
@click.pass_context
def plan(
    context: click.Context,
    *,
    folder: Path,
    as_json: bool,
    select: tuple[str, ...],
    exclude: tuple[str, ...],
    full_refresh: bool,
    limit: int | None,
    locked: bool,
    no_plugin: tuple[str, ...],
    explain: str | None,
    allow_drift: bool,
) -> None:
    """Show what the next run would do.

    For each table: how it is loaded, how much is read, and why; and what becomes of tables whose source
    changed its shape. Changes nothing.
    """
    request = RunRequest(
        select=select, exclude=exclude, full_refresh=full_refresh, limit=limit, allow_drift=allow_drift
    )
    with Deployment.opened(folder, locked=locked, no_plugin=no_plugin) as deployment:
        if explain is not None:
            show_explanation(deployment, explain, as_json=as_json)
            return
        context.exit(show_plan(deployment, request, as_json=as_json))


def show_plan(deployment: Deployment, request: RunRequest, *, as_json: bool) -> int:
    """Print what a run would do.

    Args:
        deployment: whose tables.
        request: what the run would be asked for.
        as_json: one JSON document instead of a table.

    Returns:
        The exit code: 0; 3 when a table cannot be planned, or 2 (configuration) or 5 (drift) when nothing else is why.

    Raises:
        EtlkitError: nothing can be planned.
    """
    planned = _planned(deployment, request)
    manners = Manners(deployment.settings.source)
    if as_json:
        output.write_json(
            {
                "deployment": deployment.settings.deployment,
                "schema": deployment.settings.warehouse.schema,
                "source": manners.document(),
                "tables": [
                    *(_document(each, planned) for each in planned.plans),
                    *(_refusal(deployment, name, error) for name, error in planned.refused.items()),
                ],
            }
        )
    else:
        server = deployment.discovery.catalog().server
        engines = {each.analysis.engine for each in planned.plans}
        limit = manners.statement_limit(server.kind.lower(), server.version)
        _print(planned, [*manners.sentences(engines), limit])
    codes = {error.exit_code for error in planned.refused.values()}
    if len(codes) == 1 and codes <= {ConfigurationError.exit_code, DriftRefused.exit_code}:
        return codes.pop()
    return SomeTablesFailed.exit_code if codes else 0


def _planned(deployment: Deployment, request: RunRequest) -> _Planned:
    names = selected_tables(deployment, request)
    # Asked first, so that a source that does not answer is one failure and not one of each table.
    deployment.discovery.catalog()
    known = deployment.ledger.snapshot()
    tables = SourceTables(deployment=deployment, known=known, allow_drift=request.allow_drift)
    standing = tables.standing(names)
    tables.tell(attrs.evolve(standing, refused={}))
    renamed = {each.new for each in standing.renamed}
    planner = attrs.evolve(deployment.planner(), known=known)
    plans: dict[str, TablePlan] = {}
    refused: dict[str, EtlkitError] = dict(standing.refused)
    for name in standing.names:
        if name in renamed:
            continue  # planned once it has its new name there
        try:
            plans[name] = planner.plan(name, force_full=request.full_refresh, limit=request.limit)
        except EtlkitError as error:
            refused[name] = error
    shapes = outlooks(
        plans.values(),
        known.tables,
        deployment.ledger.engine,
        deployment.settings.drift,
        allow=request.allow_drift,
        limited=request.limit is not None,
    )
    for name, each in shapes.items():
        if each.refused is not None:
            refused[name] = each.refused
            del plans[name]
    ordered = tuple(plans[name] for name in load_order({name: each.analysis for name, each in plans.items()}))
    predicted = predictions(ordered, deployment.connections.source(), limit=request.limit)
    return _Planned(
        plans=ordered,
        refused=refused,
        predicted=dict(predicted),
        schema=deployment.settings.warehouse.schema,
        drift={name: each for name, each in shapes.items() if name in plans},
        renamed=standing.renamed,
    )


def _print(planned: _Planned, manners: Iterable[str]) -> None:
    output.write_table(
        _HEADINGS,
        (
            (
                each.analysis.name,
                each.analysis.importance,
                each.plan.strategy,
                each.plan.cursor or "-",
                _reading(each.plan.read),
                _rows(planned.predicted[each.analysis.name]),
                size(planned.predicted[each.analysis.name].size),
                _why(each),
            )
            for each in planned.plans
        ),
    )
    output.say("", "How the source is read:", *(f"  {each}" for each in manners))
    rows = sum(each.rows for each in planned.predicted.values())
    total = size(sum(each.size for each in planned.predicted.values()))
    output.say(
        "",
        f"{counted(len(planned.plans), 'table')}: about {counted(rows, 'row')} ({total}) to read at most.",
    )
    for each in planned.plans:
        if (name := each.analysis.name) in planned.drift:
            steps = "\n".join(f"  {step}" for step in planned.drift[name].steps)
            output.say("", f"Table `{name}` changed in the source, and the run:", steps)
    for moved in planned.renamed:
        output.say("", f"{moved.words}; the run renames `{planned.schema}.{moved.there}`, and loads it on.")
    for error in planned.refused.values():
        output.say("", error.message)


def _reading(read: Read) -> str:
    match read:
        case Everything():
            return "everything"
        case Since():
            return f"since {read.watermark}"
        case Where():
            return f"where {read.text}"
        case Differences():
            return "what differs"


def _rows(prediction: Prediction) -> str:
    begin = {Certainty.EXACT: "", Certainty.ESTIMATE: "about ", Certainty.AT_MOST: "at most "}
    return f"{begin[prediction.certainty]}{prediction.rows:,}"


def _why(what: TablePlan) -> str:
    proof = " Then compares the digests of all rows, whose proof is due." if what.proof_follows else ""
    return f"{what.plan.reason}{proof}"


def _document(what: TablePlan, planned: _Planned) -> dict[str, Any]:
    read, name = what.plan.read, what.analysis.name
    predicted, outlook = planned.predicted[name], planned.drift.get(name, Outlook())
    return {
        "table": what.analysis.name,
        "target": str(what.target),
        "importance": what.analysis.importance,
        "strategy": what.plan.strategy,
        "cursor": what.plan.cursor,
        "read": type(read).__name__.lower(),
        "watermark": read.watermark if isinstance(read, Since) else None,
        "lookback": read.lookback if isinstance(read, Since) else None,
        "condition": read.text if isinstance(read, Where) else None,
        "write": what.plan.write.value,
        "deletes": what.plan.deletes.value,
        "commit": what.plan.commit.value,
        "predicted_rows": predicted.rows,
        "predicted_bytes": predicted.size,
        "certainty": predicted.certainty.value,
        "reason": what.plan.reason,
        "proof_follows": what.proof_follows,
        "drift": list(outlook.steps),
        "error": None,
    }


def _refusal(deployment: Deployment, name: str, error: EtlkitError) -> dict[str, Any]:
    config = deployment.settings.get_table_config(name)
    empty: dict[str, Any] = dict.fromkeys(
        (
            "target",
            "cursor",
            "read",
            "watermark",
            "lookback",
            "condition",
            "write",
            "deletes",
            "commit",
            "predicted_rows",
        )
    )
    return {
        "table": name,
        "importance": config.table_importance,
        "strategy": config.extraction_strategy,
        **empty,
        "predicted_bytes": None,
        "certainty": None,
        "reason": None,
        "proof_follows": None,
        "drift": [],
        "error": error.message,
    }
