"""`etlkit report`: what the warehouse cannot hold as the source does."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import attrs
import click

from etlkit.cli import options, output
from etlkit.cli.audit import show_audit
from etlkit.cli.output import Heading
from etlkit.cli.replica_status import ReplicaStatus
from etlkit.cli.report import BECAME
from etlkit.loading.loss_report import TableLosses, read_losses
from etlkit.orchestration.deployment import Deployment
from etlkit.wording import counted

_HEADINGS = [
    Heading(text="table"),
    Heading(text="column"),
    Heading(text="rule"),
    Heading(text="values"),
    Heading(text="last full read", number=True),
    Heading(text="later loads", number=True),
    Heading(text="read in full"),
]

_KEY_HEADINGS = [Heading(text=text) for text in ("table", "key", "column", "rule", "in quarantine since")]


@click.command()
@options.common
@options.as_json
@options.option("--keys", is_flag=True, help="List the values in quarantine by the keys of their rows.")
@options.option(
    "--audit",
    is_flag=True,
    help="Show the last run instead: who, where, versions, policies, tables, columns.",
)
@options.option(
    "--run-id", metavar="ID", help="With --audit, another run; the beginning of its number is enough."
)
def report(*, folder: Path, as_json: bool, keys: bool, audit: bool, run_id: str | None) -> None:
    """Show the values that were lost, or what a run did.

    For each table: how many values of which column PostgreSQL cannot hold, by which rule, and what became
    of them; as the table's last full read found them, and later loads. Values are never shown. With a
    replica, which holds every value, also what of the tables' definitions it holds in another way. Only the
    warehouse and the replica are asked.
    """
    with Deployment.opened(folder) as deployment:
        if audit or run_id:
            show_audit(deployment, run_id, as_json=as_json)
            return
        tables = read_losses(deployment.ledger)
        settings = deployment.settings
        replica = ReplicaStatus.of(deployment)
    if as_json:
        output.write_json(
            {
                "deployment": settings.deployment,
                "schema": settings.warehouse.schema,
                **({"replica": {**replica.document(), "adapted": replica.adapted()}} if replica else {}),
                "tables": [_entry(each, keys=keys) for each in tables],
            }
        )
    else:
        if replica is not None:
            _write_adapted(replica)
        _write(tables, folder, keys=keys)
    if replica is not None:
        replica.leave()


def _write_adapted(replica: ReplicaStatus) -> None:
    adapted = replica.adapted()
    if adapted:
        output.say(f"What the replica `{replica.database}` holds in another way than the source:")
        output.say(*(f"  {table}: {each}" for table, said in adapted.items() for each in said), "")
    elif replica.failure is None and replica.there.entries:
        output.say(f"The replica `{replica.database}` holds every table as the source does.", "")


def _write(tables: Sequence[TableLosses], folder: Path, *, keys: bool) -> None:
    if not tables:
        output.say(f"Nothing was loaded yet; `etlkit run -C {folder}` loads the tables.")
        return
    lost = [each for each in tables if each.losses]
    if lost:
        output.write_table(
            _HEADINGS,
            (
                (
                    each.table,
                    loss.column,
                    loss.rule,
                    BECAME[loss.policy],
                    f"{loss.full_read:,}",
                    f"{loss.later:,}",
                    output.moment(each.full_read_at) if each.full_read_at else "-",
                )
                for each in lost
                for loss in each.losses
            ),
        )
        output.say("")
    _write_keys(tables, listed=keys)
    whole = len(tables) - len(lost)
    output.say(f"{counted(whole, 'table')} of {len(tables):,}: PostgreSQL holds every value that was read.")


def _entry(table: TableLosses, *, keys: bool) -> dict[str, Any]:
    """Make a table's entry of the document; a key may be a value of a person's row, so it must be asked for."""
    entry = attrs.asdict(table)
    for each in () if keys else entry["quarantined"]:
        each["key"] = None
    return entry


def _write_keys(tables: Iterable[TableLosses], *, listed: bool) -> None:
    rows = [(table.table, each) for table in tables for each in table.quarantined]
    if rows and listed:
        output.write_table(
            _KEY_HEADINGS,
            (
                (table, _key(each.key), each.column, each.rule, output.moment(each.since))
                for table, each in rows
            ),
        )
    elif rows:
        output.say(f"{counted(len(rows), 'value')} in quarantine; `--keys` lists their rows.")
    if rows:
        output.say("")


def _key(parts: Sequence[str | None]) -> str:
    """Write a key on one line, without characters that a terminal would obey."""
    text = json.dumps(parts, ensure_ascii=False)
    return "".join(each if each.isprintable() else json.dumps(each)[1:-1] for each in text)
