"""What `etlkit status` shows of the replica: its own record, or why it tells nothing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import attrs

from etlkit.cli import output
from etlkit.cli.output import Heading
from etlkit.config import Settings
from etlkit.errors import ConnectionFailed, EtlkitError
from etlkit.events import REPLICA
from etlkit.loading.proofs import proof_words
from etlkit.orchestration.deployment import Deployment
from etlkit.replication.ledger_entries import ReplicaEntry, ReplicaSnapshot

HEADINGS = [
    Heading(text="table"),
    Heading(text="last load"),
    Heading(text="strategy"),
    Heading(text="read", number=True),
    Heading(text="written", number=True),
    Heading(text="watermark"),
    Heading(text="proven equal"),
    Heading(text="state"),
]
"""Of the table of either hop."""


@attrs.frozen(kw_only=True)
class ReplicaStatus:
    """What the replica remembers."""

    settings: Settings
    """The deployment's."""
    database: str
    """The replica's database."""
    place: str
    """Where its server is."""
    there: ReplicaSnapshot = attrs.field(factory=ReplicaSnapshot)
    """Its record."""
    unfinished: Mapping[str, int] = attrs.field(factory=dict)
    """By table the rows of loads that were broken off."""
    failure: EtlkitError | None = None
    """Why it tells nothing."""

    @classmethod
    def of(cls, deployment: Deployment) -> ReplicaStatus | None:
        """Ask a deployment's replica.

        Args:
            deployment: the deployment.

        Returns:
            What it says, also where it cannot be asked; None without a replica.
        """
        replica = deployment.settings.replica
        if replica is None:
            return None
        status = cls(
            settings=deployment.settings, database=replica.url.database, place=str(replica.url.place)
        )
        ledger = deployment.replica_ledger()
        try:
            there = ledger.snapshot()
            unfinished = ledger.unfinished() if there.entries else {}
        except EtlkitError as failure:
            return attrs.evolve(status, failure=failure)
        return attrs.evolve(status, there=there, unfinished=unfinished)

    @property
    def tables(self) -> set[str]:
        """The tables that it was ever tried to load."""
        return set(self.there.entries)

    def write(self, names: list[str]) -> None:
        """Print the section about the replica.

        Args:
            names: the deployment's tables.
        """
        output.say(f"From the source to the replica, database `{self.database}` at {self.place}:", "")
        if self.failure is not None:
            output.say(output.below(f"It tells nothing: {self.failure.message}"), "")
            return
        output.write_table(HEADINGS, (self._row(name) for name in names))
        for name, rows in sorted(self.unfinished.items()):
            output.say(
                f"Table `{name}`: a load into the replica is unfinished at {rows:,} rows; the next run goes on there."
            )
        for name in names:
            entry = self.there.entries.get(name)
            if entry is not None and entry.gone:
                output.say(f"Table `{name}` is gone in the source; the replica keeps its last rows.")
        for name in names:
            entry = self.there.entries.get(name)
            if entry is not None and entry.error is not None:
                when = f" at {output.moment(entry.failed_at)}" if entry.failed_at else ""
                output.say("", f"Last load of `{name}` into the replica failed{when}: {entry.error}")
        output.say("")

    def adapted(self) -> dict[str, list[str]]:
        """Say what of the tables' definitions is adapted: by table, in words."""
        return {name: list(each.adapted) for name, each in self.there.entries.items() if each.adapted}

    def document(self) -> dict[str, Any]:
        """Say of the replica itself, for a program."""
        return {
            "database": self.database,
            "place": self.place,
            "error": None if self.failure is None else self.failure.message,
        }

    def entries(self, names: list[str]) -> list[dict[str, Any]]:
        """Say of each table, for a program.

        Args:
            names: the deployment's tables.

        Returns:
            As `etlkit status --json` has them; none where the replica cannot be asked.
        """
        return [] if self.failure is not None else [self._entry(name) for name in names]

    def unfinished_entries(self) -> list[dict[str, Any]]:
        """Say which loads were broken off, for a program."""
        return [
            {"hop": REPLICA, "table": name, "read": rows} for name, rows in sorted(self.unfinished.items())
        ]

    def leave(self) -> None:
        """End the command as it must end where only a part could be told.

        Raises:
            ConnectionFailed: the replica could not be asked.
            EtlkitError: it refused to answer.
        """
        if isinstance(self.failure, ConnectionFailed):
            raise ConnectionFailed(f"{self.failure.message}; what the warehouse knows is told")
        if self.failure is not None:
            raise self.failure

    def _proof(self, table: str, entry: ReplicaEntry) -> str:
        schedule = self.settings.get_table_config(table).reconcile
        return proof_words(schedule, entry, self.there.taken_at)

    def _state(self, table: str) -> str:
        entry = self.there.entries.get(table)
        loaded = self.there.loaded(table) is not None
        if entry is not None and entry.error is not None:
            return "failed" if loaded else "failed, never loaded"
        return "loaded" if loaded else "never loaded"

    def _row(self, name: str) -> tuple[str, ...]:
        entry = self.there.loaded(name)
        if entry is None or entry.loaded_at is None:
            return name, "-", "-", "-", "-", "-", "-", self._state(name)
        state, proof = entry.state, self._proof(name, entry)
        proven = output.moment(entry.proven_at) if entry.proven_at else "never"
        return (
            name,
            output.moment(entry.loaded_at),
            entry.strategy,
            f"{entry.read:,}",
            f"{entry.written:,}",
            f"{state.cursor_column} {state.watermark}" if state.watermark else "-",
            proven if proof == "equal" else f"stale: {proven}" if proof == "stale" else proof,
            self._state(name),
        )

    def _entry(self, name: str) -> dict[str, Any]:
        tried, entry = self.there.entries.get(name), self.there.loaded(name)
        return {
            "table": name,
            "hop": REPLICA,
            "target": f"{self.database}.{name}" if entry else None,
            "state": self._state(name),
            "loaded_at": entry.loaded_at if entry else None,
            "strategy": entry.strategy if entry else None,
            "read": entry.read if entry else None,
            "written": entry.written if entry else None,
            "cursor": entry.state.cursor_column if entry else None,
            "watermark": entry.state.watermark if entry else None,
            "proof": self._proof(name, entry) if entry else None,
            "proven_at": entry.proven_at if entry else None,
            "kept": [{"column": None, "reason": "gone", "since": None}] if tried and tried.gone else [],
            "last_attempt_at": (tried.failed_at if tried.error else tried.loaded_at) if tried else None,
            "error": tried.error if tried else None,
            "adapted": list(entry.adapted) if entry else [],
        }
