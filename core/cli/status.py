"""`etlkit status`: what was loaded, when and how far."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import attrs
import click

from etlkit.cli import options, output
from etlkit.cli.replica_status import HEADINGS, ReplicaStatus
from etlkit.config import Settings
from etlkit.events import WAREHOUSE
from etlkit.loading.kept import GONE, Kept
from etlkit.loading.last_loads import LastRun, Past, read_past
from etlkit.loading.ledger_entries import LedgerEntry, LedgerSnapshot
from etlkit.loading.proofs import proof_words
from etlkit.orchestration.deployment import Deployment


@attrs.frozen(kw_only=True)
class _Known:
    settings: Settings
    there: LedgerSnapshot
    past: Past

    @property
    def entries(self) -> Mapping[str, LedgerEntry]:
        """What is remembered of each table that was ever loaded."""
        return self.there.entries

    def proof(self, table: str) -> str | None:
        """Word what its last proof is worth; None for a table that was never loaded."""
        entry = self.entries.get(table)
        if entry is None:
            return None
        schedule = self.settings.get_table_config(table).reconcile
        return proof_words(schedule, entry, self.there.taken_at)

    def state(self, table: str) -> str:
        """Word how a table stands."""
        load = self.past.loads.get(table)
        if load is not None and load.error is not None:
            return "failed" if table in self.entries else "failed, never loaded"
        return "loaded" if table in self.entries else "never loaded"

    def kept(self, table: str) -> list[Kept]:
        """Give what the warehouse keeps of a table although the source no longer has it, or narrower."""
        return [each for _, each in sorted(self.there.kept.get(table, {}).items())]

    def error(self, table: str) -> str | None:
        """Give what went wrong with a table's last load."""
        load = self.past.loads.get(table)
        return load.error if load is not None else None


@click.command()
@options.common
@options.as_json
def status(*, folder: Path, as_json: bool) -> None:
    """Show what was loaded, and when.

    For each table: the last load, by which strategy, how many rows, up to which watermark, when it was
    last proven equal to its source, and what failed; with a replica, of both hops. Only the warehouse and the
    replica are asked.
    """
    with Deployment.opened(folder) as deployment:
        past = read_past(deployment.ledger)
        settings = deployment.settings
        there = deployment.ledger.snapshot() if past.run else LedgerSnapshot()
        known = _Known(settings=settings, there=there, past=past)
        replica = ReplicaStatus.of(deployment)
        copied = replica.tables if replica else set()
        tables = sorted({*settings.list_tables(), *known.entries, *past.loads, *copied})
    if as_json:
        output.write_json(
            {
                "deployment": settings.deployment,
                "schema": settings.warehouse.schema,
                "last_run": attrs.asdict(past.run) if past.run else None,
                **({"replica": replica.document()} if replica else {}),
                "tables": [
                    *(replica.entries(tables) if replica else []),
                    *(_document(name, known) for name in tables),
                ],
                "unfinished": [
                    *(replica.unfinished_entries() if replica else []),
                    *({"hop": WAREHOUSE, **attrs.asdict(each)} for each in past.unfinished),
                ],
            }
        )
    else:
        if replica:
            replica.write(tables)
            output.say(f"From the replica to the warehouse, schema `{settings.warehouse.schema}`:", "")
        _write(tables, known, folder)
    if replica:
        replica.leave()


def _write(tables: list[str], known: _Known, folder: Path) -> None:
    past = known.past
    if past.run is None:
        output.say(f"Nothing was loaded yet; `etlkit run -C {folder}` loads the tables.")
        return
    output.write_table(HEADINGS, (_row(name, known) for name in tables))
    output.say("", _last_run(past.run))
    for each in past.unfinished:
        output.say(
            f"Table `{each.table}`: a load is unfinished at {each.read:,} rows; the next run goes on there."
        )
    for name in tables:
        for kept in known.kept(name):
            output.say(_kept(name, kept))
    for name in tables:
        error = known.error(name)
        if error is not None:
            output.say(
                "", f"Last load of `{name}` failed at {output.moment(past.loads[name].ended_at)}: {error}"
            )


def _row(name: str, known: _Known) -> tuple[str, ...]:
    entry = known.entries.get(name)
    if entry is None:
        return name, "-", "-", "-", "-", "-", "-", known.state(name)
    state, proof = entry.state, known.proof(name)
    proven = output.moment(entry.proven_at) if entry.proven_at else "never"
    return (
        name,
        output.moment(entry.loaded_at),
        state.strategy,
        f"{entry.read:,}",
        f"{entry.written:,}",
        f"{state.cursor_column} {state.watermark}" if state.watermark else "-",
        proven if proof == "equal" else f"{proof}: {proven}" if proof == "stale" else str(proof),
        known.state(name),
    )


def _document(name: str, known: _Known) -> dict[str, Any]:
    entry = known.entries.get(name)
    load = known.past.loads.get(name)
    return {
        "table": name,
        "hop": WAREHOUSE,
        "target": entry.target_name if entry else None,
        "state": known.state(name),
        "loaded_at": entry.loaded_at if entry else None,
        "strategy": entry.state.strategy if entry else None,
        "read": entry.read if entry else None,
        "written": entry.written if entry else None,
        "cursor": entry.state.cursor_column if entry else None,
        "watermark": entry.state.watermark if entry else None,
        "proof": known.proof(name),
        "proven_at": entry.proven_at if entry else None,
        "kept": [
            {"column": each.column or None, "reason": each.reason, "since": each.since}
            for each in known.kept(name)
        ],
        "last_attempt_at": load.ended_at if load else None,
        "error": known.error(name),
    }


def _kept(table: str, kept: Kept) -> str:
    since = output.moment(kept.since)
    if kept.reason == GONE:
        what = f"Column `{kept.column}` of table `{table}`" if kept.column else f"Table `{table}`"
        return f"{what} is gone in the source since {since}; the warehouse keeps its last values."
    return (
        f"Column `{kept.column}` of table `{table}` is {kept.type} in the source since {since}; the warehouse keeps it "
        "wider."
    )


def _last_run(run: LastRun) -> str:
    began = f"The last run began at {output.moment(run.started_at)}"
    if run.finished_at is None:
        return f"{began} and has not ended: it is at work, or it was killed."
    return f"{began} and ended at {output.moment(run.finished_at)} with exit code {run.exit_code}."
