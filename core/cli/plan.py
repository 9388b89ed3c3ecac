"""`etlkit plan`: what a run would do, and why."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import attrs
import click

from etlkit.cli import options, output, plan_table
from etlkit.cli.explain import show_explanation
from etlkit.cli.replica_plan import CopyPlans
from etlkit.errors import ConfigurationError, DriftRefused, EtlkitError, SomeTablesFailed, SourceChanged
from etlkit.events import WAREHOUSE
from etlkit.loading.source_identity import SourceIdentity, refuse_other_source
from etlkit.loading.table_plan import TablePlan
from etlkit.orchestration.deployment import Deployment
from etlkit.orchestration.drift_outlook import Outlook, outlooks
from etlkit.orchestration.hops import not_in_replica
from etlkit.orchestration.order import load_order
from etlkit.orchestration.prediction import Prediction, predictions
from etlkit.orchestration.replica_hop import loaded_through
from etlkit.orchestration.run import RunRequest, selected_tables
from etlkit.orchestration.source_tables import RenamedTable, SourceTables
from etlkit.transfer.manners import Manners


@attrs.frozen(kw_only=True)
class _Planned:
    plans: tuple[TablePlan, ...]
    refused: dict[str, EtlkitError]
    predicted: dict[str, Prediction]
    schema: str
    drift: dict[str, Outlook]
    renamed: tuple[RenamedTable, ...]
    copies: CopyPlans | None = None
    way: str | None = None


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
                    *(planned.copies.documents() if planned.copies else []),
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
    refused: list[EtlkitError] = [
        *planned.refused.values(),
        *(planned.copies.refused.values() if planned.copies else ()),
    ]
    codes = {error.exit_code for error in refused}
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
    copies = CopyPlans.of(deployment, request, standing.names)
    way = _another_way(deployment)
    # What the replica will hold is what the source holds, whether the replica has it yet or not.
    planner = attrs.evolve(deployment.planner(), known=known)
    plans: dict[str, TablePlan] = {}
    refused: dict[str, EtlkitError] = dict(standing.refused)
    for name in standing.names:
        if name in renamed or (copies is not None and name in copies.refused):
            continue  # planned once it has its new name there, or once it can be copied
        try:
            if copies is not None and copies.lacks(name):
                raise not_in_replica(name)
            plans[name] = planner.plan(
                name,
                force_full=request.full_refresh or way is not None,
                limit=request.limit,
                reconcile=copies is not None and copies.follows_up(name),
            )
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
        copies=copies,
        way=way,
    )


def _another_way(deployment: Deployment) -> str | None:
    """Find out whether the rows come by another way than before, so that a run reads them all."""
    now = SourceIdentity.of(deployment.discovery.catalog(), deployment.settings.source.url)
    try:
        return refuse_other_source(deployment.ledger, loaded_through(deployment, deployment.second_hop, now))
    except SourceChanged:
        return None  # the run says so, and what may be done about it


def _print(planned: _Planned, manners: Iterable[str]) -> None:
    if planned.copies is not None:
        planned.copies.write(manners)
    plan_table.write_plans(planned.plans, planned.predicted)
    if planned.copies is None:
        output.say("", "How the source is read:", *(f"  {each}" for each in manners))
    output.say("", plan_table.total(planned.predicted))
    if planned.way is not None:
        output.say(
            f"The rows are of the same source, but {planned.way}; every row is read and compared once."
        )
    for each in planned.plans:
        if (name := each.analysis.name) in planned.drift:
            steps = "\n".join(f"  {step}" for step in planned.drift[name].steps)
            output.say("", f"Table `{name}` changed in the source, and the run:", steps)
    for moved in planned.renamed:
        output.say("", f"{moved.words}; the run renames `{planned.schema}.{moved.there}`, and loads it on.")
    for error in planned.refused.values():
        output.say("", error.message)


def _document(what: TablePlan, planned: _Planned) -> dict[str, Any]:
    name = what.analysis.name
    outlook = planned.drift.get(name, Outlook())
    entry = plan_table.fields(what, WAREHOUSE, str(what.target), planned.predicted[name])
    return {**entry, "drift": list(outlook.steps), "error": None}


def _refusal(deployment: Deployment, name: str, error: EtlkitError) -> dict[str, Any]:
    config = deployment.settings.get_table_config(name)
    return plan_table.refusal(
        name,
        WAREHOUSE,
        importance=config.table_importance,
        strategy=config.extraction_strategy,
        error=error.message,
    )
