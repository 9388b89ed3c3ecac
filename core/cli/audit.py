"""`etlkit report --audit`: the record of one run."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import attrs

from etlkit.cli import output
from etlkit.cli.output import Heading
from etlkit.errors import ConfigurationError
from etlkit.loading.run_records import AuditedRun, AuditedTable
from etlkit.orchestration.deployment import Deployment

_HEADINGS = [
    Heading(text="table"),
    Heading(text="strategy"),
    Heading(text="read", number=True),
    Heading(text="inserted", number=True),
    Heading(text="updated", number=True),
    Heading(text="deleted", number=True),
    Heading(text="columns", number=True),
    Heading(text="converted"),
]

_PARTS = ("who", "where", "versions", "plugins", "request", "policies")


def show_audit(deployment: Deployment, run_id: str | None, *, as_json: bool) -> None:
    """Write the record of a run to standard output.

    Args:
        deployment: whose run.
        run_id: the run, or the beginning of its number; by default the last one.
        as_json: whether as one JSON document, with every column.

    Raises:
        ConfigurationError: there is no such run.
        LoadError: the ledger cannot be read.
        ConnectionFailed: the warehouse cannot be reached.
    """
    run = deployment.ledger.runs.read(run_id)
    if run is None:
        which = f"no run whose number begins with `{run_id}`" if run_id else "no run yet"
        raise ConfigurationError(
            f"the ledger of schema `{deployment.ledger.schema}` knows {which}; "
            "the first line that `etlkit run` logs gives a run's number"
        )
    if as_json:
        output.write_json(attrs.asdict(run))
        return
    output.say(*_lines(run), "")
    output.write_table(_HEADINGS, [_row(each) for each in run.tables])


def _lines(run: AuditedRun) -> list[str]:
    ended = "not ended"
    if run.finished_at is not None:
        ended = f"ended {output.moment(run.finished_at)} with exit code {run.exit_code}"
    head = f"run {run.run_id} of `{run.deployment}`: began {output.moment(run.started_at)}, {ended}"
    return [head, *(f"{part}: {_words(run.audit[part])}" for part in _PARTS if part in run.audit)]


def _words(said: Any) -> str:
    """Put a part of the record on one line; what a file or a server named is escaped as JSON does it."""
    if isinstance(said, Mapping):
        return ", ".join(f"{name} {_word(each)}" for name, each in said.items())
    return ", ".join(
        f"{each['name']} ({each['distribution']} {each['version']}, {each['status']})" for each in said
    )


def _word(value: Any) -> str:
    return value if isinstance(value, str) and value.isprintable() else json.dumps(value)


def _row(table: AuditedTable) -> tuple[str, ...]:
    if table.error is not None:
        return (table.table, table.strategy, "failed", *[""] * 5)
    converted = [f"{each['source']} ({each['conversion']})" for each in table.columns if each["conversion"]]
    counts = (f"{table.counts[name]:,}" for name in ("read", "inserted", "updated", "deleted"))
    return (table.table, table.strategy, *counts, str(len(table.columns)), ", ".join(converted))
