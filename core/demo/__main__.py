"""`python -m etlkit.demo`: the quickstart's servers and its practice, from the command line."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import click

from etlkit.demo.home import SOURCE_VARIABLE, WAREHOUSE_VARIABLE, QuickstartHome, default_home
from etlkit.demo.practice import TABLES, create_practice, let_day_pass, read_practice
from etlkit.errors import EtlkitError


@click.group()
@click.option(
    "--home",
    type=click.Path(path_type=Path, file_okay=False),
    help="Folder of the servers and the deployment (ETLKIT_QUICKSTART_HOME).",
)
@click.pass_context
def main(context: click.Context, home: Path | None) -> None:
    """Private servers and a generated dental practice to try etlkit with."""
    context.obj = QuickstartHome(
        folder=(home or default_home(os.environ)).absolute(),
        given_source=os.environ.get(SOURCE_VARIABLE) or None,
        given_warehouse=os.environ.get(WAREHOUSE_VARIABLE) or None,
    )


@main.command()
@click.option(
    "--replica", is_flag=True, help="Make a second MariaDB, too, for a copy between source and warehouse."
)
@click.pass_obj
def start(home: QuickstartHome, *, replica: bool) -> None:
    """Start the servers that are not given, and leave them running."""
    before = {role: server.pid for role, server in home.servers}
    home.start(replica=replica)
    if home.given_source is not None:
        click.echo(f"The source is the one that {SOURCE_VARIABLE} names.")
    if home.given_warehouse is not None:
        click.echo(f"The warehouse is the one that {WAREHOUSE_VARIABLE} names.")
    for role, server in home.servers:
        done = "Started" if before.get(role) is None else "Found"
        click.echo(f"{done} {server.kind} on 127.0.0.1:{server.access.port} as the {role}.")


@main.command()
@click.pass_obj
def stop(home: QuickstartHome) -> None:
    """Stop the servers; their data stay."""
    stopped = home.stop()
    for role in stopped:
        click.echo(f"Stopped the {role}.")
    if not stopped:
        click.echo(f"Nothing runs in {home.folder}.")


@main.command()
@click.pass_obj
def status(home: QuickstartHome) -> None:
    """Say what runs, and how to ask the warehouse."""
    click.echo(f"The quickstart lives in {home.folder}.")
    for role, server in home.servers:
        if server.pid is None:
            click.echo(f"The {role} does not run.")
        else:
            click.echo(f"The {role} is {server.kind} on 127.0.0.1:{server.access.port}.")
    command = home.query_command() if home.given_warehouse or home.warehouse.pid else None
    if command:
        click.echo(f"Ask the warehouse: {command}")


@main.command()
@click.option("--scale", type=click.FloatRange(min=0, min_open=True), default=1.0, show_default=True)
@click.option("--seed", type=int, default=1, show_default=True)
@click.option("--engine", type=click.Choice(["MyISAM", "InnoDB"]), default="MyISAM", show_default=True)
@click.option("--again", is_flag=True, help="Replace the practice that is there.")
@click.pass_obj
def practice(home: QuickstartHome, *, scale: float, seed: int, engine: str, again: bool) -> None:
    """Create the practice in the private source, unless it is there."""
    url = home.practice_url
    found = read_practice(url)
    if found is not None and not again:
        click.echo(f"Found the practice, {found.day} days old.")
        return
    made = create_practice(url, scale=scale, seed=seed, storage_engine=engine)
    rows = sum(made.rows.values())
    click.echo(f"Created a practice: {len(TABLES)} tables with {rows:,} rows ({engine}, seed {seed}).")


@main.command()
@click.option("--deletes/--no-deletes", default=True, show_default=True, help="Whether rows are deleted.")
@click.pass_obj
def day(home: QuickstartHome, *, deletes: bool) -> None:
    """Let a day pass in the practice: rows are inserted, edited and deleted."""
    passed = let_day_pass(home.practice_url, deletes=deletes)
    totals = [
        sum(getattr(change, kind) for change in passed.changes) for kind in ("inserted", "edited", "deleted")
    ]
    click.echo(
        f"Day {passed.number} ({passed.date}) has passed in the practice: {totals[0]} rows inserted, "
        f"{totals[1]} edited, {totals[2]} deleted in {len(passed.changes)} tables."
    )


@main.command()
@click.argument("which", type=click.Choice(["source", "replica", "warehouse", "deployment", "query"]))
@click.pass_obj
def show(home: QuickstartHome, which: str) -> None:
    """Print one fact for scripts: a URL with its password, the deployment's folder, psql's command line."""
    facts = {
        "source": lambda: home.source_url,
        "replica": lambda: home.replica_url or "",
        "warehouse": lambda: home.warehouse_url,
        "deployment": lambda: str(home.deployment),
        "query": lambda: home.query_command() or "",
    }
    click.echo(facts[which]())


if __name__ == "__main__":
    try:
        main(prog_name="python -m etlkit.demo")
    except EtlkitError as error:
        click.echo(str(error), err=True)
        sys.exit(error.exit_code)
