"""A reader who looks at the warehouse's tables all the time, and remembers every state that it saw."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import attrs
import psycopg2
import psycopg2.sql
from psycopg2.extensions import ISOLATION_LEVEL_REPEATABLE_READ

from support.databases import WarehouseDatabase

DIGEST = "coalesce(sum(hashtextextended(t::text, 0)::numeric), 0)"
"""Of all columns of all rows of table `t`, in any order, duplicates counted."""

_PAUSE_SECONDS = 0.005
_PRESENT = "SELECT relname FROM pg_class WHERE relnamespace = to_regnamespace(%s) AND relkind = 'r'"
_LEDGER = "SELECT pg_current_snapshot()::text, to_regclass('etlkit.table_state') IS NOT NULL"
_SNAPSHOT = "SELECT pg_current_snapshot()::text"
_RUNS = (
    "SELECT table_name, target_name, generation, cursor_column, watermark FROM etlkit.table_state "
    "WHERE target_schema = %s"
)
_BROKEN = "SELECT table_name, stage, read FROM etlkit.table_resume WHERE target_schema = %s"


@attrs.frozen
class State:
    """What one transaction saw of one table: its ledger entry and its rows."""

    generation: int
    """How often the ledger says the table was loaded; 0 for never."""
    cursor: tuple[str | None, str | None] = (None, None)
    """The cursor's column and watermark, by the ledger."""
    rows: int | None = None
    """How many rows there are; None when there is no table."""
    digest: str = ""
    """Of all rows, as the watcher's expression gives it."""


class Watcher:
    """Looks at tables, each time all of them in one transaction."""

    def __init__(self, warehouse: WarehouseDatabase, schema: str = "raw", digest: str = DIGEST) -> None:
        """Prepare, without connecting.

        Args:
            warehouse: where.
            schema: the schema that is loaded into.
            digest: SQL over the rows of table `t`.
        """
        self._warehouse = warehouse
        self._schema = schema
        self._digest = psycopg2.sql.SQL(digest)
        self.seen: dict[str, set[State]] = {}
        """By table, every state that was seen."""
        self.looks = 0
        """How often all tables were looked at."""
        self.broken: list[str] = []
        """What was seen of staged rows that the ledger does not know."""
        self._last: tuple[str, dict[str, State]] = "", {}

    def look(self) -> Mapping[str, State]:
        """Look once.

        Returns:
            By table, what is there; without those that appeared or were locked at this very moment.
        """
        with self._connected() as connection:
            return self._look(connection)

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Look again and again, from another thread, until the block ends; then once more."""
        over, trouble = threading.Event(), list[BaseException]()

        def watch() -> None:
            try:
                with self._connected() as connection:
                    pause = _PAUSE_SECONDS
                    while not over.wait(pause):
                        began = time.monotonic()
                        self._look(connection)
                        # At work a third of the time at most: the run that is looked at needs the machine as well.
                        pause = max(_PAUSE_SECONDS, 2 * (time.monotonic() - began))
            except (psycopg2.OperationalError, psycopg2.InterfaceError) as error:
                # Who restarts or cuts off the warehouse, cuts off its readers too: they connect again.
                if not over.is_set():
                    trouble.append(error)
            except BaseException as error:  # noqa: BLE001 - raised below
                trouble.append(error)
                over.set()

        def watch_on() -> None:
            while not over.is_set():
                watch()
                over.wait(_PAUSE_SECONDS)

        self.look()
        thread = threading.Thread(target=watch_on, name="watcher", daemon=True)
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join()
        cut_off = psycopg2.OperationalError, psycopg2.InterfaceError
        unexpected = [each for each in trouble if not isinstance(each, cut_off)]
        if unexpected:
            raise unexpected[0]
        self.look()

    @contextmanager
    def _connected(self) -> Iterator[Any]:
        connection = psycopg2.connect(self._warehouse.url, application_name="watcher", connect_timeout=5)
        self._last = "", {}  # a server that was restarted may have lost what it committed last
        try:
            connection.set_session(isolation_level=ISOLATION_LEVEL_REPEATABLE_READ, readonly=True)
            yield connection
        finally:
            connection.close()

    def _look(self, connection: Any) -> Mapping[str, State]:
        try:
            found = self._looked(connection)
        except (psycopg2.errors.LockNotAvailable, psycopg2.errors.UndefinedTable):
            return {}  # being changed, or dropped, at this moment
        finally:
            connection.rollback()
        self.looks += 1
        for table, state in found.items():
            self.seen.setdefault(table, set()).add(state)
        return found

    def _looked(self, connection: Any) -> dict[str, State]:
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL lock_timeout = '200ms'")
            cursor.execute(_LEDGER)
            ((snapshot, ledger),) = cursor.fetchall()
            if snapshot == self._last[0]:
                # Nobody committed anything since: adding the same rows up again would show the same.
                return self._last[1]
            before = self._present(cursor)
            connection.rollback()
            # Locked before the transaction's snapshot is taken: one that is older than a rewrite sees an empty table.
            cursor.execute("SET LOCAL lock_timeout = '200ms'")
            for name in before:
                cursor.execute(
                    psycopg2.sql.SQL("LOCK TABLE {} IN ACCESS SHARE MODE").format(self._named(name))
                )
            present = self._present(cursor)
            cursor.execute(_SNAPSHOT)
            ((snapshot,),) = cursor.fetchall()
            states: list[tuple[Any, ...]] = []
            if ledger:
                cursor.execute(_RUNS, (self._schema,))
                states = cursor.fetchall()
                self._look_at_stages(cursor)
            found = {}
            for table, target, generation, *cursor_state in states:
                if target in before or target not in present:
                    known = State(generation, tuple(cursor_state))
                    found[table] = self._with_rows(cursor, known, target, present)
            for name in present & before - {target for _, target, *_ in states}:
                found[name] = self._with_rows(cursor, State(0), name, present)
            # What came or went at this very moment is looked at the next time.
            self._last = (snapshot, found) if before == present else ("", {})
            return found

    def _present(self, cursor: Any) -> set[str]:
        cursor.execute(_PRESENT, (self._schema,))
        return {name for (name,) in cursor.fetchall()}

    def _with_rows(self, cursor: Any, known: State, name: str, present: set[str]) -> State:
        if name not in present:
            return known
        cursor.execute(
            psycopg2.sql.SQL("SELECT count(*), ({})::text FROM {} AS t").format(
                self._digest, self._named(name)
            )
        )
        ((rows, digest),) = cursor.fetchall()
        return attrs.evolve(known, rows=rows, digest=digest)

    def _look_at_stages(self, cursor: Any) -> None:
        cursor.execute(_BROKEN, (self._schema,))
        for table, stage, read in cursor.fetchall():
            cursor.execute(
                psycopg2.sql.SQL("SELECT count(*) FROM {}").format(psycopg2.sql.Identifier("etlkit", stage))
            )
            ((staged,),) = cursor.fetchall()
            if staged != read:
                self.broken.append(f"table `{table}`: {staged} rows are staged, {read} by the ledger")

    def _named(self, name: str) -> psycopg2.sql.Identifier:
        return psycopg2.sql.Identifier(self._schema, name)
