"""How etlkit behaves on the clinic's server: its limits and pauses, in figures and in words."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Any

import attrs

from etlkit.config import SourceSettings
from etlkit.transfer.chunk_size import SECONDS_ROW_LOCKS, SECONDS_TABLE_LOCKS, holds_up_writers
from etlkit.wording import counted

DUTY_CYCLE_TABLE_LOCKS = 0.5
"""The share of the time in which tables are read whose readers hold up writers, where no setting says otherwise."""
DUTY_CYCLE_ROW_LOCKS = 1.0
"""The same for InnoDB."""
LIMITS_FROM: Mapping[str, tuple[int, ...]] = MappingProxyType({"mariadb": (10, 1), "mysql": (5, 7, 8)})
"""By kind of server, the first version that stops a statement after a time that its session chose."""


@attrs.frozen
class Manners:
    """What a deployment's section `source` means for its reads."""

    settings: SourceSettings
    """The section."""

    def duty_cycle(self, engine: str) -> float:
        """Give the share of the time in which a table may be read; the rest of it, nothing of the table is.

        Args:
            engine: the table's storage engine.

        Returns:
            A share above 0, at most 1.
        """
        if self.settings.duty_cycle is not None:
            return self.settings.duty_cycle
        return DUTY_CYCLE_TABLE_LOCKS if holds_up_writers(engine) else DUTY_CYCLE_ROW_LOCKS

    def sentences(self, engines: Iterable[str]) -> list[str]:
        """Say what is done, for people.

        Args:
            engines: storage engines of the tables that are read.

        Returns:
            Sentences.
        """
        settings = self.settings
        pieces = [_pieces(SECONDS_ROW_LOCKS, self.duty_cycle("InnoDB"), "InnoDB")]
        others = sorted({each for each in engines if each and holds_up_writers(each)})
        if others:
            pieces.append(_pieces(SECONDS_TABLE_LOCKS, self.duty_cycle(others[0]), ", ".join(others)))
        hours = f"from {settings.allowed_hours} only" if settings.allowed_hours else "at any time"
        return [
            f"Reads over {counted(settings.connections, 'connection')} in read-only sessions, {hours}.",
            *pieces,
            (
                f"Pauses while more than {settings.max_threads_running} statements are at work on the server "
                f"(Threads_running), or while there are more than {settings.max_table_lock_waits} waits for table "
                f"locks a second (Table_locks_waited); gives up after {settings.busy_patience_minutes:g} minutes."
            ),
        ]

    def statement_limit(self, kind: str, version: tuple[int, ...]) -> str:
        """Say when a statement of ours ends that the server takes too long for.

        Args:
            kind: `mariadb` or `mysql`.
            version: such as `(10, 11, 6)`.

        Returns:
            A sentence.
        """
        seconds = self.settings.statement_seconds
        if version >= LIMITS_FROM[kind]:
            return f"The server stops a statement after {seconds} seconds."
        after = seconds + self.settings.silence_seconds
        return f"This server cannot stop a statement that takes too long; the connection ends after {after} seconds."

    def document(self) -> dict[str, Any]:
        """Say what is done, for programs.

        Returns:
            Plain values by name; durations are seconds.
        """
        settings = self.settings
        hours = settings.allowed_hours
        return {
            "connections": settings.connections,
            "read_only": True,
            "allowed_hours": None if hours is None else str(hours),
            "statement_seconds": settings.statement_seconds,
            "chunk_seconds": {"row_locks": SECONDS_ROW_LOCKS, "table_locks": SECONDS_TABLE_LOCKS},
            "duty_cycle": {"row_locks": self.duty_cycle("InnoDB"), "table_locks": self.duty_cycle("MyISAM")},
            "max_threads_running": settings.max_threads_running,
            "max_table_lock_waits": settings.max_table_lock_waits,
            "busy_patience_minutes": settings.busy_patience_minutes,
        }


def _pieces(seconds: float, duty_cycle: float, engines: str) -> str:
    rest = "without a rest" if duty_cycle == 1 else f"and rests so that it reads {duty_cycle:.0%} of the time"
    return f"Reads {engines} in pieces of about {seconds:g} s, {rest}."
