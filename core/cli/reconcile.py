"""`etlkit reconcile`: finds and mends what differs."""

from __future__ import annotations

from pathlib import Path

import click

from etlkit.cli import options
from etlkit.cli.run import load_tables
from etlkit.orchestration.run import RunRequest


@click.command()
@options.common
@options.as_json
@options.tables
@options.threads
@options.locked
@options.no_plugin
@options.allow_deletes
@click.pass_context
def reconcile(
    context: click.Context,
    *,
    folder: Path,
    as_json: bool,
    select: tuple[str, ...],
    exclude: tuple[str, ...],
    threads: int | None,
    locked: bool,
    no_plugin: tuple[str, ...],
    allow_deletes: bool,
) -> None:
    """Find and mend every difference to the source.

    Tables whose rows are kept with digests (strategy `reconcile`, or `reconcile: true` under `tables:` in
    etlkit.yml) are compared by digests; of others every row is read.
    """
    request = RunRequest(select=select, exclude=exclude, reconcile=True, allow_deletes=allow_deletes)
    load_tables(context, folder, threads, request, locked=locked, no_plugin=no_plugin, as_json=as_json)
