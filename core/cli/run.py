"""`etlkit run`: loads the tables."""

from __future__ import annotations

import sys
from pathlib import Path

import attrs
import click

from etlkit.cli import logs, options, output
from etlkit.cli.plan import show_plan
from etlkit.cli.progress import watching
from etlkit.cli.report import entry, fields, write_report
from etlkit.cli.shell import INTERRUPTED, explained
from etlkit.ending import end_signal
from etlkit.events import WAREHOUSE, RunFinished, RunStarting, TableFinished
from etlkit.orchestration.deployment import Deployment
from etlkit.orchestration.run import Event, Run, RunRequest
from etlkit.wording import counted

_SWITCH_SECONDS = 0.001


@attrs.define(kw_only=True)
class _Events:
    """What was told of a run; as JSON, what was told is written at once, and the end once it is certain."""

    as_json: bool
    starting: RunStarting | None = None
    outcomes: list[TableFinished] = attrs.field(factory=list)
    end: RunFinished | None = None

    def add(self, event: Event) -> None:
        match event:
            case RunStarting():
                self.starting = event
            case TableFinished():
                self.outcomes.append(event)
            case RunFinished():
                self.end = event
                return
        if self.as_json:
            output.write_event(fields(event))

    def close(self, exit_code: int, error: str | None) -> None:
        if self.as_json:
            output.write_event(
                {
                    "event": "run_finished",
                    "run_id": self.starting.run_id if self.starting else None,
                    "deployment": self.starting.deployment if self.starting else None,
                    "exit_code": exit_code,
                    "error": error,
                    "seconds": self.end.seconds if self.end else None,
                    "tables": [entry(each) for each in self.outcomes],
                }
            )

    def interrupted(self) -> None:
        loaded = sum(each.error is None and each.hop == WAREHOUSE for each in self.outcomes)
        left = (len(self.starting.tables) if self.starting else 0) - loaded
        done = f"{counted(loaded, 'table')} {_was(loaded)} loaded"
        words = f"interrupted: {done}, {left} {_was(left)} not; run again to go on"
        self.close(INTERRUPTED, words)
        logs.tell(words, prefix="")


@click.command()
@options.common
@options.as_json
@options.selection
@options.threads
@options.locked
@options.no_plugin
@options.allow_deletes
@options.allow_drift
@options.option(
    "--accept-source",
    is_flag=True,
    help="Go on with another source than before, and read every row of it once.",
)
@options.option("--dry-run", is_flag=True, help="Print the plan, as `etlkit plan` does, and change nothing.")
@click.pass_context
def run(
    context: click.Context,
    *,
    folder: Path,
    as_json: bool,
    select: tuple[str, ...],
    exclude: tuple[str, ...],
    full_refresh: bool,
    limit: int | None,
    threads: int | None,
    locked: bool,
    no_plugin: tuple[str, ...],
    allow_deletes: bool,
    allow_drift: bool,
    accept_source: bool,
    dry_run: bool,
) -> None:
    """Load what changed since the last run.

    The first run loads everything. One table's failure leaves the others running. With --json, one event
    per line; the last is `run_finished`.
    """
    request = RunRequest(
        select=select,
        exclude=exclude,
        full_refresh=full_refresh,
        limit=limit,
        allow_deletes=allow_deletes,
        allow_drift=allow_drift,
        accept_source=accept_source,
    )
    if dry_run:
        with Deployment.opened(folder, threads=threads, locked=locked, no_plugin=no_plugin) as deployment:
            context.exit(show_plan(deployment, request, as_json=as_json))
    load_tables(context, folder, threads, request, locked=locked, no_plugin=no_plugin, as_json=as_json)


def load_tables(
    context: click.Context,
    folder: Path,
    threads: int | None,
    request: RunRequest,
    *,
    locked: bool,
    no_plugin: tuple[str, ...],
    as_json: bool,
) -> None:
    """Carry out a run, tell of it as it goes, and end the command with its exit code.

    Args:
        context: the command's.
        folder: the deployment's.
        threads: tables in work at the same time, instead of `run.threads`.
        request: what to load.
        locked: whether there must be a lock of the plugins, and no editable installation.
        no_plugin: names of plugins to leave out.
        as_json: whether events are written as JSON instead of a table at the end.
    """
    # The thread that reads hands on large values, which takes it a millisecond: by default it may wait five for it.
    sys.setswitchinterval(_SWITCH_SECONDS)
    events, asked = _Events(as_json=as_json), end_signal()
    asked.last_words = events.interrupted
    try:
        end = _carried_out(folder, threads, request, events, locked=locked, no_plugin=no_plugin)
    except BaseException as failure:
        # A statement that was cancelled because the process was asked to end fails for no reason of its own.
        if isinstance(failure, KeyboardInterrupt) or asked.is_set():
            if asked.takes_the_word():
                events.interrupted()
            context.exit(INTERRUPTED)
        message, code = explained(failure)
        events.close(code, message)
        raise
    events.close(end.exit_code, None)
    if not as_json:
        write_report(end)
    failed = sum(each.error is not None for each in end.tables)
    if failed:
        tables = {each.table for each in end.tables}
        logs.tell(f"{failed} of {counted(len(tables), 'table')} {_was(failed)} not loaded")
    context.exit(end.exit_code)


def _carried_out(
    folder: Path,
    threads: int | None,
    request: RunRequest,
    events: _Events,
    *,
    locked: bool,
    no_plugin: tuple[str, ...],
) -> RunFinished:
    with (
        Deployment.opened(folder, threads=threads, locked=locked, no_plugin=no_plugin) as deployment,
        watching() as screen,
    ):

        def tell(event: Event) -> None:
            events.add(event)
            match event:
                case RunStarting():
                    screen.starting(event)
                case TableFinished():
                    screen.finished(event)

        return Run(deployment=deployment, request=request, tell=tell, rows_read=screen.rows_read).carry_out()


def _was(count: int) -> str:
    return "was" if count == 1 else "were"
